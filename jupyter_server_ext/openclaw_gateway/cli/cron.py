"""`cron`: what the assistant does by the clock."""

from __future__ import annotations

from typing import Any

import click

from openclaw_gateway.automation.schedule import duration_ms
from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options
from openclaw_kernel.values.errors import UserError


@click.group("cron")
def command() -> None:
    """Plan, list, run or remove scheduled jobs."""


@command.command("list")
@click.option("--all", "all_jobs", is_flag=True, help="Also those that are switched off.")
@target_options
def list_jobs(target: Target, all_jobs: bool) -> None:
    """The next due first."""
    page = call(target, "cron.list", {"includeDisabled": all_jobs, "limit": 200, "offset": 0})
    if target.as_json:
        show.print_json(page)
        return
    rows = [
        (
            job["id"],
            job["name"],
            words_of(job["schedule"]),
            show.when(job["state"].get("nextRunAtMs")) if job["enabled"] else "off",
            job["state"].get("lastRunStatus", "–"),
        )
        for job in page["jobs"]
    ]
    show.print_table(("id", "name", "when", "next", "last"), rows, empty="No job is planned; add one with `cron add`.")


@command.command("add")
@click.option("--name", required=True)
@click.option("--at", "at", help="Once: 20m from now, or 2026-12-01T09:00+01:00.")
@click.option("--every", help="Again and again: 30m, 2h, 1d.")
@click.option("--cron", "expr", help="A cron expression of 5 or 6 fields.")
@click.option("--tz", help="IANA time zone of --cron, such as Europe/Berlin.")
@click.option("--exact", is_flag=True, help="Do not spread whole-hour jobs over five minutes.")
@click.option("--message", help="What the agent is to do, in a session of its own.")
@click.option("--system-event", help="A line for the main session instead of a task.")
@click.option("--session", help="main, isolated, or session:<key>.")
@click.option("--agent", "agent_id", help="The agent that does it.")
@click.option("--model", help="provider/model for this job.")
@click.option("--tools", help="Only these tools, separated by commas.")
@click.option("--announce", is_flag=True, help="Tell the answer.")
@click.option("--channel", help="Where to tell it; the channel last used when left out.")
@click.option("--to", help="To whom on that channel.")
@click.option("--webhook", help="Send the answer to this address.")
@click.option("--keep", is_flag=True, help="Keep a one-time job after it ran.")
@target_options
def add_job(target: Target, **given: Any) -> None:
    """Plan a job."""
    job = call(target, "cron.add", _request(given))
    if target.as_json:
        show.print_json(job)
    else:
        print(f"Planned {job['id']} ({job['name']}), next at {show.when(job['state'].get('nextRunAtMs'))}.")


@command.command("run")
@click.argument("job_id")
@click.option("--due", is_flag=True, help="Only when it is due.")
@target_options
def run_job(target: Target, job_id: str, due: bool) -> None:
    """Run a job now, whatever its schedule says."""
    result = call(target, "cron.run", {"id": job_id, "mode": "due" if due else "force"})
    if target.as_json:
        show.print_json(result)
    else:
        print(f"Run {result['runId']} started." if result.get("enqueued") else f"Not run: {result.get('reason')}.")


@command.command("runs")
@click.argument("job_id", required=False)
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@target_options
def list_runs(target: Target, job_id: str | None, limit: int) -> None:
    """What ran, the newest first."""
    params: dict[str, Any] = {"limit": limit, "scope": "job", "id": job_id} if job_id else {"limit": limit, "scope": "all"}
    page = call(target, "cron.runs", params)
    if target.as_json:
        show.print_json(page)
        return
    rows = [
        (
            show.when(entry.get("runAtMs")),
            entry.get("jobName") or entry["jobId"],
            entry["status"],
            entry.get("deliveryStatus", "–"),
            " ".join((entry.get("error") or entry.get("summary") or "").split())[:80],
        )
        for entry in page["entries"]
    ]
    show.print_table(("when", "job", "status", "delivery", "what"), rows, empty="Nothing ran yet.")


