"""Files of the workspace that only their owner may have read: the notes, and what the house keeps of conversations (MEM-13).

Where other people read along, `memory_search` says nothing of them, and so must the tools that read files.
"""

from __future__ import annotations

import os
from pathlib import Path

from openclaw_kernel.memory.audience import CLOSED
from openclaw_kernel.safety.paths import shown_path
from openclaw_kernel.tools.api import ToolContext, ToolError

PRIVATE = ("MEMORY.md", "USER.md", "DREAMS.md", "memory", ".openclaw")
RESULTS = ".openclaw/results"


def closed_paths(ctx: ToolContext) -> tuple[Path, ...]:
    """Real paths, of files and folders, that this call may not read; none in a private turn of the owner."""
    if not ctx.notes_closed:
        return ()
    return tuple(Path(os.path.realpath(ctx.workspace / name)) for name in PRIVATE)


def refuse_closed(ctx: ToolContext, path: Path) -> None:
    """Raises `ToolError` for a file that others' ears are not for. `path` is real; a result that this very run left is open."""
    if any(path == closed or path.is_relative_to(closed) for closed in closed_paths(ctx)) and not _own_result(ctx, path):
        raise ToolError(f"{shown_path(ctx.workspace, path)} was not read. {CLOSED}")


def _own_result(ctx: ToolContext, path: Path) -> bool:
    folder = Path(os.path.realpath(ctx.workspace / RESULTS))
    return bool(ctx.run_id) and path.parent == folder and path.name.startswith(f"{ctx.run_id[:8]}-")
