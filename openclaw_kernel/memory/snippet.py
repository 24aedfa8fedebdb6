"""The part of a hit that answers: the notes in it that hold words of the query, with the lines they are on (MEM-08)."""

from __future__ import annotations

from dataclasses import replace

from openclaw_kernel.memory import words
from openclaw_kernel.memory.api import Hit
from openclaw_kernel.memory.edit import units

MAX_CHARS = 700


def narrowed(hit: Hit, query: str) -> Hit:
    """The hit cut to the notes that hold most of the query's words, or to its beginning when the words say nothing."""
    lines = hit.text.splitlines(keepends=True)
    if hit.kind != "memory" or hit.line1 - hit.line0 + 1 != len(lines):
        return replace(hit, text=_cut(hit.text))
    wanted = {term for _, _, term in words.tokens(query)}
    first, parts = hit.line0, []
    for unit in units(lines):
        text = "".join(unit)
        if text.strip():
            said = wanted.intersection([term for _, _, term in words.tokens(text)])
            parts.append((len(said), first, first + len(unit) - 1, text.strip()))
        first += len(unit)
    best = max((part[0] for part in parts), default=0)
    if not best:
        return replace(hit, text=_cut(hit.text))
    shown = [part for part in parts if part[0] == best]
    text, line0, line1 = shown[0][3], shown[0][1], shown[0][2]
    for _, start, end, more in shown[1:]:
        if start != line1 + 1 or len(text) + len(more) > MAX_CHARS:
            break
        text, line1 = f"{text}\n{more}", end
    return replace(hit, text=_cut(text), line0=line0, line1=line1)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1].rstrip() + "…"
