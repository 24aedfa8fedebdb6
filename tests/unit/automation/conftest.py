"""A clock in the hand, an agent that remembers what it did, and jobs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.automation.contract import CronSettings, RunResult
from openclaw_gateway.automation.cron import Cron
from openclaw_gateway.automation.jobs import Delivery, Job, Occurrence, Payload
from openclaw_gateway.automation.schedule import Schedule

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000


@dataclass
class FakeAgent:
    """Runs jobs; `effects` is what a disk would keep. `hang` stops a run before or after its effect, as a crash would."""

    effects: Counter[str] = field(default_factory=Counter)
    slots: list[tuple[str, int]] = field(default_factory=list)
    delivered: Counter[str] = field(default_factory=Counter)
    alerts: list[str] = field(default_factory=list)
    hang: str = ""
    answer: Callable[[Job, Occurrence], RunResult] = lambda job, row: RunResult(True, "done")
    deliver_error: Exception | None = None

    async def run(self, job: Job, row: Occurrence) -> RunResult:
        if self.hang == "before":
            await asyncio.Event().wait()
        self.effects[row.id] += 1
        self.slots.append((job.id, row.slot_ms))
        if self.hang == "after":
            await asyncio.Event().wait()
        return self.answer(job, row)

    async def known(self, row: Occurrence) -> RunResult | None:
        return RunResult(False, error="interrupted") if row.id in self.effects else None

    async def deliver(self, job: Job, row: Occurrence) -> bool:
        if self.hang == "delivery":
            await asyncio.Event().wait()
        if self.deliver_error is not None:
            raise self.deliver_error
        self.delivered[row.id] += 1
        return True

    async def alert(self, job: Job, sentence: str) -> None:
        self.alerts.append(sentence)


@dataclass
class Bench:
    """A scheduler that can be killed and started again over the same files."""

    folder: Path
    agent: FakeAgent = field(default_factory=FakeAgent)
    now: int = START
    settings: CronSettings = field(default_factory=lambda: CronSettings(catch_up_delay_ms=0))
    events: list[dict[str, Any]] = field(default_factory=list)
    cron: Cron = field(init=False)

    def __post_init__(self) -> None:
        self.cron = self._make()

    def _make(self) -> Cron:
        return Cron(
            self.folder,
            self.agent,
            clock=lambda: self.now,
            settings=lambda: self.settings,
            tell=lambda payload: self.events.append(dict(payload)),
        )

    def add(self, job_id: str, schedule: Schedule, **more: Any) -> Job:
        payload = more.pop("payload", Payload("agentTurn", "go"))
        return self.cron.add(
            Job(job_id, more.pop("name", job_id), schedule, payload, self.now, self.now, from_ms=self.now - 1, **more)
        )

    async def restart(self) -> None:
        """kill -9 and a new process: what was under way is left as it stands on disk."""
        await self.cron.stop()
        self.agent.hang = ""
        self.cron = self._make()
        await self.cron.recover()
        await self.cron.idle()

    async def until(self, end: int) -> None:
        """Lets time pass, from one due moment to the next."""
        while (due := self.cron.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.cron.tick()
            await self.cron.idle()
        self.now = max(self.now, end)


ANNOUNCED = Delivery("announce", "webhook", to="x")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "cron")
    yield made
    await made.cron.stop()
