"""Carrying notes in from another assistant's workspace (MEM-19): what is not there is added, and nothing that is changes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from openclaw_kernel.memory.adding import add_text
from openclaw_kernel.memory.api import MemoryRefused
from openclaw_kernel.memory.edit import ITEM, take_out, units
from openclaw_kernel.memory.imports import Brought, Import, Imports, whole_hash
from openclaw_kernel.memory.places import FOLDER, MAX_DEPTH, MAX_FILE_BYTES, Places
from openclaw_kernel.memory.writes import line_hash
from openclaw_kernel.safety.paths import ToolPathError, inside

NOTES = {"MEMORY.md": "MEMORY.md", "memory.md": "MEMORY.md", "USER.md": "USER.md"}
"""Curated notes, and the name that each gets here."""
CHARACTER = ("SOUL.md", "IDENTITY.md", "AGENTS.md", "TOOLS.md", "HEARTBEAT.md")
"""Taken with `everything`, and only where there is no such file yet: two characters cannot be merged."""
MAX_FILES = 20_000

Action = Literal["new", "added", "same", "left"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a source, under the name that it gets here."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """What an import does with one file: `notes` come in; `reason` says why a file is left."""

    path: str
    action: Action
    notes: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Merge:
    step: Step
    brought: Brought | None = None
    text: str = ""


def import_notes(
    places: Places, imports: Imports, source: Path, at: int, *, everything: bool = False, dry_run: bool = False
) -> tuple[str, list[Step]]:
    """Merges the notes of another workspace, or of a folder that holds one. The id that takes all of it back, empty when there
    was nothing to bring, and what became of each file. Blocking; raises `MemoryRefused`, `OSError`, `StoreError`."""
    root = _root(source)
    own = str(places.workspace)
    if str(root) == own:
        raise MemoryRefused(f"{source} is this agent's own workspace; its notes are in use already.")
    if os.path.commonpath([str(root), own]) in (str(root), own):
        raise MemoryRefused(f"{source} and the workspace {own} lie in each other; name a workspace elsewhere.")
    found, steps = _read(root, everything)
    merges = [_merge(places.workspace, one) for one in found]
    steps = [*(merge.step for merge in merges), *steps]
    wanted = [merge for merge in merges if merge.brought is not None]
    if dry_run or not wanted:
        return "", steps
    row = imports.begin(str(root), tuple(merge.brought for merge in wanted if merge.brought), at)
    for merge in wanted:
        add_text(places.workspace, merge.step.path, merge.text)
    imports.settle(row.id, "written")
    return row.id, steps


def undo_import(places: Places, imports: Imports, row: Import) -> tuple[int, list[str]]:
    """Takes an import back: how many notes are gone, and out of which files. A file that it made goes when nobody has changed
    it since. Raises `MemoryRefused` when it was taken back before."""
    if row.state == "undone":
        raise MemoryRefused(f"Import {row.id} was taken back before; there is nothing of it left.")
    gone, changed = 0, []
    for one in row.files:
        path = inside(places.workspace, one.path)
        if not path.is_file():
            continue
        if one.whole and whole_hash(path.read_bytes()) == one.whole:
            path.unlink()
            count = len(one.notes)
        else:
            brought = frozenset(one.notes)
            count = take_out(path, lambda text, brought=brought: line_hash(text) in brought)  # type: ignore[misc]
        gone += count
        if count:
            changed.append(one.path)
    imports.settle(row.id, "undone")
    return gone, changed


def forget_gone(places: Places, imports: Imports) -> None:
    """Takes the hashes of notes that are not there any more out of the ledger: after a forgetting nothing may tell of them."""

    def change(row: Import) -> Import:
        return replace(row, files=tuple(_still(places.workspace, one) for one in row.files))

    imports.scrub(change)


def _still(workspace: Path, brought: Brought) -> Brought:
    path = inside(workspace, brought.path)
    data = path.read_bytes() if path.is_file() else b""
    here = {line_hash(words) for words in _notes(data.decode("utf-8", "replace"))}
    kept = tuple(one for one in brought.notes if one in here)
    return brought if kept == brought.notes else Brought(brought.path, kept)


def _root(source: Path) -> Path:
    """The workspace that `source` is, or has."""
    for path in (source, source / "workspace"):
        if path.is_dir() and ((path / FOLDER).is_dir() or any((path / name).is_file() for name in NOTES)):
            return Path(os.path.realpath(path))
    where = "is no folder" if not source.is_dir() else "has no MEMORY.md, USER.md or memory folder"
    raise MemoryRefused(f"{source} {where}; name a workspace, such as ~/.openclaw/workspace or ~/clawd.")


def _read(root: Path, everything: bool) -> tuple[list[Found], list[Step]]:
    """The files worth taking, and why others are left. Links are never followed: what they lead to is not in the folder."""
    wanted: dict[str, Path] = {}
    for entry in sorted(os.scandir(root), key=lambda one: one.name):
        target = NOTES.get(entry.name) or (entry.name if everything and entry.name in CHARACTER else None)
        if target and target not in wanted:
            wanted[target] = Path(entry.path)
    for path in _markdown(root / FOLDER, MAX_DEPTH):
        wanted[path.relative_to(root).as_posix()] = path
        if len(wanted) > MAX_FILES:
            raise MemoryRefused(f"{root} has more than {MAX_FILES} notes; import its folders one by one.")
    found, left = [], []
    for name, path in wanted.items():
        reason, data = _content(path)
        if reason:
            left.append(Step(name, "left", reason=reason))
        elif data.strip():
            found.append(Found(name, data))
    return found, left


def _content(path: Path) -> tuple[str, bytes]:
    """Why a file is not taken, or what is in it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        return ("it is a link" if path.is_symlink() else f"it cannot be read: {error.strerror}"), b""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return "it is no regular file", b""
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        return f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB", b""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8 text", b""
    return "", data


