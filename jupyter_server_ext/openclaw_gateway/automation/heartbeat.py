"""The heartbeat: every half hour the agent looks around, and mostly nobody notices (AUT-11 to AUT-13).

One timer for all agents, to the next moment any of them is due. No model is called while HEARTBEAT.md holds no task and no
system event waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openclaw_gateway.automation.contract import Announce, Announcement
from openclaw_gateway.automation.heartbeat_rules import Plan, has_task, within, worth_saying
from openclaw_gateway.automation.runner import house_message
from openclaw_gateway.automation.system_events import SystemEvents, as_text
from openclaw_kernel.agent.api import RunRequest, Runtime
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.envelope import delivery_id
from openclaw_kernel.values.errors import OpenClawError, UserError

log = logging.getLogger(__name__)

GAP_MS = 30_000
"""At least this long between two starts of one agent, and no more than `MINUTE_STARTS` a minute (AUT-11)."""
MINUTE_STARTS = 5
LONGEST_SLEEP_S = 3600.0
BUSY_WAIT_S = 600.0


@dataclass(slots=True)
class _Beat:
    """What is remembered of one agent."""

    from_ms: int
    starts: deque[int] = field(default_factory=lambda: deque(maxlen=MINUTE_STARTS))
    asked: bool = False


@dataclass(slots=True)
class Heartbeat:
    """`plans` are the agents' settings now; `workspace` is where HEARTBEAT.md lies; `tell` gets events `heartbeat`."""

    plans: Callable[[], list[Plan]]
    workspace: Callable[[str], Path]
    main_key: Callable[[str], str]
    runtime: Runtime
    events: SystemEvents
    announce: Announce
    clock: Clock
    tell: Callable[[Mapping[str, Any]], None]
    enabled: bool = True
    last: dict[str, Any] | None = None
    _beats: dict[str, _Beat] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _timer: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._timer = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.gather(self._timer, return_exceptions=True)

    def poke(self) -> None:
        """The settings may have changed."""
        self._changed.set()

    def ask(self, agent_id: str) -> None:
        """A heartbeat as soon as the spacing allows."""
        self._beat(agent_id).asked = True
        self._changed.set()

    def active(self, agent_id: str) -> bool:
        """Whether this agent has a heartbeat at all."""
        return self.plan(agent_id) is not None

    def plan(self, agent_id: str) -> Plan | None:
        """An agent's heartbeat; `None` when it has none."""
        plans = self._plans() if self.enabled else []
        return next((plan for plan in plans if plan.agent_id == agent_id and plan.every_ms), None)

    def due(self, plan: Plan) -> int:
        """When the next beat of an agent may start."""
        beat = self._beat(plan.agent_id)
        earliest = beat.starts[-1] + GAP_MS if beat.starts else 0
        if len(beat.starts) == MINUTE_STARTS:
            earliest = max(earliest, beat.starts[0] + 60_000)
        return earliest if beat.asked else max(earliest, beat.from_ms + plan.every_ms)

    async def tick(self) -> None:
        """Runs the beats that are due."""
        for plan in self._due_plans():
            if self.due(plan) <= self.clock():
                beat = self._beat(plan.agent_id)
                beat.asked, beat.from_ms = False, self.clock()
                try:
                    await self._one(plan)
                except (UserError, OpenClawError) as error:
                    self._told(plan, "failed", reason=str(error))
                except Exception as error:
                    log.exception("the heartbeat of %s failed", plan.agent_id)
                    self._told(plan, "failed", reason=f"{type(error).__name__}: {error}")

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            dues = [self.due(plan) for plan in self._due_plans()]
            wait = min(max((min(dues) - self.clock()) / 1000, 0.0), LONGEST_SLEEP_S) if dues else None
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                await self.tick()

    def _due_plans(self) -> list[Plan]:
        if not self.enabled:
            return []
        return [plan for plan in self._plans() if plan.every_ms or self._beat(plan.agent_id).asked]

    def _plans(self) -> list[Plan]:
        try:
            return self.plans()
        except (UserError, OpenClawError, ValueError) as error:
            log.error("the heartbeat is off: %s", error)
            return []

    def _beat(self, agent_id: str) -> _Beat:
        return self._beats.setdefault(agent_id, _Beat(self.clock()))

    async def _one(self, plan: Plan) -> None:
        if not within(plan.hours, self.clock()):
            self._told(plan, "skipped", reason="quiet-hours")
            return
        main = self.main_key(plan.agent_id)
        key = plan.session or main
        events = self.events.waiting(main)
        text = await asyncio.to_thread(_read, self.workspace(plan.agent_id) / "HEARTBEAT.md")
        if not events and not has_task(text):
            self._told(plan, "skipped", reason="empty-heartbeat-file")
            return
        await self._until_free(key)
        now = self.clock()
        self._beat(plan.agent_id).starts.append(now)
        if events and key == main and not plan.isolated:
            run_id = await self.events.flush(main, plan.prompt)
        else:
            run_id = f"heartbeat:{plan.agent_id}:{now}"
            await self._submit(plan, run_id, f"{key}:heartbeat" if plan.isolated else key, main)
        if run_id is not None:
            await self._ended(plan, run_id, now)

    async def _submit(self, plan: Plan, run_id: str, key: str, main: str) -> None:
        events = self.events.waiting(main)
        text = f"{as_text(events)}\n\n{plan.prompt}" if events else plan.prompt
        message = house_message(run_id, text, self.clock())
        self.events.claim(events, run_id)
        await self.runtime.submit(RunRequest(run_id, key, message, model=plan.model, client_id="heartbeat"))
        self.events.settle(run_id)

    async def _ended(self, plan: Plan, run_id: str, started: int) -> None:
        outcome = await self.runtime.wait(run_id)
        took = self.clock() - started
        if outcome is None or outcome.status != "ok":
            why = outcome.error.message if outcome is not None and outcome.error is not None else "the run did not end well"
            self._told(plan, "failed", reason=why, durationMs=took)
            return
        reply = outcome.message.text if outcome.message is not None else ""
        text = worth_saying(reply, plan.ack_chars)
        if text is None:
            self._told(plan, "ok-token" if reply.strip() else "ok-empty", durationMs=took)
            return
        sent = False
        if plan.target != "none":
            name = delivery_id(run_id, 0)
            sent = await self.announce(Announcement(plan.agent_id, text, name, plan.target, plan.account, plan.to, plan.direct))
        self._told(plan, "sent" if sent else "silent", durationMs=took, preview=text[:200])

    async def _until_free(self, key: str) -> None:
        """Waits while the session works; a person comes first."""
        while running := self.runtime.active(key):
            if await self.runtime.wait(running[0].run_id, BUSY_WAIT_S) is None:
                log.info("the heartbeat of %s waits for a long run", key)

    def _told(self, plan: Plan, status: str, **more: Any) -> None:
        self.last = {"ts": self.clock(), "status": status, "agentId": plan.agent_id, **more}
        log.debug("heartbeat of %s: %s %s", plan.agent_id, status, more.get("reason", ""))
        self.tell(self.last)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        log.warning("%s cannot be read: %s", path, error)
        return ""
