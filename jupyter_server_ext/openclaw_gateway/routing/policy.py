"""What the config says about who may write on one account: account before channel before `channels.defaults` (CHN-05).

A channel without a block, a switched-off one and an account that is not configured are closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT
from openclaw_kernel.values.errors import UserError

DmPolicy = Literal["pairing", "allowlist", "open", "disabled"]
GroupPolicy = Literal["allowlist", "open", "disabled"]

ANY = "*"
_DEFAULTS = "defaults"


class AccessError(UserError):
    """A setting about access that cannot be used."""


@dataclass(frozen=True, slots=True)
class GroupRule:
    """One entry of `groups`. `None` means the account's setting holds."""

    enabled: bool = True
    policy: GroupPolicy | None = None
    require_mention: bool | None = None
    allow_from: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Who may write on one account. `groups` maps group ids and `*` to rules; an empty map names no group."""

    dm: DmPolicy = "pairing"
    group: GroupPolicy = "allowlist"
    allow_from: tuple[str, ...] = ()
    group_allow_from: tuple[str, ...] | None = None
    groups: Mapping[str, GroupRule] = field(default_factory=dict)
    require_mention: bool = True
    match_names: bool = False


CLOSED = AccessPolicy(dm="disabled", group="disabled")


def read_policy(config: OpenClawConfig, channel: str, account: str = DEFAULT_ACCOUNT) -> AccessPolicy:
    """The policy of one account. Raises `AccessError` naming the key that is wrong."""
    block, where = config.channels.get(channel), f"channels.{channel}"
    if channel == _DEFAULTS or block is None or _is_off(block, where):
        return CLOSED
    accounts = _object(block.get("accounts"), f"{where}.accounts")
    if account != DEFAULT_ACCOUNT and account not in accounts:
        return CLOSED
    own, own_where = _object(accounts.get(account), f"{where}.accounts.{account}"), f"{where}.accounts.{account}"
    if _is_off(own, own_where):
        return CLOSED
    return _policy(_Layers(((own, own_where), (block, where), _defaults(config))))


def _is_off(block: Mapping[str, Any], where: str) -> bool:
    return flag(block.get("enabled"), f"{where}.enabled") is False


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise AccessError(f"{where} must be an object.")
    return value or {}


class _Layers:
    """Settings from the nearest layer that has them, with the path for the error."""

    def __init__(self, layers: tuple[tuple[Mapping[str, Any], str], ...]) -> None:
        self._layers = layers

    def find(self, key: str) -> tuple[Any, str]:
        for block, where in self._layers:
            if block.get(key) is not None:
                return block[key], f"{where}.{key}"
        return None, key


def _defaults(config: OpenClawConfig) -> tuple[Mapping[str, Any], str]:
    return config.channels.get(_DEFAULTS) or {}, f"channels.{_DEFAULTS}"


def _policy(layers: _Layers) -> AccessPolicy:
    mention = flag(*layers.find("requireMention"))
    return AccessPolicy(
        dm=choice(*layers.find("dmPolicy"), get_args(DmPolicy)) or "pairing",
        group=choice(*layers.find("groupPolicy"), get_args(GroupPolicy)) or "allowlist",
        allow_from=entries(*layers.find("allowFrom")) or (),
        group_allow_from=entries(*layers.find("groupAllowFrom")),
        groups=_groups(*layers.find("groups")),
        require_mention=True if mention is None else mention,
        match_names=flag(*layers.find("dangerouslyAllowNameMatching")) or False,
    )


def _groups(value: Any, where: str) -> dict[str, GroupRule]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise AccessError(f"{where} must be an object of group ids.")
    return {str(name): _rule(row, f"{where}.{name}") for name, row in value.items()}


def _rule(row: Any, where: str) -> GroupRule:
    if not isinstance(row, Mapping):
        raise AccessError(f"{where} must be an object; write {{}} for a group without settings of its own.")
    return GroupRule(
        enabled=flag(row.get("enabled"), f"{where}.enabled") is not False,
        policy=choice(row.get("groupPolicy"), f"{where}.groupPolicy", get_args(GroupPolicy)),
        require_mention=flag(row.get("requireMention"), f"{where}.requireMention"),
        allow_from=entries(row.get("allowFrom"), f"{where}.allowFrom"),
    )


def choice(value: Any, where: str, allowed: tuple[str, ...]) -> Any:
    """`value` if it is one of `allowed` or absent; a typing error must never open a door."""
    if value is not None and value not in allowed:
        raise AccessError(f"{where} is {value!r}; use one of: {', '.join(allowed)}.")
    return value


def flag(value: Any, where: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise AccessError(f"{where} is {value!r}; it must be true or false.")


def entries(value: Any, where: str) -> tuple[str, ...] | None:
    """A list of sender entries; numbers are taken as ids."""
    if value is None:
        return None
    if not isinstance(value, list) or any(isinstance(item, bool) or not isinstance(item, str | int) for item in value):
        raise AccessError(f"{where} must be a list of sender ids.")
    return tuple(str(item).strip() for item in value if str(item).strip())
