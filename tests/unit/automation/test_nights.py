"""Nights: each slot once, over crashes, sleep and clock changes; nothing at all while nobody dreams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from openclaw_gateway.automation.nights import Nights, Plan
from openclaw_gateway.automation.schedule import Cron
from openclaw_kernel.values.errors import UserError

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "nights.jsonl"
        self.now = at("2026-03-20T12:00")
        self.plans = [Plan("main", Cron("0 3 * * *", "Europe/Berlin"))]
        self.dreamt: list[tuple[str, str]] = []
        self.told: list[tuple[str, str]] = []
        self.error: BaseException | None = None
        self.heard = asyncio.Event()
        self.nights = self.opened()

    def opened(self) -> Nights:
        return Nights(self.path, lambda: self.plans, self.dream, self.tell, lambda: self.now)

    async def dream(self, agent_id: str) -> str:
        self.dreamt.append((agent_id, f"{datetime.fromtimestamp(self.now / 1000, BERLIN):%m-%d %H:%M}"))
        if self.error is not None:
            raise self.error
        return "I dreamt"

    async def tell(self, agent_id: str, id: str, text: str) -> None:
        self.told.append((agent_id, id))
        self.heard.set()

    async def reopened(self) -> Nights:
        await self.nights.stop()
        self.nights = self.opened()
        return self.nights


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.nights.stop()


async def test_a_year_of_nights_is_a_year_of_dreams(bench: Bench) -> None:
    await bench.nights.tick()
    assert bench.dreamt == [], "the nights before the first start are not dreamt"
    while bench.now < at("2026-12-31T23:00"):
        bench.now += HOUR // 2
        await bench.nights.tick()
        if bench.now % (97 * HOUR) == 0:
            await bench.reopened()
    days = [when[:5] for _, when in bench.dreamt]
    assert len(days) == len(set(days)) == 286, "both clock changes among them"
    assert {when[6:] for _, when in bench.dreamt} == {"03:00"}
    assert len({id for _, id in bench.told}) == 286


async def test_a_gateway_that_slept_dreams_the_last_night_once(bench: Bench) -> None:
    await bench.nights.tick()
    bench.now = at("2026-03-25T08:00")
    assert len(await (await bench.reopened()).tick()) == 1 and await bench.nights.tick() == []
    assert await bench.nights.next_due() == at("2026-03-26T03:00")


async def test_a_night_that_a_crash_cut_short_is_dreamt_again_under_the_same_name(bench: Bench) -> None:
    await bench.nights.tick()
    bench.now, bench.error = at("2026-03-21T03:00"), KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        await bench.nights.tick()
    bench.error = None
    bench.now += HOUR
    [id] = await (await bench.reopened()).tick()
    assert id == f"dream:main:{at('2026-03-21T03:00')}" and bench.told == [("main", id)]
    assert await bench.nights.tick() == []


async def test_a_failed_night_waits_for_the_next(bench: Bench) -> None:
    await bench.nights.tick()
    bench.now = at("2026-03-21T03:00")
    for error in (UserError("The disk is full."), ValueError("odd")):
        bench.error = error
        await bench.nights.tick()
        bench.now += HOUR
        assert await bench.nights.tick() == []
        bench.now += 23 * HOUR
    assert len(bench.dreamt) == 2 and bench.told == []


async def test_nothing_is_opened_while_nobody_dreams(bench: Bench) -> None:
    bench.plans = []
    bench.nights.start()
    await asyncio.sleep(0)
    assert await bench.nights.tick() == [] and await bench.nights.next_due() is None and not bench.path.exists()


async def test_an_expression_that_cannot_be_read_is_named(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.plans = [Plan("odd", Cron("every night", "")), Plan("lost", Cron("0 3 * * *", "Europe/Atlantis")), *bench.plans]
    assert await bench.nights.tick() == []
    assert "agent odd does not dream: memory.dreaming" in caplog.text and "Europe/Atlantis" in caplog.text
    assert await bench.nights.next_due() == at("2026-03-21T03:00")


async def test_the_timer_rings(bench: Bench) -> None:
    await bench.nights.tick()
    bench.now = at("2026-03-21T03:00")
    bench.nights.start()
    async with asyncio.timeout(10):
        await bench.heard.wait()
