"""Taking notes out of a Markdown file: whole list items, paragraphs and headings, everything else byte for byte as it was."""

from __future__ import annotations

import re
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from openclaw_kernel.store.atomic import write_atomic

ITEM = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)])\s+")

Unit = list[str]
"""The lines of one note, with their line ends."""

changing = threading.RLock()
"""Held while a note file is written: one that is rewritten whole loses no line that is added meanwhile. One for all files, for
it is held for milliseconds."""


def units(lines: list[str]) -> Iterator[Unit]:
    """The notes of a file in order, blank lines as units of their own; joined they are the file."""
    unit: Unit = []
    for line in lines:
        alone = not line.strip() or line.startswith("#")
        if unit and (alone or ITEM.match(line) or _alone(unit)):
            yield unit
            unit = []
        unit.append(line)
    if unit:
        yield unit


def take_out(path: Path, unwanted: Callable[[str], bool]) -> int:
    """Rewrites the file without the notes for which `unwanted(text)` holds; returns how many there were. A file with none is
    left alone. Raises `OSError` and `StoreError`."""
    with changing:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        kept: list[str] = []
        gone = 0
        for unit in units(text.splitlines(keepends=True)):
            words = "".join(unit)
            if words.strip() and unwanted(words):
                gone += 1
            else:
                kept += unit
        if gone:
            write_atomic(path, "".join(kept).encode("utf-8", "surrogateescape"), stat.S_IMODE(path.stat().st_mode))
    return gone


def _alone(unit: Unit) -> bool:
    return not unit[0].strip() or unit[0].startswith("#")
