"""Hard budgets: the call that would break one is not sent, and the one before it was (MOD-19)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.agent.failover import account_for
from openclaw_kernel.models.api import Account
from openclaw_kernel.models.budget import estimate
from openclaw_kernel.models.usage import Spent
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.messages import AssistantMessage
from tests.unit.usage.scripted import CHEAP, Scripted

# One answer uses 1,000 tokens in and 100 out: 1,100 tokens, and $0.10 + $0.10 = $0.20.


def budget(**limits: Any) -> dict[str, Any]:
    return {"budget": limits}


def stopped(message: AssistantMessage) -> str:
    """The sentence of a call that a budget stopped, else nothing."""
    return message.error.message if message.error is not None and message.error.kind == "budget" else ""


async def test_what_a_session_starts_counts_for_it(tmp_path: Path) -> None:
    """Else work without end is handed on from one subagent to the next, each with a budget of its own."""
    scripted = Scripted(tmp_path, config=budget(session={"tokens": 2_400}))
    for child in ("c1", "c2"):
        assert not stopped(await scripted.ask(session_key=child, session_id=child, run_id=child, root_id="s1"))
    await scripted.models.close()
    scripted.open()
    assert scripted.models.usage.family("s1").tokens == 2_200 and scripted.models.usage.session("s1").tokens == 0
    assert "budget.session.tokens" in stopped(await scripted.ask())
    assert stopped(await scripted.ask(session_key="c3", session_id="c3", run_id="c3", root_id="s1"))
    assert not stopped(await scripted.ask(session_id="another", run_id="o"))


def test_the_account_of_a_subagent_names_the_session_at_the_head(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    keys = ("agent:main:main", "agent:main:subagent:a", "agent:main:subagent:a:subagent:b")
    for key, above in zip(keys, (None, *keys), strict=False):
        sessions.open(key)
        sessions.update(key, parent_session_key=above)
    entries = [entry for key in keys if (entry := sessions.get(key)) is not None]
    accounts = [account_for(sessions, entry, "r") for entry in entries]
    assert [one.root_id for one in accounts] == ["", entries[0].session_id, entries[0].session_id]
    assert {one.family for one in accounts} == {entries[0].session_id}
    sessions.close()


@pytest.mark.parametrize(
    ("limits", "answers"),
    [
        ({"turn": {"tokens": 3_500}}, 3),  # 1,100 2,200 3,300: 200 left is less than the least answer
        ({"turn": {"tokens": 3_700}}, 4),  # 400 left for a question of about ten tokens and 256 of answer
        ({"session": {"usd": 0.50}}, 2),  # 0.20 0.40: 0.10 left buys 100 tokens out, not 256
        ({"day": {"usd": 0.70}}, 3),  # 0.20 0.40 0.60
        ({"agents": {"main": {"usd": 0.70}}}, 3),
        ({"agents": {"main": {"turn": {"tokens": 3_500}}}}, 3),
        ({"agents": {"other": {"usd": 0.01}}}, 9),
        ({}, 9),
    ],
)
async def test_so_many_answers_and_then_one_sentence(limits: dict[str, Any], answers: int) -> None:
    scripted = Scripted(config=budget(**limits))
    messages = [await scripted.ask() for _ in range(9)]
    assert len(scripted.sent) == answers
    for message in messages[answers:]:
        sentence = stopped(message)
        assert sentence.count(". ") == 0 and "raise budget." in sentence and "openclaw.json" in sentence
    assert len(scripted.reached) == 9 - answers


@pytest.mark.parametrize(
    ("limits", "other"),
    [
        ({"turn": {"tokens": 2_000}}, {"run_id": "another"}),
        ({"session": {"tokens": 2_000}}, {"session_id": "another"}),
        ({"agents": {"main": {"tokens": 2_000}}}, {"agent_id": "another"}),
    ],
)
async def test_the_next_turn_session_or_agent_begins_anew(limits: dict[str, Any], other: dict[str, Any]) -> None:
    scripted = Scripted(config=budget(**limits))
    await scripted.ask()
    scripted.used = (1_800, 100)
    await scripted.ask()
    assert stopped(await scripted.ask())
    assert not stopped(await scripted.ask(**other))


async def test_the_next_day_begins_anew() -> None:
    scripted = Scripted(config=budget(day={"tokens": 1_200}))
    await scripted.ask()
    assert stopped(await scripted.ask())
    scripted.now += 24 * 3_600_000
    assert not stopped(await scripted.ask())


async def test_an_answer_is_capped_to_what_is_left() -> None:
    scripted = Scripted(config=budget(turn={"tokens": 5_000}))
    await scripted.ask()
    asked = estimate(scripted.sent[0])
    assert scripted.sent[0].max_output_tokens == 5_000 - asked
    await scripted.ask()
    assert scripted.sent[1].max_output_tokens == 5_000 - 1_100 - asked


async def test_without_a_limit_nothing_is_capped() -> None:
    scripted = Scripted()
    await scripted.ask()
    assert scripted.sent[0].max_output_tokens is None


async def test_what_is_under_way_is_set_aside() -> None:
    """Two calls at once may not both spend the rest."""
    scripted = Scripted(config=budget(day={"tokens": 9_000}))
    release = asyncio.Event()
    scripted.during = release.wait
    first = asyncio.ensure_future(scripted.ask(run_id="one"))
    await scripted.arrivals.get()
    held = estimate(scripted.sent[0]) + 8_192
    second = asyncio.ensure_future(scripted.ask(run_id="two"))
    third = asyncio.ensure_future(scripted.ask(run_id="three"))
    await scripted.arrivals.get()
    assert scripted.sent[1].max_output_tokens == 9_000 - held - estimate(scripted.sent[1])
    release.set()
    outcomes = [await first, await second, await third]
    assert [bool(stopped(message)) for message in outcomes] == [False, False, True]
    assert not stopped(await scripted.ask()), "what was set aside is free again"


async def test_a_call_that_ends_gives_back_what_was_set_aside() -> None:
    scripted = Scripted(config=budget(day={"tokens": 9_000}))
    release = asyncio.Event()
    scripted.during = release.wait
    asked = asyncio.ensure_future(scripted.ask())
    await scripted.arrivals.get()
    assert scripted.models.budget.held == 1
    release.set()
    await asked
    assert scripted.models.budget.held == 0


async def test_a_limit_outlives_the_process(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, budget(day={"usd": 0.5}))
    await scripted.ask()
    await scripted.ask()
    await scripted.models.close()
    scripted.open()
    assert stopped(await scripted.ask()) and len(scripted.sent) == 2


async def test_a_price_nobody_knows_does_not_count_as_money() -> None:
    scripted = Scripted(config=budget(day={"usd": 0.01}))
    for _ in range(3):
        assert not stopped(await scripted.ask(CHEAP))
    assert scripted.models.usage.today() == Spent(3, 3_000, 300, unpriced=3)


async def test_the_stand_in_is_never_stopped() -> None:
    scripted = Scripted(config=budget(turn={"tokens": 1}))
    offline = scripted.models.resolve("builtin/offline")
    for _ in range(3):
        assert not stopped(await scripted.ask(offline))


async def test_a_changed_limit_holds_at_once() -> None:
    scripted = Scripted(config=budget(turn={"tokens": 1_200}))
    await scripted.ask()
    assert stopped(await scripted.ask())
    scripted.models.reconfigure(scripted.settings.model_copy(update={"budget": type(scripted.settings.budget)()}))
    assert not stopped(await scripted.ask())


async def test_a_call_whose_process_was_killed_counts_as_its_estimate(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, budget(day={"tokens": 12_000}))
    scripted.during = asyncio.Event().wait
    lost = asyncio.ensure_future(scripted.ask())
    estimated = estimate(await scripted.arrivals.get()) + 8_192
    scripted.during = lambda: None
    scripted.open()  # nothing of the first process was closed
    assert not stopped(await scripted.ask())
    assert scripted.models.usage.today().tokens == estimated + 1_100
    scripted.open()
    await scripted.ask()
    assert scripted.models.usage.today().tokens == estimated + 2_200, "booked once"
    lost.cancel()


async def test_an_embedding_needs_room_too() -> None:
    scripted = Scripted(config=budget(day={"tokens": 2_000}))
    account = Account("main", "agent:main:memory")
    assert scripted.models.budget.refusal(account, 900) == ""
    await scripted.ask()
    refusal = scripted.models.budget.refusal(account, 950)
    assert "1,100 of 2,000 tokens are spent" in refusal and "950 tokens" in refusal and "budget.day.tokens" in refusal
