"""SQL in a process of its own: what hangs, crashes or grows without end takes nobody with it.

    table = ask("SELECT * FROM messages", Places(state_dir))

The process gets no environment, writes no file (the system holds that, not DuckDB), has bounded memory and CPU time, and is
killed when it has not answered. It costs a third of a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import orjson

from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.sessions.sql import LIMIT, THREADS, TIMEOUT_S, answer
from openclaw_kernel.sessions.sql_chunks import chunk_rows
from openclaw_kernel.sessions.sql_gate import SqlRefused
from openclaw_kernel.sessions.sql_places import Places
from openclaw_kernel.sessions.sql_table import Table, finished
from openclaw_kernel.sessions.sql_views import named
from openclaw_kernel.values.errors import UserError

GRACE_S = 5.0
"""For starting Python, over and above the time of the query."""
MEMORY_BYTES = 3 << 30
"""Of address space. DuckDB's own limit is lower, but not all it takes is counted there."""
_KEPT = ("PYTHONPATH", "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


def ask(
    sql: str,
    places: Places,
    *,
    limit: int = LIMIT,
    timeout_s: float = TIMEOUT_S,
    redact: Callable[[str], str] | None = None,
) -> Table:
    """The answer to one SELECT. Blocking, at most `timeout_s` + 5 seconds. Raises `SqlRefused`.

    `places.chunks` stays here; the process reads the indexes of the state directory itself."""
    request = {
        "sql": sql,
        "stateDir": str(places.state_dir),
        "workspaces": {agent: str(path) for agent, path in places.workspaces.items()},
        "limit": limit,
        "timeoutS": timeout_s,
    }
    if named(sql, ("chunks",)) and places.state_dir.is_dir():
        # Here and not there: what a killed process leaves behind must not stay.
        with TemporaryDirectory(prefix=".sql-", dir=places.state_dir) as scratch:
            found = _reply(orjson.dumps({**request, "scratch": scratch}), timeout_s)
    else:
        found = _reply(orjson.dumps(request), timeout_s)
    if "refused" in found:
        raise SqlRefused(str(found["refused"]))
    return finished(Table.from_wire(found), redact or Redactor().text)


def _reply(request: bytes, timeout_s: float) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    command = [sys.executable, "-P", "-m", "openclaw_kernel.sessions.sql_process"]
    try:
        done = subprocess.run(
            command, input=request, capture_output=True, timeout=timeout_s + GRACE_S, check=False, env=environment, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise SqlRefused(f"The query took longer than {timeout_s:g} seconds and was ended; ask for less.") from None
    except OSError as error:
        raise SqlRefused(f"The process for SQL cannot be started ({error.strerror}); try again later.") from error
    try:
        reply: dict[str, Any] = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        raise SqlRefused(
            f"The query ended its process (status {done.returncode}), most likely for memory; ask for less."
        ) from None
    return reply


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Reads one request, writes one answer."""
    request = orjson.loads(source.read())
    try:
        reply = _answered(request)
    except UserError as error:
        reply = {"refused": str(error)}
    except MemoryError:
        reply = {"refused": "The query needs more memory than it may have; ask for less."}
    target.write(orjson.dumps(reply))
    target.flush()


def _answered(request: dict[str, Any]) -> dict[str, Any]:
    sql, state_dir, timeout_s = str(request["sql"]), Path(request["stateDir"]), float(request["timeoutS"])
    scratch = request.get("scratch")
    chunks = list(chunk_rows(state_dir, Path(scratch))) if scratch else []
    _bound(timeout_s)  # from here on no file can be written
    workspaces = {agent: Path(path) for agent, path in request["workspaces"].items()}
    return answer(sql, Places(state_dir, workspaces, lambda: chunks), int(request["limit"]), timeout_s).to_wire()


def _bound(timeout_s: float) -> None:
    """Limits that the system keeps. A platform that lacks one goes without it; DuckDB's own hold everywhere."""
    import resource

    seconds = int((timeout_s + GRACE_S) * THREADS)
    for kind, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
    sys.stdout.flush()
    os._exit(0)  # DuckDB's threads may still be busy with what was given up
