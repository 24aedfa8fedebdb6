"""Adding to a note file without touching a byte of what is there."""

from __future__ import annotations

import os
from pathlib import Path

from openclaw_kernel.memory.edit import changing
from openclaw_kernel.safety.paths import inside


def add_text(workspace: Path, name: str, text: str, head: str = "") -> Path:
    """Appends `text` as lines of their own to the file `name`; one that is new, or empty, begins with `head`.

    Raises `ToolPathError` when the file leads out of the workspace, `OSError` when it cannot be written."""
    path = inside(workspace, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with changing:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "ab+") as file:
            lead = head.encode()
            if size := file.seek(0, os.SEEK_END):
                file.seek(size - 1)
                lead = b"" if file.read(1) == b"\n" else b"\n"
            file.write(lead + text.rstrip("\n").encode("utf-8", "surrogateescape") + b"\n")
            file.flush()
            os.fsync(file.fileno())
    return path
