"""Changed notes are heard of, once it has been quiet (MEM-04)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from openclaw_kernel.memory.backend import Builtin
from openclaw_kernel.memory.watch import Watch
from tests.unit.memory.keeping import Hands

WAIT_S = 20


class Heard:
    def __init__(self) -> None:
        self.calls: list[set[Path]] = []
        self.came = asyncio.Event()

    def __call__(self, paths: set[Path]) -> None:
        self.calls.append(paths)
        self.came.set()

    async def next(self) -> set[Path]:
        async with asyncio.timeout(WAIT_S):
            await self.came.wait()
        self.came.clear()
        return self.calls[-1]


async def test_changes_are_told_together_after_a_pause() -> None:
    heard = Heard()
    watch = Watch(lambda: ([], []), heard, debounce_ms=30)
    watch.start()
    watch.touch({Path("a")})
    watch.touch({Path("b")})
    assert await heard.next() == {Path("a"), Path("b")}
    watch.touch({Path("c")})
    assert await heard.next() == {Path("c")} and len(heard.calls) == 2
    watch.close()


async def test_a_change_without_pause_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    watch = Watch(lambda: ([], []), heard, debounce_ms=1_000)
    now = [100.0]
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", lambda: now[0])
    watch.start()
    due = []
    for _ in range(9):
        watch.touch({Path("a")})
        assert watch._timer is not None
        due.append(watch._timer.when())
        now[0] += 0.9
    assert due[0] == 101.0 and due[1] == 101.9 and due[-1] == 106.0
    watch.close()
    monkeypatch.undo()


async def test_nothing_is_told_after_the_end() -> None:
    heard = Heard()
    watch = Watch(lambda: ([], []), heard, debounce_ms=1)
    watch.start()
    watch.touch({Path("a")})
    watch.close()
    watch.touch({Path("b")})
    watch._heard({Path("c")})
    await asyncio.sleep(0)
    assert heard.calls == []


async def test_a_note_that_appears_is_searchable_without_being_asked_for(tmp_path: Path) -> None:
    hands = Hands(tmp_path)
    (hands.workspace / "memory").rmdir()
    memory = hands.memory(sync={"watch": True, "watchDebounceMs": 50, "onSearch": False})
    assert await memory.search("zebra") == []
    for name, word in (("memory/deep/first.md", "okapi"), ("memory/deep/second.md", "crocodile"), ("MEMORY.md", "giraffe")):
        hands.write(name, f"the {word} is shy")
        assert await found(memory, word) == name
    await memory.close()


async def found(memory: Builtin, query: str) -> str:
    """Where a query is answered from, once it is."""
    for _ in range(WAIT_S * 50):
        if hits := await memory.search(query):
            return hits[0].path
        await asyncio.sleep(0.02)
    return ""