@command.command("remove")
@click.argument("job_id")
@target_options
def remove_job(target: Target, job_id: str) -> None:
    """Take a job away."""
    result = call(target, "cron.remove", {"id": job_id})
    if target.as_json:
        show.print_json(result)
    elif not result["removed"]:
        raise UserError(f"There is no job {job_id!r}; `jupyter openclaw cron list --all` shows them.")
    else:
        print(f"Removed {job_id}.")


@command.command("enable")
@click.argument("job_id")
@target_options
def enable_job(target: Target, job_id: str) -> None:
    """Switch a job on."""
    _switch(target, job_id, True)


@command.command("disable")
@click.argument("job_id")
@target_options
def disable_job(target: Target, job_id: str) -> None:
    """Switch a job off and keep it."""
    _switch(target, job_id, False)


def _switch(target: Target, job_id: str, on: bool) -> None:
    job = call(target, "cron.update", {"id": job_id, "patch": {"enabled": on}})
    if target.as_json:
        show.print_json(job)
    else:
        print(f"{job['name']} is {'on' if on else 'off'}.")


def words_of(schedule: dict[str, Any]) -> str:
    """A schedule in a few words."""
    if schedule["kind"] == "at":
        return f"once at {schedule['at']}"
    if schedule["kind"] == "every":
        seconds = schedule["everyMs"] // 1000
        for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
            if seconds >= size and seconds % size == 0:
                return f"every {seconds // size}{unit}"
        return f"every {seconds}s"
    return f"{schedule['expr']} {schedule.get('tz', '')}".strip()


def _request(given: dict[str, Any]) -> dict[str, Any]:
    """The object of `cron.add`. Raises `UserError` for options that do not go together."""
    if sum(given[name] is not None for name in ("at", "every", "expr")) != 1:
        raise UserError("Say when, with exactly one of --at, --every and --cron.")
    if (given["message"] is None) == (given["system_event"] is None):
        raise UserError("Say what, with --message or --system-event.")
    request: dict[str, Any] = {"name": given["name"], "schedule": _schedule(given), "wakeMode": "now", "enabled": True}
    if given["system_event"] is not None:
        request |= {"payload": {"kind": "systemEvent", "text": given["system_event"]}, "sessionTarget": "main"}
    else:
        payload = {"kind": "agentTurn", "message": given["message"]}
        if given["model"]:
            payload["model"] = given["model"]
        if given["tools"]:
            payload["toolsAllow"] = [name.strip() for name in given["tools"].split(",") if name.strip()]
        request |= {"payload": payload, "sessionTarget": given["session"] or "isolated"}
    if given["agent_id"]:
        request["agentId"] = given["agent_id"]
    if given["keep"]:
        request["deleteAfterRun"] = False
    request["delivery"] = _delivery(given)
    return request


def _schedule(given: dict[str, Any]) -> dict[str, Any]:
    if given["at"] is not None:
        return {"kind": "at", "at": given["at"]}
    if given["every"] is not None:
        every = duration_ms(given["every"])
        if every is None:
            raise UserError(f"--every {given['every']} is no duration; write 30m, 2h or 1d.")
        return {"kind": "every", "everyMs": every}
    schedule = {"kind": "cron", "expr": given["expr"]}
    if given["tz"]:
        schedule["tz"] = given["tz"]
    return schedule | ({"staggerMs": 0} if given["exact"] else {})


def _delivery(given: dict[str, Any]) -> dict[str, Any]:
    if given["webhook"]:
        return {"mode": "webhook", "to": given["webhook"]}
    if not (given["announce"] or given["channel"] or given["to"]):
        return {"mode": "none"}
    delivery = {"mode": "announce", "channel": given["channel"] or "last"}
    return delivery | ({"to": given["to"]} if given["to"] else {})
