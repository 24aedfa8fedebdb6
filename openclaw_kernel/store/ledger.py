"""A table that is a log: the last row per id wins (STO-02).

Inbox, outbox, approvals, devices, runs and the session index are ledgers; only the row type differs. A row is written
before its effect and again when it is settled, so that a restart can see what may have happened.
"""

from __future__ import annotations

import logging
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
        self._file = JsonlFile.open(path)
        lines, unread = self._load()
        garbage = lines - len(self._rows)
        # A line we could not read may be a newer version's row: such a file is only ever appended to.
        if not unread and garbage > max(_MIN_GARBAGE, len(self._rows)):
            self._compact()

    def put(self, row: Row) -> None:
        """Add or replace `row`; on disk when this returns. Raises `StoreError` and then nothing has changed."""
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
        if id in self._rows:
            self._file.append({_DELETED: id})
            del self._rows[id]

    async def flush(self) -> None:
        """Bring every change to the disk; see `JsonlFile.flush`."""
        await self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _load(self) -> tuple[int, int]:
        """Read the file; returns how many lines it has and how many of them could not be decoded."""
        lines = unread = 0
        for record in read_jsonl(self.path):
            lines += 1
            if _DELETED in record:
                self._rows.pop(str(record[_DELETED]), None)
                continue
            try:
                row = self._decode(record)
            except (KeyError, TypeError, ValueError) as error:
                unread += 1
                _log.warning("%s: a row was passed over: %s: %s", self.path, type(error).__name__, error)
                continue
            self._rows[self._key(row)] = row
        return lines, unread

    def _compact(self) -> None:
        self._file.close()
        write_atomic(self.path, b"".join(encode_line(self._encode(row)) for row in self._rows.values()))
        self._file = JsonlFile.open(self.path)
