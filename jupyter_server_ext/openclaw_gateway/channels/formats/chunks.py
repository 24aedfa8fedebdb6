"""Cutting a Markdown text to a platform's size. A code fence is never split open: it is closed and opened again (CHN-13).

Where to cut, best first: between paragraphs, at a line end, behind a sentence, at a space, anywhere (AGT-14).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

from openclaw_gateway.channels.contract import TextUnit

ChunkMode = Literal["length", "newline"]
"""length: as few parts as the limit allows · newline: one part a paragraph, longer ones cut by length."""

Measure = Callable[[str], int]

_FENCE = re.compile(r"^([ \t>]*)(`{3,}|~{3,})[ \t]*([^`\n]*)$")
_SENTENCE = re.compile(r"[.!?…。！？][\"'»”)\]]*\s")
_SPACE = re.compile(r"\s")
_FULL_ENOUGH = 3
"""A better kind of cut is taken only when it leaves a part at least a third full."""


def measure_of(count: TextUnit) -> Measure:
    """How long a text is for a platform that counts in `count`."""
    match count:
        case "characters":
            return len
        case "utf16":
            return lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2
        case "bytes":
            return lambda text: len(text.encode("utf-8", "surrogatepass"))
        case _:
            assert_never(count)


def split(markdown: str, limit: int, *, measure: Measure = len, mode: ChunkMode = "length") -> list[str]:
    """Parts of at most `limit` units; blank ones are left out. Raises `ValueError` for a limit that holds no character."""
    if limit < 4:
        raise ValueError(f"a part of {limit} units cannot hold every character; use 4 or more")
    sources = _paragraphs(markdown) if mode == "newline" else [markdown]
    return [part for source in sources for part in _by_length(source, limit, measure) if part.strip()]


@dataclass(frozen=True, slots=True)
class _Fence:
    """An open code fence: the line that opens it anew, and the one that closes it."""

    opening: str
    closing: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A line by its place in the text. `fence` is the one it lies in; `kind` says whether it opens or closes one."""

    start: int
    end: int
    fence: _Fence | None
    kind: Literal["text", "opens", "closes"]


def _lines(text: str, fence: _Fence | None) -> Iterator[_Line]:
    start = 0
    for row in text.splitlines(keepends=True) if "\r" not in text else re.findall(r"[^\n]*\n|[^\n]+", text):
        line, end = row.rstrip("\r\n"), start + len(row)
        found = _FENCE.match(line)
        if fence is None and found is not None:
            prefix = found[1].strip(" \t")
            fence = _Fence(f"{prefix}{found[2]}{found[3].strip()}", f"{prefix}{found[2]}")
            yield _Line(start, end, fence, "opens")
        elif fence is not None and found is not None and _closes(fence, found):
            yield _Line(start, end, fence, "closes")
            fence = None
        else:
            yield _Line(start, end, fence, "text")
        start = end


def _closes(fence: _Fence, found: re.Match[str]) -> bool:
    marker = fence.closing.lstrip("> \t")
    return not found[3].strip() and found[2][0] == marker[0] and len(found[2]) >= len(marker)


def _paragraphs(text: str) -> list[str]:
    paragraphs, current = [], ""
    for line in _lines(text, None):
        row = text[line.start : line.end]
        if row.strip() or line.fence is not None:
            current += row
        elif current:
            paragraphs.append(current)
            current = ""
    return [*paragraphs, current] if current else paragraphs


def _by_length(text: str, limit: int, measure: Measure) -> Iterator[str]:
    fence: _Fence | None = None
    rest = text.strip("\n")
    while rest.strip():
        head = f"{fence.opening}\n" if fence is not None else ""
        if measure(head + rest) <= limit and not _left_open(rest, fence):
            yield head + rest
            return
        cut, after = _cut(rest, fence, limit - measure(head), measure)
        if cut == 0:
            # The fence alone fills the part: what is left is cut as plain words.
            yield from _hard(rest, limit, measure)
            return
        part = rest[:cut]
        yield head + (part.rstrip() if after is None else f"{part.rstrip(chr(10))}\n{after.closing}")
        rest, fence = _next(rest[cut:], after)


def _left_open(rest: str, fence: _Fence | None) -> _Fence | None:
    """The fence that is still open at the end of `rest`, when there is one."""
    for line in _lines(rest, fence):
        fence = None if line.kind == "closes" else line.fence
    return fence


