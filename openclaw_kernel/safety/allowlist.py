"""Allowlist entries and how they match (SAF-05, SAF-11).

Four forms, told apart by how they look:

    =git log -n 5        exactly these words (what allow-always stores); ` #sha256=…` behind them binds the script they run
    git log *            word patterns; a final `*` stands for any further words, the first word is literal
    /usr/bin/git         a program by its real path, a glob; any words
    git                  a program by its name, found outside the workspace; any words
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from fnmatch import fnmatchcase

Which = Callable[[str], str | None]


def exact(argv: tuple[str, ...]) -> str:
    """The entry that allows these words and no others."""
    return "=" + shlex.join(argv)


def match(argv: tuple[str, ...], entries: tuple[str, ...], which: Which, workspace: str) -> str | None:
    """The first entry that covers `argv`. Nothing covers a program that lives in the workspace, where the model writes."""
    if not argv:
        return None
    resolved = resolve(argv[0], which, workspace)
    if not resolved or (workspace and _within(resolved, workspace)):
        return None
    return next((entry for entry in entries if _covers(entry, argv, resolved)), None)


def resolve(name: str, which: Which, workspace: str) -> str:
    """The real path of a program, `""` when there is none; a relative path is taken from the workspace."""
    if "/" in name:
        path = os.path.join(workspace or os.curdir, name)
        return os.path.realpath(path) if os.path.isfile(path) else ""
    found = which(name)
    return os.path.realpath(found) if found else ("builtin:" + name if name in _BUILTINS else "")


_BUILTINS = frozenset(("cd", "echo", "pwd", "printf", "true", "false", "test", "type", "umask", "ulimit", "hash", "help"))


def lives_in(argv: tuple[str, ...], which: Which, workspace: str) -> bool:
    """Whether the program of `argv` is unknown or a file of the workspace, where the model writes."""
    resolved = resolve(argv[0], which, workspace) if argv else ""
    return not resolved or bool(workspace and _within(resolved, workspace))


def says_exactly(entry: str, argv: tuple[str, ...]) -> bool:
    """Whether an exact entry has these words; programs are not looked at."""
    return entry.startswith("=") and _words(entry[1:]) == list(argv)


def _covers(entry: str, argv: tuple[str, ...], resolved: str) -> bool:
    entry = entry.strip()
    if entry.startswith("="):
        return _words(entry[1:]) == list(argv)
    patterns = _words(entry)
    if not patterns:
        return False
    if len(patterns) == 1:
        if "/" in entry:
            return fnmatchcase(resolved, os.path.expanduser(entry))
        return argv[0] == entry
    if argv[0] != patterns[0]:
        return False
    rest = list(argv[1:])
    patterns = patterns[1:]
    if patterns[-1] == "*":
        patterns.pop()
        if len(rest) < len(patterns):
            return False
        rest = rest[: len(patterns)]
    return len(rest) == len(patterns) and all(map(fnmatchcase, rest, patterns))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _within(path: str, folder: str) -> bool:
    return path.startswith(os.path.realpath(folder).rstrip(os.sep) + os.sep)
