"""Is a plugin's code what its owner put there? Judged before any of it runs (PLG-03)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

MAX_FILES = 5_000
"""A plugin with more files than this is not walked to its end, and not trusted."""


def problem_of(root: Path, *, uid: int | None = None) -> str:
    """One sentence on why code below `root` must not run; empty when nothing speaks against it. Blocking.

    Refused: files that anybody may write, files of another user (root's are fine), and links that lead out of the folder.
    """
    me = os.getuid() if uid is None else uid
    try:
        home = root.resolve(strict=True)
        for folder in (home.parent, home):
            if why := _writable(folder, folder.lstat(), me):
                return why
        for count, path in enumerate(_below(home)):
            if count >= MAX_FILES:
                return f"{root} holds more than {MAX_FILES} files"
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                target = path.resolve()
                if not target.is_relative_to(home):
                    return f"{path} is a link out of the plugin's folder"
            elif why := _writable(path, status, me):
                return why
    except OSError as error:
        return f"{error.filename or root} cannot be looked at: {error.strerror}"
    return ""


def escapes(root: Path, relative: str) -> bool:
    """Whether an entry of a manifest names something outside its folder."""
    if os.path.isabs(relative):
        return True
    return not (root / relative).resolve().is_relative_to(root.resolve())


def _writable(path: Path, status: os.stat_result, me: int) -> str:
    sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & stat.S_IWOTH and not sticky:
        return f"{path} can be written by anybody; take that right away with chmod o-w"
    if status.st_uid not in (0, me):
        return f"{path} belongs to another user (uid {status.st_uid})"
    return ""


def _below(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        return
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = [name for name in folders if name != "__pycache__" or not _is_ours(Path(folder) / name)]
        for name in (*folders, *files):
            yield Path(folder) / name


def _is_ours(folder: Path) -> bool:
    """Python's own cache of a folder nobody else may write is as safe as the folder."""
    return not folder.is_symlink() and not folder.lstat().st_mode & stat.S_IWOTH
