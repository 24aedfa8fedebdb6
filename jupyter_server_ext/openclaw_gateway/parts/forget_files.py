"""Files that a conversation leaves behind: transcripts, results too long for the model, pictures, undo copies (MEM-14)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openclaw_gateway.parts.forget_rows import Trace, ledger_files, strings
from openclaw_kernel.safety.environment import child_env
from openclaw_kernel.store.atomic import sync_dir
from openclaw_kernel.store.jsonl import read_jsonl
from openclaw_kernel.tools.changes import forget_changes

SESSIONS = "agents/*/sessions"
MADE = ("media/**/*", "channels/media/**/*", "channels/*/media/**/*", "skill-runs/*")
"""Files the house makes for a conversation, relative to the state directory."""
MADE_IN_WORKSPACE = (".openclaw/results/*", ".openclaw/output/*", "inbound/browser/*")
LOOSE = ("channels/", ".openclaw/")
"""Folders whose files go too when nobody names them: output of a command that was stopped, a picture that was sent."""
RECEIVED = "inbound"
"""Where a workspace has what came with the message of a run, in a folder called by the run."""
YOUNG_S = 60.0
"""A loose file this young may be about to be named, while any conversation is at work."""
LEFTOVERS = ("*.jsonl.torn-*", ".*.jsonl.????????.tmp")
"""What a crash leaves beside a ledger: half a line, or a file that was not yet in its place."""
LEFTOVER_NOTES = (".*.md.????????.tmp", "memory/.*.md.????????.tmp", ".openclaw/**/.*.????????.tmp")
SHORTEST_NAME = 8
"""A run that a client called by fewer letters is not looked for in the logs: it could be any word."""
GIT_S = 10.0

_WORDS = re.compile(rb"[\w:.@+|-]+")


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
    state_dir: Path, workspaces: Sequence[Path], found: Trace, let_go: Callable[[Path], None], at_work: bool = False
) -> tuple[int, int]:
    """Files that only these conversations name first, the transcripts last: they tell what is to go. `at_work`: other
    conversations are. Returns how many transcripts and how many other files went. Blocking."""
    every = list(transcripts(state_dir))
    wanted = [path for path in every if id_of(path) in found.transcripts]
    files = 0
    made = _made(state_dir, workspaces)
    if made:
        mine = _named(wanted, made)
        others = _named([*(path for path in every if path not in wanted), *ledger_files(state_dir)], made)
        held, before = _held(), time.time() - (YOUNG_S if at_work else 0.0)
        for path, name in made.items():
            if name not in others and (name in mine or _loose(path, name, held, before)):
                files += _remove(path)
    for workspace in workspaces:
        files += forget_changes(workspace, found.keys) + _remove_received(workspace / RECEIVED, found.runs)
    for path in wanted:
        let_go(path)
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in wanted}:
        sync_dir(folder)
    return len(wanted), files


def remove_log_lines(state_dir: Path, found: Trace) -> int:
    """Takes the lines that name these sessions or their runs out of the logs, for an error may quote what was said; in the same
    file, as a log is open for appending. Returns how many. Blocking."""
    names = {name.encode() for name in (*found.keys, *found.transcripts, *found.runs) if len(name) >= SHORTEST_NAME}
    count = 0
    for path in [path for path in state_dir.glob("logs/*") if path.is_file() and not path.is_symlink()]:
        with path.open("r+b") as file:
            lines = file.readlines()
            kept = [line for line in lines if not any(word.rstrip(b".:,") in names for word in _WORDS.findall(line))]
            if len(kept) < len(lines):
                kept += file.readlines()  # what came meanwhile
                file.seek(0)
                file.writelines(kept)
                file.truncate()
                os.fsync(file.fileno())
        count += max(0, len(lines) - len(kept))
    return count


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


def _made(state_dir: Path, workspaces: Sequence[Path]) -> dict[Path, str]:
    """Each file with what a conversation calls it: its path below the state directory or the workspace."""
    found = {path: path.relative_to(state_dir).as_posix() for pattern in MADE for path in state_dir.glob(pattern)}
    for workspace in workspaces:
        places = (path for pattern in MADE_IN_WORKSPACE for path in workspace.glob(pattern))
        found |= {path: path.relative_to(workspace).as_posix() for path in places}
    return {path: name for path, name in found.items() if path.is_file() and not path.is_symlink()}


def _named(paths: Iterable[Path], made: Mapping[Path, str]) -> set[str]:
    """Which of the made files any of these files names."""
    names = {name: name.encode("utf-8", "surrogateescape") for name in made.values()}
    found: set[str] = set()
    for path in paths:
        data = path.read_bytes()
        found |= {name for name, sought in names.items() if name not in found and sought in data}
    return found


def _loose(path: Path, name: str, held: set[str] | None, before: float) -> bool:
    """Whether a file that nobody names may go: an old one that this process is not writing."""
    if held is None or not name.startswith(LOOSE):
        return False
    return os.path.realpath(path) not in held and path.stat().st_mtime < before


def _held() -> set[str] | None:
    """Real paths of the files that this process has open; `None` where the system does not tell."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return None
    found = set()
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            found.add(os.readlink(folder / name))
    return found


def _remove_received(folder: Path, runs: set[str]) -> int:
    """What came with the messages of these runs; returns how many files."""
    count = 0
    for path in [path for path in folder.glob("*") if path.name in runs and path.is_dir() and not path.is_symlink()]:
        count += sum(1 for one in path.rglob("*") if one.is_file())
        shutil.rmtree(path)
    return count


def _remove(path: Path) -> int:
    path.unlink(missing_ok=True)
    return 1


def _parent(path: Path) -> str:
    first: dict[str, Any] = next(read_jsonl(path), {})
    return str(first.get("parentSession") or "")
