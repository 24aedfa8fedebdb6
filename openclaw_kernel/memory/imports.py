"""What was brought in from another assistant's notes, one row an import, so that it can be taken back as a whole.

A row holds no word of a note, only hashes. It is written before the first file is, and settled after the last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.jsonl import encode_line
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import NewId, new_id

FILE_NAME = "imports.jsonl"
State = Literal["pending", "written", "undone"]


@dataclass(frozen=True, slots=True)
class Brought:
    """One file of an import: the hashes of the notes that it got, and of the whole file when it was made new."""

    path: str
    notes: tuple[str, ...]
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """`source` is the folder it came from, `at` in milliseconds."""

    id: str
    source: str
    files: tuple[Brought, ...]
    at: int
    state: State = "pending"


class Imports:
    """The ledger of one agent's memory. Blocking; safe to use from several threads."""

    def __init__(self, folder: Path, make_id: NewId = new_id) -> None:
        self._new_id = make_id
        self._lock = Lock()
        self._path = folder / FILE_NAME
        self._ledger = _open(self._path)

    def begin(self, source: str, files: tuple[Brought, ...], at: int) -> Import:
        """On disk before any of the files is."""
        row = Import(self._new_id(), source, files, at)
        with self._lock:
            self._ledger.put(row)
        return row

    def settle(self, id: str, state: State) -> Import:
        """Raises `KeyError` for an unknown id."""
        with self._lock:
            return self._ledger.settle(id, lambda row: replace(row, state=state))

    def get(self, id: str) -> Import | None:
        return self._ledger.get(id)

    def rows(self) -> list[Import]:
        """Oldest first."""
        return self._ledger.rows()

    def scrub(self, change: Callable[[Import], Import]) -> None:
        """Replaces rows in the file itself, not only in sight; the file is left alone when nothing differs."""
        with self._lock:
            old = self._ledger.rows()
            kept = [change(row) for row in old]
            if kept == old:
                return
            self._ledger.close()
            write_atomic(self._path, b"".join(encode_line(_encode(row)) for row in kept))
            self._ledger = _open(self._path)

    def close(self) -> None:
        self._ledger.close()


def whole_hash(data: bytes) -> str:
    """The name of a file's content."""
    return hashlib.sha256(data).hexdigest()


def _open(path: Path) -> Ledger[Import]:
    return Ledger(path, key=lambda row: row.id, encode=_encode, decode=_decode, is_pending=lambda row: row.state == "pending")


def _encode(row: Import) -> dict[str, Any]:
    files = [{"path": one.path, "notes": list(one.notes), "whole": one.whole} for one in row.files]
    return {"id": row.id, "source": row.source, "files": files, "at": row.at, "state": row.state}


def _decode(record: Mapping[str, Any]) -> Import:
    files = tuple(Brought(str(one["path"]), tuple(map(str, one["notes"])), str(one["whole"])) for one in record["files"])
    if record["state"] not in ("pending", "written", "undone"):
        raise ValueError(f"{record['state']!r} is unknown")
    return Import(str(record["id"]), str(record["source"]), files, int(record["at"]), record["state"])
