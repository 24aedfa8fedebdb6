"""`sql.query`: one SELECT over messages, tool calls, sessions, usage, notes and chunks, of all agents (SES-11).

It takes the admin's scope, because it sees every conversation at once.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from openclaw_gateway.methods.services import Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.agent.settings import workspace_of
from openclaw_kernel.sessions.sql_limits import LIMIT, MAX_CHARS, MAX_LIMIT, MAX_TIMEOUT_S, TIMEOUT_S
from openclaw_kernel.values.errors import invalid

AT_ONCE = 2
"""Queries that run; more wait."""
_running = asyncio.Semaphore(AT_ONCE)


class QueryParams(Params):
    sql: str = Field(min_length=1, max_length=MAX_CHARS)
    limit: int | None = Field(default=None, ge=1, le=MAX_LIMIT)
    timeout_ms: int | None = Field(default=None, ge=100, le=int(MAX_TIMEOUT_S * 1000))


async def query(params: QueryParams, call: Call) -> dict[str, Any]:
    """`{columns: [{name, type}], rows, truncated, badLines, elapsedMs}`. INVALID_REQUEST with the reason of a refusal."""
    from openclaw_kernel.sessions.sql_gate import SqlRefused
    from openclaw_kernel.sessions.sql_places import Places
    from openclaw_kernel.sessions.sql_process import ask

    services = parts(call)
    workspaces = {agent: workspace_of(services.settings, services.state_dir, agent) for agent in services.agent_ids()}
    places = Places(services.state_dir, workspaces)
    timeout_s = params.timeout_ms / 1000 if params.timeout_ms else TIMEOUT_S
    limit = params.limit or LIMIT
    async with _running:
        try:
            table = await asyncio.to_thread(
                ask, params.sql, places, limit=limit, timeout_s=timeout_s, redact=services.redactor.text
            )
        except SqlRefused as refused:
            raise invalid(str(refused)) from refused
    return table.to_wire()


METHODS = [Method("sql.query", QueryParams, query, "operator.admin")]
