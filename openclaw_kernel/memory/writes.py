"""Who wrote which line of the notes, and in which conversation (MEM-12): every write can be named, and taken back.

A row holds no word of the note, only the hash of its line. It is written before the line and settled after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args

from openclaw_kernel.memory.api import Provenance
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.jsonl import encode_line, read_jsonl
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import NewId, new_id

FILE_NAME = "writes.jsonl"
State = Literal["pending", "written", "undone"]
TRUST: tuple[Provenance, ...] = ("untrusted", "agent", "system", "owner")
"""From least to most; a chunk is as good as its worst line."""


@dataclass(frozen=True, slots=True)
class Write:
    """One line that was added to a note. `path` is relative to the workspace, `at` in milliseconds."""

    id: str
    path: str
    line_hash: str
    provenance: Provenance
    session_key: str
    at: int
    state: State = "pending"


class Writes:
    """The ledger of one agent's memory. Blocking; safe to use from several threads."""

    def __init__(self, folder: Path, make_id: NewId = new_id) -> None:
        self._path = folder / FILE_NAME
        self._new_id = make_id
        self._lock = Lock()
        self._ledger = _open(self._path)

    def begin(self, path: str, line: str, provenance: Provenance, session_key: str, at: int) -> Write:
        """On disk before the line is."""
        write = Write(self._new_id(), path, line_hash(line), provenance, session_key, at)
        with self._lock:
            self._ledger.put(write)
        return write

    def settle(self, id: str, state: State) -> Write:
        """Raises `KeyError` for an unknown id."""
        with self._lock:
            return self._ledger.settle(id, lambda row: replace(row, state=state))

    def get(self, id: str) -> Write | None:
        return self._ledger.get(id)

    def rows(self) -> list[Write]:
        """Oldest first."""
        return self._ledger.rows()

    def voices(self, path: str) -> Mapping[str, Provenance]:
        """Hash of a line → who wrote it, for the lines of one note that were written through the assistant."""
        return {row.line_hash: row.provenance for row in self._ledger.rows() if row.path == path and row.state != "undone"}

    def scrub(self, unwanted: Callable[[Write], bool]) -> int:
        """Takes rows out of the file itself, not only out of sight. Returns how many."""
        with self._lock:
            kept = [row for row in self._ledger.rows() if not unwanted(row)]
            gone = len(self._ledger) - len(kept)
            self._ledger.close()
            write_atomic(self._path, b"".join(encode_line(_encode(row)) for row in kept))
            self._ledger = _open(self._path)
        return gone

    def close(self) -> None:
        self._ledger.close()


def untrusted_lines(folder: Path) -> frozenset[str]:
    """Hashes of the lines with other people's words; read from the file, which another thread may be writing."""
    rows = {str(row.get("id")): row for row in read_jsonl(folder / FILE_NAME)}
    return frozenset(str(row.get("lineHash")) for row in rows.values() if row.get("provenance") == "untrusted")


def line_hash(line: str) -> str:
    """The name of a line, whatever blanks are around its words."""
    return hashlib.sha256(" ".join(line.split()).encode("utf-8", "replace")).hexdigest()[:32]


def provenance_of(text: str, voices: Mapping[str, Provenance], otherwise: Provenance = "owner") -> Provenance:
    """The least trusted writer among the lines of a text."""
    if not voices:
        return otherwise
    found = {voices.get(line_hash(line), otherwise) for line in text.splitlines() if line.strip() and line[0] != "#"}
    return least_trusted(found or {otherwise})


def least_trusted(found: Iterable[Provenance]) -> Provenance:
    return min(found, key=TRUST.index)


def _open(path: Path) -> Ledger[Write]:
    return Ledger(path, key=lambda row: row.id, encode=_encode, decode=_decode, is_pending=lambda row: row.state == "pending")


def _encode(row: Write) -> dict[str, Any]:
    return {
        "id": row.id,
        "path": row.path,
        "lineHash": row.line_hash,
        "provenance": row.provenance,
        "sessionKey": row.session_key,
        "at": row.at,
        "state": row.state,
    }


def _decode(record: dict[str, Any]) -> Write:
    if record["provenance"] not in get_args(Provenance) or record["state"] not in get_args(State):
        raise ValueError(f"{record['provenance']!r} or {record['state']!r} is unknown")
    return Write(
        str(record["id"]),
        str(record["path"]),
        str(record["lineHash"]),
        record["provenance"],
        str(record["sessionKey"]),
        int(record["at"]),
        record["state"],
    )
