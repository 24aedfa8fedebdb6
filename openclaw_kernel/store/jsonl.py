"""Append-only JSONL: one line an event, one write a line, on a descriptor that stays open (STO-01).

Lines on disk are never touched again. What a crash left of a last line moves to a file of its own before the next append.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.store.atomic import sync_dir
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.paths import PRIVATE_FILE, make_private_parents

__all__ = ["JsonlFile", "StoreError", "encode_line", "read_jsonl", "read_tail"]

_log = logging.getLogger(__name__)
_BLOCK = 64 * 1024


class JsonlFile:
    """One file open for appending by one process. Safe to append to from several threads."""

    def __init__(self, path: Path, handle: int, size: int, *, created: bool) -> None:
        self.path = path
        self._handle = handle
        self._size = size
        self._created = created
        self._unsynced = created
        self._broken = False
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> JsonlFile:
        """Open `path`, made 0600 (parents 0700) when new; a torn tail goes to `<name>.torn-<n>`. Raises `StoreError`."""
        try:
            make_private_parents(path.parent)
            created = not path.exists()
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise StoreError.from_os("open", path, error) from error
        try:
            size = _mend_tail(path, handle)
        except OSError as error:
            os.close(handle)
            raise StoreError.from_os("repair the last line of", path, error) from error
        return cls(path, handle, size, created=created)

    @property
    def closed(self) -> bool:
        return self._handle < 0

    @property
    def size(self) -> int:
        """Bytes of whole lines."""
        return self._size

    def append(self, record: Mapping[str, Any]) -> None:
        """Write `record` as one line in one `os.write`. Raises `StoreError`; then no part of the line is left behind."""
        line = encode_line(record)
        with self._lock:
            if self._handle < 0:
                raise StoreError(f"Cannot write {self.path}: it is closed.", self.path)
            if self._broken:
                self._cut_back()
            try:
                written = os.write(self._handle, line)
                if written < len(line):
                    # The disk took a part. Asking for the rest names the reason (ENOSPC, EFBIG) in nearly every case.
                    written += os.write(self._handle, line[written:])
            except OSError as error:
                self._cut_back(quiet=True)
                raise StoreError.from_os("write", self.path, error) from error
            if written < len(line):
                self._cut_back(quiet=True)
                raise StoreError(f"Cannot write {self.path}: the disk took only a part of the line.", self.path)
            self._size += written
            self._unsynced = True

    async def flush(self) -> None:
        """Bring every appended line to the disk (fdatasync, in a thread). Free when nothing is new. Raises `StoreError`."""
        with self._lock:
            if not self._unsynced or self._handle < 0:
                return
            self._unsynced = False
            # A descriptor of its own: `close` during the sync must not hand this number to another file.
            handle = os.dup(self._handle)
        try:
            await asyncio.to_thread(self._sync, handle)
        except OSError as error:
            self._unsynced = True
            raise StoreError.from_os("sync", self.path, error) from error

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def _sync(self, handle: int) -> None:
        try:
            getattr(os, "fdatasync", os.fsync)(handle)
            if self._created:
                sync_dir(self.path.parent)
                self._created = False
        finally:
            os.close(handle)

    def _cut_back(self, *, quiet: bool = False) -> None:
        """Remove the part of a line that a failed write left. `quiet` leaves it to the next append when even that fails."""
        try:
            os.ftruncate(self._handle, self._size)
            self._broken = False
        except OSError as error:
            self._broken = True
            if not quiet:
                raise StoreError.from_os("write", self.path, error) from error
            _log.warning("%s keeps a torn last line for now: %s", self.path, error)


def encode_line(record: Mapping[str, Any]) -> bytes:
    """`record` as one UTF-8 line with its newline. Lone surrogates, which UTF-8 cannot carry, become `?`."""
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Every record of `path` in order; nothing when it does not exist.

    A torn last line is passed over in silence, a spoilt line before it with a logged warning: one bad line must not
    make all others unreadable. Raises `StoreError` when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                record = _decode(line, path, number)
                if record is not None:
                    yield record
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError.from_os("read", path, error) from error


def read_tail(path: Path, max_bytes: int) -> list[dict[str, Any]]:
    """The records that lie wholly within the last `max_bytes` of `path`, in order."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - max_bytes)
            # One byte earlier tells whether the cut falls between two lines.
            file.seek(max(0, start - 1))
            if start > 0:
                file.readline()
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError.from_os("read", path, error) from error
    last = len(lines)
    found = (_decode(line + b"\n" if n < last else line, path, n) for n, line in enumerate(lines, 1))
    return [record for record in found if record is not None]


def _decode(line: bytes, path: Path, number: int) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        if line.endswith(b"\n"):
            _log.warning("%s: line %d is not JSON and was passed over", path, number)
        return None
    if not isinstance(record, dict):
        _log.warning("%s: line %d is not a JSON object and was passed over", path, number)
        return None
    return record


def _mend_tail(path: Path, handle: int) -> int:
    """Leave the file ending with a newline; returns its size then."""
    size = os.fstat(handle).st_size
    start = _last_line_start(handle, size)
    if start == size:
        return size
    tail = os.pread(handle, size - start, start)
    if _is_whole(tail):
        # No proper prefix of a JSON object is one, so this line lost nothing but its newline (an editor, say).
        return size + os.write(handle, b"\n")
    _set_aside(path, tail)
    os.ftruncate(handle, start)
    return start


def _last_line_start(handle: int, size: int) -> int:
    end = size
    while end > 0:
        begin = max(0, end - _BLOCK)
        at = os.pread(handle, end - begin, begin).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0


def _is_whole(tail: bytes) -> bool:
    try:
        return isinstance(orjson.loads(tail), dict)
    except orjson.JSONDecodeError:
        return False


def _set_aside(path: Path, tail: bytes) -> None:
    number = 1
    while True:
        aside = path.with_name(f"{path.name}.torn-{number}")
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
            break
        except FileExistsError:
            number += 1
    with os.fdopen(handle, "wb") as file:
        file.write(tail)
        file.flush()
        os.fsync(file.fileno())
    _log.warning("%s ended in the middle of a line; its last %d bytes are kept in %s", path, len(tail), aside.name)
