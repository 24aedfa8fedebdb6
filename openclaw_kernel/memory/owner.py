"""One process owns an index; another one is told whose it is."""

from __future__ import annotations

import re
from pathlib import Path

from openclaw_kernel.memory.api import MemoryRefused

_PID = re.compile(r"\(PID (\d+)\)")


class IndexOwned(MemoryRefused):
    """The index is open elsewhere. `pid` is the owner's number, 0 when it is not known."""

    def __init__(self, path: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"The memory index {path} is in use by {who}, which alone may open it; ask that gateway, or stop it first."
        )
        self.path = path
        self.pid = pid


def owned(path: Path, error: Exception) -> IndexOwned | None:
    """The refusal behind what DuckDB says of a lock; `None` when the error is about something else."""
    text = str(error)
    if "lock" not in text.lower():
        return None
    found = _PID.search(text)
    return IndexOwned(path, int(found.group(1)) if found else 0)
