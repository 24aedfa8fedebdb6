"""Reminders: reading a time, firing once, surviving a restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from openclaw_gateway.automation.reminders import Reminder, Reminders, parse_when
from openclaw_kernel.tools.api import ToolError
from openclaw_kernel.values.errors import unavailable

NOON = int(datetime(2026, 6, 1, 12, 0).timestamp() * 1000)
MINUTE = 60_000


@pytest.mark.parametrize(
    ("when", "minutes"),
    [("in 10 minutes", 10), ("10m", 10), ("an hour", 60), ("in 2 h", 120), ("1 day", 1440), ("15:30", 210), ("11:00", 1380)],
)
def test_times_it_can_read(when: str, minutes: int) -> None:
    assert parse_when(when, NOON) == NOON + minutes * MINUTE


def test_iso_times_are_local_without_a_zone() -> None:
    assert parse_when("2026-06-01T12:30", NOON) == NOON + 30 * MINUTE
    assert parse_when("2030-01-01T00:00:00Z", NOON) == 1_893_456_000_000


@pytest.mark.parametrize("when", ["soon", "", "25:00", "2020-01-01T00:00", "today 11:00"])
def test_times_it_cannot_take(when: str) -> None:
    with pytest.raises(ToolError):
        parse_when(when, NOON)


def book(path: Path, clock: Callable[[], int], fired: list[str]) -> Reminders:
    async def deliver(row: Reminder) -> None:
        fired.append(row.run_id)

    return Reminders(path, clock=clock, new_id=lambda: "r1", deliver=deliver)


async def test_it_fires_once_and_not_again_after_a_restart(tmp_path: Path) -> None:
    now, fired = [NOON], list[str]()
    reminders = book(tmp_path / "reminders.jsonl", lambda: now[0], fired)
    reminders.schedule("agent:main:main", "in 5 minutes", "stretch")
    assert await reminders.fire_due() == 0
    await reminders.stop()
    now[0] += 6 * MINUTE
    later = book(tmp_path / "reminders.jsonl", lambda: now[0], fired)
    assert await later.fire_due() == 1 and await later.fire_due() == 0
    await later.stop()
    again = book(tmp_path / "reminders.jsonl", lambda: now[0], fired)
    assert await again.fire_due() == 0 and fired == ["reminder:r1"]
    await again.stop()


async def test_a_refused_delivery_is_not_repeated(tmp_path: Path) -> None:
    async def refuse(_row: Reminder) -> None:
        raise unavailable("not now")

    reminders = Reminders(tmp_path / "r.jsonl", clock=lambda: NOON, new_id=lambda: "r", deliver=refuse)
    reminders.schedule("agent:main:main", "0m", "x")
    assert await reminders.fire_due() == 1 and reminders.pending() == []
    await reminders.stop()


async def test_cancel(tmp_path: Path) -> None:
    reminders = book(tmp_path / "r.jsonl", lambda: NOON, [])
    row = reminders.schedule("agent:main:main", "1h", "x")
    assert reminders.cancel(row.id) and not reminders.cancel(row.id) and reminders.pending() == []
    await reminders.stop()
