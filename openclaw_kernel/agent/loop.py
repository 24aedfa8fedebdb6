"""The agent loop: ask the model, run the tools it wants, ask again, until it has answered.

Free functions over a config of callables. It opens no file and no socket. It never raises for what a model or a tool does:
a failure is the last message (`error` or `aborted`), and there is one way out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from openclaw_kernel.agent.batch import Ruling, RunTool, run_batch
from openclaw_kernel.models.api import ModelStream
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.events import (
    AgentEvent,
    MessageDelta,
    MessageEnded,
    MessageStarted,
    MessageStored,
    ModelEvent,
    TextDelta,
    ThinkingDelta,
    UsageReported,
)
from openclaw_kernel.values.messages import (
    AssistantMessage,
    Cost,
    Message,
    ModelFailure,
    Text,
    ToolCall,
    Usage,
    UserMessage,
)
from openclaw_kernel.values.stream import AbortSignal

SILENT_REPLY = "NO_REPLY"  # AGT-06
MAX_ITERATIONS = 100
STREAM_GRACE_S = 2.0
"""How long a model stream may take to end after an abort before the loop goes on without it."""


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """Everything the loop may do. `save` writes a message to the transcript before anyone is told of it.

    `next_steering` hands over what a person said meanwhile; it is looked at after each group of tools, `last_words` before the
    end. `before_ask` runs before every model call but the first. `recover` may mend a failed call, which is then made again.
    `tripped` gives a sentence when the run must not go on.
    """

    stream: Callable[[], ModelStream]
    find_tool: Callable[[str], Tool | None]
    decide: Callable[[ToolCall, Tool], Awaitable[Ruling]]
    run_tool: RunTool
    next_steering: Callable[[], Sequence[UserMessage]]
    emit: Callable[[AgentEvent], None]
    save: Callable[[Message], MessageStored]
    signal: AbortSignal
    clock: Clock
    new_id: NewId
    blank: AssistantMessage
    max_iterations: int = MAX_ITERATIONS
    last_words: Callable[[], Sequence[UserMessage]] = tuple
    before_ask: Callable[[], Awaitable[None]] | None = None
    recover: Callable[[AssistantMessage], Awaitable[bool]] | None = None
    tripped: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class LoopResult:
    """The last message, finished or failed, and the tokens of all model calls together."""

    message: AssistantMessage
    usage: Usage


async def run_loop(config: LoopConfig) -> LoopResult:
    """Runs until the model answers without tools, fails, is aborted, or has been asked `max_iterations` times."""
    usage = Usage()
    message = config.blank
    calls = 0
    while True:
        if config.signal.aborted:
            message = _finish(config, _aborted(config, config.blank), None)
            break
        if sentence := config.tripped() or _exhausted(config, calls):
            message = _finish(config, _stopped(config, sentence), None)
            break
        if calls and config.before_ask is not None:
            await config.before_ask()
        calls += 1
        answer = await _ask(config)
        if answer is None:
            continue
        message = answer
        usage = add_usage(usage, message.usage)
        if message.stop_reason in ("error", "aborted"):
            break
        steering: Sequence[UserMessage]
        if message.tool_calls:
            steering = await run_batch(config, message.tool_calls)
        else:
            steering = config.last_words()
            if not steering:
                break
        for said in steering:
            config.emit(config.save(said))
    config.emit(UsageReported(usage))
    return LoopResult(message, usage)


@dataclass(slots=True)
class _Reply:
    """What has arrived of one model message. Text is held back as long as it may still become `NO_REPLY`."""

    item_id: str
    emit: Callable[[AgentEvent], None]
    started: bool = False
    held: str | None = ""
    text: list[str] = field(default_factory=list)

    def take(self, event: ModelEvent) -> None:
        match event:
            case TextDelta(delta=delta):
                self.text.append(delta)
                self._text(delta)
            case ThinkingDelta(delta=delta):
                self._start()
                self.emit(MessageDelta(self.item_id, delta, "thinking"))
            case _:
                pass

    def end(self, message: AssistantMessage) -> None:
        if self.held and self.held.strip() != SILENT_REPLY:
            self._release()
        self._start()
        self.emit(MessageEnded(self.item_id, message))

    def _text(self, delta: str) -> None:
        if self.held is None:
            self.emit(MessageDelta(self.item_id, delta))
            return
        self.held += delta
        if not SILENT_REPLY.startswith(self.held.strip()):
            self._release()

    def _release(self) -> None:
        text, self.held = self.held or "", None
        self._start()
        self.emit(MessageDelta(self.item_id, text))

    def _start(self) -> None:
        if not self.started:
            self.started = True
            self.emit(MessageStarted(self.item_id))


async def _ask(config: LoopConfig) -> AssistantMessage | None:
    """One model call: its events as they come, then its message, stored and announced; `None` when it is to be made again."""
    reply = _Reply(config.new_id(), config.emit)
    stream = config.stream()
    reader = asyncio.ensure_future(_read(stream, reply))
    stop = asyncio.ensure_future(config.signal.wait())
    try:
        await asyncio.wait({reader, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not reader.done():
            stream.abort(config.signal.reason)
            await asyncio.wait({reader}, timeout=STREAM_GRACE_S)
        message = reader.result() if reader.done() else _partial(config, reply)
    finally:
        stop.cancel()
        if not reader.done():
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
    if config.signal.aborted and message.stop_reason != "aborted":
        message = _aborted(config, message)
    if message.stop_reason == "error" and config.recover is not None and await config.recover(message):
        return None
    return _finish(config, message, reply)


async def _read(stream: ModelStream, reply: _Reply) -> AssistantMessage:
    async for event in stream:
        reply.take(event)
    return await stream.result()


def _finish(config: LoopConfig, message: AssistantMessage, reply: _Reply | None) -> AssistantMessage:
    """Stores the message, then tells. A failed one is stored without calls; text that was shown before an error is kept."""
    meta = {**message.meta, **config.blank.meta}
    failed = message.stop_reason in ("error", "aborted")
    if failed:
        message = replace(message, content=tuple(part for part in message.content if not isinstance(part, ToolCall)))
    if message.stop_reason == "error":
        if message.text.strip() and message.text.strip() != SILENT_REPLY:
            shown = replace(message, stop_reason="aborted", error=None, usage=Usage(), meta=meta)
            config.emit(config.save(shown))
        run_id = meta.get("runId", "")
        message = replace(message, content=(), idempotency_key=f"{run_id}:terminal-error")
    message = replace(message, meta=meta)
    stored = config.save(message)
    if reply is not None and (reply.started or not failed or reply.held):
        reply.end(message)
    config.emit(stored)
    return message


def _partial(config: LoopConfig, reply: _Reply) -> AssistantMessage:
    text = "".join(reply.text)
    return _aborted(config, replace(config.blank, content=(Text(text),) if text else ()))


def _aborted(config: LoopConfig, message: AssistantMessage) -> AssistantMessage:
    failure = ModelFailure(f"stopped ({config.signal.reason})")
    return replace(message, stop_reason="aborted", error=failure, timestamp=config.clock())


def _exhausted(config: LoopConfig, calls: int) -> str:
    if calls < config.max_iterations:
        return ""
    return f"The run was stopped after {config.max_iterations} model calls; ask again to go on."


def _stopped(config: LoopConfig, sentence: str) -> AssistantMessage:
    return replace(config.blank, stop_reason="error", error=ModelFailure(sentence), timestamp=config.clock())


def add_usage(one: Usage, other: Usage) -> Usage:
    """Tokens and cost of two calls together."""
    return Usage(
        one.input + other.input,
        one.output + other.output,
        one.cache_read + other.cache_read,
        one.cache_write + other.cache_write,
        Cost(
            one.cost.input + other.cost.input,
            one.cost.output + other.cost.output,
            one.cost.cache_read + other.cost.cache_read,
            one.cost.cache_write + other.cost.cache_write,
        ),
    )
