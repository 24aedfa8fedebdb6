"""A memory that is killed at any moment answers as one that was built in peace."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.flow.memory_writer import WORDS
from tests.unit.memory.keeping import Hands, WordModel, answers

ROUNDS = 20
MOST_ROUNDS = 45
PHASES = ("sync", "compact", "rewrite")
HITS = 5
"""How often each phase must have been cut short."""
CHECK_EVERY = 4
CUT = {"tokens": 120, "overlap": 20}
ROOT = Path(__file__).parents[2]


async def test_kill_during_sync_and_compaction(tmp_path: Path) -> None:
    hands = Hands(tmp_path)
    hands.model = WordModel()
    chance = random.Random(7)
    cut: Counter[str] = Counter()
    rounds = 0
    while rounds < ROUNDS or any(cut[phase] < HITS for phase in PHASES):
        assert rounds < MOST_ROUNDS, f"not killed often enough within each phase: {dict(cut)}"
        wanted = min(PHASES, key=lambda phase: cut[phase])
        cut[await killed(hands, rounds, wanted, chance.random())] += 1
        rounds += 1
        if rounds % CHECK_EVERY == 0:
            await same_as_fresh(hands, rounds)
    await same_as_fresh(hands, rounds)


async def test_the_comparison_would_notice(tmp_path: Path) -> None:
    """The control: an index that lacks one chunk does not pass for a fresh one."""
    hands = Hands(tmp_path)
    for number in range(3):
        hands.write(f"memory/note{number}.md", f"word{number} word{number + 10}\n")
    one, other = hands.memory(chunking=CUT), hands.memory("other", chunking=CUT)
    for memory in (one, other):
        await memory.search("anything")
    engine = await one._open()
    await one._run(engine.drop, [int(engine.durable.chunk_ids()[0])])
    assert await answers(one, ["word0"]) != await answers(other, ["word0"])
    await one.close()
    await other.close()


async def killed(hands: Hands, seed: int, wanted: str, share: float) -> str:
    """Runs the writer, sees how long the phase `wanted` takes, and kills it that `share` into its next one. Returns the phase
    that was cut short, empty when the kill came between two."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.flow.memory_writer", str(hands.workspace), str(hands.state), str(seed),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    said: list[str] = []

    async def line() -> str:
        assert child.stdout is not None
        text = (await child.stdout.readline()).decode().strip()
        assert text, "the writer ended by itself"
        said.append(text)
        return text

    async def hear(text: str) -> float:
        while await line() != text:
            pass
        return time.perf_counter()

    try:
        async with asyncio.timeout(60):
            took = -(await hear(f"begin {wanted}")) + await hear(f"end {wanted}")
            await hear(f"begin {wanted}")
        await asyncio.sleep(share * took)
        os.kill(child.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            said += (await child.stdout.read()).decode().split("\n")
    finally:
        with suppress(ProcessLookupError):  # it may be gone, and waited for, before its end is heard of
            child.kill()
        await child.wait()
    event, _, phase = [text for text in said if text][-1].partition(" ")
    return phase if event == "begin" else ""


async def same_as_fresh(hands: Hands, number: int) -> None:
    """The killed index, opened again, against one that is built from the same notes now."""
    queries = [*random.Random(number).sample(WORDS, 25), " ".join(random.Random(number + 1).sample(WORDS, 4))]
    survivor, fresh = hands.memory(chunking=CUT), hands.memory(f"fresh{number}", chunking=CUT)
    for memory in (survivor, fresh):
        await memory.search("anything")
        await memory.settled()
    left, right = await survivor.status(), await fresh.status()
    assert (left.files, left.chunks, left.embedded) == (right.files, right.chunks, right.embedded)
    assert left.problems == ()
    assert await answers(survivor, queries) == await answers(fresh, queries)
    await survivor.close()
    await fresh.close()
