"""A model that calls a tool for ever, in a whole agent: the budget ends the run before the call that would break it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.agent.conftest import Bench
from tests.unit.usage.scripted import Scripted


def runaway(state: Path, **limits: Any) -> tuple[Bench, Scripted]:
    model = {"agents": {"defaults": {"model": "paid/m"}}}
    scripted = Scripted(state, model | {"budget": limits}, tool="look")
    bench = Bench(state, scripted.settings, models=scripted.models)  # type: ignore[arg-type]
    return bench, scripted


# One answer uses $0.20 and 1,100 tokens. A request of the bench is small, far below 1,000 tokens, and its estimate is too.
@pytest.mark.parametrize(
    ("limits", "most"),
    [({"turn": {"usd": 1.10}}, 5), ({"session": {"tokens": 6_000}}, 5), ({"day": {"usd": 2.10}}, 10)],
)
async def test_the_run_ends_before_the_limit_is_broken(tmp_path: Path, limits: dict[str, Any], most: int) -> None:
    bench, scripted = runaway(tmp_path, **limits)
    outcome = await bench.run()
    assert outcome.status == "error" and outcome.error.kind == "budget"
    assert "is reached" in outcome.error.message
    spent = scripted.models.usage.run("r1")
    (limit,) = limits.values()
    assert spent.calls == len(scripted.sent) and most - 2 <= spent.calls <= most
    assert spent.usd <= limit.get("usd", 1e9) and spent.tokens <= limit.get("tokens", 1e9)
    assert [reached.account.run_id for reached in scripted.reached] == ["r1"]
    assert bench.history()[-1]["errorMessage"] == outcome.error.message
    await bench.runtime.close(grace_s=0)


async def test_each_turn_has_a_budget_of_its_own_and_the_day_has_one_for_all(tmp_path: Path) -> None:
    bench, scripted = runaway(tmp_path, turn={"usd": 1.10}, day={"usd": 1.5})
    first, second, third = [await bench.run(name) for name in ("r1", "r2", "r3")]
    assert "this turn" in first.error.message and "today" in second.error.message and "today" in third.error.message
    assert scripted.models.usage.today().usd <= 1.5
    await bench.runtime.close(grace_s=0)


async def test_compaction_and_other_agents_pay_too(tmp_path: Path) -> None:
    """What is spent outside a turn counts: here another agent's session uses up the day."""
    bench, scripted = runaway(tmp_path, day={"usd": 0.5})
    await scripted.ask(agent_id="clerk", session_id="elsewhere", run_id="other")
    await scripted.ask(agent_id="clerk", session_id="elsewhere", run_id="other")
    outcome = await bench.run()
    assert outcome.error.kind == "budget" and len(scripted.sent) == 2
    await bench.runtime.close(grace_s=0)
