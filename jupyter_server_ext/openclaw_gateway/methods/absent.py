"""What clients ask for at start and this gateway does not have yet: true, empty answers (protocol section 5.1).

`cron.list` is not empty when reminders wait: they are its one-time jobs.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Literal

from openclaw_gateway.automation.reminders import Reminder
from openclaw_gateway.methods.chat import user_message
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.session_key import parse
from pydantic import Field

from openclaw_gateway.methods.services import NoParams, Params, parts

CRON_PAGE = 50


class QuestionListParams(Params):
    session_key: str | None = None


class TaskSuggestionsParams(Params):
    session_key: str | None = None
    agent_id: str | None = None


class CronListParams(Params):
    include_disabled: bool | None = None
    limit: int | None = Field(default=None, ge=1, le=200)
    offset: int | None = Field(default=None, ge=0)
    query: str | None = None
    enabled: Literal["all", "enabled", "disabled"] | None = None
    schedule_kind: str | None = None
    last_run_status: str | None = None
    trigger: str | None = None
    sort_by: str | None = None
    sort_dir: str | None = None
    agent_id: str | None = None
    compact: bool | None = None
    include_delivery_previews: bool | None = None


class CronIdParams(Params):
    id: str | None = None
    job_id: str | None = None


class WakeParams(Params):
    mode: Literal["now", "next-heartbeat"]
    text: str = Field(min_length=1)
    session_key: str | None = None
    agent_id: str | None = None


async def question_list(_params: QuestionListParams, _call: Call) -> dict[str, Any]:
    return {"questions": []}


async def task_suggestions(_params: TaskSuggestionsParams, _call: Call) -> dict[str, Any]:
    return {"suggestions": []}


def cron_job(reminder: Reminder) -> dict[str, Any]:
    """A reminder as a one-time job."""
    at = datetime.fromtimestamp(reminder.due_at / 1000, UTC).isoformat().replace("+00:00", "Z")
    return {
        "id": reminder.id,
        "name": reminder.text[:60],
        "agentId": parse(reminder.session_key).agent,
        "sessionKey": reminder.session_key,
        "enabled": True,
        "deleteAfterRun": True,
        "createdAtMs": reminder.created_at,
        "updatedAtMs": reminder.created_at,
        "schedule": {"kind": "at", "at": at},
        "sessionTarget": f"session:{reminder.session_key}",
        "wakeMode": "now",
        "payload": {"kind": "agentTurn", "message": reminder.text},
        "delivery": {"mode": "none"},
        "state": {"nextRunAtMs": reminder.due_at},
        "nextRunAtMs": reminder.due_at,
    }


async def cron_list(params: CronListParams, call: Call) -> dict[str, Any]:
    jobs = [cron_job(row) for row in parts(call).reminders.pending()]
    if params.query:
        jobs = [job for job in jobs if params.query.lower() in job["name"].lower()]
    if params.enabled == "disabled":
        jobs = []
    offset, limit = params.offset or 0, params.limit or CRON_PAGE
    page = jobs[offset : offset + limit]
    more = offset + len(page) < len(jobs)
    revision = hashlib.sha256("\n".join(job["id"] for job in jobs).encode()).hexdigest()
    return {
        "jobs": page,
        "snapshotRevision": f"sha256:{revision}",
        "total": len(jobs),
        "offset": offset,
        "limit": limit,
        "hasMore": more,
        "nextOffset": offset + len(page) if more else None,
        "deliveryPreviews": {},
    }


async def cron_status(_params: NoParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    rows = services.reminders.pending()
    return {
        "enabled": True,
        "triggersEnabled": False,
        "storePath": str(services.state_dir / "reminders.jsonl"),
        "storage": "jsonl",
        "jobs": len(rows),
        "nextWakeAtMs": rows[0].due_at if rows else None,
    }


async def cron_remove(params: CronIdParams, call: Call) -> dict[str, Any]:
    job_id = params.id or params.job_id
    if not job_id:
        raise invalid("invalid cron.remove params: must have required property 'id'")
    return {"ok": True, "removed": parts(call).reminders.cancel(job_id)}


async def wake(params: WakeParams, call: Call) -> dict[str, Any]:
    """Puts a line before the agent. Without a heartbeat, `next-heartbeat` means now as well."""
    services = parts(call)
    key = services.key(params.session_key or "main", params.agent_id)
    run_id = services.new_id()
    message = user_message(services, run_id, (Text(params.text),))
    await services.runtime.submit(RunRequest(run_id, key, message, client_id="wake"))
    return {"ok": True}


METHODS = [
    Method("question.list", QuestionListParams, question_list, "operator.questions"),
    Method("taskSuggestions.list", TaskSuggestionsParams, task_suggestions, "operator.read"),
    Method("cron.list", CronListParams, cron_list, "operator.read"),
    Method("cron.status", NoParams, cron_status, "operator.read"),
    Method("cron.remove", CronIdParams, cron_remove, "operator.admin"),
    Method("wake", WakeParams, wake, "operator.write"),
]
