"""Which notes were found by a search, how well and on which day: what dreaming counts (MEM-16).

A row holds no word of the note and none of the query, only their hashes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from openclaw_kernel.memory.api import Hit
from openclaw_kernel.memory.edit import units
from openclaw_kernel.memory.places import day_of
from openclaw_kernel.memory.writes import line_hash
from openclaw_kernel.store.ledger import Ledger

FILE_NAME = "recalls.jsonl"
NOTES_A_HIT = 3
"""A hit of many notes says little about each of them: so many are counted."""
MAX_ROWS = 20_000
"""Above it nothing is counted before the next night has cleared away what is old (about 4 MB)."""


@dataclass(frozen=True, slots=True)
class Recall:
    """One note found by one question on one day, `count` times. `score` is the sum of its shares of the best hit's score
    (0 to 1 each), for a memory's scores are comparable within one search only. `day` is local, `at` in milliseconds."""

    query: str
    note: str
    path: str
    line: int
    day: str
    score: float
    count: int
    at: int

    @property
    def id(self) -> str:
        return f"{self.query}:{self.note}:{self.day}"


class Recalls:
    """The ledger of one agent. Blocking; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._lock = Lock()
        self._ledger: Ledger[Recall] = Ledger(folder / FILE_NAME, key=lambda row: row.id, encode=_encode, decode=_decode)

    def add(self, query: str, hits: Sequence[Hit], day: str, at: int) -> int:
        """Counts the daily notes among the hits of one search; other people's words are passed over. Returns how many."""
        best = max((hit.score for hit in hits), default=0.0)
        asked = query_hash(query)
        if best <= 0 or not asked:
            return 0
        counted = 0
        with self._lock:
            for hit in hits:
                if hit.kind != "memory" or hit.provenance == "untrusted" or not day_of(hit.path):
                    continue
                share = max(0.0, min(1.0, hit.score / best))
                for note, line in notes_in(hit.text, hit.line0)[:NOTES_A_HIT]:
                    counted += self._count(Recall(asked, note, hit.path, line, day, share, 1, at))
        return counted

    def rows(self) -> list[Recall]:
        with self._lock:
            return self._ledger.rows()

    def prune(self, unwanted: Callable[[Recall], bool]) -> int:
        """Takes rows away for good; returns how many."""
        with self._lock:
            gone = [row for row in self._ledger.rows() if unwanted(row)]
            for row in gone:
                self._ledger.delete(row.id)
        return len(gone)

    def close(self) -> None:
        with self._lock:
            self._ledger.close()

    def _count(self, row: Recall) -> int:
        known = self._ledger.get(row.id)
        if known is None and len(self._ledger) >= MAX_ROWS:
            return 0
        if known is not None:
            row = Recall(
                row.query, row.note, row.path, row.line, row.day, known.score + row.score, known.count + 1, row.at
            )  # fmt: skip
        self._ledger.put(row)
        return 1


def query_hash(query: str) -> str:
    """The same for two questions of the same words in any order; empty for one without words."""
    words = sorted(set(re.findall(r"\w+", query.casefold())))
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16] if words else ""


def notes_in(text: str, line0: int) -> list[tuple[str, int]]:
    """The hash and the first line of each note in a text."""
    found: list[tuple[str, int]] = []
    line = line0
    for unit in units(text.splitlines(keepends=True)):
        words = "".join(unit)
        if words.strip() and not words.startswith("#"):
            found.append((line_hash(words), line))
        line += len(unit)
    return found


def _encode(row: Recall) -> dict[str, Any]:
    return {
        "query": row.query,
        "note": row.note,
        "path": f"{row.path}#L{row.line}",
        "day": row.day,
        "score": round(row.score, 3),
        "count": row.count,
        "at": row.at,
    }


def _decode(record: dict[str, Any]) -> Recall:
    path, _, line = str(record["path"]).rpartition("#L")
    return Recall(
        str(record["query"]),
        str(record["note"]),
        path,
        int(line),
        str(record["day"]),
        float(record["score"]),
        int(record["count"]),
        int(record["at"]),
    )


def of_notes(rows: Iterable[Recall]) -> dict[str, list[Recall]]:
    """Rows by the note they found."""
    found: dict[str, list[Recall]] = {}
    for row in rows:
        found.setdefault(row.note, []).append(row)
    return found
