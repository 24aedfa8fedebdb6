"""What can go wrong between us and the disk, in one sentence that names the file."""

from __future__ import annotations

import errno
from pathlib import Path

from openclaw_kernel.values.errors import UserError

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "the disk quota is used up; free some space and try again",
    errno.EFBIG: "the file has reached the size limit of this process; raise the limit (ulimit -f) or move the file away",
    errno.EROFS: "the file system is read-only; mount it writable or set OPENCLAW_STATE_DIR to another directory",
    errno.EACCES: "permission denied; make it writable for this user or set OPENCLAW_STATE_DIR to another directory",
    errno.EPERM: "permission denied; make it writable for this user or set OPENCLAW_STATE_DIR to another directory",
    errno.EIO: "the disk reported an input/output error; check the disk",
    errno.ENOTDIR: "a part of the path is a file, not a directory; move that file away",
    errno.EEXIST: "a part of the path is a file, not a directory; move that file away",
    errno.EISDIR: "it is a directory, not a file; move it away",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
}


class StoreError(UserError):
    """The disk refused. `path` is the file meant, `errno` the operating system's number (None when there is none)."""

    def __init__(self, message: str, path: Path, number: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.errno = number

    @classmethod
    def from_os(cls, action: str, path: Path, error: OSError) -> StoreError:
        """`Cannot write <path>: the disk is full; …`"""
        reason = _ADVICE.get(error.errno or 0) or (error.strerror or str(error)).lower()
        return cls(f"Cannot {action} {path}: {reason}.", path, error.errno)
