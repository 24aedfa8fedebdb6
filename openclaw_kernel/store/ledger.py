"""A table that is a log: the last row per id wins (STO-02).

Inbox, outbox, approvals, devices, runs and the session index are ledgers; only the row type differs. A row is written
before its effect and again when it is settled, so that a restart can see what may have happened.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.jsonl import JsonlFile, encode_line, read_jsonl

Row = TypeVar("Row")

_DELETED = "__deleted"
_MIN_GARBAGE = 64
"""Superseded lines below which a rewrite is not worth its risk."""

_log = logging.getLogger(__name__)
_opened: weakref.WeakSet[Ledger[Any]] = weakref.WeakSet()
_opening = threading.Lock()

Change = Callable[[dict[str, Any]], dict[str, Any] | None]
"""A stored row as it shall be from now on, `None` for one that goes."""


def _never(_row: Any) -> bool:
    return False


class Ledger(Generic[Row]):
    """Rows by id, all of them in memory, every change one appended line. Opening reads the file and raises `StoreError`."""

    def __init__(
        self,
        path: Path,
        *,
        key: Callable[[Row], str],
        encode: Callable[[Row], dict[str, Any]],
        decode: Callable[[dict[str, Any]], Row],
        is_pending: Callable[[Row], bool] = _never,
    ) -> None:
        self.path = path
        self._key = key
        self._encode = encode
        self._decode = decode
        self._is_pending = is_pending
        self._rows: dict[str, Row] = {}
        self._unread: list[dict[str, Any]] = []
        self._changing = threading.RLock()
        self._file = JsonlFile.open(path)
        lines = self._load()
        unread = len(self._unread)
        with _opening:
            _opened.add(self)
        garbage = lines - len(self._rows)
        # A line we could not read may be a newer version's row: such a file is only ever appended to.
        if not unread and garbage > max(_MIN_GARBAGE, len(self._rows)):
            self._compact()

    def put(self, row: Row) -> None:
        """Add or replace `row`; on disk when this returns. Raises `StoreError` and then nothing has changed."""
        with self._changing:
            self._file.append(self._encode(row))
            self._rows[self._key(row)] = row

    def settle(self, id: str, change: Callable[[Row], Row]) -> Row:
        """Put `change(row)` in place of the row `id`. Raises `KeyError` when there is none."""
        row = change(self._rows[id])
        self.put(row)
        return row

    def get(self, id: str) -> Row | None:
        return self._rows.get(id)

    def __contains__(self, id: object) -> bool:
        return id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> list[Row]:
        """Every row, in the order in which its id first came."""
        return list(self._rows.values())

    def pending(self) -> list[Row]:
        """The rows whose effect is not settled."""
        return [row for row in self._rows.values() if self._is_pending(row)]

    def delete(self, id: str) -> None:
        """Forget the row `id`; an unknown id is no error."""
        with self._changing:
            if id in self._rows:
                self._file.append({_DELETED: id})
                del self._rows[id]

    def scrub(self, change: Change) -> int:
        """Lays `change` over every stored row and writes the file anew, so that no byte of what it took away, and of no row
        that was superseded or deleted before, is left. Returns how many rows are gone or other. Blocking; any thread."""
        with self._changing:
            if self._file.closed:
                return 0
            rows: dict[str, Row] = {}
            changed = 0
            for id, row in self._rows.items():
                record = self._encode(row)
                kept = change(dict(record))
                changed += kept != record
                if kept is not None:
                    rows[id] = row if kept == record else self._decode(kept)
            self._unread = [kept for record in self._unread if (kept := change(dict(record))) is not None]
            self._rows = rows
            self._compact()
        return changed

    async def flush(self) -> None:
        """Bring every change to the disk; see `JsonlFile.flush`."""
        await self._file.flush()

    def close(self) -> None:
        with self._changing:
            self._file.close()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def _load(self) -> int:
        """Read the file; returns how many lines it has. Those that could not be decoded are kept as they are."""
        lines = 0
        for record in read_jsonl(self.path):
            lines += 1
            if _DELETED in record:
                self._rows.pop(str(record[_DELETED]), None)
                continue
            try:
                row = self._decode(record)
            except (KeyError, TypeError, ValueError) as error:
                self._unread.append(record)
                _log.warning("%s: a row was passed over: %s: %s", self.path, type(error).__name__, error)
                continue
            self._rows[self._key(row)] = row
        return lines

    def _compact(self) -> None:
        self._file.close()
        try:
            records = [*self._unread, *map(self._encode, self._rows.values())]
            write_atomic(self.path, b"".join(map(encode_line, records)))
        finally:
            self._file = JsonlFile.open(self.path)


def open_ledgers(folder: Path) -> list[Ledger[Any]]:
    """Every ledger below `folder` that this process holds open."""
    root = folder.resolve()
    with _opening:
        held = list(_opened)
    return [ledger for ledger in held if not ledger.closed and ledger.path.resolve().is_relative_to(root)]
