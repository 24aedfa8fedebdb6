"""Reminders: reading a time, and the one-shot job it becomes."""

from __future__ import annotations

from datetime import datetime

import pytest

from openclaw_gateway.automation.reminders import parse_when, reminder
from openclaw_gateway.automation.schedule import At
from openclaw_kernel.tools.api import ToolError

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


def test_it_is_a_job_of_its_session_that_goes_when_it_is_done() -> None:
    job = reminder("r1", "agent:work:main", "in 5 minutes", "stretch", NOON)
    assert job.schedule == At(NOON + 5 * MINUTE) and job.one_shot and job.delete_after_run
    assert (job.target, job.session_key, job.agent_id) == ("current", "agent:work:main", "work")
    assert job.payload.text == "[Reminder] stretch" and job.delivery.mode == "none"
