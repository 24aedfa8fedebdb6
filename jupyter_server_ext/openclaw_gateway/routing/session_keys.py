"""Which session a message belongs to: the four dmScopes, groups, threads and people known under several ids (SES-02, SES-03).

Ids come from strangers. Everything that could make two conversations share a key is escaped (`%3A` for `:`), so that different
peers always get different keys; the letters of an id are never changed, because several platforms tell case apart.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

from openclaw_gateway.routing.qualified import qualified
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import Peer, Thread
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.session_key import MAIN, SessionKey

DmScope = Literal["main", "per-peer", "per-channel-peer", "per-account-channel-peer"]
GroupScope = Literal["per-group", "main"]

MAX_ID = 100
"""Longer ids are cut and signed with a digest: a key of three of them still fits into a key of 512 characters."""

_UNSAFE = re.compile(r"[%\s\x00-\x1f\x7f]")
_SUFFIX = re.compile(r"(^|:)(thread|topic):")
_RESERVED = frozenset({"direct", "group", "channel", "slash", "thread", "topic", "subagent", "acp", "boot", "dashboard"})


@dataclass(frozen=True)
class SessionRules:
    """What the config says about keys. `people` maps (channel or "", peer id) to one name (`session.identityLinks`)."""

    dm_scope: DmScope = "main"
    group_scope: GroupScope = "per-group"
    shared: bool = False
    main_key: str = MAIN
    people: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: OpenClawConfig) -> SessionRules:
        session = config.session
        people = {qualified(alias): name for name, aliases in session.identity_links.items() for alias in aliases}
        return cls(
            dm_scope=session.dm_scope,
            group_scope=session.group_scope,
            shared=session.scope == "global",
            main_key=session.main_key,
            people=people,
        )

    def person(self, channel: str, peer_id: str) -> str | None:
        """The linked name of a peer, `channel:peer` before a bare id."""
        return self.people.get((channel.lower(), peer_id)) or self.people.get(("", peer_id))


def session_key(
    rules: SessionRules,
    agent: str,
    channel: str,
    account: str,
    peer: Peer,
    thread: Thread | None = None,
    *,
    dm_scope: DmScope | None = None,
    group_scope: GroupScope | None = None,
) -> str:
    """The key of a conversation; a scope given here (from a binding) goes before the rules.

    Raises `OpenClawError` (INVALID_REQUEST) when the peer has no id: without one nobody can be told apart.
    """
    if not peer.id.strip():
        raise invalid(f"a message from {channel} names no peer, so it has no session")
    if rules.shared:
        return "global"
    if peer.kind == "direct":
        key = _direct(rules, dm_scope or rules.dm_scope, agent, channel, account, peer.id)
    elif (group_scope or rules.group_scope) == "main":
        key = _main(rules, agent)
    else:
        key = SessionKey(peer.kind, agent, _id(peer.id), _part(channel.lower()))
    if thread is not None:
        key = SessionKey(key.kind, key.agent, key.id, key.channel, key.account, thread.kind, _part(thread.id))
    return key.text


def main_key(rules: SessionRules, agent: str) -> str:
    """The key of an agent's main session."""
    return "global" if rules.shared else _main(rules, agent).text


def _main(rules: SessionRules, agent: str) -> SessionKey:
    return SessionKey("main", agent) if rules.main_key == MAIN else SessionKey("custom", agent, rules.main_key)


def _direct(rules: SessionRules, scope: DmScope, agent: str, channel: str, account: str, peer_id: str) -> SessionKey:
    if scope == "main":
        return _main(rules, agent)
    person = _person(rules, channel, peer_id)
    match scope:
        case "per-peer":
            return SessionKey("direct", agent, person)
        case "per-channel-peer":
            return SessionKey("direct", agent, person, _part(channel.lower()))
        case "per-account-channel-peer":
            return SessionKey("direct", agent, person, _part(channel.lower()), _part(account))
        case _:
            assert_never(scope)


def _person(rules: SessionRules, channel: str, peer_id: str) -> str:
    linked = rules.person(channel, peer_id)
    if linked is not None:
        return _id(linked)
    own = _id(peer_id)
    if peer_id in rules.people.values():
        # A stranger may call himself what the owner calls a friend; he must not get the friend's session.
        return f"%{ord(own[0]):02X}{own[1:]}"
    return own


def _id(text: str) -> str:
    """An id as the last field before a suffix: colons may stay, but nothing that reads like a suffix."""
    return _short(_SUFFIX.sub(r"\1\2%3A", _UNSAFE.sub(_escape, text)))


def _part(text: str) -> str:
    """An id between two colons; a word the key grammar uses is escaped at its first letter."""
    safe = _short(_UNSAFE.sub(_escape, text).replace(":", "%3A"))
    return f"%{ord(safe[0]):02X}{safe[1:]}" if safe in _RESERVED else safe


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def _short(text: str) -> str:
    if len(text) <= MAX_ID:
        return text
    return f"{text[: MAX_ID - 40]}%~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
