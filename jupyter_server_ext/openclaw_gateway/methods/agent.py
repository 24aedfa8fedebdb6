"""`agent` answers twice with one id (protocol section 4); `agent.wait`, `agents.list`, `agent.identity.get`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from openclaw_gateway.methods.attachments import Attachment, parts_of
from openclaw_gateway.methods.chat import owner_of, user_message
from openclaw_gateway.methods.rows import thinking_levels, thinking_options
from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.methods.session_view import model_of
from openclaw_gateway.protocol.dispatch import Call, Method, TwoStep
from openclaw_kernel.agent.api import Outcome, RunRequest
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.values.codec import usage_to_wire
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.session_key import MAIN, parse

DEFAULT_WAIT_MS = 30_000


class AgentParams(Params):
    message: str = Field(min_length=1)
    idempotency_key: str = Field(min_length=1, max_length=256)
    agent_id: str | None = None
    session_key: str | None = None
    session_id: str | None = None
    to: str | None = None
    provider: str | None = None
    model: str | None = None
    thinking: ThinkingLevel | None = None
    timeout: int | None = Field(default=None, ge=0)
    extra_system_prompt: str | None = None
    attachments: list[Attachment] | None = None
    deliver: bool | None = None
    best_effort_deliver: bool | None = None
    channel: str | None = None
    reply_channel: str | None = None
    reply_to: str | None = None
    account_id: str | None = None
    reply_account_id: str | None = None
    thread_id: str | None = None
    group_id: str | None = None
    group_channel: str | None = None
    group_space: str | None = None
    lane: str | None = None
    label: str | None = None
    input_provenance: Any = None
    spawned_by: str | None = None
    cleanup_bundle_mcp_on_run_end: bool | None = None
    prompt_mode: str | None = None
    bootstrap_context_mode: str | None = None
    bootstrap_context_run_kind: str | None = None


class AgentWaitParams(Params):
    run_id: str = Field(min_length=1)
    timeout_ms: int | None = Field(default=None, ge=0)


class AgentIdentityParams(Params):
    agent_id: str | None = None
    session_key: str | None = None


def _session_key(services: GatewayServices, params: AgentParams) -> str:
    if params.session_key:
        return services.writable_key(params.session_key, params.agent_id)
    if params.session_id:
        return services.sessions.resolve(params.session_id).key
    if params.to:
        return services.writable_key(f"direct:{params.to}", params.agent_id)
    return services.writable_key(MAIN, params.agent_id)


async def agent(params: AgentParams, call: Call) -> TwoStep:
    """Accepted as soon as the message is on disk; the second answer is the outcome."""
    services = parts(call)
    if not services.accepting:
        raise OpenClawError("UNAVAILABLE", "the gateway is shutting down; send again in a moment", retryable=True)
    key = _session_key(services, params)
    model = f"{params.provider}/{params.model}" if params.provider and params.model else params.model
    if model is not None:
        services.models.resolve(model, parse(key).agent)
    run_id = params.idempotency_key
    request = RunRequest(
        run_id=run_id,
        session_key=key,
        message=user_message(services, run_id, parts_of(params.message, params.attachments)),
        model=model,
        thinking=params.thinking,
        timeout_ms=params.timeout * 1000 if params.timeout else None,
        extra_system_prompt=params.extra_system_prompt,
        client_id=owner_of(call),
    )
    receipt = await services.runtime.submit(request)
    status = "accepted" if receipt.status in ("started", "queued") else receipt.status
    accepted = {
        "runId": run_id,
        "sessionKey": key,
        "agentId": parse(key).agent,
        "status": "in_flight" if status == "done" else status,
        "acceptedAt": services.clock(),
    }
    return TwoStep(accepted, _final(services, run_id))


async def _final(services: GatewayServices, run_id: str) -> dict[str, Any]:
    outcome = await services.runtime.wait(run_id)
    if outcome is None:
        raise OpenClawError("AGENT_TIMEOUT", f"run {run_id} gave no result")
    return agent_result(outcome)


def agent_result(outcome: Outcome) -> dict[str, Any]:
    """The second answer of `agent`."""
    message = outcome.message
    payloads = [{"text": message.text, "mediaUrl": None}] if message is not None and message.text else []
    agent_meta: dict[str, Any] = {"sessionId": outcome.session_id}
    if message is not None:
        agent_meta |= {"provider": message.provider, "model": message.model}
    agent_meta["usage"] = usage_to_wire(outcome.usage) | {"total": outcome.usage.total}
    meta: dict[str, Any] = {"durationMs": outcome.ended_at - outcome.started_at, "agentMeta": agent_meta}
    if outcome.status == "aborted":
        meta["aborted"] = True
    result: dict[str, Any] = {
        "runId": outcome.run_id,
        "status": "ok" if outcome.status == "ok" else "error",
        "summary": _SUMMARY[outcome.status],
        "result": {"payloads": payloads, "meta": meta},
    }
    if outcome.error is not None:
        result["error"] = outcome.error.message
        meta["error"] = {"kind": outcome.error.kind, "message": outcome.error.message}
    return result


_SUMMARY = {"ok": "completed", "error": "failed", "aborted": "aborted", "timeout": "timed out"}


async def agent_wait(params: AgentWaitParams, call: Call) -> dict[str, Any]:
    """How a run ended; `timeout` when it has not yet. Waiting never cancels."""
    wait_ms = DEFAULT_WAIT_MS if params.timeout_ms is None else params.timeout_ms
    outcome = await parts(call).runtime.wait(params.run_id, wait_ms / 1000)
    if outcome is None:
        return {"runId": params.run_id, "status": "timeout"}
    text = outcome.message.text if outcome.message is not None else ""
    result: dict[str, Any] = {
        "runId": params.run_id,
        "status": "ok" if outcome.status == "ok" else "error",
        "startedAt": outcome.started_at,
        "endedAt": outcome.ended_at,
        "stopReason": outcome.stop_reason,
        "terminalReply": {"disposition": "visible", "text": text} if text else {"disposition": "silent"},
    }
    if outcome.error is not None:
        result["error"] = outcome.error.message
    return result


def identity(services: GatewayServices, agent_id: str) -> dict[str, Any]:
    """Name, emoji and avatar of an agent: its own, else `ui.assistant`, else "OpenClaw"."""
    own = next((row for row in services.settings.agents.list if row.id == agent_id), None)
    named = own.identity if own is not None else None
    shared = getattr(services.settings.ui, "assistant", None)
    pick: Callable[[str], str | None] = lambda name: getattr(named, name, None) or getattr(shared, name, None)  # noqa: E731
    name = pick("name")
    result = {
        "agentId": agent_id,
        "name": name or (own.name if own is not None and own.name else "OpenClaw"),
        "nameSource": "config" if name else "default",
        "avatar": pick("avatar") or (name or "OpenClaw")[0],
    }
    if emoji := getattr(named, "emoji", None):
        result["emoji"] = emoji
    return result


async def agent_identity(params: AgentIdentityParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    agent_id = params.agent_id or (parse(services.key(params.session_key)).agent if params.session_key else None)
    return identity(services, agent_id or services.default_agent)


def agents_row(services: GatewayServices) -> dict[str, Any]:
    """The result of `agents.list`."""
    return {
        "defaultId": services.default_agent,
        "ownership": "sole",
        "selectionRequired": False,
        "mainKey": services.settings.session.main_key,
        "scope": "per-sender",
        "agents": [_agent_row(services, agent_id) for agent_id in services.agent_ids()],
    }


def _agent_row(services: GatewayServices, agent_id: str) -> dict[str, Any]:
    model = model_of(services, None, agent_id)
    who = identity(services, agent_id)
    return {
        "id": agent_id,
        "kind": "agent",
        "name": who["name"],
        "identity": {name: who[name] for name in ("name", "emoji", "avatar") if name in who},
        "workspace": str(services.workspace(agent_id)),
        "workspaceGit": False,
        "model": {"primary": model.ref} if model is not None else {},
        "thinkingLevels": thinking_levels(model),
        "thinkingOptions": thinking_options(model),
        "thinkingDefault": services.settings.agents.defaults.thinking_default or "off",
    }


async def agents_list(_params: NoParams, call: Call) -> dict[str, Any]:
    return agents_row(parts(call))


METHODS = [
    Method("agent", AgentParams, agent, "operator.write"),
    Method("agent.wait", AgentWaitParams, agent_wait, "operator.write"),
    Method("agent.identity.get", AgentIdentityParams, agent_identity, "operator.read"),
    Method("agents.list", NoParams, agents_list, "operator.read"),
]
