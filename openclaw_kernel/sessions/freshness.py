"""When a conversation starts anew by itself: never, once a day, or after a while without a word (SES-05)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from openclaw_kernel.config.schema.session import Session, SessionReset
from openclaw_kernel.sessions.index import SessionEntry

_OF_JOBS = re.compile(r":(?:cron|subagent|hook|heartbeat)\b")


def reset_of(settings: Session, entry: SessionEntry) -> SessionReset:
    """The rules of a session: its channel's outright, else those of its type, else the general ones."""
    if entry.channel and entry.channel in settings.reset_by_channel:
        return settings.reset_by_channel[entry.channel]
    kind = "thread" if ":thread:" in entry.key else entry.chat_type
    found = settings.reset_by_type.get(kind) or settings.reset_by_type.get("dm" if kind == "direct" else kind)
    if found is not None:
        return found
    if settings.reset.mode == "none" and settings.idle_minutes is not None:
        return SessionReset(mode="idle", idle_minutes=settings.idle_minutes)
    return settings.reset


def stale(settings: Session, entry: SessionEntry, now: int) -> Literal["daily", "idle"] | None:
    """Why a message of a person starts a new session now, if it does. `now` is milliseconds; the day is local.

    With a daily reset and idle minutes both hold, and the earlier one wins. Sessions of jobs and subagents never go stale.
    """
    rules = reset_of(settings, entry)
    if rules.mode == "none" or _OF_JOBS.search(entry.key):
        return None
    if rules.mode == "daily" and entry.session_started_at < _last_boundary(now, rules.at_hour):
        return "daily"
    since = entry.last_interaction_at or entry.session_started_at
    if rules.idle_minutes is not None and now - since > rules.idle_minutes * 60_000:
        return "idle"
    return None


def _last_boundary(now: int, hour: int) -> int:
    """The last time the local clock showed `hour`, in milliseconds."""
    local = datetime.fromtimestamp(now / 1000).astimezone()
    boundary = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if boundary > local:
        boundary -= timedelta(days=1)
    return round(boundary.timestamp() * 1000)
