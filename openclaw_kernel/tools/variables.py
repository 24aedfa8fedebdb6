"""What is in the notebook's memory: names, types, shapes (TOL-07)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.values.errors import OpenClawError

COMMAND = "python.variables"
TIMEOUT_S = 10.0
NO_NODE = "No notebook belongs to this conversation; ask the person to open one."


class VariablesArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    filter: str = Field("", max_length=200, description="Part of a name, or a pattern with *")
    limit: int = Field(100, ge=1, le=500)


async def variables(args: VariablesArgs, ctx: ToolContext) -> ToolResult:
    if ctx.node is None or ctx.nodes is None:
        raise ToolError(NO_NODE)
    params = {"filter": args.filter, "limit": args.limit}
    try:
        answer = await ctx.nodes.invoke(ctx.node, COMMAND, params, timeout_s=TIMEOUT_S)
    except OpenClawError as error:
        raise ToolError(f"{ctx.node.label}: {error}") from error
    rows = [row for row in answer.get("variables") or () if isinstance(row, Mapping)]
    lines = [_line(row) for row in rows]
    if answer.get("truncated"):
        lines.append(f"… {answer.get('total')} in all; name a filter.")
    return text_result("\n".join(lines) or "No variables.", where=ctx.node.label, variables=rows)


def _line(row: Mapping[str, Any]) -> str:
    size = f" [{row['length']}]" if "length" in row and "items" not in str(row.get("summary")) else ""
    return f"{row.get('name')}: {row.get('type')}{size} = {row.get('summary')}"


TOOLS: tuple[Tool, ...] = (
    Tool(
        "variables",
        "List the variables of the notebook's Python kernel with types, shapes and short summaries.",
        VariablesArgs,
        variables,
        read_only=True,
        groups=frozenset({"runtime", "notebook"}),
        title=lambda arguments: f"Variables {arguments.get('filter') or ''}".strip(),
        node_command=lambda _arguments: COMMAND,
    ),
)
