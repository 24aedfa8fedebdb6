"""Agent events become wire events (protocol section 4).

One `Projection` is the runtime's event sink. Text is coalesced: the first piece goes out at once, later ones at least
`pace(length)` apart, and whatever is unsent goes out before the run's last event. Tool events reach only connections with the
capability `tool-events`; session events only subscribers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, assert_never

from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.connection import Connection
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.codec import message_to_wire, part_to_wire, usage_to_wire
from openclaw_kernel.values.events import (
    Compacted,
    FallbackStep,
    MessageDelta,
    MessageEnded,
    MessageStarted,
    MessageStored,
    PhaseChanged,
    RunEnded,
    RunEvent,
    RunStarted,
    ToolEnded,
    ToolStarted,
    ToolUpdated,
    TurnStarted,
    UsageReported,
)
from openclaw_kernel.values.messages import UserMessage

Wire = dict[str, Any]
Listener = Callable[[RunEvent], None]
SessionRow = Callable[[str], Wire | None]

PACE_MS = 50
"""Least distance between two pieces of one answer; long answers are paced slower because each piece repeats the text so far."""

_ERROR_KINDS = frozenset({"refusal", "timeout", "rate_limit", "context_length"})


def pace(length: int) -> int:
    """Milliseconds to wait between two pieces when `length` characters have been said."""
    return max(PACE_MS, length // 100)


@dataclass(slots=True)
class _Run:
    """What one run has said and what of it is already on the wire."""

    started_at: int = 0
    item_id: str = ""
    text: str = ""
    agent_sent: int = 0
    chat_sent: str = ""
    thinking: str = ""
    thinking_sent: int = 0
    last_sent_at: int = -1_000_000
    last: RunEvent | None = None
    timer: asyncio.TimerHandle | None = None
    tool_started: dict[str, tuple[int, str]] = field(default_factory=dict)
    provider: str = ""
    model: str = ""


class Projection:
    """The event sink of the runtime; `listen` lets HTTP callers follow one run without a connection."""

    def __init__(self, broadcaster: Broadcaster, clock: Clock) -> None:
        self._broadcaster = broadcaster
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self.session_row: SessionRow = lambda _key: None
        self.session_id: Callable[[str], str | None] = lambda _key: None

    def anybody_follows(self, key: str | None) -> bool:
        """Whether a row is worth building: somebody follows all sessions, or the messages of `key`."""
        return any(connection.session_list_subscribed or key in connection.session_keys for connection in self._broadcaster)

    def listen(self, run_id: str, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event of a run from now on; the returned function ends that."""
        self._listeners.setdefault(run_id, []).append(listener)

        def stop() -> None:
            rest = [other for other in self._listeners.get(run_id, []) if other is not listener]
            if rest:
                self._listeners[run_id] = rest
            else:
                self._listeners.pop(run_id, None)

        return stop

    def __call__(self, event: RunEvent) -> None:
        for listener in self._listeners.get(event.run_id, ()):
            listener(event)
        run = self._runs.get(event.run_id)
        if run is None:
            run = self._runs[event.run_id] = _Run()
        run.last = event
        self._project(event, run)

    def _project(self, event: RunEvent, run: _Run) -> None:
        match event.event:
            case PhaseChanged(phase):
                self._chat(event, {"state": "status", "phase": phase})
                self._agent(event, "run_status", {"phase": phase}, only=_follows(event.session_key))
            case RunStarted(started_at):
                run.started_at = started_at
                self._agent(event, "lifecycle", {"phase": "start", "startedAt": started_at})
                self.changed(event.session_key, phase="start", runId=event.run_id)
            case TurnStarted(provider, model):
                run.provider, run.model = provider, model
                self._agent(event, "lifecycle", {"phase": "model", "provider": provider, "model": model})
            case FallbackStep(step, before, after, reason):
                self._agent(
                    event, "lifecycle", {"phase": "fallback_step", "step": step, "from": before, "to": after, "reason": reason}
                )
            case MessageStarted(item_id):
                self._flush(run)
                run.item_id, run.text, run.agent_sent, run.thinking, run.thinking_sent = item_id, "", 0, "", 0
            case MessageDelta(item_id, delta, kind):
                self._delta(run, item_id, delta, kind)
            case MessageEnded():
                self._flush_agent(run)
            case MessageStored():
                self._stored(event, event.event)
            case ToolStarted() | ToolUpdated() | ToolEnded():
                self._flush(run)
                self._tool(event, run, event.event)
            case Compacted(tokens_before, summary, trigger, phase, note):
                told = {"phase": phase, "trigger": trigger, "tokensBefore": tokens_before, "summary": summary, "note": note}
                self._agent(event, "compaction", {name: value for name, value in told.items() if value != ""})
                self._chat(event, {"state": "status", "phase": "compacting" if phase == "start" else "starting_model"})
            case UsageReported(usage):
                self._agent(event, "usage", {"outputTokens": usage.output, "usage": usage_to_wire(usage)})
            case RunEnded():
                self._ended(event, run, event.event)
            case _:
                assert_never(event.event)

    # --- text ---------------------------------------------------------------------------------------------------------

    def _delta(self, run: _Run, item_id: str, delta: str, kind: str) -> None:
        run.item_id = item_id
        if kind == "thinking":
            run.thinking += delta
        else:
            run.text += delta
        wait = run.last_sent_at + pace(len(run.text)) - self._clock()
        if wait <= 0:
            self._flush(run)
        elif run.timer is None:
            run.timer = asyncio.get_running_loop().call_later(wait / 1000, self._flush, run)

    def _flush(self, run: _Run) -> None:
        """Everything unsent goes out now."""
        if run.timer is not None:
            run.timer.cancel()
            run.timer = None
        self._flush_agent(run)
        self._flush_chat(run)

    def _flush_agent(self, run: _Run) -> None:
        event = run.last
        if event is None:
            return
        if len(run.thinking) > run.thinking_sent:
            data = {"text": run.thinking, "delta": run.thinking[run.thinking_sent :], "itemId": run.item_id}
            run.thinking_sent = len(run.thinking)
            run.last_sent_at = self._clock()
            self._agent(event, "thinking", data)
        if len(run.text) > run.agent_sent:
            data = {"text": run.text, "delta": run.text[run.agent_sent :], "itemId": run.item_id}
            run.agent_sent = len(run.text)
            run.last_sent_at = self._clock()
            self._agent(event, "assistant", data)

    def _flush_chat(self, run: _Run) -> None:
        event, text, sent = run.last, run.text, run.chat_sent
        if event is None or not text or text == sent:
            return
        extends = text.startswith(sent)
        payload: Wire = {
            "state": "delta",
            "deltaText": text[len(sent) :] if extends else text,
            "message": chat_message(text, self._clock()),
        }
        if not extends:
            payload["replace"] = True
        run.chat_sent = text
        run.last_sent_at = self._clock()
        self._chat(event, payload)

    # --- stored messages and tools ------------------------------------------------------------------------------------

    def _stored(self, event: RunEvent, stored: MessageStored) -> None:
        if self.anybody_follows(event.session_key):
            self.message(event.session_key, event.agent_id, stored)
        if isinstance(stored.message, UserMessage):
            self.changed(event.session_key, reason="send")

    def message(self, key: str, agent_id: str, stored: MessageStored) -> None:
        """`session.message` for those who follow this session."""
        wire = message_to_wire(stored.message)
        meta = {**wire.get("__openclaw", {}), "id": stored.entry_id, "seq": stored.seq}
        if wire.get("idempotencyKey"):
            meta["idempotencyKey"] = wire["idempotencyKey"]
        wire["__openclaw"] = meta
        row = self.session_row(key)
        payload = {
            "sessionKey": key,
            "agentId": agent_id,
            "message": wire,
            "messageId": stored.entry_id,
            "messageSeq": stored.seq,
            "session": row,
        }
        self._broadcaster.send("session.message", payload, session_key=key)

    def _tool(self, event: RunEvent, run: _Run, tool: ToolStarted | ToolUpdated | ToolEnded) -> None:
        call = tool.call
        base = {"name": call.name, "toolCallId": call.id}
        now = self._clock()
        if isinstance(tool, ToolStarted):
            run.tool_started[call.id] = (now, tool.title)
            item = _item(base, tool.title, "start", "running", now)
            self._agent(event, "item", item, only=_hears_tools)
            self._agent(event, "tool", {"phase": "start", **base, "args": dict(call.arguments)}, only=_hears_tools)
        elif isinstance(tool, ToolUpdated):
            data: Wire = {"phase": "update", **base, "partialResult": {"content": [{"type": "text", "text": tool.text}]}}
            if tool.fraction is not None:
                data["fraction"] = tool.fraction
            self._agent(event, "tool", data, only=_hears_tools)
        else:
            started, title = run.tool_started.pop(call.id, (now, call.name))
            result = {"content": [part_to_wire(part) for part in tool.content], "details": dict(tool.details)}
            failed = tool.state != "completed"
            self._agent(event, "tool", {"phase": "result", **base, "isError": failed, "result": result}, only=_hears_tools)
            item = _item(base, title, "end", "blocked" if tool.state == "blocked" else tool.state, started) | {"endedAt": now}
            self._agent(event, "item", item, only=_hears_tools)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _ended(self, event: RunEvent, run: _Run, end: RunEnded) -> None:
        self._flush_agent(run)
        if run.timer is not None:
            run.timer.cancel()
            run.timer = None
        if end.status == "ok":
            self._ended_ok(event, run, end)
        elif end.status == "aborted":
            self._ended_aborted(event, run, end)
        else:
            self._ended_failed(event, run, end)
        del self._runs[event.run_id]
        self.changed(event.session_key, phase="end", runId=event.run_id)
        self.changed(event.session_key, reason="agent.input.settled")

    def _ended_ok(self, event: RunEvent, run: _Run, end: RunEnded) -> None:
        text = end.message.text if end.message is not None else ""
        times = {"startedAt": end.started_at, "endedAt": end.ended_at}
        stop = {"stopReason": end.stop_reason, "aborted": False}
        self._agent(event, "lifecycle", {"phase": "finishing", **stop, "endedAt": end.ended_at})
        self._agent(event, "lifecycle", {"phase": "model", "provider": None, "model": None})
        reply = {"disposition": "visible", "text": text} if text else {"disposition": "silent"}
        self._agent(event, "lifecycle", {"phase": "end", **times, **stop, "terminalReply": reply})
        payload: Wire = {"state": "final", "stopReason": end.stop_reason}
        if end.message is not None:
            run.text = text
            self._flush_chat(run)
            payload["message"] = chat_message(text, self._clock())
        self._chat(event, payload)

    def _ended_aborted(self, event: RunEvent, run: _Run, end: RunEnded) -> None:
        payload: Wire = {"state": "aborted", "stopReason": end.stop_reason}
        if run.text:
            payload["message"] = chat_message(run.text, self._clock())
        self._chat(event, payload)
        times = {"startedAt": end.started_at, "endedAt": end.ended_at}
        cancelled = {"phase": "end", "status": "cancelled", "aborted": True, "stopReason": end.stop_reason}
        self._agent(event, "lifecycle", cancelled | times)
        self._agent(event, "lifecycle", {"phase": "model", "provider": None, "model": None})
        failed = {"phase": "error", "error": "This operation was aborted", "aborted": True, "stopReason": "aborted"}
        self._agent(event, "lifecycle", failed | times)

    def _ended_failed(self, event: RunEvent, run: _Run, end: RunEnded) -> None:
        message = end.error.message if end.error is not None else "The run timed out."
        kind = end.error.kind if end.error is not None else "timeout"
        detail: Wire = {"provider": run.provider, "model": run.model, "failoverReason": kind}
        if end.error is not None and end.error.status is not None:
            detail["httpStatus"] = end.error.status
        detail = {name: value for name, value in detail.items() if value}
        observed = {"error": message, "errorObservation": detail}
        self._agent(event, "lifecycle", {"phase": "finishing", **observed})
        self._agent(event, "lifecycle", {"phase": "model", "provider": None, "model": None})
        times = {"startedAt": end.started_at, "endedAt": end.ended_at}
        self._agent(event, "lifecycle", {"phase": "error", "aborted": False, **observed, **times})
        payload: Wire = {
            "state": "error",
            "errorMessage": message,
            "errorKind": kind if kind in _ERROR_KINDS else "unknown",
            "errorDetail": detail,
        }
        self._chat(event, payload)

    # --- sending ------------------------------------------------------------------------------------------------------

    def changed(self, key: str, **what: Any) -> None:
        """`sessions.changed` for those who follow all sessions; the row is built only when somebody listens."""
        if not self.anybody_follows(None):
            return
        row = self.session_row(key)
        payload: Wire = {"sessionKey": key, **what, "ts": self._clock(), "session": row}
        if row is not None:
            names = ("agentId", "sessionId", "kind", "updatedAt", "label", "displayName", "archived", "pinned")
            payload |= {name: row[name] for name in names if name in row}
        self._broadcaster.send("sessions.changed", payload, session_key=key)

    def reply(self, key: str, agent_id: str, run_id: str, text: str) -> None:
        """A `chat` final that no run produced: the answer to a slash command."""
        payload = {
            "runId": run_id,
            "sessionKey": key,
            "agentId": agent_id,
            "seq": 1,
            "state": "final",
            "message": chat_message(text, self._clock()),
            "stopReason": "stop",
        }
        self._broadcaster.send("chat", payload, session_key=key)

    def _chat(self, event: RunEvent, payload: Wire) -> None:
        head = {"runId": event.run_id, "sessionKey": event.session_key, "agentId": event.agent_id, "seq": event.seq}
        self._broadcaster.send("chat", head | payload, session_key=event.session_key)

    def _agent(self, event: RunEvent, stream: str, data: Wire, only: Callable[[Connection], bool] | None = None) -> None:
        payload: Wire = {
            "runId": event.run_id,
            "sessionKey": event.session_key,
            "agentId": event.agent_id,
            "stream": stream,
            "data": data,
            "seq": event.seq,
            "ts": self._clock(),
            "isHeartbeat": False,
        }
        session_id = self.session_id(event.session_key)
        if session_id and stream == "lifecycle":
            payload["sessionId"] = session_id
        self._broadcaster.send("agent", payload, session_key=event.session_key, only=only)


def chat_message(text: str, timestamp: int) -> Wire:
    """The assistant message inside `chat` events: text only."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "timestamp": timestamp}


def _follows(key: str) -> Callable[[Connection], bool]:
    return lambda connection: connection.session_list_subscribed or key in connection.session_keys


def _hears_tools(connection: Connection) -> bool:
    return "tool-events" in connection.caps


def _item(base: Wire, title: str, phase: str, status: str, started_at: int) -> Wire:
    item = {"itemId": f"tool:{base['toolCallId']}", **base, "kind": "tool", "phase": phase, "title": title}
    return item | {"status": status, "startedAt": started_at}
