"""The rows of the memory indexes, read from a copy: the index itself belongs to the gateway, which alone may open it.

Only for a process that is not that gateway: to open and close a file ends every lock the process has on it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from openclaw_kernel.memory.schema import CONFIG
from openclaw_kernel.sessions.sql_gate import SqlRefused, first_lines
from openclaw_kernel.sessions.sql_places import Row

INDEX = "index.duckdb"
COLUMNS = ("id", "kind", "path", "session_key", "line0", "line1", "heading", "day", "tokens", "provenance", "text")
_SELECT = """SELECT c.id, s.kind, s.path, s.session_key, c.line0, c.line1, c.heading, c.day, c.tokens, c.provenance, c.text
    FROM chunk c JOIN source s ON s.id = c.source_id ORDER BY c.id"""
_BATCH = 500
_HEADERS = 3 * 4096
"""The file's own header and the two of the database; the latter change with every checkpoint."""
_TRIES = 5


def chunk_rows(state_dir: Path, scratch: Path) -> Iterator[Row]:
    """Every chunk of every agent's index; copies are made in the folder `scratch`, whose owner sees to it that they vanish.
    Raises `SqlRefused` for one that cannot be read."""
    for path in sorted((state_dir / "memory").glob(f"*/{INDEX}")):
        if path.is_file() and not path.is_symlink():
            yield from _of_index(path, scratch)


def _of_index(path: Path, scratch: Path) -> Iterator[Row]:
    import duckdb

    with TemporaryDirectory(dir=scratch) as folder:
        copy = _copied(path, Path(folder))
        try:
            con = duckdb.connect(str(copy), read_only=True, config=CONFIG)
        except duckdb.Error as error:
            raise SqlRefused(f"SQL cannot read {path}: {first_lines(error)}") from error
    # The copy is gone from the disk by now; the connection keeps what it has open.
    with con:
        try:
            con.execute(_SELECT)
            while batch := con.fetchmany(_BATCH):
                for row in batch:
                    yield {"agent": path.parent.name, **dict(zip(COLUMNS, row, strict=True))}
        except duckdb.Error as error:
            raise SqlRefused(f"SQL cannot read {path}: {first_lines(error)}") from error


def _copied(path: Path, folder: Path) -> Path:
    """File and log as they were at one moment: between two checkpoints the file is only added to, and so is the log."""
    copy = folder / INDEX
    for _ in range(_TRIES):
        before = _headers(path)
        log = path.with_name(path.name + ".wal")
        try:
            shutil.copyfile(path, copy)
            if log.exists():
                shutil.copyfile(log, copy.with_name(copy.name + ".wal"))
        except OSError as error:
            raise SqlRefused(f"SQL cannot read {path}: {error.strerror}.") from error
        if _headers(path) == before:
            return copy
        copy.with_name(copy.name + ".wal").unlink(missing_ok=True)
    raise SqlRefused(f"SQL cannot read {path}: it is being written all the time; try again in a moment.")


def _headers(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADERS)
    except OSError as error:
        raise SqlRefused(f"SQL cannot read {path}: {error.strerror}.") from error
