"""Reminders: a line of text that comes back into its session at a time. Each is a one-shot job of the scheduler."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from openclaw_gateway.automation.jobs import Job, Payload
from openclaw_gateway.automation.schedule import At
from openclaw_kernel.tools.api import ToolError
from openclaw_kernel.values.session_key import parse

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(
    r"^(?:in\s+)?(?P<n>\d+(?:\.\d+)?|an?)\s*(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$", re.I
)
_CLOCK = re.compile(r"^(?:(?P<day>today|tomorrow)\s+)?(?:at\s+)?(?P<h>\d{1,2}):(?P<m>\d{2})$", re.I)


NAME_CHARS = 60


def reminder(job_id: str, session_key: str, when: str, text: str, now_ms: int) -> Job:
    """A job that says `text` in its session once and is then forgotten. Raises `ToolError` for a time it cannot read."""
    due = parse_when(when, now_ms)
    return Job(
        id=job_id,
        name=text[:NAME_CHARS],
        schedule=At(due),
        payload=Payload("agentTurn", f"[Reminder] {text}"),
        created_at=now_ms,
        updated_at=now_ms,
        from_ms=min(now_ms, due) - 1,
        agent_id=parse(session_key).agent,
        session_key=session_key,
        target="current",
        delete_after_run=True,
    )


def parse_when(when: str, now_ms: int) -> int:
    """Milliseconds since the epoch for `in 10 minutes`, `2h`, `15:30`, `tomorrow 9:00` or an ISO time (local without a zone).

    Raises `ToolError` with a sentence for anything else, and for a time in the past.
    """
    text = when.strip()
    now = datetime.fromtimestamp(now_ms / 1000).astimezone()
    if relative := _RELATIVE.match(text):
        amount = 1.0 if relative["n"].lower() in ("a", "an") else float(relative["n"])
        return now_ms + round(amount * _UNITS[relative["unit"][0].lower()] * 1000)
    if clock := _CLOCK.match(text):
        hour, minute = int(clock["h"]), int(clock["m"])
        if hour > 23 or minute > 59:
            raise ToolError(f"{when!r} is no time of day; write it as 15:30")
        due = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        tomorrow = (clock["day"] or "").lower() == "tomorrow"
        if tomorrow or (due <= now and clock["day"] is None):
            due += timedelta(days=1)
    else:
        due = _iso_time(text, when)
    due_ms = round(due.timestamp() * 1000)
    if due_ms <= now_ms:
        raise ToolError(f"{when!r} is in the past; name a time to come")
    return due_ms


def _iso_time(text: str, when: str) -> datetime:
    try:
        due = datetime.fromisoformat(text.replace("Z", "+00:00") if text.endswith("Z") else text)
    except ValueError:
        raise ToolError(f"cannot read the time {when!r}; write 'in 10 minutes', '15:30' or 2026-12-01T09:00") from None
    return due if due.tzinfo is not None else due.astimezone()
