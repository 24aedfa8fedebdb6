"""Notes in plain Markdown: `MEMORY.md` and `memory/YYYY-MM-DD.md` (MEM-01), with keyword search (MEM-10).

A note is one list item or paragraph. Files are parsed once and again only when their size or time of change differs.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from openclaw_kernel.safety.paths import inside

FOLDER = "memory"
CURATED = "MEMORY.md"
MAX_NOTE_CHARS = 4_000
MAX_FILE_BYTES = 2_000_000

_K1, _B = 1.2, 0.75
"""The usual BM25 constants."""
_TYPO_CUTOFF = 0.8
_STOP = re.compile(
    r"a|about|all|an|and|any|anything|are|as|at|be|been|but|by|can|did|do|does|doe|everything|for|from|had|has|ha|have|he|her|"
    r"his|hi|how|i|in|is|it|its|know|me|my|of|on|or|our|recall|remember|s|said|she|so|t|tell|that|the|their|them|they|this|thi|"
    r"to|u|was|wa|we|were|what|when|where|which|who|why|will|with|you|your|please"
)
"""Words that tell nothing apart, in the form `_stem` leaves them too."""
_ITEM = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)])\s+")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:-[\w-]+)?\.md")


@dataclass(frozen=True, slots=True)
class Note:
    """One remembered thing. `path` is relative to the workspace, `line` counts from 1, `day` is empty for curated notes."""

    path: str
    line: int
    text: str
    day: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    note: Note
    score: float


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
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(descriptor, "ab+") as file:
            size = file.seek(0, os.SEEK_END)
            lead = b"" if size else f"# {day}\n\n".encode()
            if size:
                file.seek(size - 1)
                lead = b"" if file.read(1) == b"\n" else b"\n"
            file.write(lead + f"{written}\n".encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            line = file.read().count(b"\n")
        return Note(name, line, _short(text), day)

    def search(self, query: str, limit: int = 6) -> list[Hit]:
        """The best notes for the words of `query`; a query without a telling word gives the newest ones."""
        notes = self.all()
        words = [_words(note.text) for note in notes]
        terms = [word for word in dict.fromkeys(_words(query)) if not _STOP.fullmatch(word)]
        if not terms:
            newest = sorted(notes, key=lambda note: (note.day, note.line), reverse=True)
            return [Hit(note, 0.0) for note in newest[:limit]]
        vocabulary = {word for row in words for word in row}
        variants = [_variants(term, vocabulary) for term in terms]
        scored = [Hit(note, score) for note, score in zip(notes, _bm25(words, variants), strict=True) if score > 0]
        return sorted(scored, key=lambda hit: (-hit.score, hit.note.path, hit.note.line))[:limit]

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


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return [_stem(word) for word in re.findall(r"\w+", plain)]


def _stem(word: str) -> str:
    """Just enough for plurals: `notes` and `note` meet."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def _variants(term: str, vocabulary: set[str]) -> dict[str, float]:
    """Words that count for `term`: itself, longer words it begins, and, only if there are none, likely typos."""
    found = {word: 1.0 if word == term else 0.6 for word in vocabulary if word == term or _begins(term, word)}
    if not found and len(term) > 3:
        found = dict.fromkeys(get_close_matches(term, vocabulary, n=3, cutoff=_TYPO_CUTOFF), 0.5)
    return found


def _begins(term: str, word: str) -> bool:
    return len(term) >= 4 and word.startswith(term)


def _bm25(documents: list[list[str]], variants: list[dict[str, float]]) -> list[float]:
    """One score a document. A term and its variants count as one word, weighted by how near the variant is."""
    average = sum(map(len, documents)) / max(1, len(documents)) or 1.0
    counts = [Counter(words) for words in documents]
    scores = [0.0] * len(documents)
    for weights in variants:
        frequencies = [sum(count[word] * weight for word, weight in weights.items() if word in count) for count in counts]
        matching = sum(1 for frequency in frequencies if frequency)
        rarity = math.log(1 + (len(documents) - matching + 0.5) / (matching + 0.5))
        for index, frequency in enumerate(frequencies):
            if frequency:
                length = 1 - _B + _B * len(documents[index]) / average
                scores[index] += rarity * frequency * (_K1 + 1) / (frequency + _K1 * length)
    return scores
