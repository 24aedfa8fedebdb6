"""Runs that give no sign of life (AGT-13): said in the log after two minutes, aborted after ten, and put out of their lane when
even that does not end them.

A run with a tool, a question or a compaction under way is long-running, not stalled: those have time limits of their own. A
model call has one too, which comes first (MOD-20).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from openclaw_kernel.agent.underway import Run
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.events import AgentEvent, Compacted, ToolEnded, ToolStarted

log = logging.getLogger(__name__)

STUCK = "stuck"
"""The stop reason of a run that was ended here."""
LOOK_EVERY_S = 30.0
WARN_MS = 120_000  # AGT-13
ABORT_MS = 600_000
"""Not before 5 minutes (AGT-13), and behind the idle timeout of the slowest kind of model."""
FREE_MS = 60_000
"""How long an aborted run may take to end."""


def hear(run: Run, event: AgentEvent, now: int) -> None:
    """Takes down that a run lives, and what it is busy with."""
    run.heard_at = now
    match event:
        case ToolStarted(call=call):
            run.busy.add(call.id)
        case ToolEnded(call=call):
            run.busy.discard(call.id)
        case Compacted(phase=phase):
            (run.busy.add if phase == "start" else run.busy.discard)("compaction")
        case _:
            pass


@dataclass(slots=True)
class Watch:
    """Looks at `runs` every half minute as long as there are any. `stop` aborts a run; `free` ends one that does not react and
    gives its lane to the next."""

    runs: Mapping[str, Run]
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    stop: Callable[[Run, str], None]
    free: Callable[[Run], None]
    _warned: set[str] = field(default_factory=set)
    _aborted: dict[str, int] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """A run begins."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on(), name="watch over runs")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_on(self) -> None:
        while self.runs:
            await self.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """One look at every run under way."""
        now = self.clock()
        self._warned &= self.runs.keys()
        self._aborted = {run_id: at for run_id, at in self._aborted.items() if run_id in self.runs}
        for run in list(self.runs.values()):
            if run.turn is None:
                continue
            if run.turn.signal.aborted:
                self._ending(run, now)
            else:
                self._living(run, now)

    def _ending(self, run: Run, now: int) -> None:
        if now - self._aborted.setdefault(run.request.run_id, now) >= FREE_MS:
            log.error("run %s of %s does not end; its lane goes on without it", run.request.run_id, run.request.session_key)
            self.free(run)

    def _living(self, run: Run, now: int) -> None:
        quiet = now - run.heard_at
        if quiet < WARN_MS:
            self._warned.discard(run.request.run_id)
            return
        name, key, minutes = run.request.run_id, run.request.session_key, quiet // 60_000
        if run.busy:
            if name not in self._warned:
                log.info("run %s of %s is long-running: nothing new for %d minutes", name, key, minutes)
        elif quiet >= ABORT_MS:
            log.error("run %s of %s is stuck: no sign of life for %d minutes; it is aborted", name, key, minutes)
            self.stop(run, STUCK)
            self._aborted[name] = now
        elif name not in self._warned:
            log.warning("run %s of %s is stalled: no sign of life for %d minutes", name, key, minutes)
        self._warned.add(name)