def _next(rest: str, fence: _Fence | None) -> tuple[str, _Fence | None]:
    """What follows a cut. A fence that would be opened only to be closed is dropped."""
    if fence is None:
        return rest.lstrip("\n") if rest.startswith("\n") else rest.lstrip(" \t").lstrip("\n"), None
    rest = rest.removeprefix("\n")
    first = next(iter(_lines(rest, fence)), None)
    if first is None:
        return "", None
    return (rest[first.end :].lstrip("\n"), None) if first.kind == "closes" else (rest, fence)


def _cut(text: str, fence: _Fence | None, room: int, measure: Measure) -> tuple[int, _Fence | None]:
    """Where to cut so that the part fits into `room`, and the fence the cut lies in; 0 when nothing fits."""
    lines = list(_lines(text, fence))
    end = _fitting(text, room, measure)
    if end >= len(text):
        # All of it fits but the line that closes an open fence; that line is ours to add.
        open_fence = _left_open(text, fence)
        if open_fence is not None and measure(f"{text}\n{open_fence.closing}") <= room:
            return len(text), open_fence
        end = len(text)
    line = _line_at(lines, end)
    outside = _best_outside(text, lines, end, line)
    if outside and (line.fence is None or outside * _FULL_ENOUGH >= end):
        return outside, None
    if line.fence is None:
        return _in_line(text, end), None
    inside = _fitting(text, room - measure(f"\n{line.fence.closing}"), measure)
    return _inside(lines, inside) or (outside, None)


def _inside(lines: list[_Line], end: int) -> tuple[int, _Fence | None] | None:
    """A cut in a code block at or before `end`: at a line end, or in a line that is too long by itself."""
    if end <= 0:
        return None
    line = _line_at(lines, end)
    if line.fence is None:
        return None
    if line.kind == "text" and line.start > 0 and _line_at(lines, line.start - 1).kind != "opens":
        return line.start, line.fence
    if line.kind == "closes" and line.start > 0:
        return line.start, line.fence
    if line.kind == "opens":
        return None
    return (end, line.fence) if end > line.start else None


def _best_outside(text: str, lines: list[_Line], end: int, last: _Line) -> int:
    """The best line end outside every fence at or before `end`; 0 when there is none worth it."""
    newline = paragraph = 0
    for line in lines:
        if line.start > end:
            break
        if line.start and (line.fence is None or line.kind == "opens"):
            newline = line.start
            if not text[line.start : line.end].strip() or text[: line.start].endswith("\n\n"):
                paragraph = line.start
    if paragraph * _FULL_ENOUGH >= end:
        return paragraph
    if newline * _FULL_ENOUGH >= end or last.fence is not None:
        return newline
    return 0


def _in_line(text: str, end: int) -> int:
    """Behind a sentence, at a space, or anywhere before `end` without taking a character apart."""
    for pattern in (_SENTENCE, _SPACE):
        places = [found.end() for found in pattern.finditer(text, 0, end + 1) if found.end() <= end]
        if places and places[-1] * _FULL_ENOUGH >= end:
            return places[-1]
    return _whole_characters(text, end)


def _whole_characters(text: str, end: int) -> int:
    """`end`, or a little before it, so that marks and joined emoji stay with what they belong to."""
    for back in range(min(8, end - 1)):
        at = end - back
        if at >= len(text) or not (_joins(text[at]) or text[at - 1] == "\u200d"):
            return at
    return end


def _joins(character: str) -> bool:
    return character == "\u200d" or unicodedata.category(character) in ("Mn", "Me") or "\U0001f3fb" <= character <= "\U0001f3ff"


def _line_at(lines: list[_Line], position: int) -> _Line:
    return next((line for line in lines if position < line.end), lines[-1])


def _fitting(text: str, room: int, measure: Measure) -> int:
    """How many characters of `text` fit into `room` units."""
    low, high = 0, max(0, min(len(text), room))
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _hard(text: str, limit: int, measure: Measure) -> Iterator[str]:
    text = _FENCE_LINES.sub("", text)
    while text:
        end = max(1, _fitting(text, limit, measure))
        yield text[:end]
        text = text[end:]


_FENCE_LINES = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})[^`\n]*$", re.MULTILINE)
