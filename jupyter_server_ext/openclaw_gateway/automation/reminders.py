"""Reminders: a line of text that comes back into its session at a time.

Each is one ledger row. When it is due it becomes a run whose id is made from the reminder's id, so the runtime's idempotency
ledger, written before anything is said, makes a second delivery after a crash impossible.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.tools.api import ToolError
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.errors import OpenClawError, UserError

log = logging.getLogger(__name__)

State = Literal["pending", "fired", "failed", "cancelled"]
Deliver = Callable[["Reminder"], Awaitable[None]]

LONGEST_SLEEP_S = 3600.0
"""The clock is looked at again at least this often, so a suspended machine catches up."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(
    r"^(?:in\s+)?(?P<n>\d+(?:\.\d+)?|an?)\s*(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$", re.I
)
_CLOCK = re.compile(r"^(?:(?P<day>today|tomorrow)\s+)?(?:at\s+)?(?P<h>\d{1,2}):(?P<m>\d{2})$", re.I)


@dataclass(frozen=True, slots=True)
class Reminder:
    """`due_at` and `created_at` are milliseconds since the epoch."""

    id: str
    session_key: str
    text: str
    due_at: int
    created_at: int
    state: State = "pending"

    @property
    def run_id(self) -> str:
        return f"reminder:{self.id}"


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


class Reminders:
    """The ledger and its one timer. `deliver` gets each due reminder once."""

    def __init__(self, path: Path, *, clock: Clock, new_id: NewId, deliver: Deliver) -> None:
        self._ledger: Ledger[Reminder] = Ledger(
            path, key=lambda row: row.id, encode=_encode, decode=_decode, is_pending=lambda row: row.state == "pending"
        )
        self._clock = clock
        self._new_id = new_id
        self._deliver = deliver
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the timer; due rows of an earlier life are delivered first."""
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._ledger.close()

    def schedule(self, session_key: str, when: str, text: str) -> Reminder:
        """Stores a reminder. Raises `ToolError` for a time it cannot read."""
        now = self._clock()
        row = Reminder(self._new_id(), session_key, text, parse_when(when, now), now)
        self._ledger.put(row)
        self._changed.set()
        return row

    def cancel(self, reminder_id: str) -> bool:
        row = self._ledger.get(reminder_id)
        if row is None or row.state != "pending":
            return False
        self._ledger.put(replace(row, state="cancelled"))
        return True

    def pending(self) -> list[Reminder]:
        """Those still to come, the next first."""
        return sorted(self._ledger.pending(), key=lambda row: row.due_at)

    async def fire_due(self) -> int:
        """Delivers what is due now; how many."""
        due = [row for row in self.pending() if row.due_at <= self._clock()]
        for row in due:
            await self._fire(row)
        if due:
            await self._ledger.flush()
        return len(due)

    async def _fire(self, row: Reminder) -> None:
        state: State = "fired"
        try:
            await self._deliver(row)
        except (OpenClawError, UserError) as error:
            log.warning("reminder %s could not be delivered: %s", row.id, error)
            state = "failed"
        self._ledger.put(replace(row, state=state))

    async def _run(self) -> None:
        while True:
            await self.fire_due()
            self._changed.clear()
            rows = self.pending()
            wait = (rows[0].due_at - self._clock()) / 1000 if rows else LONGEST_SLEEP_S
            try:
                await asyncio.wait_for(self._changed.wait(), min(max(wait, 0.0), LONGEST_SLEEP_S))
            except TimeoutError:
                continue


def _encode(row: Reminder) -> dict[str, Any]:
    return {
        "id": row.id,
        "sessionKey": row.session_key,
        "text": row.text,
        "dueAt": row.due_at,
        "createdAt": row.created_at,
        "state": row.state,
    }


def _decode(wire: dict[str, Any]) -> Reminder:
    return Reminder(wire["id"], wire["sessionKey"], wire["text"], wire["dueAt"], wire["createdAt"], wire["state"])
