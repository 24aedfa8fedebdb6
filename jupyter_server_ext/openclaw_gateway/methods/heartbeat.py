"""Waking the agent: `wake`, `last-heartbeat`, `set-heartbeats`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from openclaw_gateway.methods.services import NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method


class WakeParams(Params):
    """Unknown keys are tolerated here, as the published schema says."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True)

    mode: Literal["now", "next-heartbeat"]
    text: str = Field(min_length=1)
    session_key: str | None = None
    agent_id: str | None = None


class SetHeartbeatsParams(Params):
    enabled: bool


async def wake(params: WakeParams, call: Call) -> dict[str, Any]:
    """Puts a line before the agent. Without a heartbeat, `next-heartbeat` means now as well."""
    services = parts(call)
    key = services.writable_key(params.session_key or "main", params.agent_id)
    await services.automation.wake(params.mode, key, params.text, services.new_id())
    return {"ok": True}


async def last_heartbeat(_params: NoParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    return services.automation.heartbeat.last or {"ts": services.started_at, "status": "skipped", "reason": "not-yet"}


async def set_heartbeats(params: SetHeartbeatsParams, call: Call) -> dict[str, Any]:
    """Pauses every heartbeat until the next start, or lets them go on."""
    heartbeat = parts(call).automation.heartbeat
    heartbeat.enabled = params.enabled
    heartbeat.poke()
    return {"ok": True, "enabled": params.enabled}


METHODS = [
    Method("wake", WakeParams, wake, "operator.write"),
    Method("last-heartbeat", NoParams, last_heartbeat, "operator.read"),
    Method("set-heartbeats", SetHeartbeatsParams, set_heartbeats, "operator.admin"),
]
