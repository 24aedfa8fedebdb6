"""Telling a living process from a dead one whose number was given away again (STO-05)."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


def is_alive(pid: int, start: str = "") -> bool:
    """Whether `pid` runs now and, when `start` is known, is still the process that had that `start_identity`."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, now = _stat(pid)
    if state in ("Z", "X"):
        return False
    return not (start and now) or start == now


def start_identity(pid: int) -> str:
    """When `pid` was started: kernel ticks since boot, with the boot's own id. Empty where there is no `/proc`."""
    return _stat(pid)[1]


@cache
def process_space() -> str:
    """Which set of process numbers we live in; two containers on one volume differ, so neither may call the other dead."""
    try:
        return f"{os.uname().nodename}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return os.uname().nodename


def _stat(pid: int) -> tuple[str, str]:
    """State letter and start identity from `/proc/<pid>/stat` (proc(5), fields 3 and 22)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], f"{_boot_id()}:{fields[19]}"
    except (OSError, IndexError):
        return "", ""


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
