"""A drawing as a list of marks, without knowing who draws it: `svg` for pages, `picture` for PNG.

Units are CSS pixels, y grows downwards. Colours are roles, so that a page can follow its theme.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Role = Literal["ground", "ink", "muted", "grid", "axis", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"]
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

SERIES: tuple[Role, ...] = ("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7")
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 3), (1.5, 3), (8, 3, 1.5, 3), (10, 4), (3, 3), (1, 2), (6, 2, 2, 2))
"""Series differ by dash and mark too, not by colour alone."""

LIGHT: dict[Role, str] = {
    "ground": "#ffffff", "ink": "#212121", "muted": "#616161", "grid": "#e0e0e0", "axis": "#bdbdbd",
    "s0": "#1976d2", "s1": "#e65100", "s2": "#388e3c", "s3": "#7b1fa2", "s4": "#00838f", "s5": "#c2185b", "s6": "#6d4c41",
    "s7": "#546e7a",
}  # fmt: skip
DARK: dict[Role, str] = {
    "ground": "#212121", "ink": "#e6e6e6", "muted": "#a6a6a6", "grid": "#424242", "axis": "#616161",
    "s0": "#64b5f6", "s1": "#ffb74d", "s2": "#81c784", "s3": "#ce93d8", "s4": "#4dd0e1", "s5": "#f48fb1", "s6": "#bcaaa4",
    "s7": "#b0bec5",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    points: tuple[Point, ...]
    colour: Role
    width: float = 1
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    fill: Role


@dataclass(frozen=True, slots=True)
class Polygon:
    """Filled; `opacity` from 0 to 1."""

    points: tuple[Point, ...]
    fill: Role
    opacity: float = 1
    edge: Role | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """`y` is the base line."""

    x: float
    y: float
    text: str
    size: float = 12
    colour: Role = "ink"
    anchor: Anchor = "start"
    bold: bool = False


Mark = Line | Rect | Polygon | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """`title` is what a screen reader says."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    title: str = ""


def text_width(text: str, size: float) -> float:
    """About how wide `text` is, whatever the font turns out to be."""
    return size * sum(_advance(letter) for letter in text)


def fit(text: str, width: float, size: float) -> str:
    """`text`, its end cut so that it is at most `width` wide."""
    if len(text) > 400:
        text = text[:400]
    if text_width(text, size) <= width:
        return text
    room = width - text_width("…", size)
    used = 0.0
    for index, letter in enumerate(text):
        used += size * _advance(letter)
        if used > room:
            return text[:index].rstrip() + "…"
    return text


def _advance(letter: str) -> float:
    if letter in "iljtfrI.,:;'|!() []":
        return 0.34
    if letter in "mwMW@%":
        return 0.9
    if ord(letter) > 0x2E80:
        return 1.0
    return 0.67 if letter.isupper() else 0.59


def circle(x: float, y: float, radius: float, fill: Role) -> Polygon:
    steps = 20
    corners = (2 * math.pi * step / steps for step in range(steps))
    return Polygon(tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in corners), fill)


def marker(shape: int, x: float, y: float, fill: Role, radius: float = 3.5) -> Polygon:
    """The mark of series number `shape`: disc, square, triangle, diamond."""
    match shape % 4:
        case 1:
            r = radius * 0.9
            return Polygon(((x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)), fill)
        case 2:
            r = radius * 1.2
            return Polygon(((x, y - r), (x + r, y + r * 0.8), (x - r, y + r * 0.8)), fill)
        case 3:
            r = radius * 1.3
            return Polygon(((x, y - r), (x + r, y), (x, y + r), (x - r, y)), fill)
        case _:
            return circle(x, y, radius, fill)
