"""Everything that happens without anybody asking, as one object for the rest of the gateway."""

from __future__ import annotations

from dataclasses import dataclass

from openclaw_gateway.automation.cron import Cron
from openclaw_gateway.automation.heartbeat import Heartbeat
from openclaw_gateway.automation.hooks import HookDoor
from openclaw_gateway.automation.reminders import reminder
from openclaw_gateway.automation.system_events import SystemEvents
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.session_key import parse


@dataclass(slots=True)
class Automation:
    """Jobs, heartbeat, webhooks, and the lines that wait for a session."""

    cron: Cron
    heartbeat: Heartbeat
    hooks: HookDoor
    events: SystemEvents
    clock: Clock
    new_id: NewId

    async def start(self) -> None:
        await self.events.recover()
        await self.cron.start()
        self.heartbeat.start()

    async def stop(self) -> None:
        await self.heartbeat.stop()
        await self.cron.stop()
        self.events.close()

    def poke(self) -> None:
        """The configuration changed."""
        self.cron.poke()
        self.heartbeat.poke()

    def remind(self, session_key: str, when: str, text: str) -> str:
        """Plans a reminder; its job's id. Raises `ToolError` for a time it cannot read."""
        return self.cron.add(reminder(self.new_id(), session_key, when, text, self.clock())).id

    async def wake(self, mode: str, session_key: str, text: str, event_id: str) -> None:
        """Puts a line before a session: now, or with the next heartbeat when its agent has one."""
        self.events.add(event_id, session_key, text)
        key = parse(session_key)
        waits = (
            mode == "next-heartbeat" and session_key == self.heartbeat.main_key(key.agent) and self.heartbeat.active(key.agent)
        )
        if not waits:
            await self.events.flush(session_key)
