"""The scheduler: claims each slot once, runs it, settles it (AUT-02, AUT-08, AUT-09, AUT-10).

    cron = Cron(state_dir / "cron", runner, clock=…, settings=…, tell=…)
    await cron.start()          # what a crash left open is settled first; then one timer to the next due moment

A claim is a ledger row named after job and slot, written before anything happens. After a crash a claimed row whose run never
reached the agent is run; one that did is settled as `recovered` and never run again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openclaw_gateway.automation.contract import CronSettings, Due, Runner, RunResult
from openclaw_gateway.automation.history import History
from openclaw_gateway.automation.jobs import (
    Job,
    Occurrence,
    Trigger,
    decode_job,
    encode_job,
    ended_wire,
    job_wire,
    last_wire,
    occurrence_id,
)
from openclaw_gateway.automation.schedule import next_slot, slots, spread
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import OpenClawError, UserError, invalid

log = logging.getLogger(__name__)

BACK_OFF_MS = (30_000, 60_000, 300_000, 900_000, 3_600_000)
"""Waits after the first, second, … failure in a row (AUT-08)."""
DISABLE_AFTER = 10
ALERT_AFTER = 2
ALERT_GAP_MS = 3_600_000
RETRIES = 3
"""How often a failed one-shot is tried again."""
MISSED_ROWS = 200
"""How many missed slots of one pause get a row each; older ones are only logged."""
LATE_MS = 60_000
"""A tick later than this is counted: the loop was blocked or the machine slept."""
LONGEST_SLEEP_S = 3600.0
"""While a job waits, the clock is looked at again at least this often: the timer stands still while a machine sleeps."""


Tell = Callable[[Mapping[str, Any]], None]
"""Takes the payload of an event `cron`."""


@dataclass(slots=True)
class Stats:
    missed_ticks: int = 0
    recovered: int = 0


@dataclass(slots=True)
class _Open:
    """An occurrence under way."""

    row: Occurrence
    task: asyncio.Task[None] = field(repr=False)


class Cron:
    """The jobs, their history and the one timer."""

    def __init__(self, folder: Path, runner: Runner, *, clock: Clock, settings: Callable[[], CronSettings], tell: Tell) -> None:
        self.path = folder / "jobs.jsonl"
        self._jobs: Ledger[Job] = Ledger(self.path, key=lambda job: job.id, encode=encode_job, decode=decode_job)
        self._rows = History(folder / "runs.jsonl")
        self._runner, self._clock, self._settings, self._tell = runner, clock, settings, tell
        self._open: dict[str, _Open] = {}
        self._gate = asyncio.Semaphore(max(1, settings().max_concurrent))
        self._changed = asyncio.Event()
        self._timer: asyncio.Task[None] | None = None
        self._started_at = clock()
        self.stats = Stats()

    # --- life

    async def start(self) -> None:
        """Settles what an earlier life left open, then starts the timer."""
        await self.recover()
        self._timer = asyncio.ensure_future(self._run())

    async def recover(self) -> None:
        """Finds out what became of the occurrences a crash left open, and runs those that never began."""
        self._started_at = self._clock()
        self._rows.prune(self._clock(), self._jobs)
        for row in self._rows.pending():
            await self._recover(row)

    async def stop(self) -> None:
        """Ends the timer. Occurrences under way stay claimed; the next start finds out what became of them."""
        tasks = [open_.task for open_ in self._open.values()] + ([self._timer] if self._timer else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._jobs.close()
        self._rows.close()

    async def idle(self) -> None:
        """Returns when nothing is under way."""
        while self._open:
            await asyncio.wait({open_.task for open_ in self._open.values()})

    def poke(self) -> None:
        """Looks at the clock and the jobs again now."""
        self._changed.set()

    # --- the jobs

    def jobs(self) -> list[Job]:
        return self._jobs.rows()

    def get(self, job_id: str) -> Job:
        """Raises INVALID_REQUEST for an unknown job."""
        job = self._jobs.get(job_id)
        if job is None:
            raise invalid(f"unknown cron job {job_id!r}; list them with cron.list", reason="cron-job-not-found", jobId=job_id)
        return job

    def add(self, job: Job) -> Job:
        """Stores a new job. Raises `StoreError`."""
        self._jobs.put(job)
        self._say("added", job)
        return job

    def update(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Changes a job. A new schedule, or being switched on, counts from now; a past slot never comes back."""
        old = self.get(job_id)
        now = self._clock()
        job = replace(change(old), id=old.id, created_at=old.created_at, updated_at=now)
        if job.schedule != old.schedule or (job.enabled and not old.enabled):
            job = replace(job, from_ms=now - 1 if job.one_shot else now, errors=0, not_before=0)
        self._jobs.put(job)
        self._say("updated", job)
        return job

    def remove(self, job_id: str) -> bool:
        """Forgets a job; what is under way ends by itself. False when there was none."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        self._jobs.delete(job_id)
        self._say("removed", job)
        return True

    def run_now(self, job_id: str, *, only_due: bool = False) -> str | None:
        """Starts a job outside its schedule; the id of the run, or `None` when it runs already or is not due."""
        job, now = self.get(job_id), self._clock()
        due = self.due(job)
        if job_id in self._open or (only_due and (due is None or due.due_ms > now)):
            return None
        if only_due and due is not None:
            name = occurrence_id(job.id, due.slot_ms, due.attempt)
            return self._claim(job, Occurrence(name, job.id, due.slot_ms, "schedule", now, attempt=due.attempt))
        number = 1
        while (name := occurrence_id(job.id, now, number, manual=True)) in self._rows:
            number += 1
        return self._claim(job, Occurrence(name, job.id, now, "manual", now))

    def runs(self, job_id: str | None = None) -> list[Occurrence]:
        """Settled occurrences, the newest first."""
        return self._rows.settled(job_id)

    def wire(self, job: Job) -> dict[str, Any]:
        """A job as clients see it."""
        due, open_ = self.due(job), self._open.get(job.id)
        return job_wire(job, due.due_ms if due else None, open_.row.claimed_at if open_ else None)

    # --- when

    def due(self, job: Job) -> Due | None:
        """The next occurrence; `None` for a job that is off, done, or under way."""
        if not job.enabled or job.id in self._open:
            return None
        last = self._rows.last(job.id)
        if job.one_shot and last is not None and last.slot_ms > job.from_ms:
            again = last.state == "error" and last.attempt <= RETRIES
            return Due(last.slot_ms, job.not_before, last.attempt + 1) if again else None
        slot = next_slot(job.schedule, max(job.from_ms, last.slot_ms if last else 0))
        if slot is None:
            return None
        due = max(slot + spread(job.schedule, job.id), job.not_before)
        if slot < self._started_at and job.payload.kind == "agentTurn":
            due = max(due, self._started_at + self._settings().catch_up_delay_ms)
        return Due(slot, due)

    def next_due(self) -> int | None:
        """When the timer has to ring; `None` when nothing waits."""
        if not self._settings().enabled:
            return None
        return min((due.due_ms for job in self._jobs.rows() if (due := self.due(job))), default=None)

    def tick(self) -> list[str]:
        """Claims and starts everything that is due; the ids."""
        if not self._settings().enabled:
            return []
        now = self._clock()
        started = []
        for job in self._jobs.rows():
            due = self.due(job)
            if due is not None and due.due_ms <= now and (name := self._start_due(job, due, now)):
                started.append(name)
        return started

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            await self._rows.flush()
            await self._jobs.flush()
            due = self.next_due()
            wait = None if due is None else min(max((due - self._clock()) / 1000, 0.0), LONGEST_SLEEP_S)
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
                continue
            except TimeoutError:
                pass
            if due is not None and due >= self._started_at and self._clock() - due > LATE_MS:
                self.stats.missed_ticks += 1
                log.warning("a scheduled moment was noticed %d s late", (self._clock() - due) // 1000)
            try:
                self.tick()
            except UserError as error:
                log.error("cron jobs cannot be claimed: %s", error)
                await asyncio.wait([asyncio.ensure_future(self._changed.wait())], timeout=BACK_OFF_MS[0] / 1000)

    def _start_due(self, job: Job, due: Due, now: int) -> str | None:
        """Claims the newest due slot; the ones before it, missed, are settled as skipped."""
        if job.one_shot:
            found = [due.slot_ms]
        else:
            found = slots(job.schedule, due.slot_ms - 1, now - spread(job.schedule, job.id)) or [due.slot_ms]
        missed, slot = found[:-1], found[-1]
        if len(missed) > MISSED_ROWS:
            log.warning("job %s missed %d slots; the newest %d are in its history", job.id, len(missed), MISSED_ROWS)
        for old in missed[-MISSED_ROWS:]:
            self._skip(job, old, now, "missed; a later one ran")
        trigger: Trigger = "retry" if due.attempt > 1 else "schedule"
        if slot < self._started_at and due.attempt == 1:
            if self._settings().catch_up == "skip" and not job.one_shot:
                self._skip(job, slot, now, "missed while the gateway was down")
                return None
            trigger = "catch-up"
        name = occurrence_id(job.id, slot, due.attempt)
        return self._claim(job, Occurrence(name, job.id, slot, trigger, now, attempt=due.attempt))

    def _skip(self, job: Job, slot: int, now: int, why: str) -> None:
        name = occurrence_id(job.id, slot)
        if name not in self._rows:
            self._rows.put(Occurrence(name, job.id, slot, "missed", now, state="skipped", ended_at=now, error=why))

    def _claim(self, job: Job, row: Occurrence) -> str | None:
        """Writes the claim, then starts. `None` when the slot was claimed before."""
        if row.id in self._rows:
            log.warning("occurrence %s is claimed already", row.id)
            return None
        self._rows.put(row)
        self._begin(job, row, run=True)
        return row.id

    # --- one occurrence

    def _begin(self, job: Job, row: Occurrence, *, run: bool) -> None:
        task = asyncio.ensure_future(self._work(job, row, run=run))
        self._open[job.id] = _Open(row, task)
        task.add_done_callback(lambda done: self._ended(job.id, done))

    def _ended(self, job_id: str, task: asyncio.Task[None]) -> None:
        if (open_ := self._open.get(job_id)) is not None and open_.task is task:
            del self._open[job_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an occurrence of job %s failed", job_id, exc_info=error)
        self._changed.set()

    async def _work(self, job: Job, row: Occurrence, *, run: bool) -> None:
        if run:
            async with self._gate:
                self._say("started", job, runAtMs=row.claimed_at, runId=row.id)
                row = self._settled(job, row, await self._attempt(job, row))
        if row.delivery == "pending":
            row = await self._deliver(job, row)
        self._finish(job, row)

    async def _attempt(self, job: Job, row: Occurrence) -> RunResult:
        try:
            return await self._runner.run(job, row)
        except (UserError, OpenClawError) as error:
            return RunResult(False, error=str(error))
        except Exception as error:
            log.exception("cron job %s failed", job.id)
            return RunResult(False, error=f"{type(error).__name__}: {error}")

    def _settled(self, job: Job, row: Occurrence, result: RunResult, *, recovered: bool = False) -> Occurrence:
        wanted = result.ok and result.text and job.delivery.mode != "none"
        row = replace(
            row,
            state="recovered" if recovered and not result.ok else "ok" if result.ok else "error",
            ended_at=self._clock(),
            error=result.error,
            text=result.text,
            session_key=result.session_key,
            delivery="pending" if wanted else "not-requested",
        )
        self._rows.put(row)
        return row

    async def _deliver(self, job: Job, row: Occurrence) -> Occurrence:
        """The same delivery id every time: the outbox knows whether it went out before a crash."""
        try:
            sent = await self._runner.deliver(job, row)
            row = replace(row, delivery="delivered" if sent else "skipped")
        except (UserError, OpenClawError) as error:
            log.warning("the answer of cron job %s could not be delivered: %s", job.id, error)
            row = replace(row, delivery="not-delivered", delivery_error=str(error))
        self._rows.put(row)
        return row

    def _finish(self, job: Job, row: Occurrence) -> None:
        """What this end means for the job: counts, back-off, alert, the end of a one-shot."""
        current = self._jobs.get(job.id)
        if current is None:
            self._tell({"jobId": job.id, "action": "finished", **ended_wire(row)})
            return
        failed = row.state == "error" or (row.delivery == "not-delivered" and not job.delivery.best_effort)
        errors = current.errors + 1 if failed else 0
        wait = BACK_OFF_MS[min(errors, len(BACK_OFF_MS)) - 1] if row.state == "error" else 0
        asked = current.not_before if current.not_before > row.ended_at else 0
        job = replace(current, errors=errors, not_before=row.ended_at + wait if wait else asked, last=last_wire(row))
        gone = job.one_shot and row.state in ("ok", "recovered") and row.trigger != "manual"
        if errors >= DISABLE_AFTER or gone or (job.one_shot and failed and row.attempt > RETRIES):
            job = replace(job, enabled=False)
        delete = gone and job.delete_after_run and row.state == "ok" and row.delivery != "not-delivered"
        if delete:
            self._jobs.delete(job.id)
        else:
            self._jobs.put(self._alerted(job, row))
        self._open.pop(job.id, None)
        self._say("finished", job, **ended_wire(row))
        if delete:
            self._say("removed", job)

    def _alerted(self, job: Job, row: Occurrence) -> Job:
        now = self._clock()
        if job.errors < ALERT_AFTER or (job.alerted_at and now - job.alerted_at < ALERT_GAP_MS and job.enabled):
            return job
        off = " It is switched off now." if not job.enabled else ""
        why = row.error or row.delivery_error or "no reason given"
        sentence = f"The scheduled job “{job.name}” failed {job.errors} times in a row: {why}.{off}"
        task = asyncio.ensure_future(self._runner.alert(job, sentence))
        task.add_done_callback(_log_failure)
        return replace(job, alerted_at=now)

    async def _recover(self, row: Occurrence) -> None:
        """An occurrence that a crash left open."""
        job = self._jobs.get(row.job_id)
        if job is None:
            self._rows.put(replace(row, state="skipped" if row.state == "claimed" else row.state, delivery="skipped"))
            return
        if row.state == "claimed":
            known = await self._runner.known(row)
            if known is None:
                self._begin(job, row, run=True)
                return
            self.stats.recovered += 1
            log.warning("occurrence %s was under way when the gateway ended; it is not run again", row.id)
            row = self._settled(job, row, known, recovered=True)
        self._begin(job, row, run=False)

    def _say(self, action: str, job: Job, **more: Any) -> None:
        wire = self.wire(job)
        payload: dict[str, Any] = {"jobId": job.id, "action": action, "job": wire, **more}
        if (due := wire.get("nextRunAtMs")) is not None:
            payload["nextRunAtMs"] = due
        self._tell(payload)
        self._changed.set()


def _log_failure(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("an alert could not be sent: %s", error)
