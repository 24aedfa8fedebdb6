"""Scheduled jobs: `cron.list`, `.status`, `.get`, `.add`, `.update`, `.remove`, `.run`, `.runs` (protocol section 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from openclaw_gateway.automation.contract import Due
from openclaw_gateway.automation.house import Automation
from openclaw_gateway.automation.jobs import Job, run_wire
from openclaw_gateway.automation.requests import new_job, patched
from openclaw_gateway.methods.services import NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.values.errors import OpenClawError, invalid

PAGE = 50
Loose = dict[str, Any]


class CronListParams(Params):
    include_disabled: bool | None = None
    limit: int | None = Field(default=None, ge=1, le=200)
    offset: int | None = Field(default=None, ge=0)
    query: str | None = None
    enabled: Literal["all", "enabled", "disabled"] | None = None
    schedule_kind: str | None = None
    last_run_status: str | None = None
    trigger: str | None = None
    sort_by: Literal["nextRunAtMs", "updatedAtMs", "name"] | None = None
    sort_dir: Literal["asc", "desc"] | None = None
    agent_id: str | None = None
    compact: bool | None = None
    include_delivery_previews: bool | None = None


class CronIdParams(Params):
    """`id`, or its older name `jobId`."""

    id: str = Field(default="", max_length=200)
    job_id: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _named(self) -> CronIdParams:
        if not self.name:
            raise ValueError("must have required property 'id'")
        return self

    @property
    def name(self) -> str:
        return self.id or self.job_id


class CronAddParams(Params):
    name: str = Field(min_length=1, max_length=200)
    schedule: Loose
    payload: Loose
    session_target: str | None = None
    wake_mode: str | None = None
    delivery: Loose | None = None
    description: str | None = Field(default=None, max_length=2_000)
    enabled: bool | None = None
    delete_after_run: bool | None = None
    agent_id: str | None = None
    session_key: str | None = None
    display_name: str | None = None
    declaration_key: str | None = None
    owner: Loose | None = None
    pacing: Loose | None = None
    trigger: Loose | None = None
    failure_alert: Loose | Literal[False] | None = None


class CronUpdateParams(CronIdParams):
    patch: Loose


class CronRunParams(CronIdParams):
    mode: Literal["due", "force", "if-enabled"] | None = None
    expected_process_instance_id: str | None = None


class CronRunsParams(Params):
    id: str | None = None
    job_id: str | None = None
    agent_id: str | None = None
    scope: Literal["job", "all"] | None = None
    run_id: str | None = None
    limit: int | None = Field(default=None, ge=1, le=200)
    offset: int | None = Field(default=None, ge=0)
    statuses: list[str] | None = None
    status: str | None = None
    delivery_statuses: list[str] | None = None
    delivery_status: str | None = None
    query: str | None = None
    sort_dir: Literal["asc", "desc"] | None = None


def _of(call: Call) -> Automation:
    return parts(call).automation


async def cron_list(params: CronListParams, call: Call) -> dict[str, Any]:
    cron = _of(call).cron
    wanted = [job for job in cron.jobs() if _matches(job, params)]
    rows = [(job, cron.due(job)) for job in wanted]
    jobs = sort_jobs(rows, params.sort_by or "nextRunAtMs", params.sort_dir == "desc")
    page, place = _page(jobs, params.limit, params.offset)
    known = "\n".join(f"{job.id} {job.updated_at}" for job in jobs)
    return {
        "jobs": [cron.wire(job) for job in page],
        "snapshotRevision": f"sha256:{hashlib.sha256(known.encode()).hexdigest()}",
        **place,
        "deliveryPreviews": {job.id: preview(job) for job in page},
    }


async def cron_status(_params: NoParams, call: Call) -> dict[str, Any]:
    services, cron = parts(call), _of(call).cron
    return {
        "enabled": services.settings.cron.enabled,
        "triggersEnabled": False,
        "storePath": str(cron.path),
        "storage": "jsonl",
        "jobs": len(cron.jobs()),
        "nextWakeAtMs": cron.next_due(),
        "missedTicks": cron.stats.missed_ticks,
    }


async def cron_get(params: CronIdParams, call: Call) -> dict[str, Any]:
    cron = _of(call).cron
    return cron.wire(cron.get(params.name))


async def cron_add(params: CronAddParams, call: Call) -> dict[str, Any]:
    services, automation = parts(call), _of(call)
    for name in ("pacing", "trigger"):
        if getattr(params, name) is not None:
            raise invalid(f"cron jobs with {name} are not run by this gateway")
    wire = params.model_dump(by_alias=True, exclude_none=True)
    job = new_job(wire, services.new_id(), services.clock(), default_agent=services.default_agent)
    _check_agent(job, call)
    automation.cron.add(job)
    return automation.cron.wire(job) | {"deliveryPreview": preview(job)}


async def cron_update(params: CronUpdateParams, call: Call) -> dict[str, Any]:
    services, cron = parts(call), _of(call).cron
    now, agent = services.clock(), services.default_agent
    changed = patched(cron.get(params.name), params.patch, now, default_agent=agent)
    _check_agent(changed, call)
    return cron.wire(cron.update(params.name, lambda job: patched(job, params.patch, now, default_agent=agent)))


async def cron_remove(params: CronIdParams, call: Call) -> dict[str, Any]:
    return {"ok": True, "removed": _of(call).cron.remove(params.name)}


async def cron_run(params: CronRunParams, call: Call) -> dict[str, Any]:
    cron = _of(call).cron
    job = cron.get(params.name)
    if params.mode == "if-enabled" and not job.enabled:
        return {"ok": True, "enqueued": False, "ran": False, "reason": "disabled"}
    run_id = cron.run_now(job.id, only_due=params.mode == "due")
    if run_id is None:
        return {"ok": True, "enqueued": False, "ran": False, "reason": "not-due" if params.mode == "due" else "already-running"}
    return {"ok": True, "enqueued": True, "runId": run_id}


async def cron_runs(params: CronRunsParams, call: Call) -> dict[str, Any]:
    cron = _of(call).cron
    job_id = None if params.scope == "all" else params.id or params.job_id
    entries = [run_wire(row, job) for row in cron.runs(job_id) if (job := _job(call, row.job_id)) or job_id or params.scope]
    entries = [entry for entry in entries if _wanted(entry, params)]
    if params.sort_dir == "asc":
        entries.reverse()
    page, place = _page(entries, params.limit, params.offset)
    return {"entries": page, **place}


def preview(job: Job) -> dict[str, str]:
    """How a client words where the answer goes."""
    delivery = job.delivery
    if delivery.mode == "none":
        return {"label": "not requested", "detail": "not requested"}
    if delivery.mode == "webhook":
        return {"label": "webhook", "detail": delivery.to}
    where = delivery.channel or "last"
    return {"label": f"announce -> {where}", "detail": f"{where} -> {delivery.to}" if delivery.to else where}


def sort_jobs(jobs: Sequence[tuple[Job, Due | None]], by: str, descending: bool) -> list[Job]:
    """Jobs in the order a client asked for; those that never come due last."""
    far = -1 if descending else 1 << 60

    def key(row: tuple[Job, Due | None]) -> tuple[str, int]:
        job, due = row
        if by == "name":
            return job.name.lower(), 0
        return "", job.updated_at if by == "updatedAtMs" else due.due_ms if due else far

    return [job for job, _ in sorted(jobs, key=key, reverse=descending)]


def _matches(job: Job, params: CronListParams) -> bool:
    status = (job.last or {}).get("lastRunStatus", "unknown")
    if params.enabled in (None, "enabled") and not job.enabled and not params.include_disabled:
        return False
    return (
        (params.enabled != "disabled" or not job.enabled)
        and (not params.query or params.query.lower() in f"{job.name} {job.description}".lower())
        and params.schedule_kind in (None, "all", type(job.schedule).__name__.lower())
        and params.last_run_status in (None, "all", status)
        and params.trigger in (None, "all", "unconditional")
        and params.agent_id in (None, job.agent_id)
    )


def _wanted(entry: dict[str, Any], params: CronRunsParams) -> bool:
    statuses = params.statuses or ([params.status] if params.status and params.status != "all" else None)
    deliveries = params.delivery_statuses or ([params.delivery_status] if params.delivery_status else None)
    return (
        (statuses is None or entry["status"] in statuses)
        and (deliveries is None or entry["deliveryStatus"] in deliveries)
        and params.run_id in (None, entry["runId"])
        and (not params.query or params.query.lower() in f"{entry.get('summary', '')} {entry.get('error', '')}".lower())
    )


def _page(rows: Sequence[Any], limit: int | None, offset: int | None) -> tuple[list[Any], dict[str, Any]]:
    start, size = offset or 0, limit or PAGE
    page = list(rows[start : start + size])
    more = start + len(page) < len(rows)
    place = {
        "total": len(rows),
        "offset": start,
        "limit": size,
        "hasMore": more,
        "nextOffset": start + len(page) if more else None,
    }
    return page, place


def _job(call: Call, job_id: str) -> Job | None:
    try:
        return _of(call).cron.get(job_id)
    except OpenClawError:
        return None


def _check_agent(job: Job, call: Call) -> None:
    services = parts(call)
    if job.agent_id not in services.agent_ids():
        raise invalid(f"unknown agent {job.agent_id!r}; known: {', '.join(services.agent_ids())}")
    if job.payload.model:
        services.models.resolve(job.payload.model, job.agent_id)


METHODS = [
    Method("cron.list", CronListParams, cron_list, "operator.read"),
    Method("cron.status", NoParams, cron_status, "operator.read"),
    Method("cron.get", CronIdParams, cron_get, "operator.read"),
    Method("cron.add", CronAddParams, cron_add, "operator.admin"),
    Method("cron.update", CronUpdateParams, cron_update, "operator.admin"),
    Method("cron.remove", CronIdParams, cron_remove, "operator.admin"),
    Method("cron.run", CronRunParams, cron_run, "operator.admin"),
    Method("cron.runs", CronRunsParams, cron_runs, "operator.read"),
]
