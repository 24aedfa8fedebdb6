"""Curated notes that come by themselves when somebody says their words (MEM-11).

    - The spare key is under the blue pot. <!-- trigger: spare key, locked out -->

A note of MEMORY.md or USER.md names its phrases in a comment as above, in brackets, or on a line of its own below. Daily notes
never come by themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from openclaw_kernel.memory.edit import ITEM, units
from openclaw_kernel.memory.places import CURATED, MAX_FILE_BYTES
from openclaw_kernel.memory.writes import line_hash

MOST = 3
"""Notes a turn (MEM-11)."""
TOKENS = 300
"""All of them together, at four characters a token."""
NOTE_CHARS = 600

_MARK = re.compile(
    r"<!--\s*triggers?\s*:(?P<comment>.*?)-->|\(triggers?\s*:(?P<bracket>[^()\n]*)\)|^[ \t]*triggers?\s*:(?P<line>.*)$",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Triggered:
    """A curated note with the phrases that call it; `text` is without them, `path` the file's name, `line` counts from 1,
    `lines` are the hashes of its lines."""

    path: str
    line: int
    text: str
    phrases: tuple[str, ...]
    lines: frozenset[str]


class Triggers:
    """The triggered notes of workspaces; a file is read again only when its size or time of change differs. Blocking."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read: dict[Path, tuple[tuple[int, int], tuple[Triggered, ...]]] = {}

    def of(self, workspace: Path) -> list[Triggered]:
        """Every curated note that has a trigger, in the order of the files."""
        root = os.path.realpath(workspace)
        return [note for name in CURATED for note in self._notes(Path(root), name)]

    def recalled(self, workspace: Path, said: str) -> list[Triggered]:
        """The notes that these words call: those with the longest phrase first, at most `MOST`, and not more than `TOKENS`."""
        words = f" {_plain(said)} "
        called = []
        for note in self.of(workspace):
            hits = [len(phrase) for phrase in note.phrases if f" {phrase} " in words]
            if hits:
                called.append((-max(hits), note))
        called.sort(key=lambda pair: pair[0])
        return _within([note for _, note in called])

    def _notes(self, root: Path, name: str) -> tuple[Triggered, ...]:
        path = root / name
        try:
            status = path.stat()
        except OSError:
            return ()
        stamp = (status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._read.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        if os.path.realpath(path) != str(path):
            return ()  # a link that leads elsewhere is no note
        try:
            with path.open("rb") as file:
                text = file.read(MAX_FILE_BYTES).decode("utf-8", "replace")
        except OSError:
            return ()
        notes = tuple(read_triggers(name, text))
        with self._lock:
            self._read[path] = (stamp, notes)
        return notes


def read_triggers(name: str, text: str) -> Sequence[Triggered]:
    """The notes of one file that name their triggers."""
    number, found = 1, []
    for unit in units(text.splitlines(keepends=True)):
        raw = "".join(unit)
        marks = list(_MARK.finditer(raw))
        phrases = [_plain(one) for mark in marks for one in re.split("[,;]", mark.group(mark.lastgroup or 0) or "")]
        kept = tuple(dict.fromkeys(phrase for phrase in phrases if len(phrase) > 1))
        if kept and not raw.startswith("#"):
            bare = " ".join(ITEM.sub("", _COMMENT.sub("", _MARK.sub("", raw)).strip(), count=1).split())
            if bare:
                found.append(Triggered(name, number, bare[:NOTE_CHARS], kept, frozenset(map(line_hash, raw.splitlines()))))
        number += len(unit)
    return found


def _within(notes: Sequence[Triggered]) -> list[Triggered]:
    kept: list[Triggered] = []
    room = TOKENS * 4
    for note in notes:
        if len(kept) < MOST and len(note.text) <= room:
            kept.append(note)
            room -= len(note.text)
    return kept


def _plain(text: str) -> str:
    """Words only, so that a phrase is found whatever stands around it."""
    return " ".join(re.findall(r"\w+", text.casefold()))
