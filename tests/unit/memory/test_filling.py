"""Vectors that are made ahead of the disk."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.filling import FEW
from tests.unit.memory.keeping import Hands, WordModel

WAIT_S = 30


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    made = Hands(tmp_path)
    made.model = WordModel()
    return made


async def test_a_changed_note_has_its_vectors_before_it_is_on_disk(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    hands.write("MEMORY.md", "- the ferry leaves at noon\n")
    memory = hands.memory()
    await memory.sync()
    await memory.settled()
    engine = memory._engine
    assert engine is not None and hands.model is not None
    shown, before, commit, put = threading.Event(), list[bool](), engine.durable.commit, engine.ram.set_vectors

    def set_vectors(*given: Any, **named: Any) -> None:
        put(*given, **named)
        shown.set()

    def committed(change: Any) -> None:
        before.append(shown.wait(WAIT_S))
        commit(change)

    monkeypatch.setattr(engine.ram, "set_vectors", set_vectors)
    monkeypatch.setattr(engine.durable, "commit", committed)
    await memory.sync([hands.write("memory/boat.md", "- the ferry needs a new rope\n")])
    await memory.settled()
    assert before == [True] and engine.ram.embedded == 2
    assert len([text for text in hands.model.read if "rope" in text]) == 1, "it is embedded once"
    assert (await memory.status()).waiting == 0
    await memory.close()


async def test_many_changed_notes_wait_for_their_turn(hands: Hands) -> None:
    hands.write("MEMORY.md", "- the ferry leaves at noon\n")
    memory = hands.memory()
    await memory.sync()
    await memory.settled()
    assert hands.model is not None
    hands.model.read.clear()
    paths = [hands.write(f"memory/{number}.md", f"- rope number {number}\n") for number in range(FEW + 20)]
    await memory.sync(paths)
    await memory.settled()
    assert sorted(hands.model.read) == sorted(set(hands.model.read)) and len(hands.model.read) == FEW + 20
    assert (await memory.status()).waiting == 0
    await memory.close()


async def test_a_model_that_fails_leaves_the_words(hands: Hands) -> None:
    hands.write("MEMORY.md", "- the ferry leaves at noon\n")
    memory = hands.memory()
    await memory.sync()
    await memory.settled()
    assert hands.model is not None

    def fail() -> None:
        raise EmbeddingError("the model is gone")

    hands.model.before = fail
    await memory.sync([hands.write("memory/boat.md", "- a new rope\n")])
    await memory.settled()
    assert [hit.path for hit in await memory.search("rope", limit=1)] == ["memory/boat.md"]
    assert "the model is gone" in (await memory.status()).sentence
    await memory.close()


async def test_a_kept_vector_is_shown_beside_one_that_is_made_ahead(hands: Hands) -> None:
    note = hands.write("memory/ferry.md", "- the ferry leaves at noon\n")
    memory = hands.memory()
    await memory.sync()
    await memory.settled()
    note.unlink()
    await memory.sync([note])
    await memory.settled()
    paths = [hands.write("memory/ferry.md", "- the ferry leaves at noon\n"), hands.write("memory/rope.md", "- a new rope\n")]
    await memory.sync(paths)
    await memory.settled()
    status = await memory.status()
    assert (status.chunks, status.embedded, status.waiting) == (2, 2, 0)
    await memory.close()


async def test_a_kept_vector_is_shown_though_as_many_others_are_not_kept(hands: Hands) -> None:
    """As a kill leaves it: one text's vector is on disk and not in the answers, another's in the answers and not on disk."""
    for name in ("a", "b"):
        hands.write(f"memory/{name}.md", f"- the {name} ferry leaves at noon\n")
    memory = hands.memory()
    await memory.sync()
    await memory.settled()
    engine = memory._engine
    assert engine is not None
    first, second = list(engine.durable.rows())
    entry = engine.place(first.id)
    engine.ram.remove([first.id])
    engine.ram.add([entry])
    engine.durable._con.execute("DELETE FROM embedding WHERE hash = ?", [second.hash])
    assert engine.ram.without_vector() == [first.id]
    memory._filling.start(engine)
    await memory.settled()
    assert engine.ram.without_vector() == [] and engine.durable.waiting("words") == 0
    await memory.close()
