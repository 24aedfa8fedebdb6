"""Usage as it adds up: by turn, session, day, agent and model, and the same after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_kernel.models.usage import Spent, by
from tests.unit.usage.scripted import CHEAP, Scripted

DAY_MS = 24 * 3_600_000


async def story(scripted: Scripted) -> None:
    await scripted.ask(run_id="r1", session_id="s1")
    await scripted.ask(run_id="r1", session_id="s1")
    await scripted.ask(CHEAP, run_id="r2", session_id="s2", agent_id="clerk")
    scripted.now += DAY_MS
    await scripted.ask(run_id="r3", session_id="s1")


async def test_sums(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path)
    await story(scripted)
    usage = scripted.models.usage
    first, second = sorted({cell.day for cell in usage.cells()})
    assert usage.run("r1") == Spent(2, 2_000, 200, input_usd=0.2, output_usd=0.2)
    assert usage.session("s1").tokens == 3_300 and usage.session("s1").usd == pytest.approx(0.6)
    assert usage.on(first).calls == 3 and usage.on(second).calls == 1 and usage.today() == usage.on(second)
    assert usage.agent_on("clerk", first) == Spent(1, 1_000, 100, unpriced=1) and usage.agent_on("clerk", second) == Spent()
    assert by(usage.cells(), lambda cell: cell.model)["free"].tokens == 1_100


async def test_the_same_after_a_restart(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path)
    await story(scripted)
    before = (sorted(scripted.models.usage.cells(), key=lambda cell: cell.id), scripted.models.usage.session("s1"))
    await scripted.models.close()
    scripted.open()
    usage = scripted.models.usage
    assert sorted(usage.cells(), key=lambda cell: cell.id) == before[0] and usage.session("s1").tokens == before[1].tokens
    assert len(usage.cells()) == 3, "a cell for a day, agent, session and model; not a row a call"


async def test_many_calls_make_few_rows(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path)
    for _ in range(300):
        await scripted.ask()
    await scripted.models.close()
    scripted.open()
    assert scripted.models.usage.today().calls == 300
    await scripted.models.close()
    scripted.open()
    assert scripted.models.usage.today().calls == 300
    assert len((tmp_path / "usage.jsonl").read_bytes().splitlines()) == 1


def test_nothing_is_written_before_something_is_spent(tmp_path: Path) -> None:
    Scripted(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_refuses_does_not_end_the_answer(tmp_path: Path) -> None:
    """Usage is then counted in memory; a call that a limit needs set aside is not sent."""
    scripted = Scripted(tmp_path)
    for name in ("usage.jsonl", "auth-profiles.jsonl", "auth-sessions.jsonl", "budget-holds.jsonl"):
        (tmp_path / name).mkdir()
    assert (await scripted.ask()).text == "an answer" and scripted.models.usage.today().calls == 1
    limited = Scripted(tmp_path, {"budget": {"day": {"usd": 5.0}}})
    message = await limited.ask()
    assert message.stop_reason == "error" and "budget-holds.jsonl" in str(message.error) and limited.sent == []
