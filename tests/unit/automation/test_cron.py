"""The scheduler's own rules: one claim a slot, back-off, catch-up, history, one-shots."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from openclaw_gateway.automation.contract import CronSettings, RunResult
from openclaw_gateway.automation.cron import BACK_OFF_MS
from openclaw_gateway.automation.jobs import Delivery, decode_job, decode_occurrence, encode_job, encode_occurrence
from openclaw_gateway.automation.schedule import (
    MAX_STAGGER_MS,
    At,
    Cron,
    Every,
    duration_ms,
    next_slot,
    schedule_from_wire,
    schedule_to_wire,
    slots,
    spread,
)
from openclaw_kernel.values.errors import OpenClawError, UserError
from tests.unit.automation.conftest import ANNOUNCED, DAY, HOUR, MINUTE, START, Bench

FAILED = RunResult(False, error="the model is away")


async def test_a_second_claim_of_a_slot_is_refused(bench: Bench) -> None:
    job = bench.add("j", Every(HOUR, START + HOUR))
    bench.now = START + HOUR
    assert bench.cron.tick() == [f"cron:j:{START + HOUR}"] and bench.cron.tick() == []
    await bench.cron.idle()
    assert bench.cron.run_now(job.id, only_due=True) is None
    assert sum(bench.agent.effects.values()) == 1


async def test_editing_never_moves_or_repeats_a_slot(bench: Bench) -> None:
    bench.add("j", Every(HOUR, START))
    await bench.until(START + HOUR)
    ran = sum(bench.agent.effects.values())
    bench.cron.update("j", lambda job: replace(job, name="other"))
    assert bench.cron.next_due() == START + 2 * HOUR
    bench.cron.update("j", lambda job: replace(job, enabled=False))
    assert bench.cron.next_due() is None
    bench.now += 10 * HOUR
    bench.cron.update("j", lambda job: replace(job, enabled=True))
    assert bench.cron.next_due() == START + 12 * HOUR, "what passed while it was off does not come back"
    assert sum(bench.agent.effects.values()) == ran


async def test_back_off_grows_alerts_and_switches_off(bench: Bench) -> None:
    bench.agent.answer = lambda job, row: FAILED
    bench.add("j", Every(MINUTE, START))
    starts: list[int] = []
    for _ in range(10):
        due = bench.cron.next_due()
        assert due is not None
        bench.now = due
        starts.append(due)
        bench.cron.tick()
        await bench.cron.idle()
    gaps = [later - before for before, later in itertools.pairwise(starts)]
    assert gaps[:2] == [MINUTE, MINUTE] and gaps[2] >= BACK_OFF_MS[2] and gaps[-1] >= BACK_OFF_MS[4]
    assert not bench.cron.get("j").enabled and bench.cron.next_due() is None
    await asyncio.sleep(0)
    assert bench.agent.alerts[0].endswith("2 times in a row: the model is away.") and "switched off" in bench.agent.alerts[-1]
    spacing = [text for text in bench.agent.alerts if "switched off" not in text]
    assert len(spacing) <= 5, "no more than one alert an hour"


async def test_one_success_ends_the_back_off(bench: Bench) -> None:
    bench.agent.answer = lambda job, row: FAILED
    bench.add("j", Every(MINUTE, START))
    await bench.until(START + 2 * MINUTE)
    assert bench.cron.get("j").errors >= 2
    bench.agent.answer = lambda job, row: RunResult(True)
    await bench.until(START + 20 * MINUTE)
    assert bench.cron.get("j").errors == 0 and bench.cron.get("j").not_before == 0


async def test_a_one_shot_is_tried_again_and_forgotten_when_it_is_delivered(bench: Bench) -> None:
    answers = iter([FAILED, FAILED, RunResult(True, "there")])
    bench.agent.answer = lambda job, row: next(answers)
    bench.add("once", At(START + HOUR), delivery=ANNOUNCED, delete_after_run=True)
    await bench.until(START + DAY)
    slot = START + HOUR
    assert list(bench.agent.effects) == [f"cron:once:{slot}", f"cron:once:{slot}:2", f"cron:once:{slot}:3"]
    assert bench.cron.jobs() == [] and list(bench.agent.delivered) == [f"cron:once:{slot}:3"]


async def test_a_one_shot_that_nobody_heard_is_kept(bench: Bench) -> None:
    bench.agent.deliver_error = UserError("nobody there")
    bench.add("once", At(START + HOUR), delivery=ANNOUNCED, delete_after_run=True)
    await bench.until(START + DAY)
    (job,) = bench.cron.jobs()
    assert not job.enabled and job.last is not None and job.last["lastDeliveryStatus"] == "not-delivered"
    (row,) = bench.cron.runs("once")
    assert row.delivery_error == "nobody there"


@pytest.mark.parametrize("catch_up", ["run", "skip"])
async def test_after_a_long_sleep_the_newest_slot_counts(bench: Bench, catch_up: str) -> None:
    bench.settings = CronSettings(catch_up=catch_up, catch_up_delay_ms=5_000)  # type: ignore[arg-type]
    bench.add("j", Every(HOUR, START))
    await bench.cron.stop()
    bench.now = START + 5 * HOUR + MINUTE
    await bench.restart()
    assert bench.cron.next_due() == bench.now + 5_000, "agent turns wait a moment after the start"
    await bench.until(bench.now + 5_000)
    ran = [f"cron:j:{START + 5 * HOUR}"] if catch_up == "run" else []
    assert list(bench.agent.effects) == ran
    rows = {row.slot_ms: row.state for row in bench.cron.runs("j")}
    assert len(rows) == 6 and list(rows.values()).count("skipped") == 6 - len(ran)


async def test_a_run_cut_short_is_recovered_and_not_repeated(bench: Bench) -> None:
    bench.add("once", At(START + HOUR), delete_after_run=True)
    bench.now, bench.agent.hang = START + HOUR, "after"
    bench.cron.tick()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await bench.restart()
    await bench.until(START + DAY)
    (row,) = bench.cron.runs("once")
    assert row.state == "recovered" and sum(bench.agent.effects.values()) == 1
    assert not bench.cron.get("once").enabled, "it is shown, not thrown away"


async def test_history_is_kept_for_a_week_and_the_place_for_ever(bench: Bench) -> None:
    bench.add("j", Every(DAY, START))
    await bench.until(START + 20 * DAY)
    bench.now += HOUR
    await bench.restart()
    assert {row.slot_ms for row in bench.cron.runs("j")} == {START + day * DAY for day in range(14, 21)}
    bench.cron.update("j", lambda job: replace(job, name="n"))
    bench.now += 60 * DAY
    await bench.cron.stop()
    await bench.restart()
    assert all(count == 1 for count in bench.agent.effects.values())


async def test_switched_off_means_no_timer(bench: Bench) -> None:
    bench.add("j", Every(HOUR, START))
    bench.settings = CronSettings(enabled=False)
    bench.now += DAY
    assert bench.cron.next_due() is None and bench.cron.tick() == []


async def test_rows_survive_the_disk(bench: Bench) -> None:
    job = bench.add("j", Cron("0 9 * * 1", "Europe/Berlin"), delivery=Delivery("webhook", to="https://x.test/", token="s3cret"))
    assert decode_job(encode_job(job)) == job
    wire = bench.cron.wire(job)
    assert "s3cret" not in str(wire) and wire["delivery"] == {"mode": "webhook", "to": "https://x.test/"}
    bench.cron.run_now("j")
    await bench.cron.idle()
    (row,) = bench.cron.runs("j")
    assert decode_occurrence(encode_occurrence(row)) == row


async def test_a_job_this_machine_cannot_read_harms_no_other(bench: Bench) -> None:
    bench.add("good", Every(HOUR, START))
    bench.add("lost", Cron("0 9 * * *", "Europe/Berlin"))
    path = bench.folder / "jobs.jsonl"
    path.write_text(path.read_text().replace("Europe/Berlin", "Europe/Atlantis"))
    await bench.restart()
    assert [job.id for job in bench.cron.jobs()] == ["good"]


def test_whole_hours_are_spread_and_the_rest_is_not() -> None:
    offsets = {spread(Cron("0 9 * * *"), f"job-{number}") for number in range(50)}
    assert len(offsets) > 30 and all(0 <= offset < MAX_STAGGER_MS for offset in offsets)
    assert spread(Cron("0 9 * * *", "", 0), "a") == spread(Cron("30 9 * * *"), "a") == spread(Every(HOUR, 0), "a") == 0
    assert spread(Cron("0 9 * * *"), "a") == spread(Cron("0 9 * * *"), "a")


def test_day_of_month_or_day_of_week() -> None:
    found = slots(Cron("0 0 13 * 5", "UTC", 0), START - 1, START + 31 * DAY)
    assert [1 + (slot - START) // DAY for slot in found] == [2, 9, 13, 16, 23, 30]


def test_schedules_read_and_write() -> None:
    for wire in ({"kind": "every", "everyMs": 5000, "anchorMs": 3}, {"kind": "cron", "expr": "*/5 * * * * *", "staggerMs": 0}):
        assert schedule_to_wire(schedule_from_wire(wire, START)) == wire
    assert schedule_from_wire({"kind": "at", "at": "2026-05-01T10:00"}, START) == At(1_777_629_600_000), "no zone is UTC"
    assert duration_ms("1.5h") == 5_400_000 and duration_ms("soon") is None
    for bad in ({"kind": "every", "everyMs": 1}, {"kind": "cron", "expr": "0 0 31 2 *"}, {"kind": "cron", "expr": "* * *"}):
        with pytest.raises(OpenClawError):
            schedule_from_wire(bad, START)


def test_a_busy_job_that_slept_for_a_year_is_bounded() -> None:
    assert len(slots(Every(1_000, START), START, START + 365 * DAY)) <= 5_000
    last = slots(Cron("* * * * *", "UTC"), START, START + 300 * DAY)
    assert last[-1] == START + 300 * DAY and len(last) <= 5_000
    assert next_slot(At(5), 5) is None
