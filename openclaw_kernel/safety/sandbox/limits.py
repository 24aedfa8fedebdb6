"""Bounds on what one command may use: control groups where the kernel lets us make one, resource limits everywhere.

A control group bounds a command with all its children together; a resource limit bounds each process. Root's own processes are
exempt from the kernel's limit on their number, so there the group is the only bound on a fork bomb.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openclaw_kernel.safety.sandbox_api import Profile

PREFIX = "openclaw-sandbox-"
MOUNT = Path("/sys/fs/cgroup")
OPEN_FILES = 1_024
_counter = itertools.count(1)

LAUNCH = """\
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 126; shift; done
shift; eval "$1" || exit 126
shift; if [ "$1" ]; then exec 9< "$1" || exit 126; fi
shift; exec "$@"
"""
"""bash: enters every group named before `--`, sets the limits in the word after it, opens the file in the next (if any) as
descriptor 9, becomes the rest."""
FILTER_FD = 9


@dataclass(frozen=True, slots=True)
class Group:
    """A control group made for one command: its folders, one for each hierarchy."""

    folders: tuple[Path, ...] = ()
    memory: bool = False
    processes: bool = False


def make_group(profile: Profile) -> Group:
    """A group with the profile's bounds, as far as this kernel and this user may have one. Never raises."""
    name = f"{PREFIX}{os.getpid()}-{next(_counter)}"
    folders: list[Path] = []
    memory = processes = False
    for parent, controllers in parents():
        folder = parent / name
        try:
            folder.mkdir()
            memory |= "memory" in controllers and _bound_memory(folder, profile.memory_bytes)
            processes |= "pids" in controllers and _write(folder / "pids.max", profile.processes)
            folders.append(folder)
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
    return Group(tuple(folders), memory, processes)


def end_group(group: Sequence[Path]) -> None:
    """Kills what is left in a group and removes it; waits at most a second for the kernel to let go."""
    for folder in group:
        for _ in range(50):
            for pid in _members(folder):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            try:
                folder.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.02)
            else:
                break


def sweep() -> None:
    """Removes the empty groups of gateways that are gone."""
    for parent, _ in parents():
        with contextlib.suppress(OSError):
            for folder in parent.glob(f"{PREFIX}*"):
                owner = folder.name.removeprefix(PREFIX).partition("-")[0]
                if not Path(f"/proc/{owner}").exists():
                    with contextlib.suppress(OSError):
                        folder.rmdir()


def parents() -> Iterator[tuple[Path, frozenset[str]]]:
    """Folders in which a group may be made, with the controllers it would have: version 1 beside us, version 2 above us."""
    try:
        rows = Path("/proc/self/cgroup").read_text("ascii").splitlines()
    except OSError:
        return
    for row in rows:
        _, names, place = row.split(":", 2)
        controllers = frozenset(names.split(",")) & {"memory", "pids"}
        if controllers:
            own = MOUNT / names / place.lstrip("/")
            yield (own if own.is_dir() else MOUNT / names), controllers
        elif not names:
            above = (MOUNT / place.lstrip("/")).parent if place != "/" else MOUNT
            enabled = _read(above / "cgroup.subtree_control").split()
            if {"memory", "pids"} & set(enabled):
                yield above, frozenset(enabled)


def limits_line(profile: Profile, group: Group) -> str:
    """bash `ulimit` words. Address space only where no group bounds memory, for some programs reserve much and use little."""
    wanted = [
        ("c", resource.RLIMIT_CORE, 0, 1),
        ("t", resource.RLIMIT_CPU, profile.cpu_seconds, 1),
        ("f", resource.RLIMIT_FSIZE, profile.file_bytes, 1024),
        ("n", resource.RLIMIT_NOFILE, OPEN_FILES, 1),
    ]
    if not group.memory:
        wanted.append(("v", resource.RLIMIT_AS, profile.memory_bytes, 1024))
    if not group.processes and os.getuid() != 0:
        wanted.append(("u", resource.RLIMIT_NPROC, profile.processes + _own_tasks(), 1))
    words = []
    for letter, kind, value, unit in wanted:
        hard = resource.getrlimit(kind)[1]
        words.append(f"-{letter} {(value if hard == resource.RLIM_INFINITY else min(value, hard)) // unit}")
    return "ulimit " + " ".join(words)


def bounds_processes() -> bool:
    """Whether the number of processes can be bounded here at all."""
    return os.getuid() != 0 or any("pids" in controllers and os.access(parent, os.W_OK) for parent, controllers in parents())


def _bound_memory(folder: Path, limit: int) -> bool:
    if (folder / "memory.max").exists():
        if (folder / "memory.swap.max").exists():
            _write(folder / "memory.swap.max", 0)
        return _write(folder / "memory.max", limit)
    done = _write(folder / "memory.limit_in_bytes", limit)
    if (folder / "memory.memsw.limit_in_bytes").exists():
        _write(folder / "memory.memsw.limit_in_bytes", limit)
    return done


def _write(path: Path, value: int) -> bool:
    path.write_text(str(value), "ascii")
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""


def _members(folder: Path) -> list[int]:
    return [int(line) for line in _read(folder / "cgroup.procs").split()]


def _own_tasks() -> int:
    """How many threads this user has now: the kernel counts them all against the limit."""
    count, uid = 0, os.getuid()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"/proc/{entry.name}/task"))
    return count
