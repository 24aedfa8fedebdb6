"""Which files are notes: MEMORY.md, USER.md, everything under `memory/`, and the extra paths (MEM-01).

The real path decides: a link that leads out of the workspace, or out of an extra path, is no note.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openclaw_kernel.memory.api import MemoryRefused

CURATED = ("MEMORY.md", "USER.md")
FOLDER = "memory"
MAX_FILE_BYTES = 2_000_000
"""What lies behind is not read."""
MAX_DEPTH = 6

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-[\w-]+)?\.md")


@dataclass(frozen=True, slots=True)
class NoteFile:
    """A note on disk. `name` is what a citation says: relative to the workspace, absolute for an extra path outside it."""

    name: str
    real: str
    size: int
    mtime_ns: int
    inode: int

    @property
    def path(self) -> Path:
        """The real one."""
        return Path(self.real)


class Places:
    """The note files of one workspace. Blocking, cheap: one stat a file."""

    def __init__(self, workspace: Path, extra: Sequence[str] = ()) -> None:
        self.workspace = Path(os.path.realpath(workspace))
        self._prefix = f"{self.workspace}{os.sep}"
        self._extra = [self.workspace / os.path.expanduser(text) for text in extra]

    def all(self) -> Iterator[NoteFile]:
        """Every note, each once, curated ones first."""
        seen: set[str] = set()
        for found in self._found():
            if found is not None and found.name not in seen:
                seen.add(found.name)
                yield found

    def find(self, path: Path) -> NoteFile | None:
        """The note at `path`; `None` when there is none, or when it is not one of ours."""
        real = os.path.realpath(path)
        if not real.endswith(".md") or not self._ours(real):
            return None
        try:
            status = os.stat(real)
        except OSError:
            return None
        return NoteFile(self.name(real), real, status.st_size, status.st_mtime_ns, status.st_ino)

    def resolve(self, name: str) -> NoteFile:
        """The note that a citation names. Raises `MemoryRefused`."""
        text = name.split("#", 1)[0].strip()
        found = self.find(self.workspace / os.path.expanduser(text)) if text and "\x00" not in text else None
        if found is None:
            raise MemoryRefused(f"{name!r} is not a note of this workspace; name a path that memory_search gave.")
        return found

    def name(self, real: str | Path) -> str:
        path = Path(real)
        return path.relative_to(self.workspace).as_posix() if path.is_relative_to(self.workspace) else path.as_posix()

    def watched(self) -> tuple[list[Path], list[Path]]:
        """Folders to watch: for themselves, and with all below them."""
        extra = [path if path.is_dir() else path.parent for path in self._extra]
        deep = [path for path in (self.workspace / FOLDER, *extra) if path.is_dir()]
        return ([self.workspace] if self.workspace.is_dir() else []), deep

    def _found(self) -> Iterator[NoteFile | None]:
        for name in CURATED:
            yield self.find(self.workspace / name)
        for root in (self.workspace / FOLDER, *self._extra):
            if not root.is_dir():
                yield self.find(root)
                continue
            real = os.path.realpath(root)
            trusted = self._ours(os.path.join(real, "x.md"))
            near = len(self._prefix) if real.startswith(self._prefix) else 0
            for row in _markdown(real, MAX_DEPTH):
                yield _plain(row, near) if trusted and not row.is_symlink() else self.find(Path(row.path))

    def _ours(self, real: str) -> bool:
        if any(real == os.path.join(self.workspace, name) for name in CURATED):
            return True
        roots = [os.path.join(self.workspace, FOLDER), *(os.path.realpath(path) for path in self._extra)]
        return any(real == root or real.startswith(root + os.sep) for root in roots)


def _plain(row: os.DirEntry[str], near: int) -> NoteFile | None:
    """A file below a folder of ours, and no link: its path is its real one, and its name begins `near` characters in it."""
    try:
        status = row.stat(follow_symlinks=False)
    except OSError:
        return None
    path = row.path
    return NoteFile(path[near:], path, status.st_size, status.st_mtime_ns, status.st_ino)


def day_of(name: str) -> str:
    """The day of a daily note's file name, empty for any other."""
    found = _DAY.fullmatch(name.rpartition("/")[2])
    return found.group(1) if found else ""


def _markdown(folder: str, depth: int) -> Iterator[os.DirEntry[str]]:
    """Markdown files below `folder` in the order of their names; hidden ones and linked folders are passed over."""
    try:
        with os.scandir(folder) as entries:
            rows = sorted((row for row in entries if not row.name.startswith(".")), key=lambda row: row.name)
    except OSError:
        return
    for row in rows:
        if row.is_dir(follow_symlinks=False):
            if depth > 1:
                yield from _markdown(row.path, depth - 1)
        elif row.name.endswith(".md"):
            yield row
