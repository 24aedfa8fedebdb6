"""Tells clients how far the reading of notes for search by meaning is: `memory.progress`, seldom, and once more at the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_kernel.memory.filling import Progress
from openclaw_kernel.values.clock import Clock

EVERY_MS = 500
QUIET_S = 60.0
"""Without news for so long, the reading waits for something else, and is shown no more."""


@dataclass(slots=True)
class _Told:
    at: int = 0
    quiet: asyncio.TimerHandle | None = None


class ProgressTeller:
    """Used on the event loop. `of(agent_id)` is what the agent's memory reports to."""

    def __init__(self, broadcaster: Broadcaster, clock: Clock) -> None:
        self._broadcaster = broadcaster
        self._clock = clock
        self._told: dict[str, _Told] = {}

    def of(self, agent_id: str) -> Progress:
        return lambda done, total: self._heard(agent_id, done, total)

    def close(self) -> None:
        for told in self._told.values():
            if told.quiet is not None:
                told.quiet.cancel()

    def _heard(self, agent_id: str, done: int, total: int) -> None:
        told = self._told.setdefault(agent_id, _Told())
        if told.quiet is not None:
            told.quiet.cancel()
            told.quiet = None
        now = self._clock()
        over = done >= total
        if not over:
            told.quiet = asyncio.get_running_loop().call_later(QUIET_S, self._send, agent_id, done, total, False)
        if over or now - told.at >= EVERY_MS or now < told.at:
            told.at = 0 if over else now
            self._send(agent_id, done, total, not over)

    def _send(self, agent_id: str, done: int, total: int, active: bool) -> None:
        payload = {"ts": self._clock(), "agentId": agent_id, "done": done, "total": total, "active": active}
        self._broadcaster.send("memory.progress", payload, session_key="")
