"""Surfaces as plain text, for terminals and chat channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openclaw_kernel.canvas import markdown
from openclaw_kernel.canvas.numbers import number_text
from openclaw_kernel.canvas.resolve import ViewNode, resolve
from openclaw_kernel.canvas.series import read_series, text_of
from openclaw_kernel.canvas.stage import Stage, refusing
from openclaw_kernel.canvas.table import read_table

TABLE_ROWS = 20
POINTS = 12
LETTERS = 20_000
"""Of all surfaces together; what is longer ends in an ellipsis."""


def render_text(messages: Sequence[Any]) -> str:
    """What these messages show, in reading order, one part a line. A refused message is one line that says so."""
    stage = Stage()
    _, problems = stage.take_all(messages)
    made = [text_of_view(view) for view in map(resolve, stage.surfaces) if view]
    made += [f"A part was refused: {problem.message}" for problem in refusing(problems)[:3]]
    text = "\n\n".join(part for part in made if part)
    return text if len(text) <= LETTERS else text[:LETTERS] + "…"


def text_of_view(view: ViewNode) -> str:
    return "\n".join(line for line in _lines(view) if line.strip())


def _lines(view: ViewNode) -> list[str]:
    match view.kind:
        case "Row":
            return _row(view)
        case "Tabs":
            return [line for tab, child in tabs_of(view) for line in (f"[{tab}]", *(_lines(child) if child else []))]
        case "Divider":
            return ["────"] if view.props.get("axis") == "horizontal" else []
        case "DataTable":
            return _table(view)
        case "Chart":
            return _chart(view)
        case _:
            lines = [line for child in view.children for line in _lines(child)]
            return [_own(view, lines), *([] if view.kind == "Button" else lines), *view.failing, view.notice]


def tabs_of(view: ViewNode) -> list[tuple[str, ViewNode | None]]:
    """The tabs of a Tabs component with what each shows."""
    children = {child.component_id: child for child in view.children}
    return [(tab["title"], children.get(tab["child"])) for tab in view.props.get("tabs", ())]


def _row(view: ViewNode) -> list[str]:
    """Short parts beside each other, long ones below."""
    parts = [[line for line in _lines(child) if line.strip()] for child in view.children]
    if all(len(part) <= 1 for part in parts) and sum(len(line) for part in parts for line in part) <= 100:
        return ["  ".join(line for part in parts for line in part), view.notice]
    return [*(line for part in parts for line in part), view.notice]


def _own(view: ViewNode, inside: list[str]) -> str:
    label = view.text("label")
    prefix = f"{label}: " if label else ""
    match view.kind:
        case "Text" | "Markdown":
            return markdown.plain(view.text("text"))
        case "Code":
            return view.text("code")
        case "Button":
            return (
                "[" + "  ".join(line for line in inside if line.strip()) + "]" + (" (not available)" if view.disabled else "")
            )
        case "TextField":
            value = view.text("value")
            return prefix + ("•" * min(len(value), 8) if view.text("variant") == "obscured" else value or "____")
        case "CheckBox":
            return f"[{'x' if view.props.get('value') else ' '}] {label}"
        case "ChoicePicker":
            chosen = view.props.get("value", [])
            marks = [f"{'(•)' if option['value'] in chosen else '( )'} {option['label']}" for option in view.props["options"]]
            return prefix + "  ".join(marks)
        case "Slider":
            return prefix + number_of(view, "value")
        case "Progress":
            return prefix + progress_of(view)
        case "DateTimeInput":
            return prefix + (view.text("value") or "____")
        case "Image" | "AudioPlayer" | "Video":
            word = {"Image": "Picture", "Video": "Video"}.get(view.kind, "Audio")
            return f"({word}: {view.text('description') or view.label or 'no description'})"
        case _:
            return ""


def number_of(view: ViewNode, name: str) -> str:
    number = view.props.get(name)
    return number_text(float(number)) if isinstance(number, int | float) else ""


def progress_of(view: ViewNode) -> str:
    """A share in percent, empty while nothing is known of it."""
    share = progress_share(view)
    return "" if share is None else f"{share * 100:.0f} %"


def progress_share(view: ViewNode) -> float | None:
    """From 0 to 1; None when the value is not known."""
    value, most = view.props.get("value"), view.props.get("max")
    if not isinstance(value, int | float):
        return None
    most = most if isinstance(most, int | float) and most > 0 else 1.0
    return min(1.0, max(0.0, value / most))


def _table(view: ViewNode) -> list[str]:
    table = read_table(view, TABLE_ROWS)
    widths = [min(40, max(len(cell) for cell in column)) for column in zip(table.heads, *table.rows, strict=True)]
    lines = [
        "  ".join(
            cell[:width].rjust(width) if right else cell[:width].ljust(width)
            for cell, width, right in zip((cell.replace("\n", " ") for cell in row), widths, table.right, strict=True)
        ).rstrip()
        for row in (table.heads, *table.rows)
    ]
    more = [f"{len(table.rows)} of {table.total:,} rows"] if table.total > len(table.rows) else []
    return [lines[0], "  ".join("─" * width for width in widths), *lines[1:], *more] if lines else []


def _chart(view: ViewNode) -> list[str]:
    kind = view.text("type")
    lines = [view.text("title") or f"{kind.capitalize()} chart"]
    for series in read_series(view.props.get("series")):
        points = [f"{text_of(x)} {number_text(y)}" for x, y in series.points[:POINTS] if y is not None]
        more = f" … {len(series.points)} in all" if len(series.points) > POINTS else ""
        lines.append(f"{series.name + ': ' if series.name else ''}{', '.join(points)}{more}")
    return lines
