"""Keyword search: BM25 over postings in plain arrays, with additions beside them.

`Postings` is which rows hold a term and how often. The bulk is sorted by term and may be mapped from a file; what came since
lies in dictionaries, so that a new chunk costs microseconds. Rows that died are left out when a list is read, so that counts
are those of the living.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.memory.arrays import Arrays

K1 = 1.2
B = 0.75
"""Memory page, section 6."""
BEST_PART = (K1 + 1) / (1 + K1 * 0.625)
"""What one word of a query adds at best, times its idf: the note says it once and is half as long as the average."""
MOST = 255
"""A term said more often in one chunk counts as so often."""
BLOCK = 1 << 16
"""Postings merged at once: about 3 ms of work, between which other threads run."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Additions by term, each packed as (row + shift) × 256 + times. The shift stays when a compaction renumbers rows, so that
    nothing has to be packed anew."""

    lists: dict[int, array[int]]
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """What BM25 asks of the rows: their lengths and which of them live."""

    lengths: NDArray[float32]
    alive: NDArray[np.bool_]
    size: int
    living: int
    total_length: float

    @property
    def average(self) -> float:
        return self.total_length / self.living if self.living and self.total_length > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Keywords:
    """BM25 of each row, the most that the query could get, and of each row how many of the query's terms it has (where it was
    asked for)."""

    scores: NDArray[float32]
    best: float
    matched: NDArray[np.uint8] | None = None


def idf(living: int, holding: int) -> float:
    return math.log(1 + (living - holding + 0.5) / (holding + 0.5))


Lists = tuple[NDArray[Any], NDArray[Any]]
"""Of one term: the rows that hold it and how often each says it."""


def score(lists: Sequence[Lists], corpus: Corpus, *, count: bool = False) -> Keywords:
    """BM25 of every row for any of the terms with these lists, each once; an empty list is a word nobody wrote."""
    scores = np.zeros(corpus.size, float32)
    matched = np.zeros(corpus.size, np.uint8) if count else None
    best = 0.0
    slope = float32(K1 * B / corpus.average)
    for rows, times in lists:
        weight = idf(corpus.living, len(rows))
        best += weight * BEST_PART
        if not len(rows):
            continue
        said = times.astype(float32)
        norm = corpus.lengths[rows]
        norm *= slope
        norm += float32(K1 * (1 - B))
        norm += said
        said *= float32(weight * (K1 + 1))
        said /= norm
        scores[rows] += said
        if matched is not None:
            matched[rows] += 1
    return Keywords(scores, best, matched)


class Postings:
    """Terms to rows. Not thread-safe by itself."""

    def __init__(self, arrays: Arrays | None = None) -> None:
        arrays = arrays or {}
        self._terms = arrays.get("terms", np.empty(0, np.uint64))
        self._ends = arrays.get("ends", np.empty(0, np.int64))
        self._rows = arrays.get("rows", np.empty(0, np.int32))
        self._times = arrays.get("times", np.empty(0, np.uint8))
        self._fresh: list[Fresh] = [Fresh({})]

    def arrays(self) -> Arrays:
        """The sorted bulk; additions are not in it."""
        return {"terms": self._terms, "ends": self._ends, "rows": self._rows, "times": self._times}

    def add(self, row: int, terms: Mapping[int, int]) -> None:
        lists, base = self._fresh[-1].lists, row + self._fresh[-1].shift << 8
        for term, times in terms.items():
            packed = base | min(times, MOST)
            held = lists.get(term)
            if held is None:
                lists[term] = array("q", (packed,))
            else:
                held.append(packed)

    def of(self, term: int, corpus: Corpus) -> Lists:
        """Living rows that hold the term, ascending, and how often they say it."""
        start, end = self._span(term)
        rows, times = self._rows[start:end], self._times[start:end]
        for fresh in self._fresh:
            held = fresh.lists.get(term)
            if held is not None:
                packed = np.array(held, np.int64)
                rows = np.concatenate((rows, ((packed >> 8) - fresh.shift).astype(np.int32)))
                times = np.concatenate((times, (packed & MOST).astype(np.uint8)))
        if corpus.living < corpus.size and len(rows):
            lives = corpus.alive[rows]
            rows, times = rows[lives], times[lives]
        return rows, times

    def _span(self, term: int) -> tuple[int, int]:
        at = int(np.searchsorted(self._terms, np.uint64(term)))
        if at >= len(self._terms) or int(self._terms[at]) != term:
            return 0, 0
        return (int(self._ends[at - 1]) if at else 0), int(self._ends[at])

    def freeze(self) -> None:
        """From here on additions go into a new dictionary; the older ones are what `merged` takes in."""
        self._fresh.append(Fresh({}, self._fresh[-1].shift))

    def thaw(self, merged: Postings, shift: int) -> None:
        """Hands `merged` what was added since `freeze`; those rows have come down by `shift`."""
        merged._fresh = [Fresh(self._fresh[-1].lists, self._fresh[-1].shift + shift)]

    def held(self, terms: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of the terms the bulk knows."""
        if not len(self._terms):
            return np.zeros(len(terms), np.bool_)
        at = np.minimum(np.searchsorted(self._terms, terms), len(self._terms) - 1)
        return np.asarray(self._terms[at] == terms, np.bool_)

    def merged(self, number: NDArray[np.int32]) -> Postings:
        """Bulk and frozen additions as one bulk. `number` is each row's new number, −1 for one that goes. In blocks, so that no
        step keeps other threads waiting for long."""
        frozen = [_Sorted.of(fresh) for fresh in self._fresh[:-1]]
        every = self._terms
        for part in frozen:
            every = np.union1d(every, part.terms)
        sizes = np.zeros(len(every), np.int64)
        rows, times = [], []
        for low, high in self._blocks(every, frozen):
            block = self._block(every[low:high], frozen, number)
            sizes[low:high] = block[0]
            rows.append(block[1])
            times.append(block[2])
        kept = sizes > 0
        arrays: Arrays = {"terms": every[kept], "ends": np.cumsum(sizes[kept])}
        if rows:
            arrays |= {"rows": np.concatenate(rows), "times": np.concatenate(times)}
        return Postings(arrays)

    def _blocks(self, every: NDArray[np.uint64], frozen: Sequence[_Sorted]) -> Iterator[tuple[int, int]]:
        """Borders in `every` between which about BLOCK postings lie."""
        through = self._ends_at(every)
        for part in frozen:
            through = through + part.ends_at(every)
        low = done = 0
        while low < len(every):
            high = max(low + 1, int(np.searchsorted(through, done + BLOCK, "right")))
            yield low, high
            low, done = high, int(through[high - 1])

    def _ends_at(self, every: NDArray[np.uint64]) -> NDArray[np.int64]:
        """How many postings of the bulk lie up to and with each term."""
        return np.concatenate((np.zeros(1, np.int64), self._ends))[np.searchsorted(self._terms, every, "right")]

    def _block(
        self, terms: NDArray[np.uint64], frozen: Sequence[_Sorted], number: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]:
        """Of consecutive terms: the length of each list, and the lists with new row numbers."""
        low, high = np.searchsorted(self._terms, terms[0]), np.searchsorted(self._terms, terms[-1], "right")
        edges = np.concatenate((self._ends[low - 1 : low] if low else np.zeros(1, np.int64), self._ends[low:high]))
        start, end = int(edges[0]), int(edges[-1])
        which = [np.repeat(np.searchsorted(terms, self._terms[low:high]), np.diff(edges)).astype(np.int32)]
        rows, times = [number[self._rows[start:end]]], [self._times[start:end]]
        for part in frozen:
            places, packed = part.between(terms)
            which.append(places)
            rows.append(number[(packed >> 8) - part.shift])
            times.append((packed & MOST).astype(np.uint8))
        all_which, all_rows, all_times = np.concatenate(which), np.concatenate(rows), np.concatenate(times)
        order = np.argsort(all_which, kind="stable")
        order = order[all_rows[order] >= 0]
        return np.bincount(all_which[order], minlength=len(terms)), all_rows[order], all_times[order]


