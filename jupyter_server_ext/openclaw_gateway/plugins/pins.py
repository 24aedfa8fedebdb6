"""What a plugin's files were when its owner let it in (PLG-03): code that has changed since does not run until he agrees again.

A plugin is pinned when it is allowed for the first time, and anew by `plugins enable`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from openclaw_kernel.store.ledger import Ledger

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Pin:
    """`sha256` of all files of the plugin `id`, which called itself `version` then."""

    id: str
    sha256: str
    version: str = ""


class Pins:
    """Kept in one file; opened for each use, which is rare. Blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, plugin_id: str) -> Pin | None:
        if not self._path.exists():
            return None
        with closing(self._open()) as rows:
            return rows.get(plugin_id)

    def put(self, pin: Pin) -> None:
        with closing(self._open()) as rows:
            rows.put(pin)

    def _open(self) -> Ledger[Pin]:
        return Ledger(self._path, key=lambda pin: pin.id, encode=asdict, decode=lambda row: Pin(**row))


def digest_of(root: Path) -> str:
    """Names and contents of all files below `root`, or of the one file it is, as one hash. Python's caches are left out; links
    count by where they lead. Raises `OSError`."""
    total = hashlib.sha256()
    home = root.resolve(strict=True)
    for path in [home] if home.is_file() else sorted(_files(home)):
        name = path.name if path == home else str(path.relative_to(home))
        total.update(f"{len(os.fsencode(name))}:".encode() + os.fsencode(name) + _content(path))
    return total.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder, followlinks=False):
        linked = [name for name in folders if (Path(here) / name).is_symlink()]
        folders[:] = [name for name in folders if name != "__pycache__" and name not in linked]
        yield from (Path(here) / name for name in (*files, *linked))


def _content(path: Path) -> bytes:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return hashlib.sha256(b"link:" + os.fsencode(os.readlink(path))).digest()
    if not stat.S_ISREG(status.st_mode):
        return hashlib.sha256(b"special").digest()
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.digest()
