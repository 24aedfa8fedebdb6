"""An index under edits: the same answers as a fresh one, and an event loop that never waits.

python -m tests.benchmarks.memory_edits [FILES [EDITS]]        # 20,000 files of 5 chunks, 1,000 edits
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import duckdb  # noqa: F401

from tests.unit.memory.keeping import Hands, WordModel, answers

CHUNKS = 5
BEAT_S = 0.002
LANGUAGE = 150_000
"""Words that there are at most."""
EXACT_BELOW = 8_000
"""Chunks above which vectors are found by their signs first: nearly the same answers, but not to the last one. Without vectors
they are exact at any size."""
CUT = {"tokens": 150, "overlap": 0}


@dataclass(slots=True)
class Pulse:
    """Measures how late the event loop is because of us, in seconds; `late` has when it was over 20 ms late, and by how much.

    What else runs on the machine is not ours: time in which a thread of this Python was ready and had no core is taken off,
    and the loop was kept waiting by us for no longer than the threads of this Python worked meanwhile (the kernel counts both,
    schedstat). Loading numpy and DuckDB, once in a process, lies before the first beat."""

    worst: float = 0.0
    raw: float = 0.0
    beats: int = 0
    late: list[tuple[float, float]] = field(default_factory=list)
    start: float = field(default_factory=time.perf_counter)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            worked, waited = (
                threads_s()
            )  # outside of what is timed: it reads a file a thread, and may wait for the interpreter each time
            before = loop.time()
            await asyncio.sleep(BEAT_S)
            lag = loop.time() - before - BEAT_S
            working, waiting = threads_s()
            own = min(lag - (waiting - waited), working - worked)
            self.raw, self.worst, self.beats = max(self.raw, lag), max(self.worst, own), self.beats + 1
            if own > 0.02:
                self.late.append((time.perf_counter() - self.start, own))


def threads_s() -> tuple[float, float]:
    """Seconds that Python's threads have had a core, and have waited for one, all together."""
    worked = waited = 0
    for thread in threading.enumerate():
        try:
            numbers = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()
        except OSError:
            continue  # a thread that has just ended
        worked, waited = worked + int(numbers[0]), waited + int(numbers[1])
    return worked / 1e9, waited / 1e9


@dataclass(frozen=True, slots=True)
class Outcome:
    same: bool
    chunks: int
    built_s: float
    edits_s: float
    pulse: Pulse


async def outcome(root: Path, files: int, edits: int, queries: int = 40) -> Outcome:
    """Builds an index over `files` notes, edits it `edits` times, and holds it against one built from the notes as they are."""
    hands = Hands(root)
    if files * CHUNKS < EXACT_BELOW:
        hands.model = WordModel()
    words = [word(number) for number in range(min(files * CHUNKS * 4, LANGUAGE))]
    chance = random.Random(1)
    for number in range(files):
        hands.write(name(number), text(chance, words))
    gc.freeze()  # what the test itself has made
    pulse = Pulse()
    beating = asyncio.ensure_future(pulse.run())
    memory = hands.memory(chunking=CUT, sync={"watch": False, "onSearch": False})
    start = time.perf_counter()
    await memory.sync()
    await memory.settled()
    built = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(edits):
        path = await asyncio.to_thread(edit, hands, chance, words, files)
        await memory.sync([path])
        await memory.search(chance.choice(words))
    await memory.settled()
    edited = time.perf_counter() - start
    beating.cancel()
    fresh = hands.memory("fresh", chunking=CUT, sync={"watch": False, "onSearch": False})
    await fresh.sync()
    await fresh.settled()
    asked = [" ".join(chance.sample(words, 2)) for _ in range(queries)] + some_lines(hands, chance, queries)
    same = await answers(memory, asked) == await answers(fresh, asked)
    left, right = await memory.status(), await fresh.status()
    same = same and (left.files, left.chunks, left.embedded) == (right.files, right.chunks, right.embedded)
    await memory.close()
    await fresh.close()
    return Outcome(same, left.chunks, built, edited, pulse)


def word(number: int) -> str:
    """Another word for each number, of letters alone, with twenty first letters: mistyped ones are looked for among them."""
    return "bcdfghklmnprstvwaeio"[number % 20] + str(number).translate(str.maketrans("0123456789", "aeioulnrtk"))


def name(number: int) -> str:
    return f"memory/part{number // 500}/note{number}.md"


def text(chance: random.Random, words: list[str]) -> str:
    return "".join(f"# Chapter {number}\n" + "".join(line(chance, words) for _ in range(6)) for number in range(CHUNKS))


def line(chance: random.Random, words: list[str]) -> str:
    return " ".join(chance.choices(words, k=8)) + "\n"


def edit(hands: Hands, chance: random.Random, words: list[str], files: int) -> Path:
    """A note rewritten, one line of it changed, or the note gone."""
    path = hands.workspace / name(chance.randrange(files))
    kind = chance.random()
    if kind < 0.1:
        path.unlink(missing_ok=True)
    elif kind < 0.4 or not path.exists():
        path.write_text(text(chance, words))
    else:
        lines = path.read_text().splitlines(keepends=True)
        lines[chance.randrange(len(lines))] = line(chance, words)
        path.write_text("".join(lines))
    return path


def some_lines(hands: Hands, chance: random.Random, count: int) -> list[str]:
    """Three words of notes that are there."""
    notes = sorted((hands.workspace / "memory").rglob("*.md"))
    found = []
    for path in chance.sample(notes, min(count, len(notes))):
        told = [word for word in path.read_text().split() if word.islower()]
        found.append(" ".join(chance.sample(told, 3)))
    return found


def main() -> None:
    files, edits = [*map(int, sys.argv[1:]), *(20_000, 1_000)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        done = asyncio.run(outcome(Path(folder), files, edits))
    pulse = done.pulse
    print(f"{done.chunks:,} chunks, {edits:,} edits: the same answers as a fresh index: {done.same}")
    print(f"built in {done.built_s:.0f} s, edits and searches in {done.edits_s:.0f} s")
    print(f"event loop: {pulse.beats:,} beats, at worst {pulse.worst * 1e3:.1f} ms late", end=" ")
    print(f"(with what else ran on this machine {pulse.raw * 1e3:.0f} ms)")
    for at, lag in pulse.late:
        print(f"  over 20 ms: {lag * 1e3:.1f} ms after {at:.1f} s")


if __name__ == "__main__":
    main()
