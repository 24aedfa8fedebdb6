"""Files that a conversation leaves behind: transcripts, results too long for the model, pictures, undo copies (MEM-14)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from openclaw_gateway.parts.forget_rows import strings
from openclaw_kernel.safety.environment import child_env
from openclaw_kernel.store.atomic import sync_dir
from openclaw_kernel.store.jsonl import read_jsonl
from openclaw_kernel.tools.changes import forget_changes

SESSIONS = "agents/*/sessions"
MADE = ("media/**/*", "channels/media/**/*", "channels/*/media/**/*", "skill-runs/*")
"""Files the house makes for a conversation, relative to the state directory."""
MADE_IN_WORKSPACE = (".openclaw/results/*",)
LEFTOVERS = ("*.jsonl.torn-*", ".*.jsonl.????????.tmp")
"""What a crash leaves beside a ledger: half a line, or a file that was not yet in its place."""
LEFTOVER_NOTES = (".*.md.????????.tmp", "memory/.*.md.????????.tmp", ".openclaw/**/.*.????????.tmp")
GIT_S = 10.0


def transcripts(state_dir: Path) -> Iterator[Path]:
    """Every transcript, those from before a reset, deleted ones and torn ends among them."""
    for path in sorted(state_dir.glob(f"{SESSIONS}/*.jsonl*")):
        if not path.name.startswith("index.jsonl") and path.is_file():
            yield path


def id_of(transcript: Path) -> str:
    return transcript.name.partition(".jsonl")[0]


def with_earlier(state_dir: Path, ids: Iterable[str]) -> set[str]:
    """The ids of transcripts, with those they followed after a reset."""
    parents = {id_of(path): _parent(path) for path in transcripts(state_dir) if path.name.endswith(".jsonl")}
    found, waiting = set(ids), list(ids)
    while waiting:
        parent = parents.get(waiting.pop(), "")
        if parent and parent not in found:
            found.add(parent)
            waiting.append(parent)
    return found


def remove_conversations(
    state_dir: Path, workspaces: Sequence[Path], ids: set[str], keys: set[str], let_go: Callable[[Path], None]
) -> tuple[int, int]:
    """Files that only these transcripts name first, the transcripts last: they tell what is to go. Returns how many
    transcripts and how many other files went. Blocking."""
    every = list(transcripts(state_dir))
    wanted = [path for path in every if id_of(path) in ids]
    files = 0
    made = _made(state_dir, workspaces)
    if made and wanted:
        mine, others = _named(wanted, made), _named([path for path in every if path not in wanted], made)
        for path in [path for path in made if path.name in mine - others]:
            files += _remove(path)
    for workspace in workspaces:
        files += forget_changes(workspace, keys)
    for path in wanted:
        let_go(path)
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in wanted}:
        sync_dir(folder)
    return len(wanted), files


def remove_leftovers(ledgers: Iterable[Path], workspaces: Sequence[Path], before: float) -> int:
    """Takes away what crashes before that moment (seconds) left of ledgers and notes; returns how many files. Blocking."""
    found = [path for folder in {one.parent for one in ledgers} for pattern in LEFTOVERS for path in folder.glob(pattern)]
    found += [path for workspace in workspaces for pattern in LEFTOVER_NOTES for path in workspace.glob(pattern)]
    old = [path for path in found if not path.is_symlink() and path.is_file() and path.stat().st_mtime < before]
    return sum(map(_remove, old))


def holding(state_dir: Path, holds: Callable[[str], bool]) -> set[str]:
    """Ids of the transcripts in which a text is said. Blocking."""
    return {
        id_of(path) for path in transcripts(state_dir) if any(holds(text) for row in read_jsonl(path) for text in strings(row))
    }


def in_git(workspace: Path, files: Sequence[str]) -> bool:
    """Whether commits of the workspace hold one of these files. Blocking."""
    if not files or not (workspace / ".git").exists():
        return False
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "log",
        "--no-ext-diff",
        "-1",
        "--format=%H",
        "--",
    ]
    try:
        found = subprocess.run(
            [*command, *files],
            cwd=workspace,
            env=child_env(os.environ),
            capture_output=True,
            timeout=GIT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True  # it cannot be asked, so it may
    return bool(found.stdout.strip())


def _made(state_dir: Path, workspaces: Sequence[Path]) -> list[Path]:
    found = [path for pattern in MADE for path in state_dir.glob(pattern)]
    found += [path for workspace in workspaces for pattern in MADE_IN_WORKSPACE for path in workspace.glob(pattern)]
    return [path for path in dict.fromkeys(found) if path.is_file() and not path.is_symlink()]


def _named(paths: Iterable[Path], made: Sequence[Path]) -> set[str]:
    """Which of the made files any of the transcripts names."""
    names = {path.name: path.name.encode() for path in made}
    found: set[str] = set()
    for path in paths:
        data = path.read_bytes()
        found |= {name for name, sought in names.items() if name not in found and sought in data}
    return found


def _remove(path: Path) -> int:
    path.unlink(missing_ok=True)
    return 1


def _parent(path: Path) -> str:
    first: dict[str, Any] = next(read_jsonl(path), {})
    return str(first.get("parentSession") or "")
