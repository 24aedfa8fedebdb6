"""What must not be taken up again: a transcript is a log that stays, but what was forgotten of it is never indexed any more.

Rows hold hashes only, so that the list itself tells nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from openclaw_kernel.store.ledger import Ledger

FILE_NAME = "exclusions.jsonl"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """`id` is a chunk's hash, or the hash of a transcript's path, or of the place in it where an exchange begins."""

    id: str
    at: int


class Exclusions:
    """The ledger of one agent's memory. Blocking."""

    def __init__(self, folder: Path) -> None:
        self._ledger: Ledger[Exclusion] = Ledger(
            folder / FILE_NAME,
            key=lambda row: row.id,
            encode=lambda row: {"id": row.id, "at": row.at},
            decode=lambda record: Exclusion(str(record["id"]), int(record["at"])),
        )

    def add(self, id: str, at: int) -> None:
        self._ledger.put(Exclusion(id, at))

    def __contains__(self, id: object) -> bool:
        return id in self._ledger

    def close(self) -> None:
        self._ledger.close()


def session_id(session_key: str) -> str:
    """As earlier versions excluded a whole session."""
    return "session:" + hashlib.sha256(session_key.encode()).hexdigest()[:32]


def transcript_id(path: str) -> str:
    return "transcript:" + hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def exchange_id(path: str, line: int) -> str:
    """The exchange that begins in this line of a transcript, however it grows."""
    return "exchange:" + hashlib.sha256(f"{path}#L{line}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
