"""What the world asks of the agent: submit a message, wait, abort. The gateway, the kernel and the tests call only this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from openclaw_kernel.config.schema.messages import QueueMode
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.values.events import RunEvent, RunStatus
from openclaw_kernel.values.messages import AssistantMessage, ModelFailure, Usage, UserMessage

if TYPE_CHECKING:
    from openclaw_kernel.agent.upkeep import Upkeep

EventSink = Callable[[RunEvent], None]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One message for one session. `run_id` is the caller's idempotency key (protocol section 4)."""

    run_id: str
    session_key: str
    message: UserMessage
    model: str | None = None
    thinking: ThinkingLevel | None = None
    timeout_ms: int | None = None
    extra_system_prompt: str | None = None
    client_id: str = ""
    tools: tuple[str, ...] | None = None
    """The only tools this run may use (names, `group:…`, patterns); `None` for all the agent has."""
    queue: QueueMode | Literal["session"] | None = None
    """What happens when a run of the session is under way: a mode, the one the session is set to, or just wait in order."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The message is on disk when this is returned."""

    run_id: str
    session_key: str
    session_id: str
    status: Literal["started", "queued", "in_flight", "done"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `message` is `None` for a silent or failed run without an answer."""

    run_id: str
    session_key: str
    session_id: str
    status: RunStatus
    started_at: int
    ended_at: int
    message: AssistantMessage | None
    error: ModelFailure | None
    stop_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run under way: whose it is and what it has said so far."""

    run_id: str
    session_key: str
    client_id: str
    started_at: int
    text: str


AUTOMATIC = frozenset({"cron", "heartbeat", "hook", "event"})
"""Callers whose messages no person wrote: they neither keep a session fresh nor start a new one (SES-05)."""


class Runtime(Protocol):
    """The agent as its callers see it."""

    @property
    def upkeep(self) -> Upkeep: ...

    async def submit(self, request: RunRequest) -> Receipt:
        """Stores the message, then starts or queues the run. A repeated `run_id` returns the first receipt."""

    async def wait(self, run_id: str, timeout_s: float | None = None) -> Outcome | None:
        """The outcome, or `None` on timeout; waiting never cancels. Raises `OpenClawError` for an unknown run."""

    def abort(self, session_key: str, run_id: str | None = None, reason: str = "rpc") -> list[str]:
        """Aborts one run or all of a session; the ids that were aborted."""

    def active(self, session_key: str | None = None) -> list[ActiveRun]: ...

    def queued(self, session_key: str | None = None) -> list[str]:
        """Run ids that wait for their turn, oldest first."""

    def tools_of(self, run_id: str) -> tuple[str, ...] | None:
        """The only tools a run under way may use; `None` for all its agent has."""

    def clients(self, session_key: str, run_id: str | None = None) -> frozenset[str]: ...

    async def close(self, grace_s: float = 5.0) -> None:
        """Stops intake, gives runs `grace_s` to finish, then aborts them with reason `shutdown`."""
