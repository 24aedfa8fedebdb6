"""Edits notes and takes them up until it is killed: `python -m tests.flow.memory_writer WORKSPACE STATE SEED`.

Prints `begin` and `end` with the name of what it does (sync, compact, rewrite), so that whoever kills it knows in what.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.memory.keeping import Hands, WordModel

FILES = 40
WORDS = [f"word{number}" for number in range(4_000)]
"""So many that a word is in a few chunks only: which of many equal ones come in is up to their ids."""


def edit(workspace: Path, chance: random.Random) -> Path:
    """One random change of a random note: rewritten, lengthened, shortened, or gone."""
    path = workspace / f"memory/note{chance.randrange(FILES)}.md"
    kind = chance.random()
    lines = path.read_text().splitlines() if path.exists() else []
    if kind < 0.1:
        path.unlink(missing_ok=True)
    elif kind < 0.5 and lines:
        lines.insert(chance.randrange(len(lines)), line(chance))
    elif kind < 0.7 and lines:
        del lines[chance.randrange(len(lines))]
    else:
        lines = [f"# Chapter {number}\n{line(chance)}" for number in range(30)]
    if kind >= 0.1:
        path.write_text("\n".join(lines) + "\n")
    return path


def line(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=12)) + f" mark{chance.randrange(10**9)}"


async def write(hands: Hands, seed: int) -> None:
    chance = random.Random(seed)
    memory = hands.memory(chunking={"tokens": 120, "overlap": 20})
    await memory.search("anything")
    engine = await memory._open()
    for number in range(100_000):
        with phase("sync"):
            await memory.sync([edit(hands.workspace, chance) for _ in range(chance.randrange(1, 6))])
        with phase("compact"):
            await memory._run(engine.ram.compact)
            await memory._run(engine.save)
        if number % 2:
            with phase("rewrite"):
                await memory._run(engine.durable.rewrite)


@contextmanager
def phase(name: str) -> Iterator[None]:
    print(f"begin {name}", flush=True)
    yield
    print(f"end {name}", flush=True)


if __name__ == "__main__":
    hands = Hands.__new__(Hands)
    hands.workspace, hands.state = Path(sys.argv[1]), Path(sys.argv[2])
    hands.now, hands.spoken, hands.progress = 1_800_000_000_000, [], []
    hands.model = WordModel()
    asyncio.run(write(hands, int(sys.argv[3])))
