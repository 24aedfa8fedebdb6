"""Keyword search: BM25 over postings in plain arrays, with additions beside them.

`Postings` is which rows hold a term and how often. The bulk is sorted by term and may be mapped from a file; what came since
lies as it came, a few hundred chunks of it, and before that in sorted parts, so that a new chunk costs microseconds and no step
makes or lets go of many small objects at once: that would keep every other thread waiting. Rows that died are left out when a
list is read, so that counts are those of the living.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
FEW = 1 << 12
"""Postings of one query up to which they are scored at once, not list by list."""
BLOCK = 1 << 16
"""Postings merged at once: about 3 ms of work, between which other threads run."""
UNSORTED = 1 << 13
"""Postings that are looked through one by one, which takes some microseconds; one more and they become a sorted part."""
PART = 1 << 17
"""Postings up to which sorted parts are joined while adding: a few milliseconds. Larger ones wait for a compaction."""


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
    if sum(len(rows) for rows, _ in lists) <= FEW:
        return _few(lists, corpus, count)
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


def _few(lists: Sequence[Lists], corpus: Corpus, count: bool) -> Keywords:
    """The same for short lists, all of them at once: numpy's calls cost more than the work."""
    lengths = [len(rows) for rows, _ in lists]
    weights = [idf(corpus.living, holding) for holding in lengths]
    best = sum(weights) * BEST_PART
    if not any(lengths):
        return Keywords(np.zeros(corpus.size, float32), best, np.zeros(corpus.size, np.uint8) if count else None)
    rows = np.concatenate([rows for rows, _ in lists], dtype=np.intp)
    said = np.concatenate([times for _, times in lists], dtype=float32)
    norm = corpus.lengths[rows]
    norm *= float32(K1 * B / corpus.average)
    norm += float32(K1 * (1 - B))
    norm += said
    said *= np.array([weight * (K1 + 1) for weight in weights], float32).repeat(lengths)
    said /= norm
    matched = np.bincount(rows, minlength=corpus.size).astype(np.uint8) if count else None
    return Keywords(np.bincount(rows, said, corpus.size).astype(float32), best, matched)


