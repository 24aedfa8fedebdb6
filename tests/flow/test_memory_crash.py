"""A memory that is killed at any moment answers as one that was built in peace."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

from tests.flow.memory_writer import WORDS
from tests.unit.memory.keeping import Hands, WordModel, answers

ROUNDS = 20
ROOT = Path(__file__).parents[2]


async def test_kill_during_sync_and_compaction(tmp_path: Path) -> None:
    hands = Hands(tmp_path)
    hands.model = WordModel()
    chance = random.Random(7)
    for number in range(ROUNDS):
        await killed(hands, number, chance.random() * 0.6)
        if number % 5 == 4:
            await same_as_fresh(hands, number)


async def killed(hands: Hands, seed: int, after: float) -> None:
    """Runs the writer and kills it `after` seconds behind its first sync."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.flow.memory_writer", str(hands.workspace), str(hands.state), str(seed),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        async with asyncio.timeout(60):
            assert await child.stdout.readline(), "the writer ended by itself"
        await asyncio.sleep(after)
        assert child.returncode is None
    finally:
        if child.returncode is None:
            os.kill(child.pid, signal.SIGKILL)
        await child.wait()


async def same_as_fresh(hands: Hands, number: int) -> None:
    """The killed index, opened again, against one that is built from the same notes now."""
    queries = [*random.Random(number).sample(WORDS, 25), " ".join(random.Random(number + 1).sample(WORDS, 4))]
    cut = {"tokens": 120, "overlap": 20}
    survivor, fresh = hands.memory(chunking=cut), hands.memory(f"fresh{number}", chunking=cut)
    for memory in (survivor, fresh):
        await memory.search("anything")
        await memory.settled()
    left, right = await survivor.status(), await fresh.status()
    assert (left.files, left.chunks, left.embedded) == (right.files, right.chunks, right.embedded)
    assert left.problems == ()
    assert await answers(survivor, queries) == await answers(fresh, queries)
    await survivor.close()
    await fresh.close()
