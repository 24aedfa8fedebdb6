"""Changing files of a workspace so that it can be taken back: all of a change or nothing of it (TOL-04, TOL-05).

What the files held is kept before the first of them is written: contents by their SHA-256 under `.openclaw/changes` of the
workspace, and a row that says which file had which. Undoing is refused once somebody else has changed the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from openclaw_kernel.safety.paths import inside, shown_path
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.tools.api import ToolError

log = logging.getLogger(__name__)

FOLDER = ".openclaw/changes"
KEEP = 100
KEEP_BYTES = 100_000_000
"""How many changes can be taken back, and how much of the disk that may cost."""

_lock = threading.Lock()
"""One writer of the rows; tools run in threads, and sessions may share a workspace."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after; `None` is no file. `path` was judged by `inside`, `named` is what the caller wrote."""

    path: Path
    named: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """Hashes of a file's contents, empty for no file; `size` of the old one; `mode` as the file had it."""

    path: str
    before: str
    after: str
    size: int
    mode: int


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One call's change. `done` once every file is written, `undone` once taken back."""

    id: str
    session_key: str
    label: str
    at: float
    files: tuple[FileRow, ...]
    done: bool = False
    undone: bool = False


def apply(workspace: Path, session_key: str, label: str, changes: Sequence[Change]) -> None:
    """Makes the change, or leaves every file as it was. Raises `ToolError`, `ToolPathError`, `StoreError`."""
    with _lock, _open(workspace) as (rows, contents):
        row = ChangeRow(
            uuid4().hex[:12], session_key, label, time.time(), tuple(_file_row(workspace, change) for change in changes)
        )
        for change in changes:
            if change.before is not None:
                _keep(contents, change.before)
        rows.put(row)
        _write_all(workspace, changes)
        rows.put(replace(row, done=True))
        _tidy(rows, contents)


def undo(workspace: Path, session_key: str, path: str | None = None) -> ChangeRow:
    """Takes back the newest change of this session, of the file `path` if one is named. Raises `ToolError` when there is none,
    or when a file is no longer as that change left it."""
    wanted = shown_path(workspace, inside(workspace, path)) if path else None
    with _lock, _open(workspace) as (rows, contents):
        row = next(
            (
                row
                for row in reversed(rows.rows())
                if row.session_key == session_key and not row.undone and wanted in (None, *(file.path for file in row.files))
            ),
            None,
        )
        if row is None:
            raise ToolError(f"There is no change of {wanted or 'this conversation'} left to take back.")
        _write_all(workspace, [_reverse(workspace, contents, file) for file in row.files], {f.path: f.mode for f in row.files})
        rows.put(replace(row, done=True, undone=True))
        return row


def forget_changes(workspace: Path, session_keys: Container[str]) -> int:
    """No change of these sessions can be taken back any more, and no copy that only they needed stays; returns how many copies
    went."""
    if not (workspace / FOLDER).is_dir():
        return 0
    with _lock, _open(workspace) as (rows, contents):
        rows.scrub(lambda record: None if record.get("session_key") in session_keys else record)
        return _sweep(rows, contents)


def _reverse(workspace: Path, contents: Path, file: FileRow) -> Change:
    path = inside(workspace, file.path)
    now = _read(path)
    if (_digest(now) if now is not None else "") not in (file.after, file.before):
        raise ToolError(f"{file.path} was changed since; read it and edit it by hand.")
    try:
        before = (contents / file.before).read_bytes() if file.before else None
    except OSError as error:
        raise ToolError(f"What {file.path} held before is no longer kept ({error.strerror}).") from error
    if before is not None and _digest(before) != file.before:
        raise ToolError(f"What {file.path} held before was damaged; nothing was changed.")
    return Change(path, file.path, now, before)


def _write_all(workspace: Path, changes: Sequence[Change], modes: dict[str, int] | None = None) -> None:
    """Every file, or none: when one cannot be written, those before it get back what they held."""
    written: list[Change] = []
    try:
        for change in changes:
            _write(workspace, change, (modes or {}).get(change.named))
            written.append(change)
    except Exception:
        for change in reversed(written):
            with contextlib.suppress(StoreError, OSError, ToolError):
                _write(workspace, replace(change, before=change.after, after=change.before), None)
        raise


def _write(workspace: Path, change: Change, mode: int | None) -> None:
    """Atomically, after making sure that no link was slipped in and nobody else wrote meanwhile; keeps the file's mode."""
    if inside(workspace, change.named) != change.path:
        raise ToolError(f"{change.named} was moved while it was being written; nothing was changed.")
    if _read(change.path) != change.before:
        raise ToolError(f"{change.named} was changed by somebody else meanwhile; read it again. Nothing was changed.")
    if change.after is None:
        change.path.unlink(missing_ok=True)
        return
    old = change.path.stat().st_mode & 0o777 if change.before is not None else None
    change.path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(change.path, change.after, mode=old or mode or 0o644)


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _file_row(workspace: Path, change: Change) -> FileRow:
    mode = change.path.stat().st_mode & 0o777 if change.before is not None else 0o644
    before = _digest(change.before) if change.before is not None else ""
    after = _digest(change.after) if change.after is not None else ""
    return FileRow(shown_path(workspace, change.path), before, after, len(change.before or b""), mode)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(contents: Path, content: bytes) -> None:
    path = contents / _digest(content)
    if not path.exists():
        write_atomic(path, content)


@contextmanager
def _open(workspace: Path) -> Iterator[tuple[Ledger[ChangeRow], Path]]:
    """The rows and the folder of the contents; a link that leads away is refused."""
    contents = inside(workspace, f"{FOLDER}/contents")
    ensure_private_dir(contents)
    rows: Ledger[ChangeRow] = Ledger(
        inside(workspace, f"{FOLDER}/changes.jsonl"), key=lambda row: row.id, encode=asdict, decode=_decode
    )
    try:
        yield rows, contents
    finally:
        rows.close()


def _decode(record: dict[str, Any]) -> ChangeRow:
    return ChangeRow(**{**record, "files": tuple(FileRow(**file) for file in record["files"])})


def _tidy(rows: Ledger[ChangeRow], contents: Path) -> None:
    """The oldest changes leave when they are too many or too large; contents nobody names leave with them."""
    kept, size = rows.rows(), 0
    for number, row in enumerate(reversed(kept)):
        size += sum(file.size for file in row.files)
        if number >= KEEP or (size > KEEP_BYTES and number > 0):
            rows.delete(row.id)
    if len(rows) < len(kept):
        _sweep(rows, contents)


def _sweep(rows: Ledger[ChangeRow], contents: Path) -> int:
    """Takes away the contents that no row names; returns how many."""
    named = {file.before for row in rows.rows() for file in row.files}
    gone = [path for path in contents.iterdir() if path.name not in named]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
