"""One conversation turn with the gateway, told as plain values.

The gateway answers a `chat.send` with events. `converse` turns them into steps that a cell, a magic, a panel or a test can each
show in their own way. It runs where the connection lives; the steps are immutable and may cross to any thread.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_kernel.client.connection import GatewayConnection, GatewayEvent

log = logging.getLogger(__name__)

Payload = Mapping[str, Any]
ToolState = Literal["running", "waiting", "done", "failed", "denied", "skipped", "stopped"]

_ITEM_STATES: Mapping[str, ToolState] = {
    "completed": "done",
    "failed": "failed",
    "blocked": "denied",
    "skipped": "skipped",
    "aborted": "stopped",
}
ABORT_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ToolCard:
    """One tool call as the screen shows it. Times are milliseconds since the epoch, by the gateway's clock."""

    id: str
    name: str
    title: str = ""
    state: ToolState = "running"
    arguments: Payload = field(default_factory=dict)
    output: str = ""
    started_at: int = 0
    ended_at: int | None = None

    @property
    def seconds(self) -> float | None:
        return None if self.ended_at is None else max(0, self.ended_at - self.started_at) / 1000


@dataclass(frozen=True, slots=True)
class Wrote:
    """Text of the answer: `text` is all of message `item` so far, `delta` what is new."""

    item: str
    text: str
    delta: str


@dataclass(frozen=True, slots=True)
class Used:
    """A tool call began, went on or ended."""

    card: ToolCard


@dataclass(frozen=True, slots=True)
class Asked:
    """A question only a person may answer. `request` is the approval as the wire has it."""

    approval_id: str
    request: Payload


@dataclass(frozen=True, slots=True)
class Settled:
    """A question has its answer, whoever gave it; `decision` is `None` when it expired or was withdrawn."""

    approval_id: str
    decision: str | None


