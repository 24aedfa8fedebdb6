"""When a session starts anew by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from openclaw_kernel.config.schema.session import Session
from openclaw_kernel.sessions.freshness import reset_of, stale
from openclaw_kernel.sessions.index import SessionEntry

HOUR = 3_600_000


def at(day: int, hour: int) -> int:
    return round(datetime(2026, 11, day, hour).timestamp() * 1000)


def entry(started: int, spoken: int = 0, key: str = "agent:main:main", **more: Any) -> SessionEntry:
    return SessionEntry(key, "s", "main", started, started, started, spoken, **more)


def rules(**values: Any) -> Session:
    return Session.model_validate(values)


def test_never_by_default() -> None:
    assert stale(Session(), entry(0), at(20, 12)) is None


def test_daily_at_the_local_hour() -> None:
    daily = rules(reset={"mode": "daily", "atHour": 4})
    assert stale(daily, entry(at(19, 23)), at(20, 3)) is None
    assert stale(daily, entry(at(19, 23)), at(20, 5)) == "daily"
    assert stale(daily, entry(at(20, 4) + 1), at(20, 23)) is None


def test_idle_counts_what_people_said() -> None:
    idle = rules(reset={"mode": "idle", "idleMinutes": 60})
    assert stale(idle, entry(at(20, 8), at(20, 12)), at(20, 12) + HOUR) is None
    assert stale(idle, entry(at(20, 8), at(20, 12)), at(20, 12) + HOUR + 1) == "idle"
    assert stale(rules(idleMinutes=60), entry(at(20, 8)), at(20, 10)) == "idle"


def test_the_earlier_of_both_wins() -> None:
    both = rules(reset={"mode": "daily", "idleMinutes": 30})
    assert stale(both, entry(at(20, 8), at(20, 9)), at(20, 10)) == "idle"
    assert stale(both, entry(at(19, 8), at(20, 10)), at(20, 10)) == "daily"


def test_the_channel_wins_over_the_type_and_the_type_over_all() -> None:
    many = rules(
        reset={"mode": "daily"},
        resetByType={"group": {"mode": "idle", "idleMinutes": 5}, "thread": {"mode": "none"}},
        resetByChannel={"telegram": {"mode": "none"}},
    )
    assert reset_of(many, entry(0)).mode == "daily"
    assert reset_of(many, entry(0, chat_type="group")).mode == "idle"
    assert reset_of(many, entry(0, key="agent:main:x:group:1:thread:2", chat_type="group")).mode == "none"
    assert reset_of(many, entry(0, channel="telegram", chat_type="group")).mode == "none"


def test_jobs_are_never_reset() -> None:
    assert stale(rules(reset={"mode": "daily"}), entry(0, key="agent:main:cron:job1"), at(20, 12)) is None
