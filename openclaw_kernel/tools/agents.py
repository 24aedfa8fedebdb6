"""Which agents there are, and how this session stands (TOL-14)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from openclaw_kernel.tools.api import Tool, ToolContext, ToolResult, text_result
from openclaw_kernel.tools.sessions import caller_of, desk_of, rows_text

Now = Callable[[], datetime]


class NoArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


async def agents_list(_args: NoArgs, ctx: ToolContext) -> ToolResult:
    rows = desk_of(ctx).agents(caller_of(ctx))
    return text_result(rows_text(rows, "There is no other agent."), agents=[dict(row) for row in rows])


def agent_tools(now: Now = lambda: datetime.now().astimezone()) -> tuple[Tool, ...]:
    """`agents_list` and `session_status`; `now` is the exact local time that status tells."""

    async def session_status(_args: NoArgs, ctx: ToolContext) -> ToolResult:
        moment = now()
        facts: dict[str, Any] = {
            "time": moment.isoformat(timespec="seconds"),
            "weekday": moment.strftime("%A"),
            "sessionKey": ctx.session_key,
            "agentId": ctx.agent_id,
            "workspace": str(ctx.workspace),
        }
        if ctx.services is not None and ctx.services.sessions is not None:
            facts |= ctx.services.sessions.status(caller_of(ctx))
        return text_result("\n".join(f"{name}: {value}" for name, value in facts.items()), **facts)

    return (
        Tool(
            "agents_list",
            "List the agents you may start subagents of or write to.",
            NoArgs,
            agents_list,
            read_only=True,
            groups=frozenset({"agents"}),
            title=lambda _arguments: "List agents",
        ),
        Tool(
            "session_status",
            "Tell the exact time, and this session's model, tokens, cost and context use.",
            NoArgs,
            session_status,
            read_only=True,
            groups=frozenset({"sessions"}),
            title=lambda _arguments: "Session status",
        ),
    )