def _markdown(folder: Path, depth: int) -> Iterator[Path]:
    if not folder.is_dir() or folder.is_symlink():
        return
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth > 1:
                yield from _markdown(Path(entry.path), depth - 1)
        elif entry.name.endswith(".md"):
            yield Path(entry.path)


def _merge(workspace: Path, found: Found) -> _Merge:
    """What of a file is not here yet. Notes are the same when their words are."""
    name = found.name
    try:
        path = inside(workspace, name)
    except ToolPathError as error:
        return _Merge(Step(name, "left", reason=str(error)))
    text = found.data.decode()
    theirs = [words for words in _notes(text) if not words.startswith("#")]
    if not path.exists():
        hashes = tuple(line_hash(unit) for unit in theirs)
        made = text.rstrip("\n") + "\n"
        return _Merge(Step(name, "new", len(theirs)), Brought(name, hashes, whole_hash(made.encode())), made)
    if not path.is_file():
        return _Merge(Step(name, "left", reason="there is something else of that name here"))
    here = path.read_bytes().decode("utf-8", "replace")
    known = {line_hash(unit) for unit in _notes(here)}
    fresh = list(dict.fromkeys(unit for unit in theirs if line_hash(unit) not in known))
    if not fresh:
        return _Merge(Step(name, "same"))
    if name in CHARACTER:
        return _Merge(Step(name, "left", reason="there is one here already, which differs"))
    brought = Brought(name, tuple(line_hash(unit) for unit in fresh))
    return _Merge(Step(name, "added", len(fresh)), brought, _joined(fresh))


def _notes(text: str) -> Iterable[str]:
    return (words for unit in units(text.splitlines(keepends=True)) if (words := "".join(unit)).strip())


def _joined(notes: Sequence[str]) -> str:
    """List items below each other, paragraphs apart."""
    return "".join(("" if ITEM.match(note) else "\n") + note.rstrip("\n") + "\n" for note in notes)
