"""One year, two zones that change their clocks, a hundred restarts: every occurrence exactly once.

Expected is what walking the calendar gives (fixed times), and walking every fifth minute of the year (repeated ones), without
the scheduler or its cron library.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from openclaw_gateway.automation.schedule import At, Cron, Every
from tests.unit.automation.conftest import ANNOUNCED, DAY, HOUR, MINUTE, START, Bench

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
END = START + 365 * DAY


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def daily(zone_name: str, hour: int, minute: int, weekdays: range = range(7)) -> set[int]:
    """A fixed local time on each day: the first of a repeated pair, and the moment after the jump for one that is skipped."""
    zone, found = ZoneInfo(zone_name), set()
    for number in range(-1, 367):
        day = date(2026, 1, 1) + timedelta(days=number)
        if day.weekday() not in weekdays:
            continue
        local = datetime.combine(day, time(hour, minute), zone)
        there_and_back = local.astimezone(UTC).astimezone(zone)
        if there_and_back.replace(tzinfo=None) != local.replace(tzinfo=None):
            local = datetime.combine(day, time(hour + 1, 0), zone)
        found.add(ms(local))
    return {slot for slot in found if START <= slot <= END}


def each_minute(zone_name: str, matches: Callable[[datetime], bool]) -> set[int]:
    """Every minute of the year whose local clock matches."""
    zone = ZoneInfo(zone_name)
    return {
        slot for slot in range(START, END + 1, 5 * MINUTE) if matches(datetime.fromtimestamp(slot / 1000, UTC).astimezone(zone))
    }


EXPECTED: dict[str, set[int]] = {
    "berlin-night": daily(BERLIN, 2, 30),
    "berlin-work": daily(BERLIN, 9, 0, range(5)),
    "york-night": daily(NEW_YORK, 2, 30),
    "york-repeated": daily(NEW_YORK, 1, 15),
    "berlin-steps": each_minute(BERLIN, lambda local: local.hour in (1, 2, 3) and local.minute % 20 == 0),
    "york-half-hours": each_minute(NEW_YORK, lambda local: local.minute == 30),
    "every": set(range(START + HOUR, END + 1, 5 * HOUR + 7 * MINUTE)),
    "once": {START + 123 * DAY + 4321},
}


def plan(bench: Bench) -> None:
    bench.add("berlin-night", Cron("30 2 * * *", BERLIN), delivery=ANNOUNCED)
    bench.add("berlin-work", Cron("0 9 * * 1-5", BERLIN, 0))
    bench.add("york-night", Cron("30 2 * * *", NEW_YORK))
    bench.add("york-repeated", Cron("15 1 * * *", NEW_YORK))
    bench.add("berlin-steps", Cron("*/20 1-3 * * *", BERLIN))
    bench.add("york-half-hours", Cron("30 * * * *", NEW_YORK))
    bench.add("every", Every(5 * HOUR + 7 * MINUTE, START + HOUR))
    bench.add("once", At(START + 123 * DAY + 4321))


async def test_every_occurrence_of_a_year_exactly_once(bench: Bench) -> None:
    rng = random.Random(8)
    plan(bench)
    kinds: Counter[str] = Counter()
    for moment in sorted(rng.randrange(START, END) for _ in range(100)):
        await bench.until(max(moment, bench.now))
        kind = rng.choice(["idle", "before", "after", "delivery"])
        kinds[kind] += 1
        if kind != "idle" and (due := bench.cron.next_due()) is not None and due <= END:
            bench.now, bench.agent.hang = max(bench.now, due), kind
            assert bench.cron.tick()
            for _ in range(10):
                await _turn()
        bench.now += rng.randrange(0, 9 * MINUTE)
        await bench.restart()
    await bench.until(END)

    assert len(kinds) == 4
    found: dict[str, set[int]] = {}
    for job_id, slot in bench.agent.slots:
        assert slot not in found.setdefault(job_id, set()), f"{job_id} ran twice for {slot}"
        found[job_id].add(slot)
    assert {job_id: found.get(job_id, set()) for job_id in EXPECTED} == EXPECTED
    assert set(bench.agent.effects.values()) == {1} and set(bench.agent.delivered.values()) == {1}
    recovered = [name for name in bench.agent.effects if name.startswith("cron:berlin-night:")]
    assert len(bench.agent.delivered) <= len(recovered)


async def _turn() -> None:
    """Lets the tasks of one tick run as far as they can."""
    await asyncio.sleep(0)


def test_the_expectation_holds_the_days_the_clocks_change() -> None:
    spring = ms(datetime(2026, 3, 29, 1, 0, tzinfo=UTC))  # 03:00 in Berlin, where 02:30 does not exist
    autumn = ms(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))  # the first 02:30
    assert {spring, autumn} <= EXPECTED["berlin-night"] and autumn + HOUR not in EXPECTED["berlin-night"]
    assert ms(datetime(2026, 11, 1, 5, 15, tzinfo=UTC)) in EXPECTED["york-repeated"]
    assert len(EXPECTED["berlin-night"]) == 365 and len(EXPECTED["york-half-hours"]) == 8760
