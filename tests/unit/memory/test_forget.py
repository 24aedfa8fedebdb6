"""Forgetting: what grows afterwards, forms of words, a crash that left only a hash, and writers at the same moment."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openclaw_kernel.memory.api import Selector
from openclaw_kernel.memory.edit import take_out
from openclaw_kernel.memory.forget import holds_marked, mark_of
from openclaw_kernel.memory.notes import Notes
from openclaw_kernel.memory.said import Spoken
from tests.unit.memory.keeping import Hands
from tests.unit.memory.test_backend import every_byte
from tests.unit.memory.test_sync import transcript


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path)


def forms(hands: Hands, word: str) -> list[str]:
    """Files that hold the word in any encoding the memory writes."""
    sought = [word.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]
    return [path.name for path, data in every_byte(hands.state, hands.workspace) if any(one in data for one in sought)]


async def test_an_exchange_that_grows_afterwards_does_not_come_back(hands: Hands, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    transcript(path, ("user", "tea is ready"), ("user", "the code is 4711"))
    hands.spoken.append(Spoken("a", path, "agent:main:main"))
    memory = hands.memory(sources=["memory", "sessions"])
    assert await memory.search("4711")
    await memory.forget(Selector(text="code is 4711"))
    more = tmp_path / "more.jsonl"
    transcript(more, ("assistant", "I will keep it"), ("user", "a xylophone, please"))
    with path.open("ab") as file:
        file.write(more.read_bytes())
    await memory.sync()
    assert await memory.search("4711") == [] and await memory.search("xylophone") and await memory.search("tea")
    await memory.close()
    memory = hands.memory(sources=["memory", "sessions"])
    await memory.sync()
    assert await memory.search("4711") == []
    await memory.close()


async def test_what_is_said_in_a_session_after_it_was_forgotten_is_found(hands: Hands, tmp_path: Path) -> None:
    transcript(tmp_path / "a.jsonl", ("user", "the code is 4711"))
    transcript(tmp_path / "unread.jsonl", ("user", "the code is 4712"))
    hands.spoken.append(Spoken("a", tmp_path / "a.jsonl", "agent:main:main"))
    memory = hands.memory(sources=["memory", "sessions"])
    assert await memory.search("4711")
    hands.spoken.append(Spoken("u", tmp_path / "unread.jsonl", "agent:main:main"))
    await memory.forget(Selector(session_key="agent:main:main"))
    transcript(tmp_path / "b.jsonl", ("user", "the code is 4713"))
    hands.spoken.append(Spoken("b", tmp_path / "b.jsonl", "agent:main:main"))
    await memory.sync()
    assert await memory.search("4711") == [] == await memory.search("4712") and await memory.search("4713")
    await memory.close()


async def test_no_form_of_a_word_stays_though_its_stem_does(hands: Hands) -> None:
    hands.write("memory/2026-11-01.md", "- we deploy on Monday\n- the deployments are secret\n")
    memory = hands.memory()
    await memory.search("deploy")
    await memory.close()
    assert "words.idx" in forms(hands, "deployments")
    memory = hands.memory()
    await memory.forget(Selector(text="deployments are secret"))
    assert await memory.search("deploy") and await memory.search("deplpy")
    await memory.close()
    assert forms(hands, "deployments") == [] and "words.idx" in forms(hands, "deploy")


async def test_a_mark_finds_the_text_without_knowing_it(hands: Hands) -> None:
    mark = mark_of("The  CODE is 4711")
    assert (
        "4711" not in mark and holds_marked(mark, "- say: the code\n  is 4711!") and not holds_marked(mark, "the code is 4712")
    )
    hands.write("memory/2026-11-01.md", "- the code is 4711\n- tea is ready\n")
    memory = hands.memory()
    await memory.search("code")
    report = await memory.forget(Selector(mark=mark))
    assert report.notes == 1 and await memory.search("4711") == [] and await memory.search("tea")
    await memory.close()
    assert forms(hands, "4711") == []


def test_a_line_that_is_added_while_others_are_taken_out_is_kept(tmp_path: Path) -> None:
    notes, now = Notes(tmp_path), datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    path = tmp_path / notes.append("first secret", now).path
    done = threading.Event()

    def add() -> None:
        for number in range(60):
            notes.append(f"kept {number}", now)
            notes.append(f"secret {number}", now)
        done.set()

    writer = threading.Thread(target=add)
    writer.start()
    while not done.is_set():
        take_out(path, lambda text: "secret" in text)
    writer.join(30)
    take_out(path, lambda text: "secret" in text)
    assert path.read_text().count("kept") == 60 and "secret" not in path.read_text()
