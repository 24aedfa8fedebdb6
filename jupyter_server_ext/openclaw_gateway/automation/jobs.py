"""A job and one occurrence of it: the two rows of the scheduler's ledgers, and their forms on the wire.

A job says what happens when. An occurrence is one slot of it: claimed before anything is done, settled after (AUT-02).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import orjson

from openclaw_gateway.automation.schedule import At, Schedule, schedule_from_wire, schedule_to_wire
from openclaw_kernel.values.errors import OpenClawError

PayloadKind = Literal["systemEvent", "agentTurn"]
DeliveryMode = Literal["none", "announce", "webhook"]
WakeMode = Literal["now", "next-heartbeat"]
RunState = Literal["claimed", "ok", "error", "skipped", "recovered"]
Trigger = Literal["schedule", "catch-up", "retry", "manual", "missed"]
SUMMARY_CHARS = 2_000
DeliveryState = Literal["not-requested", "pending", "delivered", "not-delivered", "skipped"]


@dataclass(frozen=True, slots=True)
class Payload:
    """What a job says. `text` is the system event or the message; the rest concerns agent turns (AUT-05).

    `timeout_s` ends the turn; `tools` are the only ones it may use, `None` for the agent's own.
    """

    kind: PayloadKind
    text: str = ""
    model: str | None = None
    thinking: str | None = None
    timeout_s: int | None = None
    tools: tuple[str, ...] | None = None
    light_context: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the answer goes (AUT-07). `channel` may be `last`; `to` is a target of the channel, or the webhook's URL.

    `token` is sent to the webhook as a Bearer token. `best_effort` makes a failed delivery no failure of the run.
    """

    mode: DeliveryMode = "none"
    channel: str = ""
    account: str = ""
    to: str = ""
    token: str = ""
    best_effort: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Times are milliseconds since the epoch. Slots count from after `from_ms`: when the job was made, enabled or moved.

    `target` is `main`, `isolated`, `current` or `session:<key>`; `session_key` is the session the job was made in.
    `errors` are failures in a row; `not_before` is the end of a back-off (AUT-08).
    """

    id: str
    name: str
    schedule: Schedule
    payload: Payload
    created_at: int
    updated_at: int
    from_ms: int
    agent_id: str = "main"
    session_key: str = ""
    target: str = "isolated"
    wake: WakeMode = "now"
    delivery: Delivery = Delivery()
    description: str = ""
    enabled: bool = True
    delete_after_run: bool = False
    trusted: bool = True
    errors: int = 0
    skipped: int = 0
    not_before: int = 0
    alerted_at: int = 0
    last: Mapping[str, Any] | None = None

    @property
    def one_shot(self) -> bool:
        return isinstance(self.schedule, At)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One slot of a job. `id` is made from job, slot and attempt, and is also the id of the agent's run (AUT-02).

    `claimed_at`, `ended_at` are times of the gateway; `text` is the answer that delivery still needs.
    """

    id: str
    job_id: str
    slot_ms: int
    trigger: Trigger
    claimed_at: int
    state: RunState = "claimed"
    attempt: int = 1
    ended_at: int = 0
    error: str = ""
    text: str = ""
    session_key: str = ""
    delivery: DeliveryState = "not-requested"
    delivery_error: str = ""

    @property
    def open(self) -> bool:
        return self.state == "claimed" or self.delivery == "pending"


def occurrence_id(job_id: str, slot_ms: int, attempt: int = 1, manual: bool = False) -> str:
    """The same for ever: a second claim of the same slot finds the first."""
    head = "manual" if manual else "cron"
    tail = f":{attempt}" if attempt > 1 else ""
    return f"{head}:{job_id}:{slot_ms}{tail}"


def encode_job(job: Job) -> dict[str, Any]:
    row = asdict(job)
    row["schedule"] = schedule_to_wire(job.schedule)
    return {name: value for name, value in row.items() if value not in (None, "", {})}


def decode_job(row: Mapping[str, Any]) -> Job:
    payload = dict(row["payload"])
    if payload.get("tools") is not None:
        payload["tools"] = tuple(payload["tools"])
    try:
        schedule = schedule_from_wire(row["schedule"], int(row["created_at"]))
    except OpenClawError as error:  # a zone this machine no longer knows: the ledger passes the row over and says so
        raise ValueError(str(error)) from error
    delivery = Delivery(**(row.get("delivery") or {}))
    return Job(**{**row, "schedule": schedule, "payload": Payload(**payload), "delivery": delivery})


def encode_occurrence(row: Occurrence) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if value != ""}


def decode_occurrence(row: Mapping[str, Any]) -> Occurrence:
    return Occurrence(**row)


# --- the wire