@dataclass(frozen=True, slots=True)
class _Sorted:
    """A dictionary of additions as arrays in term order."""

    terms: NDArray[np.uint64]
    ends: NDArray[np.int64]
    packed: NDArray[np.int64]
    shift: int

    @classmethod
    def of(cls, fresh: Fresh) -> _Sorted:
        keys = iter(fresh.lists)
        parts = []
        while len(part := np.fromiter(islice(keys, 10_000), np.uint64)):
            parts.append(part)
        terms = np.sort(np.concatenate(parts)) if parts else np.empty(0, np.uint64)
        lists = [fresh.lists[term] for term in _slowly(terms)]
        ends = np.cumsum(np.fromiter(map(len, lists), np.int64, len(lists)))
        packed = [np.frombuffer(b"".join(lists[at : at + 10_000]), np.int64) for at in range(0, len(lists), 10_000)]
        return cls(terms, ends, np.concatenate(packed) if packed else np.empty(0, np.int64), fresh.shift)

    def ends_at(self, every: NDArray[np.uint64]) -> NDArray[np.int64]:
        return np.concatenate((np.zeros(1, np.int64), self.ends))[np.searchsorted(self.terms, every, "right")]

    def between(self, terms: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The additions of consecutive terms: the place in `terms` and the packed row of each."""
        low, high = np.searchsorted(self.terms, terms[0]), np.searchsorted(self.terms, terms[-1], "right")
        edges = np.concatenate((self.ends[low - 1 : low] if low else np.zeros(1, np.int64), self.ends[low:high]))
        places = np.repeat(np.searchsorted(terms, self.terms[low:high]), np.diff(edges)).astype(np.int32)
        return places, self.packed[int(edges[0]) : int(edges[-1])]


def _slowly(terms: NDArray[np.uint64]) -> Iterator[int]:
    for at in range(0, len(terms), 10_000):
        yield from terms[at : at + 10_000].tolist()
