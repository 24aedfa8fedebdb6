"""What the scheduler asks of the rest of the house, and what it is told: small values and two protocols."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from openclaw_gateway.automation.jobs import Job, Occurrence
from openclaw_kernel.values.errors import UserError


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended. `text` is what delivery may send; `session_key` is where it ran."""

    ok: bool
    text: str = ""
    error: str = ""
    session_key: str = ""


class Runner(Protocol):
    """Does what a job says."""

    async def run(self, job: Job, row: Occurrence) -> RunResult:
        """Runs once under the id of `row`. Raises `UserError` or `OpenClawError` when it could not be started."""

    async def known(self, row: Occurrence) -> RunResult | None:
        """What became of the run `row.id`; `None` when the agent never heard of it."""

    async def deliver(self, job: Job, row: Occurrence) -> bool:
        """Sends `row.text` where the job says; false when there was nothing to send. Raises like `run`."""

    async def alert(self, job: Job, sentence: str) -> None:
        """Tells the owner about a failing job."""


@dataclass(frozen=True, slots=True)
class CronSettings:
    """What the config says, read anew each time."""

    enabled: bool = True
    catch_up: Literal["run", "skip"] = "run"
    max_concurrent: int = 4
    catch_up_delay_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class Due:
    """The next occurrence of a job: its slot and when it starts."""

    slot_ms: int
    due_ms: int
    attempt: int = 1


class Withheld(UserError):
    """What the send policy does not let out (SES-09); the sentence names the rule."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something to say on a channel. `channel` is its id, `last` (where the agent last heard its person) or `owner`.

    `delivery_id` is the same for ever, so that a repeated send is recognised. Without `direct` no direct chat gets it.
    """

    agent_id: str
    text: str
    delivery_id: str
    channel: str = "last"
    account: str = ""
    to: str = ""
    direct: bool = True


Announce = Callable[[Announcement], Awaitable[bool]]
"""Hands an announcement to the outbox, or into the agent's main session when no channel is meant; false when nobody can get
it. Raises `UserError` or `OpenClawError` when the named channel does not exist or does not take it, and, for who asks so,
`Withheld` when the send policy keeps it here."""
