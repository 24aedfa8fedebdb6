"""Other sessions of the assistant: list, read, search, write to (TOL-12)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.sessions_api import Caller, SessionDesk
from openclaw_kernel.values.errors import OpenClawError, UserError

SEND_WAIT_S = 60
SEND_WAIT_MAX_S = 600
GROUP = frozenset({"sessions"})


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True, populate_by_name=True)


class ListArgs(_Args):
    search: str = Field(default="", max_length=200, description="Words of its key or label")
    active_minutes: int = Field(default=0, ge=0, description="Only those used in the last minutes")
    limit: int = Field(default=20, ge=1, le=100)


class HistoryArgs(_Args):
    session: str = Field(alias="sessionKey", min_length=1, max_length=512, description="Key, label or id")
    limit: int = Field(default=30, ge=1, le=200, description="Newest messages")
    tools: bool = Field(default=False, alias="includeTools", description="With tool calls and results")


class SearchArgs(_Args):
    query: str = Field(min_length=2, max_length=200)
    limit: int = Field(default=10, ge=1, le=50)


class SendArgs(_Args):
    session: str = Field(alias="sessionKey", min_length=1, max_length=512, description="Key, label or id")
    message: str = Field(min_length=1, max_length=20_000)
    timeout_s: int = Field(
        default=SEND_WAIT_S,
        alias="timeoutSeconds",
        ge=0,
        le=SEND_WAIT_MAX_S,
        description="How long to wait for the answer; 0 not at all",
    )


def desk_of(ctx: ToolContext) -> SessionDesk:
    """Raises `ToolError` where there is no gateway."""
    desk = ctx.services.sessions if ctx.services is not None else None
    if desk is None:
        raise ToolError("Other sessions need a running gateway, and this session has none.")
    return desk


def caller_of(ctx: ToolContext) -> Caller:
    return Caller(ctx.session_key, ctx.agent_id, ctx.run_id, ctx.guest, ctx.result_chars)


def rows_text(rows: Sequence[Mapping[str, Any]], nothing: str) -> str:
    """One line of JSON a row."""
    return "\n".join(json.dumps(dict(row), ensure_ascii=False) for row in rows) or nothing


async def sessions_list(args: ListArgs, ctx: ToolContext) -> ToolResult:
    try:
        rows = desk_of(ctx).sessions(caller_of(ctx), args.search, args.active_minutes, args.limit)
    except (OpenClawError, UserError) as error:
        raise ToolError(str(error)) from error
    return text_result(rows_text(rows, "No session matches."), sessions=[dict(row) for row in rows])


async def sessions_history(args: HistoryArgs, ctx: ToolContext) -> ToolResult:
    try:
        return text_result(desk_of(ctx).history(caller_of(ctx), args.session, args.limit, args.tools), session=args.session)
    except (OpenClawError, UserError) as error:
        raise ToolError(str(error)) from error


async def sessions_search(args: SearchArgs, ctx: ToolContext) -> ToolResult:
    try:
        rows = await desk_of(ctx).search(caller_of(ctx), args.query, args.limit)
    except (OpenClawError, UserError) as error:
        raise ToolError(str(error)) from error
    return text_result(rows_text(rows, "Nothing was found."), hits=len(rows))


async def sessions_send(args: SendArgs, ctx: ToolContext) -> ToolResult:
    try:
        row = await desk_of(ctx).send(caller_of(ctx), args.session, args.message, args.timeout_s)
    except (OpenClawError, UserError) as error:
        raise ToolError(str(error)) from error
    return text_result(rows_text([row], ""), **row)


def _title(verb: str, name: str) -> Any:
    return lambda arguments: f"{verb} {arguments.get(name) or ''}".strip()


TOOLS = (
    Tool(
        "sessions_list",
        "List sessions of this assistant that you may see.",
        ListArgs,
        sessions_list,
        read_only=True,
        groups=GROUP,
        title=_title("List sessions", "search"),
    ),
    Tool(
        "sessions_history",
        "Read the newest messages of another session.",
        HistoryArgs,
        sessions_history,
        read_only=True,
        groups=GROUP,
        title=_title("Read session", "sessionKey"),
    ),
    Tool(
        "sessions_search",
        "Find words in what was said in sessions.",
        SearchArgs,
        sessions_search,
        read_only=True,
        groups=GROUP,
        title=_title("Search sessions for", "query"),
    ),
    Tool(
        "sessions_send",
        "Write to another session and get its answer.",
        SendArgs,
        sessions_send,
        groups=GROUP,
        title=_title("Write to session", "sessionKey"),
    ),
)
