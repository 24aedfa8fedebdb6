"""Questions to a person: on disk, checked, waited for, expired, withdrawn with the run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.tools.api import ToolContext, ToolError
from openclaw_kernel.tools.ask_user import AskArgs, ask_user_tool
from openclaw_kernel.tools.questions import EXPIRES_AFTER_MS, Asked, Option, Question, Questions
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal

COLOUR = Question("q1", "Colour", "Which?", (Option("Red"), Option("Blue", "like the sky")))
MANY = Question("q2", "Many", "Which ones?", (Option("A"), Option("B")), multi_select=True)
FREE = Question("q3", "Name", "What name?")


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def questions(tmp_path: Path, clock: Clock) -> Iterator[Questions]:
    made = Questions(tmp_path / "questions.jsonl", clock)
    yield made
    made.close()


async def test_an_answer_reaches_whoever_waits(questions: Questions) -> None:
    heard: list[Asked] = []
    questions.on_change.append(heard.append)
    row = questions.ask([COLOUR, MANY, FREE], session_key="agent:main:main", run_id="r")
    waiting = asyncio.ensure_future(questions.wait(row.id))
    await asyncio.sleep(0)
    questions.resolve(row.id, {"q1": ["Blue"], "q2": ["A", "B"], "q3": ["  Ada "]}, "me")
    done = await waiting
    assert done.status == "answered" and done.answers == {"q1": ("Blue",), "q2": ("A", "B"), "q3": ("Ada",)}
    assert [event.status for event in heard] == ["pending", "answered"] and done.resolved_by == "me"
    for again in (lambda: questions.resolve(row.id, {}, "x"), lambda: questions.cancel(row.id, "x")):
        with pytest.raises(OpenClawError) as refused:
            again()
        assert refused.value.details["reason"] == "QUESTION_ALREADY_TERMINAL"


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"q1": []},
        {"q1": ["Green"]},
        {"q1": ["Red", "Blue"]},
        {"q1": [" "]},
        {"q1": ["Red"], "q9": ["x"]},
    ],
)
def test_what_was_not_offered_is_no_answer(questions: Questions, answers: dict[str, list[str]]) -> None:
    row = questions.ask([COLOUR])
    with pytest.raises(OpenClawError) as refused:
        questions.resolve(row.id, answers, "me")
    assert refused.value.details["reason"] == "QUESTION_INVALID_ANSWER" and questions.get(row.id).status == "pending"


def test_an_answer_of_unbounded_length_is_refused(questions: Questions) -> None:
    row = questions.ask([FREE])
    with pytest.raises(OpenClawError, match="longer than"):
        questions.resolve(row.id, {"q3": ["x" * 5_000]}, "me")


async def test_no_answer_in_time_is_expired(questions: Questions, clock: Clock) -> None:
    row = questions.ask([COLOUR])
    assert row.expires_at - row.created_at == EXPIRES_AFTER_MS == 30 * 60 * 1000
    assert (await questions.wait(row.id, 1)).status == "pending"
    clock.now = row.expires_at
    assert (await questions.wait(row.id)).status == "expired" and questions.pending() == []


def test_what_was_open_at_a_stop_is_found_expired(tmp_path: Path, clock: Clock) -> None:
    first = Questions(tmp_path / "q.jsonl", clock)
    row = first.ask([COLOUR, MANY])
    answered = first.ask([FREE])
    first.resolve(answered.id, {"q3": ["Ada"]}, "me")
    first.close()
    second = Questions(tmp_path / "q.jsonl", clock)
    assert second.get(row.id).status == "expired" and second.get(row.id).questions == (COLOUR, MANY)
    assert second.get(answered.id).answers == {"q3": ("Ada",)}
    second.close()


def context(signal: AbortSignal) -> ToolContext:
    return ToolContext("run", "agent:main:main", "main", Path("/tmp"), signal, lambda text, fraction: None, {})


def asking(**more: Any) -> AskArgs:
    options = ["Red", "Blue | like the sky"]
    return AskArgs.model_validate({"questions": [{"header": "Colour", "question": "Which?", "options": options, **more}]})


async def test_the_tool_waits_and_tells_the_model(questions: Questions) -> None:
    tool = ask_user_tool(questions)
    running = asyncio.ensure_future(tool.run(asking(), context(AbortSignal())))
    await asyncio.sleep(0)
    (row,) = questions.pending()
    assert row.session_key == "agent:main:main" and row.run_id == "run"
    questions.resolve(row.id, {"q1": ["something of my own"]}, "me")
    result = await running
    assert result.content == (Text("The person answered.\nColour: something of my own"),) and not result.is_error


async def test_a_stopped_run_takes_its_question_back(questions: Questions) -> None:
    signal = AbortSignal()
    running = asyncio.ensure_future(ask_user_tool(questions).run(asking(), context(signal)))
    await asyncio.sleep(0)
    (row,) = questions.pending()
    signal.abort("user")
    assert (await running).is_error and questions.get(row.id).status == "cancelled"
    cancelled = asyncio.ensure_future(ask_user_tool(questions).run(asking(), context(AbortSignal())))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert questions.pending() == []


async def test_options_must_differ(questions: Questions) -> None:
    with pytest.raises(ToolError, match="two or more different options"):
        await ask_user_tool(questions).run(asking(options=["A", "A | again"]), context(AbortSignal()))
    assert questions.pending() == []


async def test_a_refusal_is_told(questions: Questions) -> None:
    running = asyncio.ensure_future(ask_user_tool(questions).run(asking(), context(AbortSignal())))
    await asyncio.sleep(0)
    (row,) = questions.pending()
    assert row.questions[0].options == (Option("Red"), Option("Blue", "like the sky"))
    questions.cancel(row.id, "me")
    result = await running
    assert result.is_error and "does not want" in str(result.content)
