"""Showing a form, a table or a chart: A2UI v0.9 messages built from a few plain arguments, or given whole (CAN-01).

Where the session has a notebook, its kernel shows the surface live in a cell as well.

`details.surface` is `{surfaceId, title, messages}`; the screen feeds `messages` to its surface store. The same title updates
nothing: every call is a surface of its own, named after the run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, model_validator

from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.values.errors import OpenClawError

log = logging.getLogger(__name__)

COMMAND = "canvas.present"
PRESENT_TIMEOUT_S = 5.0
MAX_MESSAGES = 200

VERSION = "v0.9"
BASIC = "https://a2ui.org/specification/v0_9/catalogs/basic/catalog.json"
NOTEBOOK = "urn:openclaw-jupyter:catalog:notebook:v1"
"""Our catalogue: the basic components, and Chart and DataTable (a2ui reference, section 13)."""

MAX_FIELDS = 60
MAX_ROWS = 500
MAX_COLUMNS = 40
MAX_SERIES = 20

Cell = str | int | float | bool | None
Component = dict[str, Any]
FieldType = Literal["text", "longtext", "number", "date", "datetime", "time", "checkbox", "select", "multiselect"]


class FormField(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$", description="Key of the answer")
    label: str = Field(min_length=1, max_length=200)
    type: FieldType = "text"
    options: list[str] = Field(default_factory=list, max_length=200, description="Choices of select and multiselect")
    value: str | float | bool | list[str] | None = Field(None, description="What it holds at first")


class Series(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    name: str = Field(max_length=200)
    points: list[tuple[str | float, float]] = Field(min_length=1, max_length=MAX_ROWS, description="[label or x, y] pairs")


class CanvasArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    kind: Literal["form", "table", "chart", "surface"]
    title: str = Field("", max_length=200)
    fields: list[FormField] = Field(default_factory=list, max_length=MAX_FIELDS, description="form: what to ask")
    submit: str = Field("Submit", min_length=1, max_length=60, description="form: label of the button")
    columns: list[str] = Field(default_factory=list, max_length=MAX_COLUMNS, description="table: headings")
    rows: list[list[Cell]] = Field(default_factory=list, max_length=MAX_ROWS, description="table: one list of cells a row")
    chart: Literal["line", "bar", "area", "scatter", "pie"] = "line"
    series: list[Series] = Field(default_factory=list, max_length=MAX_SERIES, description="chart: what to draw")
    messages: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=MAX_MESSAGES,
        description="surface: A2UI v0.9 messages, createSurface first",
    )

    @model_validator(mode="after")
    def _complete(self) -> CanvasArgs:
        """Each kind needs its own part; the message tells the model what to add."""
        needed = {"form": ("fields", self.fields), "table": ("columns", self.columns), "chart": ("series", self.series)}
        needed["surface"] = ("messages", self.messages)
        name, value = needed[self.kind]
        if not value:
            raise ValueError(f"a {self.kind} needs {name}")
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("two fields have the same name")
        for field in self.fields:
            if field.type in ("select", "multiselect") and not field.options:
                raise ValueError(f"field {field.name} needs options")
        if self.kind == "table" and any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"every row needs {len(self.columns)} cells, one for each column")
        return self


async def canvas(args: CanvasArgs, ctx: ToolContext) -> ToolResult:
    surface_id, messages, summary = _given(args) if args.kind == "surface" else _built(args)
    surface = {"surfaceId": surface_id, "kind": args.kind, "title": args.title, "messages": messages}
    named = f"“{args.title}”, {summary}" if args.title else summary
    where = await _present(ctx, surface)
    text = f"Made {named}. Faces that draw A2UI show it live; the others keep it with this step."
    return text_result(text + (f" It is shown in {where} too." if where else ""), surface=surface)


async def _present(ctx: ToolContext, surface: Mapping[str, Any]) -> str:
    """Notes whose surface it is, and shows it on the session's node; where, or nothing. That it could not is no failure: the
    faces have it."""
    if ctx.nodes is None:
        return ""
    ctx.nodes.show(ctx.session_key, surface["surfaceId"], surface["title"])
    if ctx.node is None:
        return ""
    params = {"surfaceId": surface["surfaceId"], "messages": surface["messages"]}
    try:
        answer = await ctx.nodes.invoke(ctx.node, COMMAND, params, timeout_s=PRESENT_TIMEOUT_S)
    except OpenClawError as error:
        log.info("%s does not show surface %s: %s", ctx.node.label, surface["surfaceId"], error)
        return ""
    return ctx.node.label if answer.get("shown") else ""


def _given(args: CanvasArgs) -> tuple[str, list[dict[str, Any]], str]:
    """Messages that somebody has prepared, in Python for instance; checked before anybody draws or stores them (CAN-02)."""
    problems = check_messages(args.messages)
    if problems:
        told = "; ".join(f"{problem.path}: {problem.message}" for problem in problems[:5])
        raise ToolError(f"The messages cannot be shown: {told}")
    ids = [message["createSurface"]["surfaceId"] for message in args.messages if "createSurface" in message]
    if len(ids) != 1:
        raise ToolError("The messages must create exactly one surface.")
    return ids[0], args.messages, f"a surface of {len(args.messages)} messages"


def _built(args: CanvasArgs) -> tuple[str, list[dict[str, Any]], str]:
    surface_id = f"canvas-{uuid4().hex[:12]}"
    match args.kind:
        case "form":
            components, data, catalog = _form(args)
            summary = f"a form with {len(args.fields)} fields"
        case "table":
            components, data, catalog = _table(args)
            summary = f"a table with {len(args.rows)} rows and {len(args.columns)} columns"
        case _:
            components, data, catalog = _chart(args)
            points = sum(len(series.points) for series in args.series)
            summary = f"a {args.chart} chart with {len(args.series)} series and {points} points"
    messages = [
        _message("createSurface", surfaceId=surface_id, catalogId=catalog, sendDataModel=args.kind == "form"),
        _message("updateDataModel", surfaceId=surface_id, path="/", value=data),
        _message("updateComponents", surfaceId=surface_id, components=_titled(args.title, components)),
    ]
    return surface_id, messages, summary


def _message(action: str, **body: Any) -> dict[str, Any]:
    return {"version": VERSION, action: body}


def _titled(title: str, components: list[Component]) -> list[Component]:
    """A column as root: the title, then the first component; the others hang below it."""
    children = [components[0]["id"]]
    heading: list[Component] = []
    if title:
        heading = [{"id": "title", "component": "Text", "text": title, "variant": "h3"}]
        children.insert(0, "title")
    return [{"id": "root", "component": "Column", "children": children}, *heading, *components]


def _form(args: CanvasArgs) -> tuple[list[Component], dict[str, Any], str]:
    fields = [_field(field) for field in args.fields]
    values = {field.name: _initial(field) for field in args.fields}
    context = {field.name: {"path": f"/form/{field.name}"} for field in args.fields}
    body: Component = {"id": "body", "component": "Column", "children": [*(field["id"] for field in fields), "submit"]}
    button: Component = {
        "id": "submit",
        "component": "Button",
        "child": "submit-label",
        "variant": "primary",
        "action": {"event": {"name": "submit", "context": context}},
    }
    label: Component = {"id": "submit-label", "component": "Text", "text": args.submit}
    return [body, *fields, button, label], {"form": values}, BASIC


def _field(field: FormField) -> Component:
    base: Component = {"id": f"field-{field.name}", "label": field.label, "value": {"path": f"/form/{field.name}"}}
    match field.type:
        case "text" | "longtext" | "number":
            variant = {"text": "shortText", "longtext": "longText", "number": "number"}[field.type]
            return base | {"component": "TextField", "variant": variant}
        case "date" | "datetime" | "time":
            dated = {"enableDate": field.type != "time", "enableTime": field.type != "date"}
            return base | {"component": "DateTimeInput"} | dated
        case "checkbox":
            return base | {"component": "CheckBox"}
        case "select" | "multiselect":
            options = [{"label": option, "value": option} for option in field.options]
            variant = "mutuallyExclusive" if field.type == "select" else "multipleSelection"
            return base | {"component": "ChoicePicker", "options": options, "variant": variant}


def _initial(field: FormField) -> Any:
    if field.type == "checkbox":
        return bool(field.value)
    if field.type in ("select", "multiselect"):
        chosen = field.value if isinstance(field.value, list) else [field.value]
        return [str(item) for item in chosen if item is not None]
    return "" if field.value is None else str(field.value)


def _table(args: CanvasArgs) -> tuple[list[Component], dict[str, Any], str]:
    columns = [{"key": f"c{index}", "label": label} for index, label in enumerate(args.columns)]
    rows = [{f"c{index}": cell for index, cell in enumerate(row)} for row in args.rows]
    table: Component = {"id": "table", "component": "DataTable", "columns": columns, "rows": {"path": "/rows"}}
    return [table], {"rows": rows}, NOTEBOOK


def _chart(args: CanvasArgs) -> tuple[list[Component], dict[str, Any], str]:
    series = [{"name": one.name, "points": [{"x": x, "y": y} for x, y in one.points]} for one in args.series]
    chart: Component = {"id": "chart", "component": "Chart", "type": args.chart, "series": {"path": "/series"}}
    return [chart], {"series": series}, NOTEBOOK


def _title(arguments: Mapping[str, Any]) -> str:
    return f"Show {arguments.get('kind', 'surface')} {arguments.get('title', '')}".strip()


TOOLS: tuple[Tool, ...] = (
    Tool(
        "canvas",
        "Show the person a form to fill in, a table, a chart, or a surface of A2UI messages.",
        CanvasArgs,
        canvas,
        groups=frozenset({"ui"}),
        title=_title,
        node_command=lambda _arguments: COMMAND,
    ),
)
