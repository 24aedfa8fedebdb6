"""The file a command runs, by its content: an approval holds for the script that was there when it was given (SAF-11)."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable

from openclaw_kernel.safety.programs import runs_script_files
from openclaw_kernel.safety.shell import inspect
from openclaw_kernel.safety.wrappers import peel

Digest = Callable[[str], str]
"""The SHA-256 of a file in hexadecimal, `""` where there is no single file to speak of."""

MAX_BYTES = 16 << 20
_SYSTEM = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/lib/")
"""Programs there change only by the machine's own updates, so their path is enough."""
_PINNED = re.compile(r" #sha256=([0-9a-f]{64})$")


def digest(path: str) -> str:
    """Blocking. Only regular files up to 16 MiB have one; a pipe or a device is never opened."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return ""
        return hashlib.sha256(file.read(MAX_BYTES)).hexdigest()


def script_of(argv: tuple[str, ...], workspace: str) -> str:
    """The one file that `argv` runs: a program named by a path outside the system, or the first word behind an interpreter.

    `""` when there is none, or none that can be named for certain (an option stands before it, `make`, `npm run`).
    """
    if not argv:
        return ""
    if "/" in argv[0] and not runs_script_files(argv[0]):
        path = _path(argv[0], workspace)
        return "" if path.startswith(_SYSTEM) else path
    if runs_script_files(argv[0]) and len(argv) > 1 and not argv[1].startswith("-"):
        return _path(argv[1], workspace)
    return ""


def scripts_in(command: object, workspace: str) -> tuple[str, ...]:
    """The script files that judging `command` will ask about, so that they can be hashed beforehand in a thread."""
    if not isinstance(command, str):
        return ()
    found = (script_of(peel(segment.argv).argv, workspace) for segment in inspect(command).segments if segment.literal)
    return tuple(dict.fromkeys(path for path in found if path))


def pinned(entry: str, sha256: str) -> str:
    """The exact entry `entry`, good only while its script has this content."""
    return f"{entry} #sha256={sha256}"


def unpin(entry: str) -> tuple[str, str]:
    """An entry and the content it is bound to, `""` for none. `shlex.join` quotes `#`, so no word can look like this."""
    found = _PINNED.search(entry)
    return (entry[: found.start()], found[1]) if found and entry.startswith("=") else (entry, "")


def _path(word: str, workspace: str) -> str:
    path = os.path.realpath(os.path.join(workspace or os.curdir, word))
    return path if os.path.isfile(path) else ""
