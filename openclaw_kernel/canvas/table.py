"""A DataTable as text cells, for whoever draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_kernel.canvas.numbers import format_number
from openclaw_kernel.canvas.resolve import ViewNode
from openclaw_kernel.canvas.series import text_of
from openclaw_kernel.canvas.shape import is_number

MAX_COLUMNS = 60
CELL = 500
"""Characters of one cell as shown."""


@dataclass(frozen=True, slots=True)
class Table:
    """`right` tells the columns that hold numbers. `total` counts the rows there are, `rows` may be fewer."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    total: int


def read_table(view: ViewNode, most: int | None = None) -> Table:
    """The cells of a DataTable; `most` bounds the rows made into text."""
    columns = view.props.get("columns", [])[:MAX_COLUMNS]
    rows = view.props.get("rows", [])
    shown = rows if most is None else rows[:most]
    right = tuple(
        any(is_number(_cell(row, index, column["key"])) for row in shown)
        and all(_cell(row, index, column["key"]) is None or is_number(_cell(row, index, column["key"])) for row in shown)
        for index, column in enumerate(columns)
    )
    cells = tuple(
        tuple(_text(_cell(row, index, column["key"]), right[index]) for index, column in enumerate(columns)) for row in shown
    )
    return Table(tuple(column["label"] for column in columns), cells, right, len(rows))


def _cell(row: Any, index: int, key: str) -> Any:
    if isinstance(row, Mapping):
        return row.get(key)
    return row[index] if isinstance(row, list) and index < len(row) else None


def _text(value: Any, number: bool) -> str:
    if number and is_number(value):
        year = isinstance(value, int) and 1000 <= value < 2200
        return str(value) if year else format_number(float(value) if abs(value) < 1e300 else float("inf"))
    text = text_of(value)
    return text if len(text) <= CELL else text[:CELL] + "…"
