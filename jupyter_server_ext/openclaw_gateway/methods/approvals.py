"""May it? `exec.approval.*` puts a question to people and carries their answer back (protocol section 5)."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import Field

from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.dispatch import Call, Method, TwoStep
from openclaw_kernel.safety.allowed import job_of
from openclaw_kernel.safety.api import Card, Decision
from openclaw_kernel.safety.approvals import Approval
from openclaw_kernel.safety.effective import exec_policy
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import invalid

SCOPE = "operator.approvals"
DEFAULT_TIMEOUT_MS = 120_000
MAX_TIMEOUT_MS = 600_000
_DECISIONS: dict[str, Decision] = {"allow-once": "allow-once", "allow-always": "allow-always", "deny": "deny"}


class RequestParams(Params):
    id: str | None = Field(default=None, max_length=128)
    command: str | None = None
    command_argv: list[str] | None = None
    system_run_plan: Any = None
    env: dict[str, str] | None = None
    cwd: str | None = None
    node_id: str | None = None
    host: str | None = None
    security: str | None = None
    ask: str | None = None
    warning_text: str | None = None
    scope: Any = None
    unavailable_decisions: list[str] | None = None
    command_spans: Any = None
    agent_id: str | None = None
    resolved_path: str | None = None
    session_key: str | None = None
    session_id: str | None = None
    run_id: str | None = None
    tool_call_id: str | None = None
    turn_source_channel: str | None = None
    turn_source_to: str | None = None
    turn_source_account_id: str | None = None
    turn_source_thread_id: str | int | None = None
    approval_reviewer_device_ids: list[str] | None = None
    require_delivery_route: bool | None = None
    suppress_delivery: bool | None = None
    deliver_to_approval_clients_only: bool | None = None
    timeout_ms: int | None = Field(default=None, ge=0)
    two_phase: bool | None = None


class IdParams(Params):
    id: str = Field(min_length=1)


class ResolveParams(IdParams):
    decision: str
    reviewer: Any = None
    grant_expires_in_days: int | None = Field(default=None, ge=1, le=3650)


def approval_wire(approval: Approval) -> dict[str, Any]:
    """A question as clients see it: `exec.approval.list` and the event `exec.approval.requested`."""
    card = approval.card
    request = {
        "command": card.command,
        "commandPreview": card.title,
        "cwd": card.cwd,
        "where": card.facts.get("where"),
        "host": "gateway",
        "agentId": approval.agent_id,
        "sessionKey": approval.session_key,
        "runId": approval.run_id or None,
        "toolCallId": approval.tool_call_id or None,
        "title": card.title,
        "warningText": card.reason,
        "reason": card.reason,
        "risk": card.risk,
        "allowedDecisions": list(card.scopes),
        "grantedToJob": job_of(approval.session_key) or None,
    }
    return {
        "id": approval.id,
        "request": request,
        "createdAtMs": approval.created_at,
        "expiresAtMs": approval.expires_at,
    }


def announce(approval: Approval, broadcaster: Broadcaster, clock: Clock) -> None:
    """Tells connections with the scope `operator.approvals` of a new question or its end."""
    wire = approval_wire(approval)
    if approval.state == "pending":
        broadcaster.send("exec.approval.requested", wire, scope=SCOPE)
        return
    ended = {
        "id": approval.id,
        "decision": approval.decision,
        "state": approval.state,
        "resolvedBy": approval.resolved_by or None,
        "ts": clock(),
        "request": wire["request"],
    }
    broadcaster.send("exec.approval.resolved", ended, scope=SCOPE)


async def request(params: RequestParams, call: Call) -> dict[str, Any] | TwoStep:
    """Asks, and answers with the decision; with `twoPhase` it says at once that the question stands."""
    services = parts(call)
    command = params.command or " ".join(params.command_argv or ())
    if not command:
        raise invalid("invalid exec.approval.request params: must have required property 'command'")
    agent_id = params.agent_id or services.default_agent
    card = Card(
        title=command.splitlines()[0][:120],
        command=command,
        cwd=params.cwd or str(services.workspace(agent_id)),
        reason=params.warning_text or "a client asks for this command",
        scopes=("allow-once", "deny"),
    )
    approval = services.approvals.request(
        card,
        session_key=services.key(params.session_key or "main", agent_id),
        agent_id=agent_id,
        run_id=params.run_id or "",
        tool_call_id=params.tool_call_id or "",
        timeout_ms=min(params.timeout_ms or DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS),
        approval_id=params.id,
    )
    times = {"createdAtMs": approval.created_at, "expiresAtMs": approval.expires_at}
    if params.two_phase:
        return TwoStep({"id": approval.id, "status": "accepted", **times}, _decision(services, approval))
    return await _decision(services, approval)


async def _decision(services: GatewayServices, approval: Approval) -> dict[str, Any]:
    decision = await services.approvals.decision(approval.id)
    return {
        "id": approval.id,
        "decision": decision,
        "createdAtMs": approval.created_at,
        "expiresAtMs": approval.expires_at,
    }


async def wait_decision(params: IdParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    return await _decision(services, services.approvals.get(params.id))


async def listing(_params: NoParams, call: Call) -> list[dict[str, Any]]:
    return [approval_wire(approval) for approval in parts(call).approvals.pending()]


async def get(params: IdParams, call: Call) -> dict[str, Any]:
    approval = parts(call).approvals.get(params.id)
    return approval_wire(approval) | {"state": approval.state, "decision": approval.decision}


async def resolve(params: ResolveParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    decision = _DECISIONS.get(params.decision)
    if decision is None:
        raise invalid("invalid decision; answer allow-once, allow-always or deny")
    services.approvals.resolve(params.id, decision, call.by, params.grant_expires_in_days)
    await services.approvals.flush()
    return {"ok": True}


class SetParams(Params):
    file: dict[str, Any]
    base_hash: str | None = None


async def approvals_get(_params: NoParams, call: Call) -> dict[str, Any]:
    """The allowlist and the policy in force, in the shape of the original's approvals file."""
    services = parts(call)
    policy = exec_policy(services.settings, services.default_agent)
    file = _file(services)
    path = services.state_dir / "exec-approvals.jsonl"
    return {
        "path": str(path),
        "exists": path.exists(),
        "file": file,
        "hash": _hash(file),
        "resolvedDefaults": {
            "security": policy.security,
            "ask": "on-miss" if policy.ask == "auto" else policy.ask,
            "askFallback": "deny",
            "autoAllowSkills": False,
        },
    }


