"""Session keys: the address of a conversation. `build` and `parse` are inverse (VAL-06).

agent:A:main · agent:A:direct:PEER · agent:A:CHANNEL:direct:PEER · agent:A:CHANNEL:ACCOUNT:direct:PEER ·
agent:A:CHANNEL:group:ID · agent:A:CHANNEL:channel:ID · …:thread:ID · …:topic:ID · agent:A:CHANNEL:slash:USER ·
agent:A:subagent:UUID (may nest) · agent:A:acp:UUID · agent:A:boot:RUN · agent:A:dashboard:NAME ·
cron:JOB · hook:UUID · node:NODE · global · unknown
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from openclaw_kernel.values.errors import invalid

MAX_LENGTH = 512  # protocol section 7
DEFAULT_AGENT = "main"
MAIN = "main"

Kind = Literal[
    "main",
    "direct",
    "group",
    "channel",
    "slash",
    "subagent",
    "acp",
    "boot",
    "dashboard",
    "custom",
    "cron",
    "hook",
    "node",
    "global",
    "unknown",
]
Suffix = Literal["thread", "topic"]

_AGENT_KINDS = ("subagent", "acp", "boot", "dashboard")
_ROOT_KINDS = ("cron", "hook", "node")
_PEER_KINDS = ("direct", "group", "channel", "slash")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A parsed key. `id` is the peer, group, run or name; `text` is the key itself."""

    kind: Kind
    agent: str = DEFAULT_AGENT
    id: str = ""
    channel: str = ""
    account: str = ""
    suffix: Suffix | None = None
    suffix_id: str = ""

    @property
    def text(self) -> str:
        return build(self)


def build(key: SessionKey) -> str:
    """The key as text."""
    if key.kind in ("global", "unknown"):
        return key.kind
    if key.kind in _ROOT_KINDS:
        return f"{key.kind}:{key.id}"
    parts = ["agent", key.agent]
    if key.kind == "main":
        parts.append(MAIN)
    elif key.kind == "custom":
        parts.append(key.id)
    else:
        parts += [part for part in (key.channel, key.account) if part]
        parts += [key.kind, key.id]
    if key.suffix is not None:
        parts += [key.suffix, key.suffix_id]
    return ":".join(parts)


def parse(text: str, *, default_agent: str = DEFAULT_AGENT) -> SessionKey:
    """Reads any form; a short name (`main`, `demo`) belongs to the default agent.

    Raises `OpenClawError` (INVALID_REQUEST) for an empty key, one over 512 characters, or one with control characters.
    """
    text = text.strip()
    _check(text)
    if text in ("global", "unknown"):
        return SessionKey(kind=text)  # type: ignore[arg-type]
    head, _, rest = text.partition(":")
    if head in _ROOT_KINDS and rest:
        return SessionKey(kind=head, id=rest)  # type: ignore[arg-type]
    if head != "agent":
        return _in_agent(default_agent, text)
    agent, _, tail = rest.partition(":")
    if not agent:
        raise invalid(f"session key {text!r} names no agent; write agent:<id>:<name>")
    return _in_agent(agent, tail or MAIN)


def main_key(agent_id: str) -> str:
    """The key of an agent's main session."""
    return f"agent:{agent_id}:{MAIN}"


def resolve(text: str, *, default_agent: str = DEFAULT_AGENT) -> str:
    """The canonical text of a key in any form."""
    return build(parse(text, default_agent=default_agent))


def _check(text: str) -> None:
    if not text:
        raise invalid("session key is empty; write main or agent:<id>:<name>")
    if len(text) > MAX_LENGTH:
        raise invalid(f"session key has {len(text)} characters; the limit is {MAX_LENGTH}")
    if _FORBIDDEN.search(text):
        raise invalid("session key contains a control character")


def _in_agent(agent: str, tail: str) -> SessionKey:
    body, suffix, suffix_id = _split_suffix(tail)
    parts = body.split(":")
    if body == MAIN:
        return SessionKey("main", agent, suffix=suffix, suffix_id=suffix_id)
    if parts[0] in _AGENT_KINDS and len(parts) > 1:
        return SessionKey(parts[0], agent, ":".join(parts[1:]), suffix=suffix, suffix_id=suffix_id)  # type: ignore[arg-type]
    for position, channel, account in ((0, "", ""), (1, parts[0], ""), (2, parts[0], parts[1] if len(parts) > 1 else "")):
        if position < len(parts) - 1 and parts[position] in _PEER_KINDS:
            if position == 0 and parts[0] != "direct":
                continue
            peer = ":".join(parts[position + 1 :])
            return SessionKey(parts[position], agent, peer, channel, account, suffix, suffix_id)  # type: ignore[arg-type]
    return SessionKey("custom", agent, body, suffix=suffix, suffix_id=suffix_id)


def _split_suffix(tail: str) -> tuple[str, Suffix | None, str]:
    parts = tail.split(":")
    names: tuple[Suffix, ...] = ("thread", "topic")
    for name in names:
        if len(parts) >= 3 and parts[-2] == name:
            return ":".join(parts[:-2]), name, parts[-1]
    return tail, None, ""
