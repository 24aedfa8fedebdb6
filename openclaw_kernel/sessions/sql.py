"""SQL over one's own life: messages, tool calls, sessions, usage, notes and chunks as tables (SES-11).

    table = query("SELECT role, count(*) FROM messages GROUP BY role", Places(state_dir))

Every call gets a database of its own in memory. It may read the transcripts it was given and no other file; it cannot load an
extension, write, or change a setting. No lock is taken: what is being written is read as far as it is whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.sessions.sql_gate import VIEWS, SqlRefused, checked, first_lines
from openclaw_kernel.sessions.sql_limits import LIMIT, MAX_LIMIT, TIMEOUT_S
from openclaw_kernel.sessions.sql_places import Places
from openclaw_kernel.sessions.sql_table import Table, finished, plain_rows
from openclaw_kernel.sessions.sql_views import count_bad, lay_out, named, quoted

if TYPE_CHECKING:
    import duckdb

__all__ = ["LIMIT", "MAX_LIMIT", "TIMEOUT_S", "Places", "SqlRefused", "Table", "answer", "query"]

MEMORY = "512MB"
THREADS = 2
_CONFIG: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,  # else a name may mean a variable of this process
    "temp_directory": "",  # else what does not fit is written beside the current directory
    "memory_limit": MEMORY,
    "threads": THREADS,
}


def query(
    sql: str,
    places: Places,
    *,
    limit: int = LIMIT,
    timeout_s: float = TIMEOUT_S,
    redact: Callable[[str], str] | None = None,
) -> Table:
    """The answer to one SELECT, computed in this process. Blocking. Raises `SqlRefused`, whose sentence says what to do.

    `redact` hides secrets in every text that comes back; without it the shapes of well-known keys are hidden. DuckDB has steps
    that no time-out ends, so whoever must not stop asks `sql_process.ask` instead.
    """
    return finished(answer(sql, places, limit, timeout_s), redact or Redactor().text)


def answer(sql: str, places: Places, limit: int, timeout_s: float) -> Table:
    """As `query`, with the secrets still in it."""
    import duckdb

    begun = time.monotonic()
    limit = max(1, min(limit, MAX_LIMIT))
    con = duckdb.connect(config=_CONFIG)
    try:
        with _deadline(con, timeout_s) as late:
            try:
                whole = checked(con, sql, limit + 1)
                wanted = named(sql, VIEWS)
                files, bad = lay_out(con, places, wanted)
                _lock_down(con, files)
                con.execute(whole)
                columns, types = _described(con)
                rows, truncated = plain_rows(_rows(con), limit)
                bad += count_bad(con, files)
            except (duckdb.Error, SqlRefused) as error:
                if isinstance(error, SqlRefused) and not late.is_set():
                    raise
                raise _sentence(error, late.is_set(), timeout_s) from error
    finally:
        con.close()
    return Table(columns, types, rows, truncated, bad, round((time.monotonic() - begun) * 1000))


def _lock_down(con: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """In this order: first what may be read, then nothing else, then never a change of it."""
    con.execute(f"SET allowed_paths=[{', '.join(quoted(path) for path in files)}]")
    con.execute("SET enable_external_access=false")
    con.execute("SET lock_configuration=true")


def _described(con: duckdb.DuckDBPyConnection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    described = con.description or []
    return tuple(str(column[0]) for column in described), tuple(str(column[1]) for column in described)


def _rows(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := con.fetchmany(500):
        yield from batch


@contextmanager
def _deadline(con: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[threading.Event]:
    """Interrupts `con` when the time is over, and again until the block ends: one that comes between two steps is lost."""
    done, late = threading.Event(), threading.Event()

    def watch() -> None:
        wait = timeout_s
        while not done.wait(wait):
            late.set()
            con.interrupt()
            wait = 0.05

    watcher = threading.Thread(target=watch, name="sql-deadline", daemon=True)
    watcher.start()
    try:
        yield late
    finally:
        done.set()
        watcher.join()


def _sentence(error: Exception, late: bool, timeout_s: float) -> SqlRefused:
    import duckdb

    if late or isinstance(error, duckdb.InterruptException):
        return SqlRefused(f"The query took longer than {timeout_s:g} seconds; ask for less, for example with a WHERE on ts.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return SqlRefused(f"The query needs more than {MEMORY} of memory; ask for less, for example with a WHERE on ts.")
    if isinstance(error, duckdb.PermissionException):
        return SqlRefused(f"SQL may read its tables and nothing else: {', '.join(VIEWS)}.")
    return SqlRefused(f"SQL: {first_lines(error)}")
