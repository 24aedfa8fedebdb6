"""When agents dream: each night once, by a cron expression in a zone (MEM-16, AUT-02).

A night is claimed in a ledger by agent and slot before it begins and settled after. One that a crash left open is dreamt again:
proposals have names that never change, and so has what the owner is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from cronsim import CronSimError

from openclaw_gateway.automation.cron import LONGEST_SLEEP_S
from openclaw_gateway.automation.schedule import Cron, next_slot, slots
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import OpenClawError, UserError

KEEP_MS = 30 * 86_400_000
State = Literal["begun", "claimed", "done", "failed"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """When an agent dreams."""

    agent_id: str
    schedule: Cron


@dataclass(frozen=True, slots=True)
class Night:
    """`slot_ms` is the moment the schedule names; `begun` marks where an agent's nights start."""

    agent_id: str
    slot_ms: int
    state: State
    error: str = ""

    @property
    def id(self) -> str:
        return f"dream:{self.agent_id}:{self.slot_ms}"


class Nights:
    """The ledger and the one timer. `plans` names the agents that dream, `dream` does it and returns what to tell, `tell` says
    it under an id. Nothing is opened and no timer runs while `plans` is empty."""

    def __init__(
        self,
        path: Path,
        plans: Callable[[], Sequence[Plan]],
        dream: Callable[[str], Awaitable[str]],
        tell: Callable[[str, str, str], Awaitable[object]],
        clock: Clock,
    ) -> None:
        self._path, self._plans, self._dream, self._tell, self._clock = path, plans, dream, tell, clock
        self._ledger: Ledger[Night] | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())

    def poke(self) -> None:
        """The configuration changed."""
        self._changed.set()

    async def stop(self) -> None:
        """A night under way stays claimed; the next start dreams it again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._ledger is not None:
            self._ledger.close()

    async def tick(self) -> list[str]:
        """Dreams every night that is due; their ids."""
        done = []
        for plan in self._plans():
            try:
                night = await self._due(plan)
            except (CronSimError, OpenClawError) as error:
                log.error("agent %s does not dream: memory.dreaming in openclaw.json: %s", plan.agent_id, error)
                continue
            if night is not None:
                await self._dreamt(night)
                done.append(night.id)
        return done

    async def next_due(self) -> int | None:
        """The next slot of any agent; `None` when nobody dreams."""
        found = []
        for plan in self._plans():
            try:
                slot = next_slot(plan.schedule, (await self._last(plan.agent_id)).slot_ms)
            except (CronSimError, OpenClawError):
                continue  # `tick` has said so
            found += [slot] if slot is not None else []
        return min(found, default=None)

    # --- hands

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self.tick()
                due = await self.next_due()
            except UserError as error:
                log.error("nights cannot be claimed: %s", error)
                due = self._clock() + 1000 * round(LONGEST_SLEEP_S)
            wait = None if due is None else min(max((due - self._clock()) / 1000, 0.0), LONGEST_SLEEP_S)
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue

    async def _due(self, plan: Plan) -> Night | None:
        """The newest night that is due: one that was left open, or a slot that has come. Older missed ones are not dreamt."""
        last = await self._last(plan.agent_id)
        if last.state == "claimed":
            return last
        found = slots(plan.schedule, last.slot_ms, self._clock())
        return Night(plan.agent_id, found[-1], "claimed") if found else None

    async def _last(self, agent_id: str) -> Night:
        """How far an agent's nights have come; one that never dreamt begins now."""
        ledger = await self._opened()
        found = [row for row in ledger.rows() if row.agent_id == agent_id]
        if found:
            return max(found, key=lambda row: row.slot_ms)
        first = Night(agent_id, self._clock(), "begun")
        ledger.put(first)
        return first

    async def _dreamt(self, night: Night) -> None:
        ledger = await self._opened()
        if night.id not in ledger:
            ledger.put(night)
            await ledger.flush()
        try:
            text = await self._dream(night.agent_id)
            if text:
                await self._tell(night.agent_id, night.id, text)
            ledger.put(replace(night, state="done"))
        except (UserError, OpenClawError) as error:
            log.warning("the night of agent %s came to nothing: %s", night.agent_id, error)
            ledger.put(replace(night, state="failed", error=str(error)))
        except Exception as error:
            log.exception("the night of agent %s failed", night.agent_id)
            ledger.put(replace(night, state="failed", error=f"{type(error).__name__}: {error}"))
        for row in ledger.rows():
            if row.slot_ms < night.slot_ms - KEEP_MS:
                ledger.delete(row.id)

    async def _opened(self) -> Ledger[Night]:
        if self._ledger is None:
            self._ledger = await asyncio.to_thread(_open, self._path)
        return self._ledger


def _open(path: Path) -> Ledger[Night]:
    return Ledger(
        path, key=lambda row: row.id, encode=_encode, decode=_decode, is_pending=lambda row: row.state == "claimed"
    )  # fmt: skip


def _encode(row: Night) -> dict[str, Any]:
    wire: dict[str, Any] = {"agentId": row.agent_id, "slotMs": row.slot_ms, "state": row.state}
    return wire | ({"error": row.error} if row.error else {})


def _decode(record: dict[str, Any]) -> Night:
    if record["state"] not in get_args(State):
        raise ValueError(f"{record['state']!r} is unknown")
    return Night(str(record["agentId"]), int(record["slotMs"]), record["state"], str(record.get("error", "")))