class Postings:
    """Terms to rows. Not thread-safe by itself."""

    def __init__(self, arrays: Arrays | None = None) -> None:
        arrays = arrays or {}
        self._terms = arrays.get("terms", np.empty(0, np.uint64))
        self._ends = arrays.get("ends", np.empty(0, np.int64))
        self._rows = arrays.get("rows", np.empty(0, np.int32))
        self._times = arrays.get("times", np.empty(0, np.uint8))
        self._parts: list[_Part] = []
        self._frozen = 0
        self._shift = 0
        self._terms_said = array("Q")
        self._packed = array("q")

    def arrays(self) -> Arrays:
        """The sorted bulk; additions are not in it."""
        return {"terms": self._terms, "ends": self._ends, "rows": self._rows, "times": self._times}

    def add(self, row: int, terms: Mapping[int, int]) -> None:
        """Takes in the terms of a new row, each with how often it is said. An addition is (row + shift) × 256 + times; the
        shift grows when a compaction renumbers rows, so that nothing has to be packed anew."""
        base = row + self._shift << 8
        self._terms_said.extend(terms)
        self._packed.extend([base | (times if times < MOST else MOST) for times in terms.values()])
        if len(self._packed) >= UNSORTED:
            self._seal()

    def _seal(self) -> None:
        """What lies unsorted becomes a part; a part of about the size of the one before it joins it."""
        if not self._packed:
            return
        part = _Part.of(np.array(self._terms_said, np.uint64), np.array(self._packed, np.int64))
        while len(self._parts) > self._frozen:
            before = self._parts[-1]
            if before.size > 2 * part.size or before.size + part.size > PART:
                break
            part = before.joined(part)
            self._parts.pop()
        self._parts.append(part)
        self._terms_said, self._packed = array("Q"), array("q")

    def of(self, term: int, corpus: Corpus) -> Lists:
        """Living rows that hold the term, ascending, and how often they say it."""
        start, end = _span(self._terms, self._ends, term)
        rows, times = self._rows[start:end], self._times[start:end]
        later = [part.of_term(term) for part in self._parts]
        if self._packed:
            at = (np.frombuffer(self._terms_said, np.uint64) == np.uint64(term)).nonzero()[0]
            later.append(np.frombuffer(self._packed, np.int64)[at])
        if later and (later := [packed for packed in later if len(packed)]):
            packed = np.concatenate(later)
            rows = np.concatenate((rows, ((packed >> 8) - self._shift).astype(np.int32)))
            times = np.concatenate((times, (packed & MOST).astype(np.uint8)))
        if corpus.living < corpus.size and len(rows):
            lives = corpus.alive[rows]
            rows, times = rows[lives], times[lives]
        return rows, times

    def freeze(self) -> None:
        """Additions until here are what `merged` takes in."""
        self._seal()
        self._frozen = len(self._parts)

    def thaw(self, merged: Postings, shift: int) -> None:
        """Hands `merged` what was added since `freeze`; those rows have come down by `shift`."""
        merged._parts, merged._shift = self._parts[self._frozen :], self._shift + shift
        merged._terms_said, merged._packed = self._terms_said, self._packed

    def held(self, terms: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of the terms the bulk knows."""
        if not len(self._terms):
            return np.zeros(len(terms), np.bool_)
        at = np.minimum(np.searchsorted(self._terms, terms), len(self._terms) - 1)
        return np.asarray(self._terms[at] == terms, np.bool_)

    def merged(self, number: NDArray[np.int32]) -> Postings:
        """Bulk and frozen additions as one bulk. `number` is each row's new number, −1 for one that goes. In blocks, so that no
        step keeps other threads waiting for long."""
        frozen = self._parts[: self._frozen]
        every = np.sort(np.concatenate((self._terms, *(part.terms for part in frozen))))
        every = every[_firsts(every)]
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

    def _blocks(self, every: NDArray[np.uint64], frozen: Sequence[_Part]) -> Iterator[tuple[int, int]]:
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
        self, terms: NDArray[np.uint64], frozen: Sequence[_Part], number: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]:
        """Of consecutive terms: the length of each list, and the lists with new row numbers."""
        low, high = np.searchsorted(self._terms, terms[0]), np.searchsorted(self._terms, terms[-1], "right")
        edges = np.concatenate((self._ends[low - 1 : low] if low else np.zeros(1, np.int64), self._ends[low:high]))
        start, end = int(edges[0]), int(edges[-1])
        which = [np.repeat(np.searchsorted(terms, self._terms[low:high]).astype(np.int32), np.diff(edges))]
        rows, times = [number[self._rows[start:end]]], [self._times[start:end]]
        for part in frozen:
            places, packed = part.between(terms)
            which.append(places)
            rows.append(number[(packed >> 8) - self._shift])
            times.append((packed & MOST).astype(np.uint8))
        all_which, all_rows, all_times = np.concatenate(which), np.concatenate(rows), np.concatenate(times)
        order = np.argsort(all_which, kind="stable")
        order = order[all_rows[order] >= 0]
        return np.bincount(all_which[order], minlength=len(terms)), all_rows[order], all_times[order]


@dataclass(frozen=True, slots=True)
class _Part:
    """Additions in term order, those of one term in the order they came."""

    terms: NDArray[np.uint64]
    ends: NDArray[np.int64]
    packed: NDArray[np.int64]

    @classmethod
    def of(cls, terms: NDArray[np.uint64], packed: NDArray[np.int64]) -> _Part:
        """Of a term and an addition each."""
        order = np.argsort(terms, kind="stable")
        said = terms[order]
        firsts = np.flatnonzero(_firsts(said))
        return cls(said[firsts], np.append(firsts[1:], len(said)), packed[order])

    @property
    def size(self) -> int:
        return len(self.packed)

    def of_term(self, term: int) -> NDArray[np.int64]:
        start, end = _span(self.terms, self.ends, term)
        return self.packed[start:end]

    def joined(self, later: _Part) -> _Part:
        parts = (self, later)
        terms = np.concatenate([np.repeat(part.terms, np.diff(part.ends, prepend=0)) for part in parts])
        return _Part.of(terms, np.concatenate([part.packed for part in parts]))

    def ends_at(self, every: NDArray[np.uint64]) -> NDArray[np.int64]:
        return np.concatenate((np.zeros(1, np.int64), self.ends))[np.searchsorted(self.terms, every, "right")]

    def between(self, terms: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The additions of consecutive terms: the place in `terms` and the packed row of each."""
        low, high = np.searchsorted(self.terms, terms[0]), np.searchsorted(self.terms, terms[-1], "right")
        edges = np.concatenate((self.ends[low - 1 : low] if low else np.zeros(1, np.int64), self.ends[low:high]))
        places = np.repeat(np.searchsorted(terms, self.terms[low:high]).astype(np.int32), np.diff(edges))
        return places, self.packed[int(edges[0]) : int(edges[-1])]


def _span(terms: NDArray[np.uint64], ends: NDArray[np.int64], term: int) -> tuple[int, int]:
    """Where the list of a term lies; an empty place when it is not there."""
    at = int(terms.searchsorted(np.uint64(term)))
    if at >= len(terms) or terms.item(at) != term:
        return 0, 0
    return (ends.item(at - 1) if at else 0), ends.item(at)


def _firsts(ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Of each of the terms, in order, whether it is another than the one before it."""
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first
