"""Memory as a person meets it: `memory.search` through a gateway over 200 notes, and how soon a changed note is found.

    python -m tests.benchmarks.memory_gateway

Both with the tiny model of the tests, whose own work (a fraction of a millisecond a query) counts. A change of a note
of five chunks counts from the event (the sync of its path is asked for) until all its chunks can be found by words, and by
meaning; its commit comes after that.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.memory.backend import open_memory
from openclaw_kernel.memory.embedding.shelf import Shelf
from tests.benchmarks.driver import Driver, Spread
from tests.benchmarks.processes import cpu_s, gateway
from tests.fakes.tiny_model import build_tiny

NOTES = 200
CHUNKS = 5
QUERIES = 60
CHANGES = 30
WORDS = [f"{a}{b}{c}" for a in ("ka", "lo", "mi", "ru", "te", "sho") for b in ("na", "bel", "tor", "vin", "cas")
         for c in ("ter", "do", "mish", "len", "ra", "ix")]  # fmt: skip
CHUNKING = {"tokens": 250, "overlap": 0}
"""One chapter of a note a chunk."""
Numbers = dict[str, float]


def text(chance: random.Random) -> str:
    return "".join(f"# Chapter {number}\n" + "".join(line(chance) for _ in range(6)) for number in range(CHUNKS))


def line(chance: random.Random) -> str:
    return f"- {' '.join(chance.choices(WORDS, k=14))}\n"


def prepared(folder: Path, chance: random.Random) -> tuple[Path, Path]:
    """A state directory with a model, and a workspace of notes."""
    state, workspace = folder / "state", folder / "workspace"
    shelf = Shelf(state)
    build_tiny(shelf.root / "tiny", name="tiny")
    shelf.use("tiny")
    (workspace / "memory").mkdir(parents=True)
    for number in range(NOTES):
        (workspace / f"memory/note{number}.md").write_text(text(chance), "utf-8")
    return state, workspace


async def searches(url: str, token: str, chance: random.Random) -> Spread:
    """Milliseconds of a request, once the notes and their vectors are taken up."""
    async with Driver(url, token) as driver, asyncio.timeout(120):
        while (status := await driver.request("memory.status", {})).get("waiting") or not status.get("semantic"):
            await driver.request("memory.search", {"query": WORDS[0]})
            await asyncio.sleep(0.1)
        spent = []
        for _ in range(QUERIES):
            query = " ".join(chance.sample(WORDS, 4))
            start = time.perf_counter()
            found = await driver.request("memory.search", {"query": query})
            spent.append((time.perf_counter() - start) * 1e3)
            assert found["results"], "nothing found"
        return Spread.of(spent)


async def changes(state: Path, workspace: Path, chance: random.Random) -> tuple[Spread, Spread]:
    """Milliseconds until a changed note is found by words, and by meaning."""
    settings = Memory().overlaid({"sync": {"watch": False}}, {"chunking": CHUNKING})
    memory = open_memory(workspace, state, "bench", settings, Shelf(state).open)
    await memory.sync()
    await memory.settled()
    assert memory._engine is not None
    ram = memory._engine.ram
    seen: dict[str, float] = {}
    add, put = ram.add, ram.set_vectors

    def added(entries: Any) -> None:
        add(entries)
        seen.setdefault("words", time.perf_counter())

    def shown(*given: Any, **named: Any) -> None:
        put(*given, **named)
        seen.setdefault("meaning", time.perf_counter())

    ram.add, ram.set_vectors = added, shown  # type: ignore[method-assign]
    words, meaning = [], []
    for _ in range(CHANGES):
        path = workspace / f"memory/note{chance.randrange(NOTES)}.md"
        await asyncio.to_thread(path.write_text, text(chance), "utf-8")
        seen.clear()
        start = time.perf_counter()
        await memory.sync([path])
        await memory.settled()
        words.append((seen["words"] - start) * 1e3)
        meaning.append((seen["meaning"] - start) * 1e3)
    await memory.close()
    return Spread.of(words), Spread.of(meaning)


def run(folder: Path) -> Numbers:
    chance = random.Random(1)
    state, workspace = prepared(folder, chance)
    config = {"agents": {"defaults": {"workspace": str(workspace)}}, "memory": {"chunking": CHUNKING}}
    with gateway(state, config) as server:
        asyncio.run(searches(server.url, server.token, chance))
        before = cpu_s(server.pid)
        search = asyncio.run(searches(server.url, server.token, chance))
        cpu = (cpu_s(server.pid) - before) * 1e3 / QUERIES
    words, meaning = asyncio.run(changes(state, workspace, chance))
    return {
        "memory_gateway_ms": search.median,
        "memory_gateway_ms_p95": search.p95,
        "memory_gateway_cpu_ms": cpu,
        "memory_changed_words_ms": words.median,
        "memory_changed_ms": meaning.median,
        "memory_changed_ms_p95": meaning.p95,
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="openclaw-memory-") as folder:
        for name, value in run(Path(folder)).items():
            print(f"{name:32} {value:10.3f}")


if __name__ == "__main__":
    main()
