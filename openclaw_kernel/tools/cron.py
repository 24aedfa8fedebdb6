"""Plans of the assistant's own: jobs that come back at a time, every so often, or by a cron expression (TOL-15)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.values.errors import OpenClawError, UserError

CronService = Callable[[str, str, str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Session key, agent id, action, parameters → what the scheduler says. Raises `OpenClawError` with a sentence."""


class Schedule(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    at: str | None = Field(default=None, description="Once: `20m` from now, or ISO 8601 with zone")
    every: str | None = Field(default=None, description="Repeatedly: `30m`, `2h`, `1d`")
    cron: str | None = Field(default=None, description="minute hour day month weekday")
    tz: str | None = Field(default=None, description="Of `cron`, such as Europe/Berlin")


class CronArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    action: Literal["add", "list", "edit", "remove", "run", "next_check"]
    id: str | None = Field(default=None, description="For edit, remove, run")
    name: str | None = Field(default=None, max_length=200, description="For add")
    schedule: Schedule | None = Field(default=None, description="Exactly one of at, every, cron")
    message: str | None = Field(default=None, max_length=20_000, description="What to do when it is due")
    in_this_conversation: bool = Field(default=False, description="Run here instead of in a session of its own")
    announce: bool = Field(default=True, description="Tell the person the answer")
    enabled: bool | None = Field(default=None, description="For edit")
    wait: str | None = Field(default=None, description="For next_check: time until the next look, 1m to 24h")


def cron_tool(service: CronService) -> Tool:
    """The tool over a scheduler."""

    async def run(args: CronArgs, ctx: ToolContext) -> ToolResult:
        try:
            found = await service(ctx.session_key, ctx.agent_id, args.action, _params(args))
        except (OpenClawError, UserError) as error:
            raise ToolError(str(error)) from error
        return text_result(json.dumps(found, ensure_ascii=False, indent=1, default=str), action=args.action, **found)

    return Tool(
        "cron",
        "Plan, list, change or remove jobs of your own that run later or repeatedly. A job runs as a fresh turn with `message` "
        "as its task, without this conversation.",
        CronArgs,
        run,
        effect="workspace",
        groups=frozenset({"automation"}),
        title=lambda arguments: f"Schedule: {arguments.get('action', '')} {arguments.get('name') or ''}".strip(),
    )


def _params(args: CronArgs) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if args.action == "next_check":
        return {"in": args.wait}
    for name, value in (("id", args.id), ("name", args.name), ("enabled", args.enabled)):
        if value is not None:
            params[name] = value
    if args.schedule is not None:
        params["schedule"] = _schedule(args.schedule)
    if args.message is not None:
        params["payload"] = {"kind": "agentTurn", "message": args.message}
    if args.action == "add":
        params["sessionTarget"] = "current" if args.in_this_conversation else "isolated"
        params["delivery"] = {"mode": "announce" if args.announce and not args.in_this_conversation else "none"}
    return params


def _schedule(schedule: Schedule) -> dict[str, Any]:
    given = [name for name in ("at", "every", "cron") if getattr(schedule, name)]
    if len(given) != 1:
        raise ToolError("schedule needs exactly one of at, every and cron")
    if schedule.at:
        return {"kind": "at", "at": schedule.at}
    if schedule.every:
        return {"kind": "every", "every": schedule.every}
    return {"kind": "cron", "expr": schedule.cron, **({"tz": schedule.tz} if schedule.tz else {})}
