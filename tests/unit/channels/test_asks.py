"""A question of the assistant in a chat: shown there, answered by the next message or a button of the one who was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from openclaw_gateway.channels.contract import Callback
from openclaw_kernel.tools.questions import Asked, Option, Question, Questions, understood
from openclaw_kernel.values.envelope import Peer, Sender
from tests.unit.channels.test_pipeline import OPEN, heard
from tests.unit.channels.world import CAPS, FakeRuntime, World, message, settle, until, world

COLOUR = Question("q1", "Colour", "Which?", (Option("Red"), Option("Blue", "like the sky")))
MANY = Question("q2", "Many", "Which ones?", (Option("A"), Option("B")), multi_select=True)
FREE = Question("q3", "Name", "What name?")


@asynccontextmanager
async def asking(tmp_path: Path, *questions: Question, buttons: bool = False) -> AsyncIterator[tuple[World, Questions, Asked]]:
    """A run that Ann began, which asks her."""
    asked, runtime = Questions(tmp_path / "asked.jsonl"), FakeRuntime()
    runtime.hold = asyncio.Event()
    async with world(tmp_path, OPEN, runtime=runtime, caps=replace(CAPS, buttons=buttons), asked=asked) as found:
        await found.says(message("go on"))
        await until(lambda: runtime.requests)
        row = asked.ask(questions, session_key="agent:main:main", agent_id="main", run_id=runtime.requests[0].run_id)
        await heard(found)
        yield found, asked, row
        runtime.hold.set()
        await settle()
    asked.close()


async def test_the_next_message_is_the_answer_and_no_turn_of_its_own(tmp_path: Path) -> None:
    async with asking(tmp_path, COLOUR) as (found, asked, row):
        assert "Which?" in found.sent[0] and "1. Red" in found.sent[0] and "2. Blue: like the sky" in found.sent[0]
        await found.says(message("9", id="m2"))
        await until(lambda: len(found.sent) == 2)
        assert "none of the choices" in found.sent[1] and asked.get(row.id).status == "pending"
        await found.says(message("2", id="m3"))
        await until(lambda: asked.get(row.id).status == "answered")
        assert asked.get(row.id).answers == {"q1": ("Blue",)} and asked.get(row.id).resolved_by == "fake:ann"
        assert len(found.runtime.requests) == 1


async def test_several_questions_take_a_line_each(tmp_path: Path) -> None:
    async with asking(tmp_path, COLOUR, MANY, FREE) as (found, asked, row):
        await found.says(message("red", id="m2"))
        await until(lambda: len(found.sent) == 2)
        assert "3 questions" in found.sent[1]
        await found.says(message("red\n1, 2\nAda", id="m3"))
        await until(lambda: asked.get(row.id).status == "answered")
        assert asked.get(row.id).answers == {"q1": ("Red",), "q2": ("A", "B"), "q3": ("Ada",)}


async def test_nobody_else_and_no_other_chat_answers(tmp_path: Path) -> None:
    async with asking(tmp_path, COLOUR) as (found, asked, row):
        stranger = replace(message("1", id="m2"), sender=Sender("bob"), peer=Peer("direct", "bob"))
        elsewhere = replace(message("1", id="m3"), peer=Peer("group", "g1"))
        for other in (stranger, elsewhere):
            await found.says(other)
        await settle()
        assert asked.get(row.id).status == "pending"


async def test_a_button_answers_for_the_one_who_was_asked(tmp_path: Path) -> None:
    async with asking(tmp_path, COLOUR, buttons=True) as (found, asked, row):
        (sent,) = found.platform.sent
        assert sent.payload is not None and f"answer:{row.id}:1" in str(sent.payload)
        press = Callback("fake", "default", Peer("direct", "ann"), Sender("bob"), f"answer:{row.id}:1")
        assert "else" in await found.room.pressed(press) and asked.get(row.id).status == "pending"
        assert "nothing" in await found.room.pressed(replace(press, sender=Sender("ann"), data=f"answer:{row.id}:9"))
        assert await found.room.pressed(replace(press, sender=Sender("ann"))) == "Thank you."
        assert asked.get(row.id).answers == {"q1": ("Blue",)}
        assert "nothing" in await found.room.pressed(replace(press, sender=Sender("ann")))


@pytest.mark.parametrize(
    ("question", "text", "meant"),
    [
        (COLOUR, "1", ("Red",)),
        (COLOUR, " blue ", ("Blue",)),
        (COLOUR, "3", ()),
        (COLOUR, "²", ()),
        (MANY, "2,1", ("B", "A")),
        (MANY, "a, b", ("A", "B")),
        (FREE, "1", ("1",)),
        (replace(COLOUR, is_other=True), "something else", ("something else",)),
    ],
)
def test_what_a_line_means(question: Question, text: str, meant: tuple[str, ...]) -> None:
    assert understood(question, text) == meant
