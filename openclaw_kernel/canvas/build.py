"""Messages for the three surfaces people ask for most: a form, a table, a chart (CAN-01).

Data comes as plain lists, or as anything that looks like a data frame; nothing is imported to find out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import uuid4

from openclaw_kernel.canvas.catalog import BASIC, NOTEBOOK, VERSIONS
from openclaw_kernel.canvas.kinds import ChartType, FieldType
from openclaw_kernel.canvas.limits import LIST_ROWS, MAX_SERIES, MESSAGE_BYTES
from openclaw_kernel.canvas.problems import CanvasError
from openclaw_kernel.canvas.table import MAX_COLUMNS

Message = dict[str, Any]
Component = dict[str, Any]

SUBMIT = "submit"
"""Name of the action a form's button sends; its context has the values by field name."""

_ROOM = MESSAGE_BYTES * 3 // 4
"""Bytes of rows one message takes; the rest is for everything around them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a form asks. `options` are the choices of select and multiselect."""

    name: str
    label: str = ""
    type: FieldType = "text"
    options: Sequence[str] = field(default_factory=list)
    value: Any = None


def form(fields: Sequence[Field], *, title: str = "", submit: str = "Submit", surface_id: str | None = None) -> list[Message]:
    """A form that sends `submit` with its values. Its data model goes along, under `/form`. Raises `CanvasError`."""
    names = [one.name for one in fields]
    if not fields or len(set(names)) != len(names):
        raise CanvasError("INVALID", "", "A form needs fields, each with a name of its own.")
    parts = [_field(one) for one in fields]
    context = {name: {"path": f"/form/{name}"} for name in names}
    body: Component = {"id": "body", "component": "Column", "children": [*(part["id"] for part in parts), "submit"]}
    button: Component = {
        "id": "submit",
        "component": "Button",
        "child": "submit-label",
        "variant": "primary",
        "action": {"event": {"name": SUBMIT, "context": context}},
    }
    label: Component = {"id": "submit-label", "component": "Text", "text": submit}
    values = {one.name: _initial(one) for one in fields}
    return surface([body, *parts, button, label], {"form": values}, title=title, surface_id=surface_id, send_data_model=True)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "", page_size: int | None = None,
    surface_id: str | None = None,
) -> list[Message]:  # fmt: skip
    """A table. Rows beyond the limits are left out, and a line below says so."""
    heads = [{"key": f"c{index}", "label": str(label)} for index, label in enumerate(columns[:MAX_COLUMNS])]
    made: list[dict[str, Any]] = []
    size = 0
    for row in rows[:LIST_ROWS]:
        cells = {f"c{index}": cell(value) for index, value in enumerate(row[:MAX_COLUMNS])}
        size += len(json.dumps(cells, ensure_ascii=False).encode("utf-8", "surrogatepass")) + 2
        if size > _ROOM:
            break
        made.append(cells)
    shown: Component = {"id": "table", "component": "DataTable", "columns": heads, "rows": {"path": "/rows"}}
    components = [shown | ({"pageSize": page_size} if page_size else {})]
    if len(made) < len(rows):
        note = f"The first {len(made):,} of {len(rows):,} rows."
        components.append({"id": "note", "component": "Text", "text": note, "variant": "caption"})
    return surface(components, {"rows": made}, title=title, catalog=NOTEBOOK, surface_id=surface_id, all_below=True)


def chart(
    kind: ChartType, series: Sequence[tuple[str, Iterable[Any]]], *, title: str = "", x_label: str = "", y_label: str = "",
    surface_id: str | None = None,
) -> list[Message]:  # fmt: skip
    """A chart of `(name, points)`; a point is `(x, y)` or a bare number, which is put at its place in the row."""
    made: list[dict[str, Any]] = []
    room = LIST_ROWS // max(1, min(len(series), MAX_SERIES))
    for name, points in series[:MAX_SERIES]:
        every = [_point(index, point) for index, point in enumerate(points)]
        step = max(1, math.ceil(len(every) / room))
        made.append({"name": str(name), "points": every[::step]})
    shown: Component = {"id": "chart", "component": "Chart", "type": kind, "series": {"path": "/series"}}
    labels = {"xLabel": x_label, "yLabel": y_label}
    components = [shown | {key: text for key, text in labels.items() if text}]
    return surface(components, {"series": made}, title=title, catalog=NOTEBOOK, surface_id=surface_id)


