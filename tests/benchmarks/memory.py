"""Memory search against the same memory in SQLite (FTS5 + sqlite-vec in OpenClaw's shape).

    python -m tests.benchmarks.memory [--sizes 1000,10000,100000] [--json FILE]

Both sides live in one process and answer query by query in turn, so that noise meets both; the same chunks, the same query
vectors (embedding is not counted), six results with their texts, ours read from the notes' files and checked by hash. Texts are
Zipf-like words, 110 a chunk, 5 chunks a file; a query is 4 words of one chunk, 2 of them rare; vectors are N/50 centres and 0.7
noise (memory page, section 13). Recall is against the exact scan.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.memory.arrays import read_arrays, write_arrays
from openclaw_kernel.memory.ram import Entry, RamIndex, VectorState
from tests.benchmarks.memory_edits import threads_s
from tests.benchmarks.memory_sqlite import RESULTS, SqliteMemory, why_not

SIZES = (1_000, 10_000, 100_000)
DIM = 384
QUERIES = 60
TRIES = 3
TRIES_LARGE = 2
LARGE = 50_000
CACHE_MB = 256
CACHE_QUERIES = 15
"""The other side with so large a cache is asked fewer queries: it is told beside the promise, which is against its default."""
WORDS_EACH = 110
CHUNKS_EACH = 5
LANGUAGE = 60_000
"""Words that there are."""
Numbers = dict[str, float]


@dataclass(frozen=True, slots=True)
class Data:
    texts: list[str]
    matrix: NDArray[float32]
    queries: list[tuple[str, NDArray[float32]]]


def made(size: int) -> Data:
    rng, noise = random.Random(size), np.random.default_rng(size)
    language = sorted({"".join(rng.choices("aeioubcdfghlmnprst", k=rng.randint(4, 10))) for _ in range(LANGUAGE)})
    rng.shuffle(language)
    weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(language))))
    place = {word: rank for rank, word in enumerate(language)}
    texts = [" ".join(rng.choices(language, cum_weights=weights, k=WORDS_EACH)) for _ in range(size)]
    centres = noise.standard_normal((max(1, size // 50), DIM), dtype=float32)
    matrix = centres[noise.integers(0, len(centres), size)]
    matrix += float32(0.7) * noise.standard_normal((size, DIM), dtype=float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    queries = []
    for row in rng.sample(range(size), QUERIES):
        words = sorted(set(texts[row].split()), key=lambda word: place[word])
        vector = matrix[row] + float32(0.03) * noise.standard_normal(DIM, dtype=float32)
        queries.append((" ".join([*rng.sample(words[:-2], 2), *words[-2:]]), vector / np.linalg.norm(vector)))
    return Data(texts, matrix, queries)


class OurMemory:
    """The index and the files it was made from."""

    def __init__(self, folder: Path, data: Data) -> None:
        self._folder = folder
        self.index = RamIndex()
        self.index.add(self._written(data.texts))
        self.index.set_vectors("bench", DIM, np.arange(1, len(data.texts) + 1).tolist(), data.matrix)
        self.index.compact()

    def _written(self, texts: list[str]) -> list[Entry]:
        entries = []
        for number in range(0, len(texts), CHUNKS_EACH):
            path = f"memory/{number:06d}.md"
            part = texts[number : number + CHUNKS_EACH]
            (self._folder / path).parent.mkdir(exist_ok=True)
            (self._folder / path).write_text("\n".join(part), "utf-8")
            at = 0
            for line, text in enumerate(part):
                span = {"line0": line + 1, "line1": line + 1, "byte0": at, "byte1": at + len(text)}
                entries.append(Entry(number + line + 1, text, path=path, digest=_digest(text.encode()), **span))
                at += len(text) + 1
        return entries

    def search(self, query: str, vector: NDArray[float32]) -> list[tuple[Any, ...]]:
        found = []
        hits = self.index.search(query, vector, limit=RESULTS)
        for hit, entry in zip(hits, self.index.places([hit.id for hit in hits]), strict=True):
            file = os.open(f"{self._folder}/{entry.path}", os.O_RDONLY)
            try:
                raw = os.pread(file, entry.byte1 - entry.byte0, entry.byte0)
            finally:
                os.close(file)
            assert _digest(raw) == entry.digest
            found.append((hit.score, hit.id, entry.path, entry.line0, entry.line1, raw.decode()))
        return found


def _digest(raw: bytes) -> int:
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "little")


def in_turn(data: Data, ours: OurMemory, theirs: SqliteMemory) -> tuple[list[float], list[float]]:
    """Milliseconds of each query, ours and theirs, asked by turns; the best of some tries, so that what else the machine does
    counts for neither."""
    spent: tuple[list[float], list[float]] = ([], [])
    sides: tuple[Callable[..., list[tuple[Any, ...]]], ...] = (ours.search, theirs.search)
    for query in data.queries[:5]:
        for search in sides:
            search(*query)
    for query in data.queries:
        best = [float("inf")] * len(sides)
        for _ in range(TRIES if len(data.texts) < LARGE else TRIES_LARGE):
            for side, search in enumerate(sides):
                start = time.perf_counter()
                search(*query)
                best[side] = min(best[side], (time.perf_counter() - start) * 1e3)
        for times, value in zip(spent, best, strict=True):
            times.append(value)
    return spent


def with_cache(data: Data, path: Path) -> list[float]:
    """Milliseconds of the other side's queries when what it reads fits into its cache, each asked twice, the second told."""
    roomy, spent = SqliteMemory(path, DIM, CACHE_MB), []
    for query in data.queries[:CACHE_QUERIES]:
        roomy.search(*query)
        start = time.perf_counter()
        roomy.search(*query)
        spent.append((time.perf_counter() - start) * 1e3)
    roomy.close()
    return spent


