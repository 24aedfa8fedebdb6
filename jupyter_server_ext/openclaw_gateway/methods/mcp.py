"""MCP servers as people see them: what is configured, what answers, and why not."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from openclaw_gateway.methods.services import NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method


class ProbeParams(Params):
    name: str = Field(min_length=1)


async def status(_params: NoParams, call: Call) -> dict[str, Any]:
    """Every configured server with its state; connects nothing, shows no secret."""
    return {"servers": parts(call).mcp.status()}


async def probe(params: ProbeParams, call: Call) -> dict[str, Any]:
    """Connects one server now and says what it offers or why it does not answer. One that was just written down is known."""
    services = parts(call)
    await services.config.reload()
    return {"server": await services.mcp.probe(params.name)}


METHODS = [
    Method("mcp.status", NoParams, status, "operator.read"),
    Method("mcp.probe", ProbeParams, probe, "operator.admin"),
]