def payload_wire(payload: Payload) -> dict[str, Any]:
    if payload.kind == "systemEvent":
        return {"kind": "systemEvent", "text": payload.text}
    wire: dict[str, Any] = {"kind": "agentTurn", "message": payload.text}
    wire["toolsAllow"] = list(payload.tools) if payload.tools is not None else ["*"]
    optional = {"model": payload.model, "thinking": payload.thinking, "timeoutSeconds": payload.timeout_s}
    wire |= {name: value for name, value in optional.items() if value is not None}
    if payload.light_context:
        wire["lightContext"] = True
    return wire


def delivery_wire(delivery: Delivery) -> dict[str, Any]:
    """Without the token: it never leaves the gateway."""
    wire: dict[str, Any] = {"mode": delivery.mode}
    named = {"channel": delivery.channel, "accountId": delivery.account, "to": delivery.to}
    wire |= {name: value for name, value in named.items() if value}
    if delivery.best_effort:
        wire["bestEffort"] = True
    return wire


_ALSO_OUTSIDE = ("nextRunAtMs", "lastRunAtMs", "lastRunStatus", "lastDeliveryStatus")
"""Keys of `state` that the protocol repeats beside it."""


def job_wire(job: Job, next_ms: int | None, running: int | None = None) -> dict[str, Any]:
    """A job as the protocol has it. `running` is when the occurrence under way was claimed."""
    state: dict[str, Any] = dict(job.last or {})
    if next_ms is not None:
        state["nextRunAtMs"] = next_ms
    if running is not None:
        state["runningAtMs"] = running
    if job.last:
        state |= {"consecutiveErrors": job.errors, "consecutiveSkipped": job.skipped}
    wire: dict[str, Any] = {
        "id": job.id,
        "name": job.name,
        "agentId": job.agent_id,
        "enabled": job.enabled,
        "createdAtMs": job.created_at,
        "updatedAtMs": job.updated_at,
        "schedule": schedule_to_wire(job.schedule),
        "sessionTarget": job.target,
        "wakeMode": job.wake,
        "payload": payload_wire(job.payload),
        "delivery": delivery_wire(job.delivery),
        "state": state,
    }
    if job.trusted:
        wire["scheduledToolPolicy"] = {"version": 1, "mode": "trusted"}
    if job.session_key:
        wire["sessionKey"] = job.session_key
    if job.description:
        wire["description"] = job.description
    if job.delete_after_run:
        wire["deleteAfterRun"] = True
    wire["configRevision"] = revision(replace(job, last=None, errors=0, skipped=0, not_before=0, alerted_at=0))
    wire |= {name: state[name] for name in _ALSO_OUTSIDE if name in state}
    return wire


def run_wire(row: Occurrence, job: Job | None, next_ms: int | None = None) -> dict[str, Any]:
    """A settled occurrence as an entry of `cron.runs`."""
    status = "ok" if row.state in ("ok", "recovered") else row.state
    wire: dict[str, Any] = {
        "ts": row.ended_at or row.claimed_at,
        "jobId": row.job_id,
        "action": "finished",
        "status": status,
        "runId": row.id,
        "runAtMs": row.claimed_at,
        "durationMs": max(0, row.ended_at - row.claimed_at),
        "deliveryStatus": "unknown" if row.delivery == "pending" else _delivery_word(row.delivery),
    }
    if row.state == "recovered":
        wire["completionStatus"] = "unknown"
    optional = {"error": row.error, "summary": row.text[:SUMMARY_CHARS]}
    optional |= {"sessionKey": row.session_key, "deliveryError": row.delivery_error}
    wire |= {name: value for name, value in optional.items() if value}
    if job is not None:
        wire["jobName"] = job.name
    if next_ms is not None:
        wire["nextRunAtMs"] = next_ms
    return wire


def ended_wire(row: Occurrence) -> dict[str, Any]:
    """What an event `cron` with action `finished` says beyond the job."""
    return {name: value for name, value in run_wire(row, None).items() if name not in ("ts", "jobId", "action")}


def last_wire(row: Occurrence) -> dict[str, Any]:
    """What the job's `state` keeps of its newest run."""
    wire = run_wire(row, None)
    last = {
        "lastRunAtMs": row.claimed_at,
        "lastRunStatus": wire["status"],
        "lastStatus": wire["status"],
        "lastDurationMs": wire["durationMs"],
        "lastDeliveryStatus": wire["deliveryStatus"],
    }
    return last | ({"lastError": row.error} if row.error else {})


def revision(job: Job) -> str:
    return "sha256:" + hashlib.sha256(orjson.dumps(encode_job(job), option=orjson.OPT_SORT_KEYS)).hexdigest()[:43]


def _delivery_word(state: DeliveryState) -> str:
    return {"skipped": "not-requested"}.get(state, state)
