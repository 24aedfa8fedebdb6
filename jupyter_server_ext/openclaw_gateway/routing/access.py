"""May this sender be heard, and may he command? Pure: policy and facts in, verdict out (ROU-04, ROU-05, CHN-14).

Closed wherever the config is silent. A verdict other than `hear` means: no model call, no download, nothing of the message in
a log. Only ids identify a sender; names count where the user switched `dangerouslyAllowNameMatching` on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

from openclaw_gateway.routing.mention import Mention
from openclaw_gateway.routing.policy import ANY, AccessError, AccessPolicy, GroupRule, entries
from openclaw_gateway.routing.qualified import qualified
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import Inbound, Sender

Action = Literal["hear", "pair", "observe", "drop"]
"""hear: to the agent · pair: give a code · observe: keep as group history, no answer · drop: as if it never came."""

Reason = Literal[
    "owner",
    "listed",
    "paired",
    "open",
    "unknown-sender",
    "not-listed",
    "open-without-wildcard",
    "dm-disabled",
    "group-disabled",
    "group-not-listed",
    "group-sender-not-listed",
    "no-mention",
    "no-sender",
]

_GROUP_PREFIX = "accessGroup:"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a message, and why. `may_command` says whether slash commands of the sender count."""

    action: Action
    reason: Reason
    owner: bool = False
    may_command: bool = False


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What only others know: whether the sender was approved by pairing, as owner, and how the message spoke to us.

    `always` is the session's `/activation always`; `command` is true when the whole text is a known command.
    """

    paired: bool = False
    paired_owner: bool = False
    mention: Mention = field(default_factory=Mention)
    always: bool = False
    command: bool = False


@dataclass(frozen=True)
class Lists:
    """The lists that hold for all channels: owners, access groups, and `commands.allowFrom` (`None` when absent)."""

    owners: tuple[str, ...] = ()
    groups: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    commands: Mapping[str, tuple[str, ...]] | None = None

    @classmethod
    def from_config(cls, config: OpenClawConfig) -> Lists:
        """Raises `AccessError` naming the key that is wrong."""
        commands = config.commands.get("allowFrom")
        return cls(
            owners=entries(config.commands.get("ownerAllowFrom"), "commands.ownerAllowFrom") or (),
            groups={name: _members(row, f"accessGroups.{name}") for name, row in config.access_groups.items()},
            commands=None if commands is None else _by_channel(commands, "commands.allowFrom"),
        )


def decide(policy: AccessPolicy, lists: Lists, message: Inbound, facts: AccessFacts) -> Verdict:
    """The verdict on one message."""
    sender, channel = message.sender, message.channel.lower()
    if not sender.id.strip():
        return Verdict("drop", "no-sender")
    who = _Who(sender, channel, policy.match_names, lists)
    # `*` may let the world speak, but neither it nor a name anyone can take makes an owner.
    owner = facts.paired_owner or _Who(sender, channel, False, lists).among(lists.owners, wildcard=False)
    if message.peer.kind == "direct":
        action, reason = _direct(policy, who, facts, owner)
    else:
        action, reason = _group(policy, who, message.peer.id, owner)
    if action != "hear":
        return Verdict(action, reason, owner)
    may_command = _may_command(policy, lists, who, message, facts, owner)
    if message.peer.kind != "direct" and not _spoken_to(policy, message.peer.id, facts, may_command):
        return Verdict("observe", "no-mention", owner)
    return Verdict("hear", reason, owner, may_command)


@dataclass(frozen=True)
class _Who:
    sender: Sender
    channel: str
    match_names: bool
    lists: Lists

    def among(self, listed: Iterable[str], *, wildcard: bool = True) -> bool:
        """Whether the sender is in a list: `*`, an id, `channel:id`, `accessGroup:name` (not nested)."""
        for entry in listed:
            if entry.startswith(_GROUP_PREFIX):
                members = self.lists.groups.get(entry.removeprefix(_GROUP_PREFIX), {})
                inside = (*members.get(ANY, ()), *members.get(self.channel, ()))
                if any(self._is(member, wildcard) for member in inside):
                    return True
            elif self._is(entry, wildcard):
                return True
        return False

    def _is(self, entry: str, wildcard: bool) -> bool:
        if entry == ANY:
            return wildcard
        names = {self.sender.id}
        if self.match_names:
            names |= {name for name in (self.sender.name, self.sender.username, f"@{self.sender.username}") if name.strip("@")}
        channel, name = qualified(entry)
        return channel in ("", self.channel) and name in names


def _direct(policy: AccessPolicy, who: _Who, facts: AccessFacts, owner: bool) -> tuple[Action, Reason]:
    if policy.dm == "disabled":
        return "drop", "dm-disabled"
    if owner:
        return "hear", "owner"
    listed = who.among(policy.allow_from)
    match policy.dm:
        case "open":
            if ANY in policy.allow_from:
                return "hear", "open"
            return ("hear", "listed") if listed else ("drop", "open-without-wildcard")
        case "allowlist":
            return ("hear", "listed") if listed else ("drop", "not-listed")
        case "pairing":
            if listed:
                return "hear", "listed"
            return ("hear", "paired") if facts.paired else ("pair", "unknown-sender")
        case _:
            assert_never(policy.dm)


def _group(policy: AccessPolicy, who: _Who, group_id: str, owner: bool) -> tuple[Action, Reason]:
    rule = policy.groups.get(group_id) or policy.groups.get(ANY)
    mode = (rule.policy if rule else None) or policy.group
    if mode == "disabled" or policy.group == "disabled":
        return "drop", "group-disabled"
    if (policy.groups and rule is None) or (rule is not None and not rule.enabled):
        return "drop", "group-not-listed"
    if owner:
        return "hear", "owner"
    if mode == "open":
        own = rule.allow_from if rule else None
        if own is None:
            return "hear", "open"
        return ("hear", "listed") if who.among(own) else ("drop", "group-sender-not-listed")
    # Pairing opens direct messages only (ROU-04), so whether he is paired is not asked here.
    return ("hear", "listed") if _in_group_list(policy, rule, who) else ("drop", "group-sender-not-listed")


def _in_group_list(policy: AccessPolicy, rule: GroupRule | None, who: _Who, *, wildcard: bool = True) -> bool:
    """The room's own list, else the account's group list, else its list for direct messages without `*`: to answer the world
    in private is no leave to answer in every room."""
    if rule is not None and rule.allow_from is not None:
        return who.among(rule.allow_from, wildcard=wildcard)
    if policy.group_allow_from is not None:
        return who.among(policy.group_allow_from, wildcard=wildcard)
    return who.among(policy.allow_from, wildcard=False)


def _spoken_to(policy: AccessPolicy, group_id: str, facts: AccessFacts, may_command: bool) -> bool:
    if facts.always or facts.mention or (facts.command and may_command):
        return True
    for rule in (policy.groups.get(group_id), policy.groups.get(ANY)):
        if rule is not None and rule.require_mention is not None:
            return not rule.require_mention
    return not policy.require_mention


def _may_command(policy: AccessPolicy, lists: Lists, who: _Who, message: Inbound, facts: AccessFacts, owner: bool) -> bool:
    """`commands.allowFrom` replaces everything else (ROU-05); else the owner, the listed by id, the paired in private."""
    if lists.commands is not None:
        own = lists.commands.get(who.channel)
        return who.among(own if own is not None else lists.commands.get(ANY, ()))
    if owner:
        return True
    if message.peer.kind == "direct":
        return (facts.paired and policy.dm == "pairing") or who.among(policy.allow_from, wildcard=False)
    rule = policy.groups.get(message.peer.id) or policy.groups.get(ANY)
    return _in_group_list(policy, rule, who, wildcard=False)


def _members(row: Any, where: str) -> Mapping[str, tuple[str, ...]]:
    """`{type: "message.senders", members: {channel: [ids]}}`, or a plain list of ids."""
    if isinstance(row, Mapping):
        if row.get("type", "message.senders") != "message.senders":
            raise AccessError(f"{where}.type is {row['type']!r}; only message.senders is known.")
        return _by_channel(row.get("members") or {}, f"{where}.members")
    return {ANY: entries(row, where) or ()}


def _by_channel(value: Any, where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise AccessError(f"{where} must be an object of channels, each with a list of sender ids.")
    return {str(name).lower(): entries(row, f"{where}.{name}") or () for name, row in value.items()}
