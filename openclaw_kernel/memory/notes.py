"""Notes in plain Markdown: `MEMORY.md` and `memory/YYYY-MM-DD.md` (MEM-01), read and written.

A note is one list item or paragraph. Files are parsed once and again only when their size or time of change differs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from openclaw_kernel.memory.edit import changing
from openclaw_kernel.safety.paths import inside

FOLDER = "memory"
CURATED = "MEMORY.md"
MAX_NOTE_CHARS = 4_000
MAX_FILE_BYTES = 2_000_000

_WORDS = """a about all an and any anything can did do everything for have i in is it know latest me my newest note notes of on
    our please recall remember s tell that the there things to us was we what which you your"""
_FILLER = frozenset(_WORDS.split())
"""A question of these words alone is for no thing in particular."""
_ITEM = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)])\s+")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-[\w-]+)?\.md")


@dataclass(frozen=True, slots=True)
class Note:
    """One remembered thing. `path` is relative to the workspace, `line` counts from 1, `day` is empty for curated notes."""

    path: str
    line: int
    text: str
    day: str = ""


class Notes:
    """The notes of one workspace. Blocking: call it in a thread."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._cache: dict[Path, tuple[tuple[int, int], tuple[Note, ...]]] = {}

    def append(self, text: str, now: datetime) -> Note:
        """Adds one line to the day's file. Raises `ToolPathError` when that file leads out of the workspace, `OSError`
        when it cannot be written."""
        day, name, written = now.strftime("%Y-%m-%d"), note_name(now), note_line(text, now)
        path = inside(self._workspace, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with changing:
            line = _add_line(path, written, f"# {day}")
        return Note(name, line, _short(text), day)

    def newest(self, limit: int = 6) -> list[Note]:
        """The notes written last: dated ones by day and line, then curated ones."""
        return sorted(self.all(), key=lambda note: (note.day, note.line), reverse=True)[:limit]

    def all(self) -> list[Note]:
        """Every note, curated ones first, then days in order."""
        found: list[Note] = []
        for path in self._files():
            found.extend(self._parsed(path))
        return found

    def _files(self) -> Iterable[Path]:
        folder = self._workspace / FOLDER
        names = [CURATED, *(f"{FOLDER}/{path.name}" for path in sorted(folder.glob("*.md")))] if folder.is_dir() else [CURATED]
        root = os.path.realpath(self._workspace)
        for name in names:
            path = self._workspace / name
            if path.is_file() and os.path.realpath(path).startswith(root + os.sep):
                yield path

    def _parsed(self, path: Path) -> tuple[Note, ...]:
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns)
        cached = self._cache.get(path)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES).decode("utf-8", "replace")
        notes = tuple(_parse(path.relative_to(self._workspace).as_posix(), text))
        self._cache[path] = (stamp, notes)
        return notes


def _add_line(path: Path, written: str, heading: str) -> int:
    """Returns the number of the line; a new file gets the heading first."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "ab+") as file:
        size = file.seek(0, os.SEEK_END)
        lead = b"" if size else f"{heading}\n\n".encode()
        if size:
            file.seek(size - 1)
            lead = b"" if file.read(1) == b"\n" else b"\n"
        file.write(lead + f"{written}\n".encode("utf-8", "replace"))
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        return file.read().count(b"\n")


def note_name(now: datetime) -> str:
    """The note of a day, relative to the workspace."""
    return f"{FOLDER}/{now:%Y-%m-%d}.md"


def note_line(text: str, now: datetime) -> str:
    """What `append` writes of a text, without the line end."""
    return f"- {now:%H:%M} {_short(text)}"


def _short(text: str) -> str:
    return " ".join(text.split())[:MAX_NOTE_CHARS]


def _parse(name: str, text: str) -> Iterable[Note]:
    """List items and paragraphs; headings are dropped, continuation lines belong to their item."""
    found = _DAY.fullmatch(Path(name).name)
    day = found.group(1) if found else ""
    lines: list[str] = []
    start = 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        starts_item = _ITEM.match(line) is not None
        if lines and (not line.strip() or starts_item or line.startswith("#")):
            yield Note(name, start, _ITEM.sub("", " ".join(lines)).strip(), day)
            lines = []
        if line.strip() and not line.startswith("#"):
            if not lines:
                start = number
            lines.append(line if not lines else line.strip())


def tells_nothing(query: str) -> bool:
    """Whether a query asks for whatever there is."""
    return _FILLER.issuperset(re.findall(r"\w+", query.casefold()))


def without_marker(text: str) -> str:
    """A list item without its bullet."""
    return _ITEM.sub("", text)
