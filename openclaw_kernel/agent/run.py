"""What a turn is given and what its stages find out."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openclaw_kernel.agent.api import Outcome, RunRequest
from openclaw_kernel.agent.pins import Pins
from openclaw_kernel.agent.prompt import PromptBuilder
from openclaw_kernel.agent.prune import Pruner
from openclaw_kernel.agent.recall import Recalls
from openclaw_kernel.agent.sections import LEAN_TOOLS
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import Model, Prompt, ThinkingLevel
from openclaw_kernel.models.service import Models
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.sessions.store import Session, Sessions
from openclaw_kernel.sessions.transcript import StoredMessage
from openclaw_kernel.tools.api import Services
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.events import AgentEvent, MessageStored
from openclaw_kernel.values.messages import AssistantMessage, Message, ModelFailure, ToolResultMessage, Usage, UserMessage
from openclaw_kernel.values.stream import AbortSignal

BeforeRun = Callable[[RunRequest, str], Awaitable[str]]
"""Asked with the request and the agent's id once the message is stored: a sentence on why the run may not be, or nothing."""


@dataclass(frozen=True, slots=True)
class House:
    """What every turn is given: the parts of the assistant, built once."""

    config: Callable[[], OpenClawConfig]
    models: Models
    toolbox: Callable[[str], Toolbox]
    sessions: Sessions
    approvals: Approvals
    redactor: Redactor
    state_dir: Path
    services: Services | None
    clock: Clock
    new_id: NewId
    prompts: PromptBuilder
    pins: Pins
    ready_workspaces: set[Path] = field(default_factory=set)
    before_run: BeforeRun | None = None
    notes: Recalls | None = None
    pruner: Pruner = field(default_factory=Pruner)
    lean: dict[int, tuple[Toolbox, Toolbox]] = field(default_factory=dict)

    def lean_tools(self, tools: Toolbox) -> Toolbox:
        """The few tools of a small model, the same object every time."""
        known = self.lean.get(id(tools))
        if known is None or known[0] is not tools:
            self.lean.clear()
            known = self.lean[id(tools)] = (tools, tools.filtered(LEAN_TOOLS, deny=("apply_patch",)))
        return known[1]


@dataclass(slots=True)
class Turn:
    """One run under way. The upper half is given, the lower half is filled in by the stages."""

    house: House
    request: RunRequest
    agent_id: str
    session: Session
    emit: Callable[[AgentEvent], None]
    stored: StoredMessage | None = None
    signal: AbortSignal = field(default_factory=AbortSignal)
    steering: deque[UserMessage] = field(default_factory=deque)

    started_at: int = 0
    workspace: Path = Path()
    model: Model | None = None
    fallbacks: tuple[Model, ...] = ()
    thinking: ThinkingLevel = "off"
    prompt: Prompt = field(default_factory=Prompt)
    tools: Toolbox = field(default_factory=lambda: Toolbox(()))
    tainted: bool = False
    message: AssistantMessage | None = None
    answer_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    notices: list[str] = field(default_factory=list)
    recovered: int = 0
    failure: ModelFailure | None = None
    outcome: Outcome | None = None
    timings: dict[str, float] = field(default_factory=dict)

    take_queued: Callable[[], tuple[UserMessage, ...]] = tuple
    """Messages that wait behind this run and may join it (AGT-09)."""

    def take_steering(self) -> tuple[UserMessage, ...]:
        """What was said meanwhile, for the next model call."""
        return (*self.take_last_words(), *self.take_queued())

    def take_last_words(self) -> tuple[UserMessage, ...]:
        """What was said to this run and to no other."""
        said = tuple(self.steering)
        self.steering.clear()
        return said

    @property
    def run_id(self) -> str:
        return self.request.run_id

    @property
    def meta(self) -> Mapping[str, Any]:
        return {"runId": self.run_id}

    def save(self, message: Message) -> MessageStored:
        """Into the transcript; the event that says so."""
        if isinstance(message, ToolResultMessage):
            message = replace(message, meta={**message.meta, **self.meta})
        stored = self.house.sessions.append(self.session, message)
        if isinstance(message, AssistantMessage):
            self.answer_id = stored.entry_id
        return MessageStored(stored.entry_id, stored.seq, message)
