"""Drawings as SVG for a page. Colours follow the page's `--cv-*` variables and have a light value of their own."""

from __future__ import annotations

from html import escape
from typing import assert_never

from openclaw_kernel.canvas.drawing import LIGHT, Drawing, Label, Line, Mark, Point, Polygon, Rect, Role


def svg(drawing: Drawing) -> str:
    """One `<svg>` as wide as its place allows; every text in it is escaped."""
    size = f"{drawing.width:g} {drawing.height:g}"
    head = f'<svg class="cv-chart" viewBox="0 0 {size}" role="img" aria-label="{escape(drawing.title)}"'
    return f'{head} style="max-width:{drawing.width:g}px">{"".join(_mark(mark) for mark in drawing.marks)}</svg>'


def _mark(mark: Mark) -> str:
    match mark:
        case Line():
            dash = f' stroke-dasharray="{" ".join(f"{part:g}" for part in mark.dash)}"' if mark.dash else ""
            drawn = f'fill="none" {_colour("stroke", mark.colour)} stroke-width="{mark.width:g}" stroke-linejoin="round"'
            return f'<polyline points="{_points(mark.points)}" {drawn}{dash}/>'
        case Rect():
            place = f'x="{mark.x:.1f}" y="{mark.y:.1f}" width="{max(0, mark.width):.1f}" height="{mark.height:.1f}"'
            return f"<rect {place} {_colour('fill', mark.fill)}/>"
        case Polygon():
            opacity = f' fill-opacity="{mark.opacity:g}"' if mark.opacity < 1 else ""
            edge = f' stroke="{LIGHT[mark.edge]}" stroke-width="1.5"' if mark.edge else ""
            return f'<polygon points="{_points(mark.points)}" {_colour("fill", mark.fill)}{opacity}{edge}/>'
        case Label():
            bold = ' font-weight="600"' if mark.bold else ""
            place = f'x="{mark.x:.1f}" y="{mark.y:.1f}" font-size="{mark.size:g}" text-anchor="{mark.anchor}"'
            return f"<text {place}{bold} {_colour('fill', mark.colour)}>{escape(mark.text)}</text>"
        case _:
            assert_never(mark)


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _colour(name: str, role: Role) -> str:
    return f'{name}="{LIGHT[role]}" style="{name}:var(--cv-{role},{LIGHT[role]})"'
