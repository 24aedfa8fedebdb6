"""What became of every slot of every job, and how far each job's schedule has come (AUT-02)."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from openclaw_gateway.automation.jobs import Occurrence, decode_occurrence, encode_occurrence
from openclaw_kernel.store.ledger import Ledger

KEEP_MS = 7 * 86_400_000
KEEP_ROWS = 2_000
"""Rows of one job that are kept, and for how long."""


class History(Ledger[Occurrence]):
    """A ledger of occurrences that knows the last scheduled one of each job. Opening it raises `StoreError`."""

    def __init__(self, path: Path) -> None:
        self._last: dict[str, Occurrence] = {}
        super().__init__(
            path,
            key=lambda row: row.id,
            encode=encode_occurrence,
            decode=decode_occurrence,
            is_pending=lambda row: row.open,
        )
        for row in self.rows():
            self._note(row)

    def put(self, row: Occurrence) -> None:
        super().put(row)
        self._note(row)

    def last(self, job_id: str) -> Occurrence | None:
        """The furthest occurrence that a job's schedule asked for; runs by hand do not count."""
        return self._last.get(job_id)

    def settled(self, job_id: str | None = None) -> list[Occurrence]:
        """What is no longer only claimed, the newest first."""
        rows = [row for row in self.rows() if row.state != "claimed" and job_id in (None, row.job_id)]
        return sorted(rows, key=lambda row: (row.ended_at, row.slot_ms), reverse=True)

    def prune(self, now: int, jobs: Container[str]) -> None:
        """Drops what is old, never the row that says how far one of `jobs` has come."""
        kept: dict[str, int] = {}
        for row in self.settled():
            kept[row.job_id] = kept.get(row.job_id, 0) + 1
            last = self.last(row.job_id)
            needed = last is not None and last.id == row.id and row.job_id in jobs
            if (row.ended_at < now - KEEP_MS or kept[row.job_id] > KEEP_ROWS) and not needed and not row.open:
                self.delete(row.id)

    def _note(self, row: Occurrence) -> None:
        if row.trigger == "manual":
            return
        last = self._last.get(row.job_id)
        if last is None or (row.slot_ms, row.attempt) >= (last.slot_ms, last.attempt):
            self._last[row.job_id] = row
