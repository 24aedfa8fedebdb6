"""Who may call and hear what: scope implication and the gates of events (protocol section 3.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from openclaw_kernel.values.errors import OpenClawError

Role = Literal["operator", "node"]

READ = "operator.read"
WRITE = "operator.write"
ADMIN = "operator.admin"
APPROVALS = "operator.approvals"
QUESTIONS = "operator.questions"
PAIRING = "operator.pairing"
TALK = "operator.talk"
TALK_SECRETS = "operator.talk.secrets"

NODE = "node"
"""A method's scope when only nodes may call it."""
DYNAMIC = "dynamic"
"""A method's scope when it depends on the parameters."""

OPERATOR_SCOPES = (ADMIN, READ, WRITE, APPROVALS, QUESTIONS, PAIRING, TALK, TALK_SECRETS)

_IMPLIED: Mapping[str, frozenset[str]] = {
    WRITE: frozenset({WRITE, READ, TALK}),
    ADMIN: frozenset(OPERATOR_SCOPES),
}

OPEN_EVENTS = frozenset({"tick", "presence", "heartbeat", "health", "shutdown", "gateway.suspension"})
"""Events that go to every connection."""

_EVENT_SCOPES: Mapping[str, str] = {
    "exec.approval.": APPROVALS,
    "plugin.approval.": APPROVALS,
    "openclaw.approval.": APPROVALS,
    "session.approval": APPROVALS,
    "question.": QUESTIONS,
    "device.pair.": PAIRING,
    "node.pair.": PAIRING,
    "channel.pairing.": PAIRING,
    "terminal.": ADMIN,
}

_TOOL_STREAMS = frozenset({"tool"})
CAP_TOOL_EVENTS = "tool-events"
CAP_SESSION_SCOPED = "session-scoped-events"
_EVENT_CAPS: Mapping[str, str] = {
    "ui.command": "ui-commands",
    "task.suggestion": "task-suggestions",
    "plugin.approval.requested": "plugin-approvals",
    "plugin.approval.resolved": "plugin-approvals",
}
_CAP_SYNONYMS: Mapping[str, frozenset[str]] = {"plugin-approvals": frozenset({"plugin-approvals", "approvals"})}

LIST_EVENTS = frozenset({"sessions.changed"})
"""Only after `sessions.subscribe`."""
MESSAGE_EVENTS = frozenset({"session.message", "session.tool", "session.operation", "session.typing", "session.observer"})
"""Only after `sessions.subscribe` or `sessions.messages.subscribe` of that session."""


def expand(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes with all they imply: write includes read and talk, admin everything."""
    found: set[str] = set()
    for scope in scopes:
        found |= _IMPLIED.get(scope, {scope})
    return frozenset(found)


def known(scopes: Iterable[str]) -> tuple[str, ...]:
    """The asked scopes that exist, each once, in the order asked."""
    return tuple(dict.fromkeys(scope for scope in scopes if scope in OPERATOR_SCOPES))


def covers(granted: Iterable[str], asked: Iterable[str]) -> bool:
    """Whether everything asked is within what was granted."""
    return expand(granted) >= set(asked)


def missing_scope(scope: str) -> OpenClawError:
    """`FORBIDDEN` in the original's words."""
    details = {"code": "MISSING_SCOPE", "missingScope": scope, "requiredScopes": [scope]}
    return OpenClawError("FORBIDDEN", f"missing scope: {scope}", details)


def event_scope(event: str, default: str | None) -> str | None:
    """The scope that hearing `event` needs; `None` means everyone. `default` is for events the protocol does not name."""
    if event in OPEN_EVENTS:
        return None
    for prefix, scope in _EVENT_SCOPES.items():
        if event.startswith(prefix):
            return scope
    return default


def event_caps(event: str, payload: Mapping[str, Any]) -> Collection[str]:
    """The capabilities of which a connection needs one to be sent this event; empty means none is needed (protocol 3.1)."""
    if event == "agent":
        data = payload.get("data")
        tool_item = payload.get("stream") == "item" and isinstance(data, Mapping) and data.get("kind") == "tool"
        return (CAP_TOOL_EVENTS,) if tool_item or payload.get("stream") in _TOOL_STREAMS else ()
    cap = _EVENT_CAPS.get(event)
    return () if cap is None else _CAP_SYNONYMS.get(cap, (cap,))
