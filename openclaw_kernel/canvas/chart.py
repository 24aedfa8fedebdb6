"""Charts as drawings: line, area, bar, scatter, histogram and pie (a2ui reference, section 13)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from openclaw_kernel.canvas.drawing import (
    DASHES,
    SERIES,
    Drawing,
    Label,
    Line,
    Mark,
    Point,
    Polygon,
    Rect,
    Role,
    fit,
    marker,
    text_width,
)  # fmt: skip
from openclaw_kernel.canvas.numbers import format_number
from openclaw_kernel.canvas.pie import pie
from openclaw_kernel.canvas.resolve import ViewNode
from openclaw_kernel.canvas.scale import Scale, scale, tick_labels
from openclaw_kernel.canvas.series import Series, read_series, text_of

SIZE = 12
_MARKED_POINTS = 24
"""With more points in a line, marks would hide it."""

_DASHED_POINTS = 200
_LABELLED_BARS = 12


@dataclass(frozen=True, slots=True)
class Plot:
    """What is inside the axes: pixels of its edges, both scales. `names` are the categories of x, empty when x is numbers."""

    left: float
    top: float
    right: float
    bottom: float
    x: Scale
    y: Scale
    names: tuple[str, ...] = ()

    def place(self, x: str | float) -> float:
        return self.x.at(float(self.names.index(text_of(x))) if self.names else float(x))


def draw_chart(view: ViewNode, width: float = 640, height: float = 360) -> Drawing:
    """A Chart component as a drawing of this size; one without data says so."""
    kind, title = view.text("type") or "line", view.text("title")
    series = read_series(view.props.get("series"))
    spoken = view.label or title or f"{kind} chart"
    head = [Label(0, 16, fit(title, width, 15), 15, bold=True)] if title else []
    top = 34.0 if title else 20.0
    if not any(one.values() for one in series):
        empty = Label(width / 2, height / 2, "No data to draw.", SIZE, "muted", "middle")
        return Drawing(width, height, (*head, empty), spoken)
    if kind == "pie":
        return Drawing(width, height, (*head, *pie(series[0], width, top, height)), spoken)
    if kind == "histogram":
        series = [_histogram(series)]
    legend = _legend([one.name for one in series], kind, width, height) if len(series) > 1 else []
    floor = height - (26 if legend else 4)
    plot = _plot(kind, series, view, width, top, floor)
    body = [mark for index, one in enumerate(series) for mark in _series(kind, index, one, len(series), plot)]
    axes = _axes(plot, view.text("xLabel"), view.text("yLabel"), top, floor)
    return Drawing(width, height, (*head, *axes, *body, *legend), spoken)


def _plot(kind: str, series: Sequence[Series], view: ViewNode, width: float, top: float, floor: float) -> Plot:
    values = [value for one in series for value in one.values()]
    if view.text("yLabel"):
        top += 20
    bottom = floor - 22 - (18 if view.text("xLabel") else 0)
    y = scale(values, bottom, top, zero=kind in ("bar", "area", "histogram"), wanted=max(2, int((bottom - top) / 48)))
    left = 10 + max(text_width(label, SIZE) for label in y.labels)
    numeric = all(isinstance(x, float) for one in series for x, _ in one.points)
    right = width - 12
    if kind in ("bar", "histogram") or not numeric:
        names = tuple(dict.fromkeys(text_of(x) for one in series for x, _ in one.points))
        edge = 0.5 if kind in ("bar", "histogram") else min(0.5, 0.06 * len(names))
        x = Scale(-edge, len(names) - 1 + edge, left, right, tuple(map(float, range(len(names)))), names)
        return Plot(left, top, right, bottom, x, y, names)
    return Plot(left, top, right, bottom, _number_axis(kind, series, left, right), y)


def _number_axis(kind: str, series: Sequence[Series], left: float, right: float) -> Scale:
    """Few different values are written each, with room at both ends; else round numbers."""
    values = sorted({float(x) for one in series for x, _ in one.points})
    if kind != "scatter" and 1 < len(values) <= 8:
        gap = min(after - before for before, after in pairwise(values))
        room = (values[-1] - values[0]) * 0.06
        labels = tuple(tick_labels(values, gap, plain=True))
        return Scale(values[0] - room, values[-1] + room, left, right, tuple(values), labels)
    return scale(values, left, right, wanted=6, plain=True)


def _axes(plot: Plot, x_label: str, y_label: str, top: float, floor: float) -> list[Mark]:
    marks: list[Mark] = []
    for value, label in zip(plot.y.ticks, plot.y.labels, strict=True):
        y = plot.y.at(value)
        marks.append(Line(((plot.left, y), (plot.right, y)), "axis" if value == max(plot.y.low, 0.0) else "grid"))
        marks.append(Label(plot.left - 8, y + 4, label, SIZE, "muted", "end"))
    marks += _names(plot)
    if y_label:
        marks.append(Label(0, top + 4, fit(y_label, plot.right, SIZE), SIZE, "muted"))
    if x_label:
        marks.append(
            Label((plot.left + plot.right) / 2, floor - 4, fit(x_label, plot.right - plot.left, SIZE), SIZE, "muted", "middle")
        )
    return marks


def _names(plot: Plot) -> list[Mark]:
    """What is written below: as many as fit, cut to their room."""
    count = len(plot.x.ticks)
    gap = (plot.right - plot.left) / max(1, count)
    widest = min(90.0, max((text_width(label, SIZE) for label in plot.x.labels), default=0.0))
    every = max(1, math.ceil((min(widest, 90.0) + 10) / gap)) if widest + 10 > gap and gap < 60 else 1
    marks: list[Mark] = []
    for index in range(0, count, every):
        text = fit(plot.x.labels[index], gap * every - 6, SIZE)
        x = plot.x.at(plot.x.ticks[index])
        half = text_width(text, SIZE) / 2
        marks.append(Label(min(x, plot.right + 12 - half), plot.bottom + 18, text, SIZE, "muted", "middle"))
    return marks


def _series(kind: str, index: int, series: Series, of: int, plot: Plot) -> list[Mark]:
    colour = SERIES[index % len(SERIES)]
    match kind:
        case "bar":
            return _bars(index, series, of, plot, colour)
        case "histogram":
            return _bars(0, series, 1, plot, colour, share=0.98)
        case "scatter":
            points = [(plot.place(x), plot.y.at(y)) for x, y in series.points if y is not None]
            return [marker(index, x, y, colour, 3) for x, y in points]
        case _:
            return _line(kind, index, series, plot, colour)


def _line(kind: str, index: int, series: Series, plot: Plot, colour: Role) -> list[Mark]:
    marks: list[Mark] = []
    runs: list[list[Point]] = [[]]
    ordered = series.points if plot.names else sorted(series.points, key=lambda point: float(point[0]))
    for x, y in ordered:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((plot.place(x), plot.y.at(y)))
    base = plot.y.at(max(plot.y.low, min(0.0, plot.y.high)))
    for run in (run for run in runs if run):
        if kind == "area":
            marks.append(Polygon((*run, (run[-1][0], base), (run[0][0], base)), colour, 0.18))
        if len(run) > 1:
            dash = DASHES[index % len(DASHES)] if len(run) <= _DASHED_POINTS else ()
            marks.append(Line(tuple(run), colour, 2, dash))
        if len(series.points) <= _MARKED_POINTS:
            marks += [marker(index, x, y, colour) for x, y in run]
    return marks


def _bars(index: int, series: Series, of: int, plot: Plot, colour: Role, share: float = 0.6) -> list[Mark]:
    slot = (plot.right - plot.left) / max(1, len(plot.names))
    width = min(slot * share / of, 72.0 if share < 0.9 else slot)
    base = plot.y.at(0)
    labelled = len(plot.names) * of <= _LABELLED_BARS
    marks: list[Mark] = []
    for x, y in series.points:
        if y is None:
            continue
        left = plot.place(x) - width * of / 2 + index * width
        edge = plot.y.at(y)
        marks.append(Rect(left + (1 if of > 1 else 0), min(edge, base), width - (2 if of > 1 else 0), abs(base - edge), colour))
        if labelled:
            text = format_number(y, None if y == round(y) else 2)
            at = edge - 5 if y >= 0 else edge + 15
            marks.append(Label(left + width / 2, at, text, SIZE, "ink", "middle"))
    return marks


def _histogram(series: Sequence[Series]) -> Series:
    """How many values lie in each of up to 30 equal ranges."""
    values = [value for one in series for value in one.values()]
    wanted = min(30, max(4, round(math.sqrt(len(values)))))
    axis = scale(values, 0, 1, wanted=wanted)
    step = (axis.high - axis.low) / max(1, len(axis.ticks) - 1) or 1.0
    counts = [0] * max(1, len(axis.ticks) - 1)
    for value in values:
        counts[min(len(counts) - 1, max(0, int((value - axis.low) / step)))] += 1
    ranges = [f"{axis.labels[index]}–{axis.labels[index + 1]}" for index in range(len(counts))]
    return Series("", tuple((name, float(count)) for name, count in zip(ranges, counts, strict=True)))


def _legend(names: Sequence[str], kind: str, width: float, height: float) -> list[Mark]:
    """One line below the chart; names that do not fit any more are left out and counted."""
    marks: list[Mark] = []
    x, y = 0.0, height - 6
    for index, name in enumerate(names):
        text = fit(name or f"Series {index + 1}", 160, SIZE)
        if x + 30 + text_width(text, SIZE) > width - 60:
            marks.append(Label(x, y, f"and {len(names) - index} more", SIZE, "muted"))
            break
        colour = SERIES[index % len(SERIES)]
        if kind in ("bar", "histogram"):
            marks.append(Rect(x + 6, y - 10, 11, 11, colour))
        else:
            if kind != "scatter":
                marks.append(Line(((x, y - 4), (x + 22, y - 4)), colour, 2, DASHES[index % len(DASHES)]))
            marks.append(marker(index, x + 11, y - 4, colour))
        marks.append(Label(x + 29, y, text, SIZE))
        x += 29 + text_width(text, SIZE) + 18
    return marks
