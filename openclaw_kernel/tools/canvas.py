"""Showing a form, a table or a chart: A2UI v0.9 messages built from a few plain arguments, or given whole (CAN-01).

Where the session has a notebook, its kernel shows the surface live in a cell as well.

`details.surface` is `{surfaceId, kind, title, messages}`; the screen feeds `messages` to its surface store. The same title
updates nothing: every call makes a surface of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from openclaw_kernel.canvas.kinds import FieldType
from openclaw_kernel.canvas.limits import MAX_SERIES
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.values.errors import OpenClawError

log = logging.getLogger(__name__)

COMMAND = "canvas.present"
PRESENT_TIMEOUT_S = 5.0
MAX_MESSAGES = 200

MAX_FIELDS = 60
MAX_ROWS = 500
MAX_COLUMNS = 40

Cell = str | int | float | bool | None


class FormField(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$", description="Key of the answer")
    label: str = Field(min_length=1, max_length=200)
    type: FieldType = "text"
    options: list[str] = Field(default_factory=list, max_length=200, description="For select and multiselect")
    value: str | float | bool | list[str] | None = Field(None, description="At first")


class Series(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    name: str = Field(max_length=200)
    points: list[tuple[str | float, float]] = Field(min_length=1, max_length=MAX_ROWS, description="[label or x, y] pairs")


class CanvasArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    kind: Literal["form", "table", "chart", "surface"]
    title: str = Field("", max_length=200)
    fields: list[FormField] = Field(default_factory=list, max_length=MAX_FIELDS, description="form: what to ask")
    submit: str = Field("Submit", min_length=1, max_length=60, description="form: the button")
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
    text = f"Made {named}; it is shown."
    return text_result(text + (f" It is live in {where} too." if where else ""), surface=surface)


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
    from openclaw_kernel.canvas.guard import check_messages  # with its catalogue 15 ms, and most turns show no canvas

    problems = check_messages(args.messages)
    if problems:
        told = "; ".join(f"{problem.path}: {problem.message}" for problem in problems[:5])
        raise ToolError(f"The messages cannot be shown: {told}")
    ids = [message["createSurface"]["surfaceId"] for message in args.messages if "createSurface" in message]
    if len(ids) != 1:
        raise ToolError("The messages must create exactly one surface.")
    return ids[0], args.messages, f"a surface of {len(args.messages)} messages"


def _built(args: CanvasArgs) -> tuple[str, list[dict[str, Any]], str]:
    from openclaw_kernel.canvas import build

    match args.kind:
        case "form":
            fields = [build.Field(one.name, one.label, one.type, one.options, one.value) for one in args.fields]
            messages = build.form(fields, title=args.title, submit=args.submit)
            summary = f"a form with {len(args.fields)} fields"
        case "table":
            messages = build.table(args.columns, args.rows, title=args.title)
            summary = f"a table with {len(args.rows)} rows and {len(args.columns)} columns"
        case _:
            messages = build.chart(args.chart, [(one.name, one.points) for one in args.series], title=args.title)
            points = sum(len(series.points) for series in args.series)
            summary = f"a {args.chart} chart with {len(args.series)} series and {points} points"
    return messages[0]["createSurface"]["surfaceId"], messages, summary


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
