"""Messages and their parts: what a person, a model and a tool say to one another.

All values are frozen and equal when equal. Storage ids live in the transcript, never here. Data that only one provider
understands (a thinking signature, an encrypted reasoning item) rides opaquely on `part.provider`. Source: VAL-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

StopReason = Literal["stop", "length", "toolUse", "error", "aborted"]
ErrorKind = Literal[
    "refusal",
    "timeout",
    "rate_limit",
    "context_length",
    "auth",
    "billing",
    "budget",
    "model_not_found",
    "network",
    "overloaded",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain or Markdown text."""

    text: str
    provider: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning a model showed; `provider` holds its signature, which must go back unchanged."""

    text: str
    provider: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's request to run one tool. `arguments` is what the model sent, not yet validated."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    provider: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An inline image; `data` is base64 without a data-URL prefix."""

    data: str
    media_type: str = "image/png"
    provider: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file on this machine that is spoken of but not inlined."""

    path: str
    media_type: str = "application/octet-stream"
    name: str = ""
    provider: Mapping[str, Any] | None = None


Part = Text | Thinking | ToolCall | Image | FileRef


@dataclass(frozen=True, slots=True)
class Cost:
    """Money for one call, in US dollars."""

    input: float = 0.0
    output: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0

    @property
    def total(self) -> float:
        return self.input + self.output + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `input` excludes what was read from or written to a cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost: Cost = field(default_factory=Cost)

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What a person said. `timestamp` is milliseconds since the epoch; `meta` is stored under `__openclaw`."""

    content: tuple[Part, ...]
    timestamp: int
    idempotency_key: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What a model answered. A failed answer is a message too: stop reason `error` or `aborted`, and `error` says why."""

    content: tuple[Part, ...]
    timestamp: int
    api: str
    provider: str
    model: str
    usage: Usage = field(default_factory=Usage)
    stop_reason: StopReason = "stop"
    response_id: str | None = None
    error: ModelFailure | None = None
    idempotency_key: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All text parts joined, without thinking."""
        return "".join(part.text for part in self.content if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.content if isinstance(part, ToolCall))


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """Why a model call failed, in one sentence for people and one class for failover (MOD-10)."""

    message: str
    kind: ErrorKind = "unknown"
    status: int | None = None
    body: str = ""
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ToolResultMessage:
    """What a tool returned: `content` for the model, `details` for the screen (VAL-04)."""

    tool_call_id: str
    tool_name: str
    content: tuple[Part, ...]
    timestamp: int
    is_error: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)


Message = UserMessage | AssistantMessage | ToolResultMessage
