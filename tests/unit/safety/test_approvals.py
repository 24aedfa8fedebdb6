"""Questions, answers, expiry, and what a restart leaves (SAF-10, SAF-11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from openclaw_kernel.safety.api import Card
from openclaw_kernel.safety.approvals import KEEP_MS, Approval, Approvals
from openclaw_kernel.values.errors import OpenClawError

CARD = Card("Run a command", "git status", "/srv/work", "git is not on the allowlist", facts={"pattern": "=git status"})


class Time:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def opened(tmp_path: Path, time: Time) -> Iterator[Callable[[], Approvals]]:
    numbers = count(1)
    made: list[Approvals] = []

    def make() -> Approvals:
        for one in made:
            one.close()
        made.append(Approvals(tmp_path / "approvals.jsonl", tmp_path / "allow.jsonl", time, lambda: f"a{next(numbers)}"))
        return made[-1]

    yield make
    made[-1].close()


def ask(approvals: Approvals, run_id: str = "r1", card: Card = CARD, timeout_ms: int = 120_000) -> Approval:
    return approvals.request(card, session_key="agent:main:main", agent_id="main", run_id=run_id, timeout_ms=timeout_ms)


async def test_an_answer_reaches_the_waiter_and_the_listeners(opened: Callable[[], Approvals]) -> None:
    approvals = opened()
    told: list[str] = []
    approvals.on_change.append(lambda approval: told.append(approval.state))
    question = ask(approvals)
    waiter = asyncio.create_task(approvals.decision(question.id))
    await asyncio.sleep(0)
    approvals.resolve(question.id, "allow-once", "ada")
    assert await waiter == "allow-once"
    assert approvals.get(question.id).resolved_by == "ada"
    assert told == ["pending", "resolved"]
    assert approvals.allowlist("main") == ()


async def test_time_runs_out_by_the_injected_clock(opened: Callable[[], Approvals], time: Time) -> None:
    approvals = opened()
    question = ask(approvals)
    waiter = asyncio.create_task(approvals.decision(question.id))
    await asyncio.sleep(0)
    time.now += 119_999
    assert [row.id for row in approvals.pending()] == [question.id]
    time.now += 1
    assert approvals.pending() == []
    assert await waiter is None
    assert approvals.get(question.id).state == "expired"
    with pytest.raises(OpenClawError, match="already expired"):
        approvals.resolve(question.id, "allow-once", "ada")


async def test_a_late_answer_is_refused_even_if_nobody_looked(opened: Callable[[], Approvals], time: Time) -> None:
    approvals = opened()
    question = ask(approvals)
    time.now += 120_000
    with pytest.raises(OpenClawError) as caught:
        approvals.resolve(question.id, "allow-always", "ada")
    assert caught.value.code == "APPROVAL_NOT_FOUND"
    assert approvals.allowlist("main") == ()
    assert await approvals.decision(question.id) is None


async def test_the_wait_itself_ends_at_the_deadline(opened: Callable[[], Approvals]) -> None:
    approvals = opened()
    assert await approvals.decision(ask(approvals, timeout_ms=1).id) is None


async def test_open_questions_come_back_as_expired(opened: Callable[[], Approvals]) -> None:
    first = opened()
    question, answered = ask(first), ask(first)
    first.resolve(answered.id, "deny", "ada")
    second = opened()
    assert second.pending() == []
    assert second.get(question.id).state == "expired"
    assert second.get(question.id).card == CARD
    assert await second.decision(question.id) is None
    assert await second.decision(answered.id) == "deny"


def test_allow_always_survives_a_restart_and_is_bound(opened: Callable[[], Approvals]) -> None:
    first = opened()
    first.resolve(ask(first).id, "allow-always", "ada")
    second = opened()
    assert second.allowlist("main") == ("=git status",)
    assert second.allowlist("main", cwd="/srv/work") == ("=git status",)
    assert second.allowlist("main", cwd="/elsewhere") == ()
    assert second.allowlist("other") == ()
    assert second.entries()[0].source == "ada"
    assert second.disallow("main", "=git status")
    assert opened().allowlist("main") == ()


def test_only_what_the_card_offers(opened: Callable[[], Approvals]) -> None:
    approvals = opened()
    risky = ask(approvals, card=Card("Run", "rm -rf x", "/srv", "deletes", "high", ("allow-once", "deny")))
    with pytest.raises(OpenClawError, match="does not offer 'allow-always'"):
        approvals.resolve(risky.id, "allow-always", "ada")
    nameless = ask(approvals, card=Card("Run", "x", "/srv", "y"))
    with pytest.raises(OpenClawError, match="no exact command"):
        approvals.resolve(nameless.id, "allow-always", "ada")
    assert {row.id for row in approvals.pending()} == {risky.id, nameless.id}


async def test_ending_a_run_withdraws_its_questions(opened: Callable[[], Approvals]) -> None:
    approvals = opened()
    mine, other = ask(approvals, "r1"), ask(approvals, "r2")
    waiter = asyncio.create_task(approvals.decision(mine.id))
    await asyncio.sleep(0)
    approvals.cancel_run("r1")
    assert await waiter is None
    assert approvals.get(mine.id).state == "cancelled"
    assert [row.id for row in approvals.pending()] == [other.id]


async def test_unknown_and_repeated_ids(opened: Callable[[], Approvals]) -> None:
    approvals = opened()
    with pytest.raises(OpenClawError) as caught:
        await approvals.decision("nope")
    assert caught.value.code == "APPROVAL_NOT_FOUND"
    question = ask(approvals)
    approvals.resolve(question.id, "deny", "ada")
    with pytest.raises(OpenClawError, match="already resolved"):
        approvals.resolve(question.id, "allow-once", "eve")
    with pytest.raises(OpenClawError, match="already exists"):
        approvals.request(CARD, session_key="s", agent_id="main", approval_id=question.id)


def test_old_answers_are_dropped(opened: Callable[[], Approvals], time: Time) -> None:
    first = opened()
    question = ask(first)
    first.resolve(question.id, "deny", "ada")
    time.now += KEEP_MS + 200_000
    with pytest.raises(OpenClawError):
        opened().get(question.id)