Step = Wrote | Used | Asked | Settled


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended. `text` is the last message; `sentence` says what went wrong. Tokens and cost are of the whole turn."""

    status: Literal["ok", "aborted", "error"]
    text: str = ""
    sentence: str = ""
    run_id: str = ""
    model: str = ""
    tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    cards: tuple[ToolCard, ...] = ()


Request = Callable[[str, dict[str, Any]], Coroutine[Any, Any, Any]]
Emit = Callable[[Step], None]


class Trace:
    """Reads the events of one run, or of one session when `run_id` is empty; calls `emit` with each step."""

    def __init__(self, emit: Emit, run_id: str = "", session_key: str = "") -> None:
        self.run_id = run_id
        self._emit = emit
        self._session_key = session_key
        self._item = ""
        self._text = ""
        self._cards: dict[str, ToolCard] = {}
        self._asked: set[str] = set()
        self._model = ""
        self._tokens = 0
        self._cost = 0.0
        self._started_at = 0
        self._ended_at = 0

    def hear(self, event: GatewayEvent) -> Outcome | None:
        """The outcome when this event ends the run."""
        payload = event.payload
        if event.event in ("exec.approval.requested", "exec.approval.resolved"):
            self._hear_approval(event.event, payload)
        elif self._is_ours(payload):
            if event.event == "agent":
                self._hear_agent(str(payload.get("stream")), payload.get("data") or {}, int(payload.get("ts") or 0))
            elif event.event == "chat":
                return self._hear_chat(payload)
        return None

    def outcome(self, status: Literal["ok", "aborted", "error"], sentence: str = "") -> Outcome:
        seconds = max(0, self._ended_at - self._started_at) / 1000
        cards = tuple(self._cards.values())
        return Outcome(status, self._text, sentence, self.run_id, self._model, self._tokens, self._cost, seconds, cards)

    def _is_ours(self, payload: Payload) -> bool:
        if self.run_id:
            return payload.get("runId") == self.run_id
        return payload.get("sessionKey") == self._session_key

    def _hear_approval(self, name: str, payload: Payload) -> None:
        approval_id, request = str(payload.get("id", "")), payload.get("request") or {}
        if name == "exec.approval.requested":
            if self._is_ours(request):
                self._asked.add(approval_id)
                self._mark(request, "waiting")
                self._emit(Asked(approval_id, request))
        elif approval_id in self._asked:
            self._asked.discard(approval_id)
            self._mark(request, "running")
            self._emit(Settled(approval_id, payload.get("decision")))

    def _mark(self, request: Payload, state: ToolState) -> None:
        card = self._cards.get(str(request.get("toolCallId")))
        if card is not None and card.ended_at is None:
            self._keep(replace(card, state=state))

    def _hear_agent(self, stream: str, data: Payload, at: int) -> None:
        self._started_at = self._started_at or at
        self._ended_at = at
        if stream == "assistant":
            self._write(str(data.get("itemId", "")), str(data.get("text", "")))
        elif stream == "item":
            self._hear_item(data)
        elif stream == "tool":
            self._hear_tool(data)
        elif stream == "usage":
            usage = data.get("usage") or {}
            self._tokens += int(usage.get("totalTokens") or 0)
            self._cost += float((usage.get("cost") or {}).get("total") or 0)
        elif stream == "lifecycle" and data.get("model"):
            self._model = str(data["model"])

    def _hear_item(self, data: Payload) -> None:
        card = self._card(data)
        if data.get("phase") == "end":
            state = _ITEM_STATES.get(str(data.get("status")), "done")
            self._keep(replace(card, state=state, ended_at=int(data.get("endedAt") or card.started_at)))
        else:
            started = int(data.get("startedAt") or 0)
            self._keep(replace(card, title=str(data.get("title") or ""), started_at=started))

    def _hear_tool(self, data: Payload) -> None:
        card = self._card(data)
        if data.get("phase") == "start":
            self._keep(replace(card, arguments=data.get("args") or {}))
        else:
            result = data.get("result") or data.get("partialResult") or {}
            self._keep(replace(card, output=content_text(result.get("content"))))

    def _card(self, data: Payload) -> ToolCard:
        call_id = str(data.get("toolCallId", ""))
        return self._cards.get(call_id) or ToolCard(call_id, str(data.get("name", "")))

    def _keep(self, card: ToolCard) -> None:
        self._cards[card.id] = card
        self._emit(Used(card))

    def _write(self, item: str, text: str) -> None:
        delta = text[len(self._text) :] if item == self._item and text.startswith(self._text) else text
        if delta:
            self._item, self._text = item, text
            self._emit(Wrote(item, text, delta))

    def _hear_chat(self, payload: Payload) -> Outcome | None:
        match payload.get("state"):
            case "final":
                text = content_text((payload.get("message") or {}).get("content"))
                self._write(self._item or "reply", text)
                return self.outcome("ok")
            case "aborted":
                return self.outcome("aborted", "Stopped.")
            case "error":
                return self.outcome("error", str(payload.get("errorMessage") or "The run failed."))
        return None


async def converse(
    gateway: GatewayConnection, session_key: str, message: str, emit: Emit, *, run_id: str = "", model: str = ""
) -> Outcome:
    """Sends `message`, calls `emit` with every step, returns the end. Failure is data; only cancelling raises.

    Cancelling the task aborts the run on the gateway, with its tools and open approvals. `model` becomes the session's model.
    """
    run_id = run_id or str(uuid.uuid4())
    trace = Trace(emit, run_id)
    events = gateway.listen()  # from before the request, so that nothing is missed
    try:
        if model:
            await gateway.request("sessions.patch", {"key": session_key, "model": model})
        params = {"sessionKey": session_key, "message": message, "idempotencyKey": run_id}
        sending = asyncio.ensure_future(gateway.request("chat.send", params))
        try:
            await asyncio.shield(sending)
            return await _follow(events, trace)
        except asyncio.CancelledError:
            await _abort(gateway, session_key, run_id, sending)
            raise
    except (OpenClawError, UserError) as error:
        return trace.outcome("error", str(error))
    finally:
        gateway.unlisten(events)


async def _follow(events: asyncio.Queue[GatewayEvent | None], trace: Trace) -> Outcome:
    while (event := await events.get()) is not None:
        outcome = trace.hear(event)
        if outcome is not None:
            return outcome
    return trace.outcome(
        "error",
        "The connection to the gateway was lost during the answer; look into the session's history, then run the cell again.",
    )


async def _abort(gateway: GatewayConnection, session_key: str, run_id: str, sending: asyncio.Future[Any]) -> None:
    """Only a run that was admitted can be aborted, so the acknowledgement is awaited first."""
    try:
        async with asyncio.timeout(ABORT_TIMEOUT_S):
            await sending
            await gateway.request("chat.abort", {"sessionKey": session_key, "runId": run_id})
    except (OpenClawError, TimeoutError) as error:
        log.warning("the run %s could not be aborted: %s", run_id, error)


def content_text(content: object) -> str:
    """The text of a wire message's content; a part that is no text is named."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(str(part.get("text", "")) if part.get("type") == "text" else f"[{part.get('type')}]" for part in content)
