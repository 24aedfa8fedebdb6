"""Replace a file whole or not at all (STO-04)."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.paths import PRIVATE_FILE, make_private_parents


def write_atomic(path: Path, data: str | bytes, mode: int = PRIVATE_FILE) -> None:
    """Write `data` to a synced temporary file beside `path`, then rename it over `path`.

    A reader sees the old content or the new, never a part. A symbolic link is followed, so a config kept elsewhere stays
    there. Blocks on the disk. Raises `StoreError` and leaves the old file as it was.
    """
    target = Path(os.path.realpath(path))
    body = data.encode() if isinstance(data, str) else data
    try:
        make_private_parents(target.parent)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise StoreError.from_os("write", path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
        sync_dir(target.parent)
    except OSError as error:
        raise StoreError.from_os("write", path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def sync_dir(path: Path) -> None:
    """Make a rename or a new name in `path` survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
