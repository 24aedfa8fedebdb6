"""Finding what a child process started, so that nothing of it is left behind (SAF-28)."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

COOKIE = "OPENCLAW_JOB"
_PROC = Path("/proc")


def mark(job_id: str) -> dict[str, str]:
    """A variable that every descendant inherits, also one that made itself a daemon."""
    return {COOKIE: f"{os.getpid()}-{job_id}"}


def end_all(leader: int, cookie: dict[str, str]) -> None:
    """Kills whatever is in the session of `leader` or carries `cookie`; twice, for what was born meanwhile.

    Without `/proc` there is nothing to look through, and the kill of the process group has to do.
    """
    if not _PROC.is_dir():
        return
    wanted = "".join(f"{name}={value}" for name, value in cookie.items()).encode()
    for _round in range(2):
        found = [pid for pid in _pids() if pid != os.getpid() and _belongs(pid, leader, wanted)]
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _pids() -> Iterator[int]:
    for entry in os.listdir(_PROC):
        if entry.isdigit():
            yield int(entry)


def _belongs(pid: int, leader: int, wanted: bytes) -> bool:
    try:
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):
            return False
        return int(fields[3]) == leader or wanted in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except (OSError, IndexError, ValueError):
        return False
