"""Two event vocabularies: what a provider streams (VAL-02) and what the agent tells the world (VAL-03).

A delta carries the delta only. A provider stream ends with exactly one `Done` or `Error`, a run with exactly one `RunEnded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from openclaw_kernel.values.messages import AssistantMessage, Message, ModelFailure, Part, ToolCall, Usage

# --- provider events: twelve kinds -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """The provider accepted the call."""

    model: str


@dataclass(frozen=True, slots=True)
class TextStart:
    index: int


@dataclass(frozen=True, slots=True)
class TextDelta:
    index: int
    delta: str


@dataclass(frozen=True, slots=True)
class TextEnd:
    index: int


@dataclass(frozen=True, slots=True)
class ThinkingStart:
    index: int


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    index: int
    delta: str


@dataclass(frozen=True, slots=True)
class ThinkingEnd:
    index: int


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the call's JSON arguments, as text."""

    index: int
    delta: str


@dataclass(frozen=True, slots=True)
class ToolCallEnd:
    index: int
    call: ToolCall


@dataclass(frozen=True, slots=True)
class Done:
    message: AssistantMessage


@dataclass(frozen=True, slots=True)
class Error:
    """The stream failed or was aborted; `message` holds what had arrived, with stop reason `error` or `aborted`."""

    message: AssistantMessage


ModelEvent = (
    Start
    | TextStart
    | TextDelta
    | TextEnd
    | ThinkingStart
    | ThinkingDelta
    | ThinkingEnd
    | ToolCallStart
    | ToolCallDelta
    | ToolCallEnd
    | Done
    | Error
)

# --- agent events ----------------------------------------------------------------------------------------------------

RunStatus = Literal["ok", "error", "aborted", "timeout"]
ToolState = Literal["completed", "failed", "blocked", "skipped", "aborted"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    started_at: int


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """One model call begins."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class FallbackStep:
    """A model is asked again, with another credential, or another model in its place; `reason` is the class of failure."""

    step: Literal["retry", "profile", "fallback"]
    from_model: str
    to_model: str
    reason: str


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """What the run is busy with before the first token: `preparing_workspace`, `preparing_context`, `starting_model`."""

    phase: str


@dataclass(frozen=True, slots=True)
class MessageStarted:
    item_id: str


@dataclass(frozen=True, slots=True)
class MessageDelta:
    item_id: str
    delta: str
    kind: Literal["text", "thinking"] = "text"


@dataclass(frozen=True, slots=True)
class MessageEnded:
    item_id: str
    message: AssistantMessage


@dataclass(frozen=True, slots=True)
class MessageStored:
    """A message is in the transcript under `entry_id`; `seq` counts messages of the session from 1."""

    entry_id: str
    seq: int
    message: Message


@dataclass(frozen=True, slots=True)
class ToolStarted:
    call: ToolCall
    title: str


@dataclass(frozen=True, slots=True)
class ToolUpdated:
    call: ToolCall
    text: str = ""
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class ToolEnded:
    call: ToolCall
    state: ToolState
    content: tuple[Part, ...]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compacted:
    """The history is being shortened, was, or could not be. `note` says what went wrong, also with the notes before it."""

    tokens_before: int
    summary: str
    trigger: str = "threshold"
    phase: Literal["start", "end", "failed"] = "end"
    note: str = ""


@dataclass(frozen=True, slots=True)
class UsageReported:
    usage: Usage


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The one end of a run. `message` is the last answer, `None` for a silent one."""

    status: RunStatus
    started_at: int
    ended_at: int
    message: AssistantMessage | None = None
    error: ModelFailure | None = None
    stop_reason: str = "stop"


AgentEvent = (
    RunStarted
    | TurnStarted
    | FallbackStep
    | PhaseChanged
    | MessageStarted
    | MessageDelta
    | MessageEnded
    | MessageStored
    | ToolStarted
    | ToolUpdated
    | ToolEnded
    | Compacted
    | UsageReported
    | RunEnded
)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An agent event with its address. `seq` counts per run from 1."""

    run_id: str
    session_key: str
    agent_id: str
    seq: int
    event: AgentEvent
