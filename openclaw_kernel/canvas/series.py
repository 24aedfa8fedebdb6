"""What a Chart draws: `series` as an agent wrote it, read into numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openclaw_kernel.canvas.limits import MAX_SERIES
from openclaw_kernel.canvas.numbers import number_text

MAX_POINTS = 2_000
"""Of all series together; a screen shows no more. Longer ones are thinned evenly."""

_LARGEST = 1e250
"""Differences of larger numbers overflow."""


@dataclass(frozen=True, slots=True)
class Series:
    """`points` are x (text or number) and y; y is None where the data has a gap."""

    name: str
    points: tuple[tuple[str | float, float | None], ...]

    def values(self) -> list[float]:
        return [y for _, y in self.points if y is not None]


def read_series(raw: Any) -> list[Series]:
    """`[{name, points: [{x, y}]}]`; a point may be a pair or a bare number too. What has no form is left out."""
    items = raw if isinstance(raw, list) else []
    told = [(item.get("name"), item.get("points", item.get("data"))) for item in items if isinstance(item, dict)]
    named = [(name, points) for name, points in told if isinstance(points, list)][:MAX_SERIES] or [(None, items)]
    room = MAX_POINTS // max(1, len(named))
    return [Series(text_of(name)[:200], _thinned(points, room)) for name, points in named if points]


def _thinned(points: Sequence[Any], room: int) -> tuple[tuple[str | float, float | None], ...]:
    step = max(1, math.ceil(len(points) / room))
    read = (_point(index, points[index]) for index in range(0, len(points), step))
    return tuple(point for point in read if point is not None)


def _point(index: int, raw: Any) -> tuple[str | float, float | None] | None:
    if isinstance(raw, Mapping):
        x, y = raw.get("x", raw.get("label", index)), raw.get("y", raw.get("value"))
    elif isinstance(raw, list) and len(raw) == 2:
        x, y = raw
    else:
        x, y = index, raw
    number = _finite(x)
    return (text_of(x)[:200] if number is None else number), _finite(y)


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -_LARGEST < value < _LARGEST else None


def text_of(value: Any) -> str:
    """A cell or a name as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return value if isinstance(value, str) else ""
