"""A pie with its parts named beside it."""

from __future__ import annotations

import math

from openclaw_kernel.canvas.drawing import SERIES, Label, Mark, Point, Polygon, Rect, fit
from openclaw_kernel.canvas.numbers import format_number
from openclaw_kernel.canvas.series import Series, text_of

PARTS = 8
"""More become one part named Other."""


def pie(series: Series, width: float, top: float, height: float) -> list[Mark]:
    """Parts clockwise from the top, largest first. What is not above zero has no part."""
    parts = sorted(((text_of(x), y) for x, y in series.points if y is not None and y > 0), key=lambda part: -part[1])
    if not parts:
        return [Label(width / 2, height / 2, "No data to draw.", 12, "muted", "middle")]
    if len(parts) > PARTS:
        parts = [*parts[: PARTS - 1], ("Other", sum(value for _, value in parts[PARTS - 1 :]))]
    total = sum(value for _, value in parts)
    radius = min((height - top - 12) / 2, width * 0.28)
    x, y = radius + 8, top + (height - top) / 2
    marks: list[Mark] = []
    names: list[Mark] = []
    angle = -math.pi / 2
    line = min(24.0, (height - top) / len(parts))
    first = y - line * len(parts) / 2 + line / 2
    for index, (name, value) in enumerate(parts):
        after = angle + 2 * math.pi * value / total
        colour = SERIES[index % len(SERIES)]
        marks.append(Polygon(_slice(x, y, radius, angle, after), colour, edge="ground"))
        at = first + index * line
        left = x + radius + 32
        names.append(Rect(left, at - 6, 11, 11, colour))
        share = format_number(100 * value / total, 1)
        names.append(Label(left + 19, at + 4, fit(f"{name}  {share} %", width - left - 19, 12)))
        angle = after
    return [*marks, *names]


def _slice(x: float, y: float, radius: float, start: float, end: float) -> tuple[Point, ...]:
    steps = max(2, math.ceil((end - start) / 0.06))
    arc = [start + (end - start) * step / steps for step in range(steps + 1)]
    edge = tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in arc)
    return edge if end - start > 2 * math.pi - 1e-6 else ((x, y), *edge)
