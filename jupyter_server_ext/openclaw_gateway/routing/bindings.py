"""Which agent answers a message: bindings in eight tiers, the first match wins (ROU-01, ROU-02).

1 peer (exact, then `*`) · 2 parent peer of a thread · 3 guild and roles · 4 guild · 5 team · 6 account · 7 channel · 8 default.
All fields of a binding must match; inside a tier the first entry of the config wins. An absent `accountId`, or `*`, is any
account. Nothing here reads a message's text, so the answer is the same for every message of a conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from openclaw_gateway.routing.lru import Lru
from openclaw_gateway.routing.session_keys import DmScope, GroupScope, SessionRules, main_key, session_key
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import Inbound, Peer, PeerKind, Thread
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.session_key import DEFAULT_AGENT

EVALUATED = 2_000
"""Accounts whose bindings are kept sorted into tiers (ROU-01)."""
RESOLVED = 4_000
"""Conversations whose route is kept (ROU-01)."""

Tier = Literal["peer", "peer.wildcard", "peer.parent", "guild.roles", "guild", "team", "account", "channel", "default"]
TIERS: tuple[Tier, ...] = get_args(Tier)
_NUMBER = {"peer": 1, "peer.wildcard": 1, "peer.parent": 2, "guild.roles": 3, "guild": 4, "team": 5, "account": 6, "channel": 7}
_ANY = "*"
_KINDS: Mapping[str, PeerKind] = {"direct": "direct", "dm": "direct", "group": "group", "channel": "channel"}
_MATCH = frozenset({"channel", "accountId", "peer", "guildId", "teamId", "roles"})


class BindingError(UserError):
    """A binding of the config that cannot be used."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One row of `bindings`. An empty field asks for nothing."""

    index: int
    agent: str
    channel: str
    account: str = ""
    peer: Peer | None = None
    guild: str = ""
    team: str = ""
    roles: frozenset[str] = frozenset()
    dm_scope: DmScope | None = None
    group_scope: GroupScope | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message was written: all that routing may look at."""

    channel: str
    account: str
    peer: Peer
    thread: Thread | None = None
    guild: str = ""
    team: str = ""
    roles: frozenset[str] = frozenset()

    @classmethod
    def of(cls, message: Inbound) -> Place:
        group = message.group
        return cls(message.channel.lower(), message.account, message.peer, message.thread, group.guild, group.team, group.roles)


@dataclass(frozen=True, slots=True)
class Route:
    """The answer. `binding` is the index in the config, `None` for the default agent; `number` is the tier from 1 to 8."""

    agent: str
    session_key: str
    main_session_key: str
    tier: Tier
    binding: int | None = None

    @property
    def number(self) -> int:
        return _NUMBER.get(self.tier, 8)


@dataclass(frozen=True, slots=True)
class Refused:
    """No agent is responsible (ROU-02). `reason` is for logs and `status`, it holds nothing a stranger wrote."""

    reason: str


class Router:
    """Routes by one config at a time. Used from the event loop only."""

    def __init__(self, config: OpenClawConfig) -> None:
        self._evaluated: Lru[tuple[str, str], tuple[Binding, ...]] = Lru(EVALUATED)
        self._resolved: Lru[Place, Route | Refused] = Lru(RESOLVED)
        self.reconfigure(config)

    def reconfigure(self, config: OpenClawConfig) -> None:
        """Take a new config and forget every cached route. Raises `BindingError`, and then the old config stays in force."""
        bindings = read_bindings(config)
        self._bindings, self._rules, self._default = bindings, SessionRules.from_config(config), default_agent(config)
        self._evaluated.clear()
        self._resolved.clear()

    def route(self, message: Inbound) -> Route | Refused:
        """The agent and session of a message."""
        return self.resolve(Place.of(message))

    def resolve(self, place: Place) -> Route | Refused:
        """The agent and session of a place. Raises `OpenClawError` when its peer has no id."""
        known = self._resolved.get(place)
        return known if known is not None else self._resolved.put(place, self._decide(place))

    @property
    def cached(self) -> tuple[int, int]:
        """Entries in the two caches: evaluated bindings, resolved routes."""
        return len(self._evaluated), len(self._resolved)

    def _decide(self, place: Place) -> Route | Refused:
        best: tuple[int, Tier, Binding] | None = None
        for binding in self._candidates(place):
            tier = match(binding, place)
            if tier is not None and (best is None or TIERS.index(tier) < best[0]):
                best = TIERS.index(tier), tier, binding
        if best is not None:
            return self._to(place, best[2].agent, best[1], best[2])
        if self._default is None:
            return Refused(
                f"no binding matches a message from {place.channel} and no agent is the default; "
                "add a binding or set default: true on one agent in agents.list"
            )
        return self._to(place, self._default, "default", None)

    def _candidates(self, place: Place) -> tuple[Binding, ...]:
        key = (place.channel, place.account)
        known = self._evaluated.get(key)
        if known is None:
            known = tuple(b for b in self._bindings if b.channel == place.channel and b.account in ("", place.account))
            self._evaluated.put(key, known)
        return known

    def _to(self, place: Place, agent: str, tier: Tier, binding: Binding | None) -> Route:
        key = session_key(
            self._rules,
            agent,
            place.channel,
            place.account,
            place.peer,
            place.thread,
            dm_scope=binding.dm_scope if binding else None,
            group_scope=binding.group_scope if binding else None,
        )
        return Route(agent, key, main_key(self._rules, agent), tier, binding.index if binding else None)


def match(binding: Binding, place: Place) -> Tier | None:
    """The tier in which a binding matches a place; `None` when one of its fields does not."""
    fits = (
        binding.channel == place.channel
        and binding.account in ("", place.account)
        and binding.guild in ("", place.guild)
        and binding.team in ("", place.team)
        and (not binding.roles or bool(binding.roles & place.roles))
    )
    if not fits:
        return None
    if binding.peer is not None:
        return _peer_tier(binding.peer, place)
    if binding.guild:
        return "guild.roles" if binding.roles else "guild"
    if binding.team:
        return "team"
    return "account" if binding.account else "channel"


def default_agent(config: OpenClawConfig) -> str | None:
    """The agent marked `default`, or the only one, or `main` without a list; `None` when several are listed, none marked."""
    agents = config.agents.list
    if len(agents) <= 1:
        return agents[0].id if agents else DEFAULT_AGENT
    return next((agent.id for agent in agents if agent.default), None)


def read_bindings(config: OpenClawConfig) -> tuple[Binding, ...]:
    """The rows of `bindings`. Raises `BindingError` naming the row and the key."""
    agents = {agent.id for agent in config.agents.list} or {DEFAULT_AGENT}
    return tuple(_binding(index, row, agents) for index, row in enumerate(config.bindings))


def _peer_tier(wanted: Peer, place: Place) -> Tier | None:
    if wanted == place.peer:
        return "peer"
    if wanted.id == _ANY:
        return "peer.wildcard" if wanted.kind == place.peer.kind else None
    parent = place.thread.parent if place.thread else None
    return "peer.parent" if wanted == parent else None


def _binding(index: int, row: Mapping[str, Any], agents: set[str]) -> Binding:
    where = f"bindings[{index}]"
    agent, fields = row.get("agentId"), row.get("match")
    if not isinstance(agent, str) or agent not in agents:
        raise BindingError(f"{where}.agentId is {agent!r}; name one of: {', '.join(sorted(agents))}.")
    if not isinstance(fields, Mapping) or not _text(fields, "channel", f"{where}.match"):
        raise BindingError(f"{where}.match.channel is missing; name the channel the binding is for.")
    if unknown := sorted(set(fields) - _MATCH):
        raise BindingError(f"{where}.match.{unknown[0]} is not known; use {', '.join(sorted(_MATCH))}.")
    roles = fields.get("roles") or []
    if not isinstance(roles, list):
        raise BindingError(f"{where}.match.roles must be a list of role ids.")
    account = _text(fields, "accountId", f"{where}.match")
    session = row.get("session") or {}
    return Binding(
        index,
        agent,
        _text(fields, "channel", f"{where}.match").lower(),
        "" if account == _ANY else account,
        _peer(fields.get("peer"), where),
        _text(fields, "guildId", f"{where}.match"),
        _text(fields, "teamId", f"{where}.match"),
        frozenset(str(role) for role in roles),
        _scope(session, "dmScope", get_args(DmScope), where),
        _scope(session, "groupScope", get_args(GroupScope), where),
    )


def _peer(value: Any, where: str) -> Peer | None:
    if value is None:
        return None
    kind = _KINDS.get(str(value.get("kind"))) if isinstance(value, Mapping) else None
    if kind is None or not _text(value, "id", f"{where}.match.peer"):
        raise BindingError(f"{where}.match.peer must be {{kind: direct|group|channel, id}}.")
    return Peer(kind, _text(value, "id", f"{where}.match.peer"))


def _text(fields: Mapping[str, Any], key: str, where: str) -> str:
    """A text or a number as text. An empty one would match everything, so only an absent one may."""
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BindingError(f"{where}.{key} is {value!r}; it must be a name or a number.")
    return str(value).strip()


def _scope(session: Any, key: str, allowed: tuple[str, ...], where: str) -> Any:
    value = session.get(key) if isinstance(session, Mapping) else None
    if value is not None and value not in allowed:
        raise BindingError(f"{where}.session.{key} is {value!r}; use one of: {', '.join(allowed)}.")
    return value