def recall(data: Data, index: RamIndex) -> float:
    """Of the exact ten nearest, how many the codes and the second look find."""
    found = 0
    for _, vector in data.queries:
        near = data.matrix @ vector
        exact = set((np.argpartition(near, -10)[-10:] + 1).tolist())
        found += len(exact & {hit.id for hit in index.search("", vector, limit=10)})
    return found / (10 * len(data.queries))


def cold_open_ms(folder: Path, data: Data, index: RamIndex) -> float:
    """From nothing to the first answer: postings and vectors from side files in the page cache."""
    state = index.vector_state()
    assert state is not None and state.bits is not None
    index.dump(folder / "postings.bin", 1)
    write_arrays(folder / "vectors.bin", {}, {"ids": state.ids, "has": state.has, "f32": state.matrix, "bits": state.bits})
    start = time.perf_counter()
    opened = RamIndex.load(folder / "postings.bin", 1)
    _, arrays = read_arrays(folder / "vectors.bin")
    mapped = VectorState("bench", DIM, arrays["ids"], arrays["has"], arrays["f32"], arrays["bits"])
    assert opened is not None and opened.use_vectors(mapped)
    answer = opened.search(*data.queries[0])
    spent = (time.perf_counter() - start) * 1e3
    assert [hit.id for hit in answer] == [hit.id for hit in index.search(*data.queries[0])]
    return spent


async def loop_lag_ms(data: Data, index: RamIndex) -> float:
    """The longest that an event loop, which searches now and then, waits for us while a thread adds a tenth and compacts: what
    else the machine did is taken off (`memory_edits.Pulse`), the searches are in it."""
    extra, size = len(data.texts) // 10, len(data.texts)
    done = threading.Event()

    def work() -> None:
        index.add(Entry(size + 1 + at, data.texts[at], path=f"more/{at}.md") for at in range(extra))
        index.set_vectors("bench", DIM, list(range(size + 1, size + 1 + extra)), data.matrix[:extra])
        index.remove(range(1, extra))
        index.compact()
        done.set()

    thread = threading.Thread(target=work)
    worst, turn = 0.0, 0
    thread.start()
    while not done.is_set():
        worked, waited = threads_s()
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        turn += 1
        if turn % 50 == 0:
            index.search(*data.queries[turn // 50 % len(data.queries)])
        lag = time.perf_counter() - start - 0.001
        working, waiting = threads_s()
        worst = max(worst, min(lag - (waiting - waited), working - worked))
    thread.join()
    return worst * 1e3


def measured(size: int, folder: Path) -> Numbers:
    data = made(size)
    start = time.perf_counter()
    ours = OurMemory(folder, data)
    build = time.perf_counter() - start
    theirs = SqliteMemory(folder / "memory.sqlite", DIM)
    start = time.perf_counter()
    theirs.fill(((at, f"memory/{at // 5:06d}.md", at % 5 + 1, text) for at, text in enumerate(data.texts)), data.matrix)
    build_theirs = time.perf_counter() - start
    mine, other = in_turn(data, ours, theirs)
    theirs.close()
    roomy = with_cache(data, folder / "memory.sqlite")
    name = f"{size // 1000}k"
    numbers = {
        f"memory_{name}_ms": float(np.median(mine)),
        f"memory_{name}_ms_p95": float(np.percentile(mine, 95)),
        f"memory_{name}_sqlite_ms": float(np.median(other)),
        f"memory_{name}_sqlite_ms_p95": float(np.percentile(other, 95)),
        f"memory_{name}_ratio": float(np.median(other) / np.median(mine)),
        f"memory_{name}_ratio_p95": float(np.percentile(other, 95) / np.percentile(mine, 95)),
        f"memory_{name}_sqlite_cached_ms": float(np.median(roomy)),
        f"memory_{name}_ratio_cached": float(np.median(roomy) / np.median(mine)),
        f"memory_{name}_ratio_cached_p95": float(np.percentile(roomy, 95) / np.percentile(mine, 95)),
        f"memory_{name}_recall": recall(data, ours.index),
        f"memory_{name}_build_s": build,
        f"memory_{name}_sqlite_build_s": build_theirs,
        f"memory_{name}_open_ms": cold_open_ms(folder, data, ours.index) if size >= 8_000 else 0.0,
    }
    numbers[f"memory_{name}_loop_lag_ms"] = asyncio.run(loop_lag_ms(data, ours.index))
    return numbers


def run(sizes: tuple[int, ...] = SIZES) -> Numbers:
    numbers: Numbers = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="openclaw-memory-") as folder:
            numbers |= measured(size, Path(folder))
    return numbers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="chunks, with commas")
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    options = parser.parse_args()
    if reason := why_not():
        print(f"Not measured: {reason}.", file=sys.stderr)
        return 2
    numbers = run(tuple(int(size) for size in options.sizes.split(",")))
    for name, value in numbers.items():
        print(f"{name:32} {value:10.3f}")
    if options.json:
        options.json.write_text(json.dumps(numbers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
