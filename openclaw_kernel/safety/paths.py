"""The path guard: a file tool touches nothing outside its workspace (SAF-29).

The real path decides, so `..`, absolute paths and symbolic links are all judged by where they end.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from openclaw_kernel.values.errors import UserError


class ToolPathError(UserError):
    """A path a tool may not touch; the sentence goes to the model and the screen."""


def inside(workspace: Path, user_path: str) -> Path:
    """The real path of `user_path`, taken relative to `workspace`; it need not exist.

    Raises `ToolPathError` when the path is empty, holds a control character, or ends outside the workspace.
    """
    if not user_path.strip():
        raise ToolPathError("The path is empty; name a file inside the workspace.")
    if any(ord(char) < 32 for char in user_path):
        raise ToolPathError(f"The path {user_path!r} contains a control character; name a file inside the workspace.")
    root = os.path.realpath(workspace)
    target = os.path.realpath(os.path.join(root, os.path.expanduser(user_path)))
    if target != root and not target.startswith(root.rstrip(os.sep) + os.sep):
        raise ToolPathError(f"{user_path} is outside the workspace {root}; use a path inside it.")
    return Path(target)


def regular_file(path: Path, shown: str) -> os.stat_result:
    """The status of an existing regular file of ours.

    Raises `ToolPathError` for a missing path, a folder, a device, a pipe, or a file of another owner (root excepted).
    """
    try:
        status = path.lstat()
    except FileNotFoundError as error:
        if "inbound" in path.parts:
            raise ToolPathError(
                f"{shown} does not exist; if it came with a message, it has expired. Ask for it again."
            ) from error
        raise ToolPathError(f"{shown} does not exist; list the folder to see what is there.") from error
    except OSError as error:
        raise ToolPathError(f"{shown} cannot be opened: {error.strerror}.") from error
    if stat.S_ISDIR(status.st_mode):
        raise ToolPathError(f"{shown} is a folder; use list to see its files.")
    if not stat.S_ISREG(status.st_mode):
        raise ToolPathError(f"{shown} is not a regular file (a device, pipe or socket); it is not opened.")
    if hasattr(os, "getuid") and status.st_uid not in (os.getuid(), 0):
        raise ToolPathError(f"{shown} belongs to another user (uid {status.st_uid}); it is not opened.")
    return status


def shown_path(workspace: Path, path: Path) -> str:
    """`path` as people write it: relative to the workspace, with forward slashes."""
    return path.relative_to(os.path.realpath(workspace)).as_posix()
