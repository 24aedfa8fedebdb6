"""Lines that the house puts before an agent: "build finished", "the disk is full" (AUT-04).

A line waits in a ledger until a run of its session takes it. The run's id is written into the rows before the run is handed
over, so that a crash between the two neither loses a line nor says it twice.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, iso

log = logging.getLogger(__name__)

KEEP = 500
"""How many lines that were said are remembered, so that a repeated id stays one line."""


@dataclass(frozen=True, slots=True)
class SystemEvent:
    """One line for a session. `run_id` names the run that takes it, empty while it waits; `said` when that run has it."""

    id: str
    session_key: str
    text: str
    at: int
    run_id: str = ""
    said: bool = False


Say = Callable[[str, str, str], Awaitable[None]]
"""Run id, session key, text: a run of that session. A repeated run id is no second run."""
Known = Callable[[str], Awaitable[bool]]
"""Whether the agent has heard of a run."""


class SystemEvents:
    """The lines that wait, by session."""

    def __init__(self, path: Path, *, say: Say, known: Known, clock: Clock) -> None:
        self._rows: Ledger[SystemEvent] = Ledger(
            path,
            key=lambda row: row.id,
            encode=asdict,
            decode=lambda row: SystemEvent(**row),
            is_pending=lambda row: not row.run_id,
        )
        self._say, self._known, self._clock = say, known, clock
        for row in [row for row in self._rows.rows() if row.said][:-KEEP]:
            self._rows.delete(row.id)

    def close(self) -> None:
        self._rows.close()

    def add(self, event_id: str, session_key: str, text: str) -> None:
        """Stores a line; a repeated id is the same line."""
        if event_id not in self._rows:
            self._rows.put(SystemEvent(event_id, session_key, text, self._clock()))

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._rows

    def waiting(self, session_key: str | None = None) -> list[SystemEvent]:
        """Lines no run has taken, the oldest first."""
        return [row for row in self._rows.pending() if session_key in (None, row.session_key)]

    async def recover(self) -> None:
        """At start: runs that were announced but never reached the agent are handed over again."""
        runs: dict[str, list[SystemEvent]] = {}
        for row in self._rows.rows():
            if row.run_id and not row.said:
                runs.setdefault(row.run_id, []).append(row)
        for run_id, rows in runs.items():
            if not await self._known(run_id):
                await self._say(run_id, rows[0].session_key, as_text(rows))
            self.settle(run_id)

    async def flush(self, session_key: str, prompt: str = "") -> str | None:
        """Starts a run with every waiting line, `prompt` after them; its id, or `None` when nothing waits."""
        rows = self.waiting(session_key)
        if not rows:
            return None
        run_id = f"events:{rows[0].id}"
        self.claim(rows, run_id)
        text = as_text(rows)
        await self._say(run_id, session_key, f"{text}\n\n{prompt}" if prompt else text)
        self.settle(run_id)
        return run_id

    def claim(self, rows: list[SystemEvent], run_id: str) -> None:
        """The run `run_id` is about to take these lines."""
        for row in rows:
            self._rows.put(replace(row, run_id=run_id))

    def settle(self, run_id: str) -> None:
        """The agent has that run."""
        for row in self._rows.rows():
            if row.run_id == run_id and not row.said:
                self._rows.put(replace(row, said=True))


def as_text(rows: list[SystemEvent]) -> str:
    return "\n".join(f"[System event {iso(row.at)}] {row.text}" for row in rows)