def surface(
    components: Sequence[Component], data: Mapping[str, Any], *, title: str = "", catalog: str = BASIC,
    surface_id: str | None = None, send_data_model: bool = False, all_below: bool = False,
) -> list[Message]:  # fmt: skip
    """Messages of a whole surface: below a heading the first component, with `all_below` every one."""
    name = surface_id or f"canvas-{uuid4().hex[:12]}"
    children = [one["id"] for one in components] if all_below else [components[0]["id"]]
    heading: list[Component] = []
    if title:
        heading = [{"id": "title", "component": "Text", "text": title, "variant": "h3"}]
        children.insert(0, "title")
    root: Component = {"id": "root", "component": "Column", "children": children}
    return [
        _message("createSurface", surfaceId=name, catalogId=catalog, sendDataModel=send_data_model),
        _message("updateDataModel", surfaceId=name, path="/", value=dict(data)),
        _message("updateComponents", surfaceId=name, components=[root, *heading, *components]),
    ]


def columns_and_rows(data: Any) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a data frame, of records, of a mapping of columns, or of rows. Raises `CanvasError`.

    A frame is anything with `columns` and `itertuples` (pandas) or `rows` (polars); at most `LIST_ROWS` of it are read.
    """
    if hasattr(data, "columns") and hasattr(data, "itertuples"):
        head = data.head(LIST_ROWS) if hasattr(data, "head") else data
        return [str(name) for name in data.columns], [list(row) for row in head.itertuples(index=False, name=None)]
    if hasattr(data, "columns") and callable(getattr(data, "rows", None)):
        return [str(name) for name in data.columns], [list(row) for row in data.head(LIST_ROWS).rows()]
    if isinstance(data, Mapping):
        lists = {str(name): list(values) for name, values in data.items()}
        count = max((len(values) for values in lists.values()), default=0)
        return list(lists), [[v[at] if at < len(v) else None for v in lists.values()] for at in range(count)]
    items = list(data) if isinstance(data, Iterable) and not isinstance(data, str | bytes) else None
    if items is None:
        raise CanvasError("INVALID", "", f"A table is made of rows or of a data frame, not of {type(data).__name__}.")
    if items and all(isinstance(item, Mapping) for item in items):
        names = list(dict.fromkeys(str(key) for item in items for key in item))
        return names, [[item.get(name) for name in names] for item in items]
    rows = [list(item) if isinstance(item, list | tuple) else [item] for item in items]
    width = max((len(row) for row in rows), default=0)
    return [str(index + 1) for index in range(width)], rows


def cell(value: Any) -> Any:
    """A value as JSON has it: numbers of other libraries as numbers, what is not a number as null, the rest as text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**15 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if callable(item := getattr(value, "item", None)) and getattr(value, "shape", None) == ():
        plain = item()
        return cell(plain) if isinstance(plain, bool | int | float | str) else str(plain)[:500]
    text = str(value)
    return None if text in ("NaT", "<NA>") else text[:500]


def _message(action: str, **body: Any) -> Message:
    return {"version": VERSIONS[0], action: body}


def _point(index: int, point: Any) -> dict[str, Any]:
    x, y = point if isinstance(point, list | tuple) and len(point) == 2 else (index, point)
    return {"x": cell(x), "y": cell(y)}


def _field(asked: Field) -> Component:
    base: Component = {
        "id": f"field-{asked.name}",
        "label": asked.label or asked.name,
        "value": {"path": f"/form/{asked.name}"},
    }
    match asked.type:
        case "text" | "longtext" | "number":
            variant = {"text": "shortText", "longtext": "longText", "number": "number"}[asked.type]
            return base | {"component": "TextField", "variant": variant}
        case "date" | "datetime" | "time":
            dated = {"enableDate": asked.type != "time", "enableTime": asked.type != "date"}
            return base | {"component": "DateTimeInput"} | dated
        case "checkbox":
            return base | {"component": "CheckBox"}
        case "select" | "multiselect":
            options = [{"label": option, "value": option} for option in asked.options]
            variant = "mutuallyExclusive" if asked.type == "select" else "multipleSelection"
            return base | {"component": "ChoicePicker", "options": options, "variant": variant}


def _initial(asked: Field) -> Any:
    if asked.type == "checkbox":
        return bool(asked.value)
    if asked.type in ("select", "multiselect"):
        chosen = asked.value if isinstance(asked.value, list) else [asked.value]
        return [str(item) for item in chosen if item is not None]
    if isinstance(asked.value, date | datetime | time):
        return asked.value.isoformat()
    return "" if asked.value is None else str(asked.value)
