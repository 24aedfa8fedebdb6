"""What a forgetting leaves as it is, so that a person can be told: recalled notes, standing orders (MEM-14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from openclaw_gateway.parts import forget_files as files
from openclaw_gateway.parts import forget_rows as rows
from openclaw_kernel.memory.backend import memory_folder
from openclaw_kernel.memory.notes import without_marker
from openclaw_kernel.memory.writes import FILE_NAME as WRITES
from openclaw_kernel.memory.writes import line_hash
from openclaw_kernel.store.jsonl import read_jsonl

ORDERS = ("pins.jsonl", "cron/jobs.jsonl")
"""What a person ordered to be kept in mind or done; nothing but their own word takes it away."""


def noted(state_dir: Path, workspaces: Mapping[str, Path], keys: set[str]) -> list[str]:
    """What these sessions wrote into notes, as forgetting compares it; to be read before it goes. Blocking."""
    from openclaw_kernel.memory.forget import plain  # with it comes numpy

    found: list[str] = []
    for agent, workspace in workspaces.items():
        book = memory_folder(state_dir, agent) / WRITES
        written = {(row["path"], row["lineHash"]) for row in read_jsonl(book) if row.get("sessionKey") in keys}
        for path in sorted({path for path, _ in written}):
            note = workspace / path
            lines = note.read_text("utf-8", "replace").splitlines() if note.is_file() else []
            found += [plain(without_marker(line)) for line in lines if (path, line_hash(line)) in written]
    return found


def recalled(state_dir: Path, notes: Sequence[str]) -> tuple[str, ...]:
    """Sessions in which one of these notes stands. Blocking."""
    from openclaw_kernel.memory.forget import plain

    if not notes:
        return ()
    ids = files.holding(state_dir, lambda text: any(line in plain(text) for line in notes))
    names = rows.transcript_keys(state_dir)
    return tuple(sorted({names.get(id, id) for id in ids}))


def jobs(state_dir: Path, keys: set[str]) -> list[str]:
    """A sentence on the scheduled jobs that were made in these sessions. Blocking."""
    latest = {row.get("id", row.get(rows.DELETED)): row for row in read_jsonl(state_dir / "cron" / "jobs.jsonl")}
    made = [str(id) for id, row in latest.items() if row.get("session_key") in keys]
    return [f"Scheduled jobs made in it go on: {', '.join(made)}; take them away with cron rm."] if made else []


def orders(state_dir: Path, wanted: str) -> list[str]:
    """A sentence on the standing orders that hold a text. Blocking."""
    from openclaw_kernel.memory.forget import plain

    found = [
        name
        for name in ORDERS
        if any(wanted in plain(text) for row in read_jsonl(state_dir / name) for text in rows.strings(row))
    ]
    return [f"It may also stand in {' and '.join(found)}, which were left as they are."] if found else []
