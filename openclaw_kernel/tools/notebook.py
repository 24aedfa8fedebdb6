"""The notebook in front of the person: read its cells, insert one, run one (TOL-06, NBK-04).

Everything happens in the browser through the open document, so that undo works and nothing is written behind an editor's back.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from openclaw_kernel.tools.api import Asking, Effect, Preview, Tool, ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.node_api import NodePlace, NodeServices
from openclaw_kernel.values.errors import OpenClawError, unavailable
from openclaw_kernel.values.messages import Image, Part, Text

NO_NODE = "No notebook is open in JupyterLab for this conversation; ask the person to open one."
READ_TIMEOUT_S = 15.0
RUN_TIMEOUT_S = 600.0
MAX_SOURCE = 60_000
MAX_PICTURES = 4
COMMANDS = {"read": "notebook.cells", "insert": "notebook.insert", "run": "notebook.run"}
EFFECTS: dict[str, Effect] = {"read": "none", "insert": "workspace", "run": "host"}


class NotebookArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    action: Literal["read", "insert", "run"]
    cell_id: str | None = Field(None, max_length=64, description="read, run: the cell; insert: the cell it goes below")
    index: int | None = Field(None, ge=0, description="In place of cell_id: the position, counted from 0")
    source: str | None = Field(None, max_length=MAX_SOURCE, description="insert: what the new cell holds")
    cell_type: Literal["code", "markdown", "raw"] = "code"

    @model_validator(mode="after")
    def _complete(self) -> NotebookArgs:
        if self.action == "insert" and self.source is None:
            raise ValueError("insert needs source")
        if self.action == "run" and self.cell_id is None and self.index is None:
            raise ValueError("run needs cell_id or index")
        return self


async def notebook(args: NotebookArgs, ctx: ToolContext) -> ToolResult:
    if ctx.node is None or ctx.nodes is None:
        raise ToolError(NO_NODE)
    params = _params(args, ctx.node, ctx.seen)
    seconds = RUN_TIMEOUT_S if args.action == "run" else READ_TIMEOUT_S
    try:
        answer = await ctx.nodes.invoke(ctx.node, COMMANDS[args.action], params, timeout_s=seconds)
    except OpenClawError as error:
        raise ToolError(f"{ctx.node.label}: {error}") from error
    details = {"action": args.action, "where": ctx.node.label, "path": answer.get("path", "")}
    match args.action:
        case "read":
            cells = [cell for cell in answer.get("cells") or () if isinstance(cell, Mapping)]
            text = "\n\n".join(map(_cell, cells)) or "The notebook is empty."
            if answer.get("truncated"):
                text += f"\n\n… {answer.get('total')} cells in all; read one by its cell_id."
            return ToolResult((Text(text),), details | {"cells": len(cells)})
        case "insert":
            text = f"Inserted cell {answer.get('cellId')} at position {answer.get('index')}."
            return ToolResult((Text(text),), details | {"cellId": answer.get("cellId"), "source": args.source or ""})
        case "run":
            return await _ran(answer, details, ctx.nodes)


def _params(args: NotebookArgs, place: NodePlace, seen: str) -> dict[str, Any]:
    params: dict[str, Any] = {"kernelId": place.kernel_id} if place.kernel_id else {}
    if args.cell_id is not None:
        params["afterCellId" if args.action == "insert" else "cellId"] = args.cell_id
    elif args.index is not None:
        params["index"] = args.index
    if args.action == "insert":
        params |= {"cellType": args.cell_type, "source": args.source or ""}
    if args.action == "run" and seen:
        params["source"] = seen  # what the person saw is what runs
    return params


async def _ran(answer: Mapping[str, Any], details: dict[str, Any], nodes: NodeServices) -> ToolResult:
    outputs = [one for one in answer.get("outputs") or () if isinstance(one, Mapping)]
    failed = answer.get("status") == "error"
    shown: list[Part] = []
    media: list[dict[str, str]] = []
    for output in outputs:
        picture = output.get("image")
        if isinstance(picture, Mapping) and len(media) < MAX_PICTURES:
            media_type, text = str(picture.get("mediaType") or "image/png"), str(picture.get("base64") or "")
            try:
                path = await nodes.keep_media(base64.b64decode(text, validate=True), media_type)
            except binascii.Error:
                continue
            shown.append(Image(text, media_type))
            media.append({"path": path, "mediaType": media_type, "name": f"output-{len(media) + 1}"})
    text = "\n".join(str(output.get("text")) for output in outputs if output.get("text")) or "(no output)"
    details |= {"cellId": answer.get("cellId"), "output": text, "status": "failed" if failed else "ok"}
    if media:
        details["media"] = media
    return ToolResult((Text(text), *shown), details, is_error=failed)


def _cell(cell: Mapping[str, Any]) -> str:
    count = f" [{cell['executionCount']}]" if cell.get("executionCount") else ""
    head = f"## cell {cell.get('index')} · {cell.get('id')} · {cell.get('type')}{count}"
    outputs = "\n".join(f"→ {output}" for output in cell.get("outputs") or ())
    return "\n".join(part for part in (head, str(cell.get("source") or ""), outputs) if part)


async def cell_source(arguments: Mapping[str, Any], asking: Asking) -> Preview | None:
    """The code a person is asked about: a cell is named by its id, and nobody can judge an id. Nothing for what is no run."""
    nodes, place = asking.nodes, asking.place
    if _action(arguments) != "run" or nodes is None or place is None:
        return None
    names = {"cell_id": "cellId", "index": "index"}
    wanted = {names[name]: value for name, value in arguments.items() if name in names and value is not None}
    if place.kernel_id:
        wanted["kernelId"] = place.kernel_id
    answer = await nodes.invoke(place, COMMANDS["read"], wanted, timeout_s=READ_TIMEOUT_S)
    cells = [cell for cell in answer.get("cells") or () if isinstance(cell, Mapping)]
    if len(cells) != 1 or cells[0].get("sourceTruncated"):
        raise unavailable("the notebook has no such cell" if not cells else "the cell is too long to be shown")
    return Preview(str(cells[0].get("source") or ""))


def _action(arguments: Mapping[str, Any]) -> str:
    action = str(arguments.get("action"))
    return action if action in COMMANDS else "run"


def _title(arguments: Mapping[str, Any]) -> str:
    target = arguments.get("cell_id") if arguments.get("cell_id") is not None else arguments.get("index")
    return " ".join(str(word) for word in ("Notebook", arguments.get("action", ""), target) if word is not None)


TOOLS: tuple[Tool, ...] = (
    Tool(
        "notebook",
        "Read, insert and run cells of the notebook that is open in JupyterLab. read lists cells with ids and outputs; insert "
        "adds a cell below cell_id (or at index, or at the end); run runs one cell and returns its outputs.",
        NotebookArgs,
        notebook,
        effect="host",
        exclusive=True,
        groups=frozenset({"notebook"}),
        title=_title,
        effect_of=lambda arguments: EFFECTS[_action(arguments)],
        node_command=lambda arguments: COMMANDS[_action(arguments)],
        preview=cell_source,
    ),
)
