"""How the gateway is: `health`, `status`, `system-presence`, `system.info`."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import socket
import sys
from typing import Any

from openclaw_gateway.methods.channels import overview
from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.values.errors import UserError

RECENT = 10
MEMORY_S = 1.0
"""How long a status waits for a memory that is being opened."""


class HealthParams(Params):
    probe: bool | None = None


class StatusParams(Params):
    include_channel_summary: bool | None = None
    include_cli_projection: bool | None = None


def health_snapshot(services: GatewayServices) -> dict[str, Any]:
    """The result of `health`, also part of `hello-ok` (protocol section 3.2)."""
    started = services.clock()
    agents = [_agent_health(services, agent_id) for agent_id in services.agent_ids()]
    return {
        "ok": True,
        "ts": started,
        "durationMs": services.clock() - started,
        "plugins": services.plugins.health(),
        "configReload": {"hotReloadStatus": "active"},
        **overview(services.channels),
        "heartbeatSeconds": (agents[0]["heartbeat"]["everyMs"] or 0) // 1000,
        "defaultAgentId": services.default_agent,
        "agents": agents,
        "sessions": agents[0]["sessions"],
    }


def heartbeat_row(services: GatewayServices, agent_id: str) -> dict[str, Any]:
    """An agent's heartbeat with every key the published `HelloOk` requires."""
    plan = services.automation.heartbeat.plan(agent_id)
    if plan is None:
        return {"enabled": False, "every": "disabled", "everyMs": None, "prompt": "", "target": "none", "ackMaxChars": 300}
    return {
        "enabled": True,
        "every": f"{plan.every_ms // 1000}s",
        "everyMs": plan.every_ms,
        "prompt": plan.prompt,
        "target": plan.target,
        "ackMaxChars": plan.ack_chars,
    }


def _agent_health(services: GatewayServices, agent_id: str) -> dict[str, Any]:
    entries = services.sessions.list(agent_id)
    now = services.clock()
    recent = [{"key": row.key, "updatedAt": row.updated_at, "age": now - row.updated_at} for row in entries[:RECENT]]
    path = str(services.state_dir / "agents" / agent_id / "sessions")
    return {
        "agentId": agent_id,
        "isDefault": agent_id == services.default_agent,
        "heartbeat": heartbeat_row(services, agent_id),
        "sessions": {"path": path, "count": len(entries), "recent": recent},
    }


async def health(_params: HealthParams, call: Call) -> dict[str, Any]:
    return health_snapshot(parts(call))


async def status(params: StatusParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    rows = {agent: heartbeat_row(services, agent) for agent in services.agent_ids()}
    brief = [{"agentId": agent, **{key: row[key] for key in ("enabled", "every", "everyMs")}} for agent, row in rows.items()]
    return {
        "runtimeVersion": services.version,
        "heartbeat": {"defaultAgentId": services.default_agent, "agents": brief},
        "channelSummary": [] if params.include_channel_summary is False else _channel_lines(services),
        "queuedSystemEvents": [],
        "sessions": _sessions_status(services),
        "activeRuns": len(services.runtime.active()),
        "sandbox": services.sandboxes.status(),
        "memory": [await _memory_row(services, agent) for agent in rows],
        "uptimeMs": services.clock() - services.started_at,
        "processMemory": {"rssBytes": rss_bytes()},
        "pid": os.getpid(),
    }


async def _memory_row(services: GatewayServices, agent_id: str) -> dict[str, Any]:
    """How an agent's memory is; one that nobody has used yet is not opened for the asking."""
    backend = services.memories.opened().get(agent_id)
    if backend is None:
        return {"agentId": agent_id, "open": False, "sentence": "Not used since the gateway started."}
    try:
        async with asyncio.timeout(MEMORY_S):
            found = await backend.status()
    except TimeoutError:
        return {"agentId": agent_id, "open": True, "sentence": "Busy reading notes."}
    except UserError as error:
        return {"agentId": agent_id, "open": True, "sentence": str(error)}
    counts = {"files": found.files, "chunks": found.chunks, "waiting": found.waiting}
    return {"agentId": agent_id, "open": True, "semantic": found.semantic, "sentence": found.sentence, **counts}


def _channel_lines(services: GatewayServices) -> list[str]:
    """One line a channel, for people."""
    seen = overview(services.channels)
    lines = []
    for channel in seen["channelOrder"]:
        state = seen["channels"][channel]
        told = "connected" if state["connected"] else state["lastError"] or "not connected"
        lines.append(f"{seen['channelLabels'][channel]}: {told}")
    return lines


def _sessions_status(services: GatewayServices) -> dict[str, Any]:
    entries = services.sessions.list()
    now = services.clock()
    model = services.models.resolve(None, services.default_agent)
    recent = [
        {
            "agentId": entry.agent_id,
            "key": entry.key,
            "kind": "direct",
            "sessionId": entry.session_id,
            "updatedAt": entry.updated_at,
            "age": now - entry.updated_at,
            "abortedLastRun": bool(entry.aborted_last_run),
            "totalTokens": entry.total_tokens,
            "model": entry.model_override or model.id,
            "contextTokens": model.context_window,
            "flags": [f"id:{entry.session_id}"],
        }
        for entry in entries[:RECENT]
    ]
    by_agent = [{"agentId": agent, **_agent_health(services, agent)["sessions"]} for agent in services.agent_ids()]
    return {
        "paths": [row["path"] for row in by_agent],
        "count": len(entries),
        "defaults": {"model": model.id, "contextTokens": model.context_window},
        "recent": recent,
        "byAgent": by_agent,
    }


def rss_bytes() -> int:
    """Resident memory of this process now; its peak where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


async def system_presence(_params: NoParams, call: Call) -> list[dict[str, Any]]:
    return parts(call).presence()


async def system_info(_params: NoParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    return {
        "host": socket.gethostname(),
        "platform": platform.system().lower(),
        "release": platform.release(),
        "arch": platform.machine(),
        "pythonVersion": platform.python_version(),
        "version": services.version,
        "pid": os.getpid(),
        "uptimeMs": services.clock() - services.started_at,
        "cpuCount": os.cpu_count(),
        "rssBytes": rss_bytes(),
    }


METHODS = [
    Method("health", HealthParams, health, "operator.read"),
    Method("status", StatusParams, status, "operator.read"),
    Method("system-presence", NoParams, system_presence, "operator.read"),
    Method("system.info", NoParams, system_info, "operator.read"),
]
