"""Handing work to subagents and looking after them (AGT-33)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.exec import first_line
from openclaw_kernel.tools.sessions import GROUP, caller_of, desk_of, rows_text
from openclaw_kernel.tools.sessions_api import Task
from openclaw_kernel.values.errors import OpenClawError, UserError

YIELD_S = 120
YIELD_MAX_S = 600


class SpawnArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True, populate_by_name=True)
    task: str = Field(min_length=1, max_length=20_000, description="Whole in itself: it sees nothing else")
    label: str = Field(default="", max_length=80)
    agent_id: str = Field(default="", alias="agentId", max_length=64)
    model: str = Field(default="", max_length=200)
    thinking: str = Field(default="", max_length=20)
    run_timeout_s: int = Field(default=0, alias="runTimeoutSeconds", ge=0, le=172_800)
    cleanup: Literal["keep", "delete"] = "keep"


class SubagentsArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    action: Literal["list", "kill", "steer", "log"] = "list"
    id: str = Field(default="", max_length=512, description="Id, label or session; `all` for kill")
    message: str = Field(default="", max_length=20_000, description="For steer")


class YieldArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True, populate_by_name=True)
    timeout_s: int = Field(default=YIELD_S, alias="timeoutSeconds", ge=1, le=YIELD_MAX_S)


async def sessions_spawn(args: SpawnArgs, ctx: ToolContext) -> ToolResult:
    task = Task(
        args.task, args.label, args.agent_id, args.model or None, args.thinking or None, args.run_timeout_s, args.cleanup
    )
    try:
        row = await desk_of(ctx).spawn(caller_of(ctx), task)
    except (OpenClawError, UserError) as error:
        raise ToolError(str(error)) from error
    return text_result(rows_text([row], ""), **row)


async def subagents(args: SubagentsArgs, ctx: ToolContext) -> ToolResult:
    desk, caller = desk_of(ctx), caller_of(ctx)
    if args.action != "list" and not args.id:
        raise ToolError(f"subagents {args.action} needs an id; action list shows them.")
    try:
        match args.action:
            case "list":
                rows = desk.children(caller)
                return text_result(rows_text(rows, "This session has no subagents."), subagents=[dict(row) for row in rows])
            case "kill":
                ended = list(desk.kill(caller, args.id))
                return text_result(f"Ended: {', '.join(ended)}." if ended else "None of them was at work.", ended=ended)
            case "log":
                return text_result(desk.log(caller, args.id))
            case "steer":
                if not args.message:
                    raise ToolError("subagents steer needs a message.")
                row = await desk.steer(caller, args.id, args.message)
                return text_result(rows_text([row], ""), **row)
    except (OpenClawError, UserError) as error:
        raise ToolError(str(error)) from error


async def sessions_yield(args: YieldArgs, ctx: ToolContext) -> ToolResult:
    if await desk_of(ctx).next_result(caller_of(ctx), args.timeout_s):
        return text_result("A result has come; it follows as a message.", arrived=True)
    return text_result("No result came. You may end your turn: results start a new one.", arrived=False)


TOOLS = (
    Tool(
        "sessions_spawn",
        "Give a task to a subagent, which works on its own beside you. Returns at once; its result comes to you as a message "
        "later, so do not poll.",
        SpawnArgs,
        sessions_spawn,
        groups=GROUP,
        title=lambda arguments: f"Start subagent: {arguments.get('label') or first_line(arguments, 'task')}",
    ),
    Tool(
        "subagents",
        "List your subagents, or kill, steer or read one.",
        SubagentsArgs,
        subagents,
        groups=GROUP,
        title=lambda arguments: f"Subagents: {arguments.get('action') or 'list'} {arguments.get('id') or ''}".strip(),
    ),
    Tool(
        "sessions_yield",
        "Wait for the next result of a subagent when there is nothing else to do.",
        YieldArgs,
        sessions_yield,
        groups=GROUP,
        title=lambda _arguments: "Wait for a subagent",
    ),
)
