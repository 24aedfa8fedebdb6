"""Bringing a note of a day into MEMORY.md, where it is always at hand. Other people's words never get there (MEM-12)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openclaw_kernel.memory.adding import add_text
from openclaw_kernel.memory.api import MemoryRefused, Provenance
from openclaw_kernel.memory.edit import ITEM, units
from openclaw_kernel.memory.notes import CURATED
from openclaw_kernel.memory.places import NoteFile, Places
from openclaw_kernel.memory.writes import Writes, line_hash, provenance_of

HEAD = "# Memory\n\n"
_PLACE = re.compile(r"(?P<path>.+\.md)#L?(?P<line>\d+)(?:-L?\d+)?")
_CLOCK = re.compile(r"\d{1,2}:\d{2}\s+")


@dataclass(frozen=True, slots=True)
class Promoted:
    """The write that can be taken back, the note as it stands in MEMORY.md now, and where it came from."""

    id: str
    text: str
    source: str
    provenance: Provenance


def promote(places: Places, writes: Writes, ref: str, at: int, triggers: Sequence[str] = ()) -> Promoted:
    """Adds the note at `ref`, `path#line` or the id of a write, to MEMORY.md. `triggers` are phrases that recall it. Booked
    before it is written. Blocking; raises `MemoryRefused`, `ToolPathError`, `OSError` and `StoreError`."""
    file, number, words = _note(places, writes, ref)
    whose = provenance_of(words, writes.voices(file.name))
    if whose == "untrusted":
        raise MemoryRefused(
            f"{file.name}#L{number} holds other people's words, which MEMORY.md never takes; write it yourself."
        )
    text = _bare(words)
    if file.name == CURATED:
        raise MemoryRefused(f"{file.name}#L{number} is in {CURATED} already.")
    if _known(places, text):
        raise MemoryRefused(f"{CURATED} says that already: {text[:80]}")
    phrases = [phrase for phrase in (" ".join(one.split()) for one in triggers) if phrase]
    line = f"- {text}" + (f" <!-- trigger: {', '.join(phrases)} -->" if phrases else "")
    write = writes.begin(CURATED, line, whose, _session(writes, file.name, words), at)
    add_text(places.workspace, CURATED, line, HEAD)
    writes.settle(write.id, "written")
    return Promoted(write.id, line, f"{file.name}#L{number}", whose)


def _note(places: Places, writes: Writes, ref: str) -> tuple[NoteFile, int, str]:
    """File, first line and text of the note that `ref` names."""
    found = _PLACE.fullmatch(ref.strip())
    if found is not None:
        file = places.resolve(found["path"])
        for number, words in _numbered(file):
            if number <= int(found["line"]) < number + len(words.splitlines()) and words.strip():
                if words.startswith("#"):
                    break
                return file, number, words
        raise MemoryRefused(f"There is no note at line {found['line']} of {file.name}; memory_search shows path#line.")
    write = writes.get(ref.strip())
    if write is None:
        raise MemoryRefused(f"{ref!r} is neither path#line nor the id of a write; `memory search` and `memory log` show both.")
    file = places.resolve(write.path)
    for number, words in _numbered(file):
        if line_hash(words) == write.line_hash:
            return file, number, words
    raise MemoryRefused(f"The line of write {write.id} is not in {write.path} any more; there is nothing to promote.")


def _session(writes: Writes, path: str, words: str) -> str:
    """The conversation that the note came from: what forgets it must forget the copy."""
    lines = {line_hash(line) for line in words.splitlines()}
    return next((row.session_key for row in writes.rows() if row.path == path and row.line_hash in lines), "")


def _numbered(file: NoteFile) -> list[tuple[int, str]]:
    """The notes of a file with their first lines, which count from 1."""
    number, found = 1, []
    for unit in units(file.path.read_bytes().decode("utf-8", "replace").splitlines(keepends=True)):
        found.append((number, "".join(unit)))
        number += len(unit)
    return found


def _bare(words: str) -> str:
    """A note in one line, without its bullet and the time of day."""
    return " ".join(_CLOCK.sub("", ITEM.sub("", words.strip(), count=1), count=1).split())


def _known(places: Places, text: str) -> bool:
    file = places.find(places.workspace / CURATED)
    if file is None:
        return False
    return any(_bare(re.sub(r"<!--.*?-->", "", words)) == text for _, words in _numbered(file))