async def approvals_set(params: SetParams, call: Call) -> dict[str, Any]:
    """Makes the allowlist what `file` says; `baseHash` keeps one writer from undoing another. Raises INVALID_REQUEST."""
    services = parts(call)
    if params.base_hash != _hash(_file(services)):
        raise invalid(
            "the allowlist has changed since it was read, or baseHash is missing; read it again with exec.approvals.get"
        )
    wanted = _wanted(params.file)
    have = {(row.agent_id, row.pattern, row.cwd, row.job, row.expires_at) for row in services.approvals.entries()}
    for agent_id, pattern, cwd, job, _ in sorted(have - wanted):
        services.approvals.disallow(agent_id, pattern, cwd, job)
    for agent_id, pattern, cwd, job, expires_at in sorted(wanted - have):
        services.approvals.allow(agent_id, pattern, cwd=cwd, source=call.by, job=job, expires_at=expires_at)
    await services.approvals.flush()
    return await approvals_get(NoParams(), call)


def _file(services: GatewayServices) -> dict[str, Any]:
    agents: dict[str, Any] = {}
    for row in services.approvals.entries():
        entry = {
            "pattern": row.pattern,
            "cwd": row.cwd,
            "source": "allow-always",
            "addedBy": row.source,
            "createdAtMs": row.created_at,
        }
        entry |= {"job": row.job, "expiresAtMs": row.expires_at or None} if row.job or row.expires_at else {}
        agents.setdefault(row.agent_id, {"allowlist": []})["allowlist"].append(entry)
    return {"version": 1, "defaults": {}, "agents": agents}


def _hash(file: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(file, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _wanted(file: dict[str, Any]) -> set[tuple[str, str, str, str, int]]:
    """Agent, pattern, directory, job and end of every entry of `file`. Raises INVALID_REQUEST."""
    if file.get("defaults"):
        raise invalid("file.defaults is set in openclaw.json (tools.exec), not here; leave it empty")
    found = set()
    agents = file.get("agents")
    for agent_id, agent in (agents if isinstance(agents, dict) else {}).items():
        if not isinstance(agent, dict) or set(agent) - {"allowlist"}:
            raise invalid(f"file.agents.{agent_id} may hold an allowlist and nothing else; policy belongs into openclaw.json")
        for entry in agent.get("allowlist") or ():
            pattern = entry.get("pattern") if isinstance(entry, dict) else None
            if not isinstance(pattern, str) or not pattern.strip():
                raise invalid(f"file.agents.{agent_id}.allowlist has an entry without a pattern")
            until = entry.get("expiresAtMs") or 0
            if not isinstance(until, int):
                raise invalid(f"file.agents.{agent_id}.allowlist: expiresAtMs of {pattern!r} is no number of milliseconds")
            found.add((str(agent_id), pattern, str(entry.get("cwd") or ""), str(entry.get("job") or ""), until))
    return found


async def plugin_approvals(_params: NoParams, _call: Call) -> list[dict[str, Any]]:
    """No plugin asks anything yet."""
    return []


METHODS = [
    Method("exec.approval.request", RequestParams, request, SCOPE),
    Method("exec.approval.waitDecision", IdParams, wait_decision, SCOPE),
    Method("exec.approval.list", NoParams, listing, SCOPE),
    Method("exec.approval.get", IdParams, get, SCOPE),
    Method("exec.approval.resolve", ResolveParams, resolve, SCOPE),
    Method("exec.approvals.get", NoParams, approvals_get, "operator.admin"),
    Method("exec.approvals.set", SetParams, approvals_set, "operator.admin"),
    Method("plugin.approval.list", NoParams, plugin_approvals, SCOPE),
]
