"""Processes that outlive the call that started them (TOL-02, TOL-03).

They belong to the session that started them and are gone when the gateway stops. When one ends by itself and nobody has looked,
its session is woken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from openclaw_kernel.tools.api import ToolError
from openclaw_kernel.tools.process import Process
from openclaw_kernel.values.clock import Clock, system_clock

log = logging.getLogger(__name__)

MAX_RUNNING = 20
"""Of one session: a loop that starts servers is stopped by it."""
KEEP_FINISHED = 50
KEEP_MS = 1_800_000
"""Limits table: process records, 30 min, 50."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A line for a session. `guest`: the program was started for somebody else than the owner, and so is what follows from it.
    `wanted` says whether nobody has looked meanwhile."""

    id: str
    session_key: str
    text: str
    guest: bool
    wanted: Callable[[], bool]


Wake = Callable[[Ended], Awaitable[None]]
"""Starts a run of that session once it is free."""


@dataclass(slots=True)
class Job:
    """A process in the background. `seen` once its end was told to the model."""

    process: Process
    ended_at: int = 0
    seen: bool = False
    watchers: int = 0

    @property
    def id(self) -> str:
        return self.process.id


@dataclass(slots=True)
class Jobs:
    """The processes in the background of one gateway. `wake` is set by the gateway, `keep_ms` and `notify` ask its settings."""

    wake: Wake | None = None
    keep_ms: Callable[[], int] = lambda: KEEP_MS
    notify: Callable[[], bool] = lambda: True
    clock: Clock = system_clock
    _jobs: dict[str, Job] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _closed: bool = False

    def check_room(self, session_key: str) -> None:
        """Raises `ToolError` when the session runs as many as it may."""
        running = sum(1 for job in self._jobs.values() if job.process.running and job.process.session_key == session_key)
        if running >= MAX_RUNNING:
            raise ToolError(f"{running} processes run in the background already; end some with process kill.")

    def add(self, process: Process) -> Job:
        """Takes a process over: it is followed to its end, and its output goes to whoever asks."""
        process.detach()
        job = self._jobs[process.id] = Job(process)
        task = asyncio.ensure_future(self._follow(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def of(self, session_key: str) -> list[Job]:
        """The jobs of a session, the oldest first."""
        self._tidy()
        return [job for job in self._jobs.values() if job.process.session_key == session_key]

    def get(self, session_key: str, job_id: str) -> Job:
        """Raises `ToolError` for a job this session does not have."""
        for job in self.of(session_key):
            if job.id == job_id:
                return job
        known = ", ".join(job.id for job in self.of(session_key)) or "none"
        raise ToolError(f"This session has no process {job_id!r}; it has: {known}.")

    def forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)

    async def close(self) -> None:
        """Ends them all; nothing is left running."""
        self._closed = True
        await asyncio.gather(*(job.process.destroy() for job in self._jobs.values() if job.process.running))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, job: Job) -> None:
        try:
            await job.process.result()
        except ToolError as error:
            log.info("%s failed: %s", job.id, error)
        job.ended_at = self.clock()
        finished = job.process.finished
        quiet = finished is not None and finished.ending in ("killed", "aborted")
        if self._closed or quiet or job.watchers or self.wake is None or not self.notify():
            return
        try:
            process = job.process
            await self.wake(
                Ended(f"{job.id}:ended", process.session_key, ended_line(job), process.ctx.guest, lambda: not job.seen)
            )
        except Exception:
            log.exception("the session of %s could not be told that it ended", job.id)

    def _tidy(self) -> None:
        """Finished jobs leave after a while, the oldest first when they are many."""
        done = sorted((job for job in self._jobs.values() if job.ended_at), key=lambda job: job.ended_at)
        old = self.clock() - self.keep_ms()
        for number, job in enumerate(done):
            if job.ended_at <= old or number < len(done) - KEEP_FINISHED:
                self.forget(job)


def ended_line(job: Job) -> str:
    """Nothing of the program's own words: they are not the house's."""
    return f"The background process {job.id} has ended ({state_of(job)}). Use process with action poll to see what it printed."


def state_of(job: Job) -> str:
    """`running`, or how it ended."""
    finished = job.process.finished
    if job.process.running:
        return "running"
    if finished is None:
        return "failed: " + (job.process.failure or "stopped")
    match finished.ending:
        case "timeout":
            return f"stopped after {job.process.timeout_s:g} seconds"
        case "aborted" | "killed":
            return "killed"
        case _ if finished.exit_code < 0:
            return f"ended by signal {-finished.exit_code}"
        case _:
            return f"exit code {finished.exit_code}"
