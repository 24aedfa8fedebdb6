"""Writing notes for the assistant so that every line can be named and taken back (MEM-12)."""

from __future__ import annotations

from datetime import datetime

from openclaw_kernel.memory.api import MemoryRefused, Provenance
from openclaw_kernel.memory.edit import take_out
from openclaw_kernel.memory.notes import Note, Notes, note_line, note_name
from openclaw_kernel.memory.places import Places
from openclaw_kernel.memory.writes import Write, Writes, line_hash


class Keeper:
    """The notes of one workspace and the book of who wrote them. Blocking; any thread."""

    def __init__(self, places: Places, writes: Writes) -> None:
        self._places = places
        self.writes = writes

    def append(self, text: str, provenance: Provenance, session_key: str, now: datetime, at: int) -> Note:
        """Adds one line to the day's note, booked before it is written. `at` in milliseconds.

        Raises `ToolPathError`, `OSError` and `StoreError`; then the booking stays pending, and no line of it is there."""
        write = self.writes.begin(note_name(now), note_line(text, now), provenance, session_key, at)
        note = Notes(self._places.workspace).append(text, now)
        self.writes.settle(write.id, "written")
        return note

    def log(self) -> list[tuple[Write, str]]:
        """Every write with its line, newest first; the line is empty when a person has changed it since."""
        lines: dict[str, dict[str, str]] = {}
        rows = []
        for write in reversed(self.writes.rows()):
            if write.path not in lines:
                lines[write.path] = self._lines(write.path)
            rows.append((write, lines[write.path].get(write.line_hash, "")))
        return rows

    def undo(self, id: str) -> tuple[str, str]:
        """Takes one written line out of its note: the path, and the line. Raises `MemoryRefused`."""
        write = self.writes.get(id)
        if write is None:
            raise MemoryRefused(f"There is no write {id!r}; `memory log` lists them.")
        line = self._lines(write.path).get(write.line_hash, "")
        if write.state == "undone" or not line:
            raise MemoryRefused(f"The line of write {id} is not in {write.path} any more; there is nothing to take back.")
        file = self._places.resolve(write.path)
        take_out(file.path, lambda text: line_hash(text) == write.line_hash)
        self.writes.settle(id, "undone")
        return write.path, line

    def _lines(self, name: str) -> dict[str, str]:
        file = self._places.find(self._places.workspace / name)
        if file is None:
            return {}
        text = file.path.read_bytes().decode("utf-8", "replace")
        return {line_hash(line): line.strip() for line in text.splitlines() if line.strip()}
