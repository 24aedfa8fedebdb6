"""DREAMS.md and the part of MEMORY.md that dreaming writes. Pure text in, text out.

In DREAMS.md everything between two marks is dreaming's and drawn anew each time; the rest is the owner's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openclaw_kernel.memory.chunking import count_tokens
from openclaw_kernel.memory.dreaming_book import Proposal
from openclaw_kernel.memory.edit import ITEM, Unit, units
from openclaw_kernel.memory.writes import line_hash

PAGE = "DREAMS.md"
START = "<!-- dreaming: drawn anew each night, from here -->"
END = "<!-- dreaming: to here -->"
HEADING = "## From daily notes"
LOSS = 0.25
"""A rewrite of MEMORY.md that would drop a larger share of its entries is rejected (MEM-16)."""

_TIME = re.compile(r"^\d{1,2}:\d{2}\s+")
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_ENDS = re.compile(r"[.!?。！？](?=\s|$)")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal with its text as the note says it now."""

    row: Proposal
    text: str


def plain(text: str) -> str:
    """A note without its bullet, its time, its line ends, and comments, which nobody sees who reads the page."""
    return _TIME.sub("", " ".join(_COMMENT.sub(" ", ITEM.sub("", text)).split()))


def snippet(text: str, tokens: int) -> str:
    """The beginning of a text in at most so many tokens, up to the end of a sentence or of a word."""
    if count_tokens(text) <= tokens:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count_tokens(text[:middle]) < tokens else (low, middle - 1)
    cut = text[:low]
    ends = [found.end() for found in _ENDS.finditer(cut)]
    if ends and ends[-1] * 2 > len(cut):
        return cut[: ends[-1]]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:") + "…"


def entries(text: str) -> list[Unit]:
    """The notes of a file without headings and blank lines."""
    return [unit for unit in units(text.splitlines(keepends=True)) if unit[0].strip() and not unit[0].startswith("#")]


def repeated(text: str) -> list[tuple[int, str]]:
    """Line and hash of every entry whose words an earlier entry has in the same order."""
    seen: set[tuple[str, ...]] = set()
    found: list[tuple[int, str]] = []
    line = 1
    for unit in units(text.splitlines(keepends=True)):
        words = tuple(_WORD.findall("".join(unit).casefold()))
        if words and not unit[0].startswith("#"):
            if words in seen:
                found.append((line, line_hash("".join(unit))))
            seen.add(words)
        line += len(unit)
    return found


def entry_line(text: str, path: str) -> str:
    """What stands in MEMORY.md for a promoted note."""
    return f"- {text} (from {path})"


def rewritten(text: str, lines: Sequence[str], drops: Iterable[str]) -> str:
    """MEMORY.md with `lines` below dreaming's heading, and without the repetitions whose hash is in `drops`."""
    unwanted = set(drops)
    gone = {line for line, note in repeated(text) if note in unwanted}
    kept: list[str] = []
    line = 1
    for unit in units(text.splitlines(keepends=True)):
        if line not in gone:
            kept += unit
        line += len(unit)
    if not lines:
        return "".join(kept)
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    at = next((number for number, row in enumerate(kept) if row.strip() == HEADING), None)
    if at is None:
        kept += ["\n"] * bool(kept) + [f"{HEADING}\n", "\n"]
        return "".join([*kept, *(f"{row}\n" for row in lines)])
    end = next((number for number in range(at + 1, len(kept)) if kept[number].startswith("#")), len(kept))
    while end > at + 1 and not kept[end - 1].strip():
        end -= 1
    lead = ["\n"] if end == at + 1 else []
    return "".join([*kept[:end], *lead, *(f"{row}\n" for row in lines), *kept[end:]])


def loss(old: str, new: str) -> tuple[int, int]:
    """How many entries of `old` are not in `new`, counted one by one, and how many `old` has."""
    left = [line_hash("".join(unit)) for unit in entries(new)]
    gone = 0
    before = entries(old)
    for unit in before:
        try:
            left.remove(line_hash("".join(unit)))
        except ValueError:
            gone += 1
    return gone, len(before)


def drawn(page: str, day: str, shown: Sequence[Shown], themes: Sequence[str]) -> str:
    """DREAMS.md with its own part drawn anew; `page` is what it was."""
    part = [START, "", f"## Dreams of {day}", ""]
    if themes:
        part += [f"Themes: {', '.join(themes)}.", ""]
    part += _proposals(shown) if shown else ["Nothing waits for an answer."]
    part += ["", END]
    before, after = around(page)
    if not before.strip():
        before = "# Dreams\n\nWhat the assistant would keep of its daily notes.\n\n"
    return before + "\n".join(part) + (after or "\n")


def _proposals(shown: Sequence[Shown]) -> list[str]:
    rows = []
    for one in shown:
        what = "Keep" if one.row.kind == "add" else "Drop what is said twice"
        text = one.text.replace("<!--", "<! --")
        rows.append(f"- `{one.row.id}` {what}: {text} ({one.row.path}#L{one.row.line}, {one.row.score:.2f})")
    return [
        *rows,
        "",
        "`jupyter openclaw memory dream apply` puts all of them into MEMORY.md, with ids only those; "
        "`jupyter openclaw memory dream reject ID` turns one down.",
    ]


def around(page: str) -> tuple[str, str]:
    """What is the owner's: before and behind dreaming's part."""
    before, start, rest = page.partition(START)
    if not start:
        return (page.rstrip("\n") + "\n\n" if page.strip() else ""), ""
    return before, rest.partition(END)[2]
