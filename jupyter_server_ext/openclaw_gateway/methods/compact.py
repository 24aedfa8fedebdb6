"""`sessions.compact`: the older part of a session becomes a summary (protocol section 5, AGT-26)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from openclaw_gateway.methods.services import Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.values.errors import invalid


class CompactParams(Params):
    """`max_lines` would cut the transcript by hand; no line is ever removed here, so it is taken and has no effect."""

    key: str = Field(min_length=1, max_length=512)
    agent_id: str | None = None
    max_lines: int | None = Field(default=None, ge=1)


async def compact(params: CompactParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.key(params.key, params.agent_id)
    if services.sessions.get(key) is None:
        raise invalid(f"unknown session {key!r}; list the sessions with sessions.list")
    said = await services.runtime.upkeep.compact(key)
    if said.done:
        services.projection.changed(key, reason="compact")
        return {"ok": True, "key": key, "compacted": True}
    return {"ok": True, "key": key, "compacted": False, "reason": said.text}


METHODS = [Method("sessions.compact", CompactParams, compact, "operator.admin")]
