"""The list of skills in the system prompt: one line each, never more than 18,000 characters (SKL-06)."""

from __future__ import annotations

from collections.abc import Sequence

MAX_CHARS = 18_000
SHORT_DESCRIPTION = 200

Row = tuple[str, str, str]
"""Name, description, location."""


def prompt_list(rows: Sequence[Row], head: str, limit: int = MAX_CHARS) -> str:
    """`head` and the skills, empty when there are none. Long descriptions are cut before any skill is left out."""
    if not rows:
        return ""
    lines: list[str] = []
    for cut in (None, SHORT_DESCRIPTION):
        lines = [head, *(_line(row, cut) for row in rows)]
        if _length(lines) <= limit:
            return "\n".join(lines)
    while len(lines) > 1 and _length(lines) + 60 > limit:
        lines.pop()
    return "\n".join([*lines, f"- and {len(rows) - len(lines) + 1} more; skills_list names them all"])


def _line(row: Row, cut: int | None) -> str:
    name, description, location = row
    return f"- {name}: {description[:cut]}" + (f" ({location})" if location else "")


def _length(lines: Sequence[str]) -> int:
    return sum(map(len, lines)) + len(lines) - 1
