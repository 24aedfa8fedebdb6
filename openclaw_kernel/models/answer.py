"""An answer while it arrives: emits the events of a stream and keeps the parts they add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from openclaw_kernel.models.api import Model
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.events import (
    Done,
    Error,
    ModelEvent,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingStart,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from openclaw_kernel.values.messages import (
    AssistantMessage,
    Cost,
    ModelFailure,
    Part,
    StopReason,
    Text,
    Thinking,
    ToolCall,
    Usage,
)

INVALID_JSON = "_invalidJson"
"""Argument name under which arguments that are no JSON object are handed on, so that validation can say so."""


@dataclass(slots=True)
class _Open:
    """A part that is still arriving. `key` is the format's own address of it."""

    kind: Literal["text", "thinking", "tool"]
    key: object
    index: int
    pieces: list[str]
    id: str = ""
    name: str = ""
    provider: dict[str, Any] | None = None


class Answer:
    """Collects one answer. Part indexes count from 0 in order of appearance; a part may be found again by its key."""

    def __init__(self, model: Model, emit: Callable[[ModelEvent], None], clock: Clock = system_clock) -> None:
        self.model = model
        self._emit = emit
        self._clock = clock
        self._parts: list[_Open] = []
        self._by_key: dict[object, _Open] = {}
        self._done: dict[int, Part] = {}
        self._started = False
        self.usage = Usage()
        self.stop_reason: StopReason = "stop"
        self.response_id: str | None = None
        self.finished = False
        self.failure: ModelFailure | None = None

    @property
    def has_tool_calls(self) -> bool:
        return any(part.kind == "tool" for part in self._parts)

    def start(self) -> None:
        """The provider accepted the call."""
        if not self._started:
            self._started = True
            self._emit(Start(self.model.id))

    def text(self, delta: str, key: object = "text") -> None:
        part = self._by_key.get(key) or self._open_part("text", key)
        if delta:
            part.pieces.append(delta)
            self._emit(TextDelta(part.index, delta))

    def thinking(self, delta: str, key: object = "thinking", provider: Mapping[str, Any] | None = None) -> None:
        part = self._by_key.get(key) or self._open_part("thinking", key)
        if provider:
            part.provider = {**(part.provider or {}), **provider}
        if delta:
            part.pieces.append(delta)
            self._emit(ThinkingDelta(part.index, delta))

    def tool(
        self, key: object, *, id: str = "", name: str = "", delta: str = "", provider: Mapping[str, Any] | None = None
    ) -> None:
        """A tool call begins or goes on; `delta` is a piece of its JSON arguments."""
        part = self._by_key.get(key)
        if part is None:
            part = self._open_part("tool", key, id, name)
        if provider:
            part.provider = {**(part.provider or {}), **provider}
        if delta:
            part.pieces.append(delta)
            self._emit(ToolCallDelta(part.index, delta))

    def tool_arguments(self, key: object) -> str:
        """The argument text that has arrived so far for one call."""
        part = self._by_key.get(key)
        return "".join(part.pieces) if part else ""

    def whole_text(self) -> str:
        """All text that has arrived so far."""
        return "".join(piece for part in self._parts if part.kind == "text" for piece in part.pieces)

    def drop_text(self) -> None:
        """Leave the text out of the final message: it turned out to be something else."""
        for part in self._parts:
            if part.kind == "text":
                self.close(part.key)
                self._done.pop(part.index, None)

    def close(self, key: object) -> None:
        """The part is whole."""
        part = self._by_key.pop(key, None)
        if part is not None:
            self._close_part(part)

    def close_others(self, key: object) -> None:
        """Close every open part but `key`: formats without an end marker show it by starting another part."""
        for other in [other for other in self._by_key if other != key]:
            self.close(other)

    def count(self, *, input: int = 0, output: int = 0, cache_read: int = 0, cache_write: int = 0) -> None:
        """Token counts of the whole call; `input` without cached tokens. Long prompts may have a price of their own."""
        price = self.model.cost
        tier = self.model.compat.get("longContext") or {}
        long = bool(tier) and input + cache_read + cache_write > tier["above"]
        more_in, more_out = (tier["input"], tier["output"]) if long else (1.0, 1.0)
        self.usage = Usage(
            input,
            output,
            cache_read,
            cache_write,
            Cost(
                input * price.input * more_in / 1e6,
                output * price.output * more_out / 1e6,
                cache_read * price.cache_read * more_in / 1e6,
                cache_write * price.cache_write * more_in / 1e6,
            ),
        )

    def done(self) -> AssistantMessage:
        """The provider said the answer is whole."""
        for key in list(self._by_key):
            self.close(key)
        if self.failure is not None:
            return self.fail(self.failure)
        if self.stop_reason == "stop" and self.has_tool_calls:
            self.stop_reason = "toolUse"
        message = self._message(self.stop_reason, None)
        self._emit(Done(message))
        return message

    def fail(self, failure: ModelFailure) -> AssistantMessage:
        """The call broke; what had arrived stays, unfinished tool calls do not."""
        return self._broken("error", failure)

    def abort(self, reason: str) -> AssistantMessage:
        """Somebody stopped the call."""
        return self._broken("aborted", ModelFailure(f"The answer was stopped: {reason}."))

    def _broken(self, stop_reason: StopReason, failure: ModelFailure) -> AssistantMessage:
        for key, part in list(self._by_key.items()):
            if part.kind == "tool":
                del self._by_key[key]
            else:
                self.close(key)
        message = self._message(stop_reason, failure)
        self._emit(Error(message))
        return message

    def _open_part(self, kind: Literal["text", "thinking", "tool"], key: object, id: str = "", name: str = "") -> _Open:
        self.start()
        part = _Open(kind, key, len(self._parts), [], id, name)
        self._parts.append(part)
        self._by_key[key] = part
        if kind == "text":
            self._emit(TextStart(part.index))
        elif kind == "thinking":
            self._emit(ThinkingStart(part.index))
        else:
            self._emit(ToolCallStart(part.index, id, name))
        return part

    def _close_part(self, part: _Open) -> None:
        text = "".join(part.pieces)
        if part.kind == "text":
            if text:
                self._done[part.index] = Text(text, part.provider)
            self._emit(TextEnd(part.index))
        elif part.kind == "thinking":
            if text or part.provider:
                self._done[part.index] = Thinking(text, part.provider)
            self._emit(ThinkingEnd(part.index))
        else:
            call = ToolCall(part.id or f"call_{part.index}", part.name, parse_arguments(text), part.provider)
            self._done[part.index] = call
            self._emit(ToolCallEnd(part.index, call))

    def _message(self, stop_reason: StopReason, failure: ModelFailure | None) -> AssistantMessage:
        self.finished = True
        return AssistantMessage(
            content=tuple(self._done[index] for index in sorted(self._done)),
            timestamp=self._clock(),
            api=self.model.api,
            provider=self.model.provider,
            model=self.model.id,
            usage=self.usage,
            stop_reason=stop_reason,
            response_id=self.response_id,
            error=failure,
        )


def parse_arguments(text: str) -> Mapping[str, Any]:
    """The arguments of a call; no text means none, and what is no JSON object is handed on under `INVALID_JSON`."""
    if not text.strip():
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {INVALID_JSON: text}
    return value if isinstance(value, dict) else {INVALID_JSON: text}
