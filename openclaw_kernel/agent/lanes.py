"""Lanes: one run at a time per session, a fixed number of runs at a time in all (AGT-07).

Within a lane first come, first served; among lanes whoever has waited longest gets the next free place.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]


def default_limit() -> int:
    """min(16, max(8, CPUs)), the main lane of AGT-07."""
    return min(16, max(8, os.cpu_count() or 1))


@dataclass(slots=True)
class _Lane:
    waiting: deque[tuple[str, Work]] = field(default_factory=deque)
    running: str | None = None
    task: asyncio.Task[None] | None = None


class Lanes:
    """A queue per lane under one limit. Used from one event loop."""

    def __init__(self, limit: Callable[[], int] = default_limit) -> None:
        self._limit = limit
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[str] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, lane: str, job_id: str, work: Work) -> None:
        """Runs `work` when its turn comes. `work` should not raise; what it raises is logged."""
        place = self._lanes.setdefault(lane, _Lane())
        place.waiting.append((job_id, work))
        if place.running is None and len(place.waiting) == 1:
            self._ready.append(lane)
        self._fill()

    def busy(self, lane: str) -> bool:
        """Whether a job submitted to the lane now would have to wait for another one of the lane."""
        place = self._lanes.get(lane)
        return place is not None and (place.running is not None or bool(place.waiting))

    def waiting(self, lane: str) -> list[str]:
        """Job ids that have not started, oldest first."""
        place = self._lanes.get(lane)
        return [job_id for job_id, _ in place.waiting] if place else []

    def cancel(self, lane: str, job_id: str) -> bool:
        """Takes a job out of the queue; false when it is running or unknown."""
        place = self._lanes.get(lane)
        job = next((job for job in place.waiting if job[0] == job_id), None) if place else None
        if place is None or job is None:
            return False
        place.waiting.remove(job)
        if not place.waiting and place.running is None:
            self._ready.remove(lane)
            del self._lanes[lane]
        return True

    def free(self, lane: str, job_id: str) -> bool:
        """Cancels the running job and gives its place to the next one, whether it reacts or not; false when it does not run."""
        place = self._lanes.get(lane)
        if place is None or place.running != job_id or place.task is None:
            return False
        place.task.cancel()
        self._finished(place.task, lane)
        return True

    async def drain(self) -> None:
        """Waits until nothing runs and nothing waits."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _fill(self) -> None:
        while self._ready and len(self._tasks) < self._limit():
            lane = self._ready.popleft()
            place = self._lanes[lane]
            job_id, work = place.waiting.popleft()
            place.running = job_id
            task = place.task = asyncio.create_task(self._run(lane, job_id, work), name=f"run:{job_id}")
            self._tasks.add(task)
            task.add_done_callback(lambda done, lane=lane: self._finished(done, lane))  # type: ignore[misc]

    async def _run(self, lane: str, job_id: str, work: Work) -> None:
        try:
            await work()
        except Exception:
            log.exception("job %s of lane %s failed", job_id, lane)

    def _finished(self, task: asyncio.Task[None], lane: str) -> None:
        if task not in self._tasks:
            return  # freed before
        self._tasks.discard(task)
        place = self._lanes[lane]
        place.running = place.task = None
        if place.waiting:
            self._ready.append(lane)
        else:
            del self._lanes[lane]
        self._fill()
