"""Mistyped words: the word of the notes that is one edit away from one that nobody wrote.

An edit is a letter left out, put in, replaced, or two neighbours swapped; the first letter has to be right. All words of the
notes lie by first letter and length in plain arrays, so that three slices hold every candidate and no dictionary of
neighbours has to be built, kept or loaded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from openclaw_kernel.memory.arrays import Arrays
from openclaw_kernel.memory.words import STOP_WORDS, token_of

SHORTEST = 4
"""Letters a word needs to be repaired (memory page, section 6)."""
LONGEST = 32
SEEN = 1 << 16
"""Words of which it is known without a look that they are here; letting go of many more at once would keep other threads
waiting."""

Bucket = tuple[int, int]
"""First letter (code point) and length."""


def repairable(word: str, plain: bool) -> bool:
    return plain and SHORTEST <= len(word) <= LONGEST and word not in STOP_WORDS


class Vocabulary:
    """The plain words of the notes. A word may stay a while after its last note went; whoever asks checks."""

    def __init__(self, arrays: Arrays | None = None) -> None:
        arrays = arrays or {}
        self._letters = arrays.get("letters", np.empty(0, np.uint32))
        self._table = arrays.get("buckets", np.empty((0, 3), np.int64))
        self._places: dict[Bucket, tuple[int, int]] = {}
        at = 0
        for first, length, count in self._table.tolist():
            self._places[first, length] = (at, count)
            at += length * count
        self._fresh: list[dict[Bucket, set[str]]] = [{}]
        self._seen: set[str] = set()

    def arrays(self) -> Arrays:
        return {"letters": self._letters, "buckets": self._table}

    def add(self, words: frozenset[str]) -> None:
        fresh, new = self._fresh[-1], words - self._seen
        if len(self._seen) + len(new) > SEEN:
            self._seen = set()
        self._seen |= new
        for word in new:
            if SHORTEST - 1 <= len(word) <= LONGEST:
                bucket = (ord(word[0]), len(word))
                held = fresh.get(bucket)
                if held is None:
                    fresh[bucket] = {word}
                else:
                    held.add(word)

    def neighbours(self, word: str) -> set[str]:
        """Words one edit away that begin with the same letter."""
        first, length = ord(word[0]), len(word)
        found: set[str] = set()
        letters = _letters(word)
        for size in (length - 1, length, length + 1):
            table = self._bucket((first, size))
            near = table[_one_edit(table, letters)] if len(table) else table
            found.update(map(_word, near))
            for fresh in self._fresh:
                found.update(other for other in fresh.get((first, size), ()) if _is_one_edit(word, other))
        return found

    def repair(self, word: str, holding: Callable[[int], int]) -> str | None:
        """The best replacement: one with the same letters first, then the one most notes have (`holding` says how many hold a
        term), then the alphabet. None when no living word is near."""
        letters = sorted(word)
        best: tuple[bool, int, str] | None = None
        for other in self.neighbours(word):
            held = holding(token_of(other)[2])
            if held:
                rank = (sorted(other) != letters, -held, other)
                best = rank if best is None else min(best, rank)
        return best[2] if best else None

    def _bucket(self, bucket: Bucket) -> NDArray[np.uint32]:
        """The bulk's words of a bucket, a row each."""
        at, count = self._places.get(bucket, (0, 0))
        return self._letters[at : at + count * bucket[1]].reshape(count, bucket[1]) if count else np.empty((0, 0), np.uint32)

    def freeze(self) -> None:
        """From here on words go into a new dictionary; the older ones are what `merged` takes in."""
        self._fresh.append({})
        self._seen = set()

    def thaw(self, merged: Vocabulary) -> None:
        """Hands `merged` the words since `freeze`."""
        merged._fresh, merged._seen = [self._fresh[-1]], self._seen

    def let_go(self) -> None:
        """Drops what `merged` has taken in, a piece at a time; nobody may ask any more."""
        for fresh in self._fresh[:-1]:
            while fresh:
                fresh.popitem()

    def merged(self, alive: Callable[[NDArray[np.uint64]], NDArray[np.bool_]]) -> Vocabulary:
        """The bulk and the frozen words as one bulk, without those whose term is not `alive`."""
        table, letters = [], []
        frozen = self._fresh[:-1]
        for first, length in sorted(set(self._places).union(*frozen)):
            words = set(map(_word, self._bucket((first, length))))
            ordered = sorted(words.union(*(fresh.get((first, length), ()) for fresh in frozen)))
            keep = alive(np.fromiter((token_of(word)[2] for word in ordered), np.uint64, len(ordered)))
            kept = [word for word, lives in zip(ordered, keep.tolist(), strict=True) if lives]
            if kept:
                table.append((first, length, len(kept)))
                letters.append(_letters("".join(kept)))
        arrays: Arrays = {"buckets": np.array(table, np.int64).reshape(-1, 3)}
        return Vocabulary(arrays | ({"letters": np.concatenate(letters)} if letters else {}))


def _letters(word: str) -> NDArray[np.uint32]:
    return np.frombuffer(word.encode("utf-32-le", "surrogatepass"), np.uint32)


def _word(letters: NDArray[np.uint32]) -> str:
    return letters.tobytes().decode("utf-32-le", "surrogatepass")


def _one_edit(table: NDArray[np.uint32], word: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which rows of a table, all of one length, are one edit away from the word."""
    size, length = table.shape[1], len(word)
    if size == length:
        differs = table != word
        count = differs.sum(axis=1)
        swapped = np.zeros(len(table), np.bool_)
        for row in np.flatnonzero(count == 2):
            first, second = np.flatnonzero(differs[row]).tolist()
            mine, theirs = word[[second, first]], table[row, [first, second]]
            swapped[row] = second == first + 1 and bool((mine == theirs).all())
        same: NDArray[np.bool_] = (count == 1) | swapped
        return same
    short = min(size, length)
    shorter, longer = (table, word) if size < length else (word, table)
    ahead = np.cumprod(longer[..., :short] == shorter[..., :short], axis=-1).sum(axis=-1)
    behind = np.cumprod((longer[..., 1:] == shorter)[..., ::-1], axis=-1).sum(axis=-1)
    near: NDArray[np.bool_] = ahead + behind >= short
    return near


def _is_one_edit(word: str, other: str) -> bool:
    if len(word) == len(other):
        different = [at for at, (mine, theirs) in enumerate(zip(word, other, strict=True)) if mine != theirs]
        if len(different) == 2:
            first, second = different
            return second == first + 1 and word[first] == other[second] and word[second] == other[first]
        return len(different) == 1
    shorter, longer = sorted((word, other), key=len)
    at = next((at for at, letter in enumerate(shorter) if letter != longer[at]), len(shorter))
    return shorter[at:] == longer[at + 1 :]
