"""Vectors by row: an exact scan of few, 1-bit codes and an exact second look above that.

The bulk may be mapped from a file, so that a million vectors open at once and their pages can be taken back; what came since
lies in a block of its own that grows in steps.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

if "numpy" not in sys.modules:
    # Two spinning threads turn 0.2 ms into 20 ms (memory page, section 7). Read once, when numpy loads its BLAS.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.memory.rows import greatest, lengthened

EXACT_BELOW = 8_000
"""Rows from which on the codes are asked first (memory page, section 7)."""
SECOND_LOOK = 400
SECOND_LOOK_SHARE = 200
"""Rows that are measured exactly: at least 400, or one of 200 (recall@10 .998 there)."""
SECOND_LOOK_DIM = 384
"""Of vectors this long. A shorter one has fewer signs to be told apart by: as many more rows are measured, at the same cost."""
NEVER = 999
"""Distance of a row that may not be found."""
DOT_BY_DOT = 2_048
"""Rows up to which one product a row is quicker: `@` readies buffers of its own, which a search with cold caches waits for as
long as for a thousand rows (0.16 ms against 0.11); later it gains more than that."""
STEP = 2_048
"""Rows that are copied or coded at once: a few milliseconds, between which other threads run."""


class Block:
    """Consecutive rows: their vectors, which of them have one, and from some size on their codes, one column a row."""

    def __init__(self, matrix: NDArray[float32], has: NDArray[np.bool_], bits: NDArray[np.uint64] | None = None) -> None:
        self.matrix, self.has, self.bits = matrix, has, bits
        self.dim = matrix.shape[1]

    @classmethod
    def empty(cls, dim: int) -> Block:
        return cls(np.zeros((0, dim), float32), np.zeros(0, np.bool_))

    def put(self, rows: NDArray[np.int64], vectors: NDArray[float32], size: int, *, code: bool) -> None:
        """Sets vectors; `size` is how many rows there will be at least, so that growing is rare. With `code` they get their
        codes now, so that no search has to make all of them."""
        if code:
            self.coded()
        if size > len(self.has):
            matrix = np.zeros((size + size // 4 + 1024, self.dim), float32)
            matrix[: len(self.matrix)] = self.matrix
            self.matrix, self.has = matrix, lengthened(self.has, len(matrix))
            if self.bits is not None:
                self.bits = lengthened(self.bits, len(matrix))
        self.matrix[rows] = vectors
        self.has[rows] = True
        if self.bits is not None:
            self.bits[:, rows] = codes(vectors)

    def coded(self) -> NDArray[np.uint64]:
        """The codes, made now when there are none."""
        if self.bits is None:
            bits = np.zeros((-(-self.dim // 64), len(self.has)), np.uint64)
            for at in range(0, len(self.has), STEP):
                bits[:, at : at + STEP] = codes(self.matrix[at : at + STEP])
            self.bits = bits
        return self.bits


def codes(vectors: NDArray[float32]) -> NDArray[np.uint64]:
    """The sign of each number as a bit, 64 to a word: one column a vector, one row a word."""
    packed = np.packbits(vectors > 0, axis=1, bitorder="little")
    padded = np.zeros((len(vectors), -(-vectors.shape[1] // 64) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return np.ascontiguousarray(padded.view(np.uint64).T)


@dataclass(frozen=True, slots=True)
class VectorState:
    """What side files keep: a row for each id. `bits` (words × ids) may be None; it is made when needed. Ids without a vector
    are those where `has` is False."""

    model_id: str
    dim: int
    ids: NDArray[np.int64]
    has: NDArray[np.bool_]
    matrix: NDArray[float32]
    bits: NDArray[np.uint64] | None


class Vectors:
    """The vectors of one model by row of the index. Not thread-safe by itself."""

    def __init__(self, model_id: str, dim: int, bulk: Block | None = None) -> None:
        self.model_id, self.dim = model_id, dim
        self.bulk = bulk or Block.empty(dim)
        self._border = len(self.bulk.has)
        self._later = Block.empty(dim)
        self._blocks = (self.bulk, self._later)
        self.count = int(np.count_nonzero(self.bulk.has))
        one_thread()

    def put(self, rows: NDArray[np.int64], vectors: NDArray[float32], size: int) -> None:
        """Sets the vectors of rows, each named once, of an index of `size` rows."""
        self.count += len(rows) - int(np.count_nonzero(self.have(rows)))
        early, code = rows < self._border, size >= EXACT_BELOW
        if early.any():
            self.bulk.put(rows[early], vectors[early], self._border, code=code)
        if not early.all():
            self._later.put(rows[~early] - self._border, vectors[~early], size - self._border, code=code)

    def whole(self, size: int) -> bool:
        """True when all of so many rows lie in the bulk."""
        return self._border == size and not len(self._later.has)

    def have(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the rows have a vector."""
        if not len(self._later.has) and (rows < self._border).all():
            return np.asarray(self.bulk.has[rows], np.bool_)
        found = np.zeros(len(rows), np.bool_)
        for block, start in zip(self._blocks, (0, self._border), strict=True):
            inside = (rows >= start) & (rows < start + len(block.has))
            found[inside] = block.has[rows[inside] - start]
        return found

    def take(self, rows: NDArray[np.int64]) -> NDArray[float32]:
        """The vectors of rows; zero where there is none."""
        if not len(self._later.has):
            inside = rows < self._border
            if inside.all():
                return self.bulk.matrix[rows]
        found = np.zeros((len(rows), self.dim), float32)
        for block, start in zip(self._blocks, (0, self._border), strict=True):
            inside = (rows >= start) & (rows < start + len(block.has))
            found[inside] = block.matrix[rows[inside] - start]
        return found

    def nearest(self, query: NDArray[float32], k: int, allowed: NDArray[np.bool_] | None, size: int) -> NDArray[np.int64]:
        """Rows of the `k` greatest cosines, in no order. `allowed` says of the first `size` rows which may be found."""
        if size < EXACT_BELOW:
            return self.best(self.cosines(query, size), k, allowed)
        look = max(SECOND_LOOK, size // SECOND_LOOK_SHARE) * max(1, SECOND_LOOK_DIM // self.dim)
        rows = self._by_codes(query, max(look, k), allowed, size)
        if len(rows) <= k:
            return rows
        return rows[np.argpartition(self.take(rows) @ query, -k)[-k:]]

    def _parts(self, size: int) -> list[tuple[Block, int, int]]:
        return [
            (block, start, min(len(block.has), size - start))
            for block, start in zip(self._blocks, (0, self._border), strict=True)
            if min(len(block.has), size - start) > 0
        ]

    def cosines(self, query: NDArray[float32], size: int) -> NDArray[float32]:
        """Of each of the first `size` rows; 0 where there is no vector."""
        if self._border == size:
            return _dots(self.bulk.matrix, query)
        near = np.zeros(size, float32)
        for block, start, length in self._parts(size):
            near[start : start + length] = _dots(block.matrix[:length], query)
        return near

    def best(self, near: NDArray[float32], k: int, allowed: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """Rows of the `k` greatest of these cosines that have a vector and may be found, in no order."""
        size = len(near)
        if self.count == size and allowed is None:
            return greatest(near, k)
        may = np.zeros(size, np.bool_)
        for block, start, length in self._parts(size):
            may[start : start + length] = self._eligible(block, start, length, allowed)
        near = np.where(may, near, float32(-NEVER))
        found = greatest(near, k)
        return found[near[found] > -NEVER]

    def _by_codes(self, query: NDArray[float32], k: int, allowed: NDArray[np.bool_] | None, size: int) -> NDArray[np.int64]:
        wanted = codes(query.reshape(1, -1))[:, 0]
        found = []
        for block, start, length in self._parts(size):
            bits = block.coded()
            apart = np.zeros(length, np.uint16)
            for word, column in zip(wanted, bits, strict=True):
                apart += np.bitwise_count(column[:length] ^ word)
            if self.count < size or allowed is not None:
                apart[~self._eligible(block, start, length, allowed)] = NEVER
            best = greatest(NEVER - apart, k)
            best = best[apart[best] < NEVER]
            found.append((apart[best], best + start))
        if len(found) == 1:
            return found[0][1]
        apart, rows = np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])
        return rows[np.argsort(apart, kind="stable")[:k]]

    @staticmethod
    def _eligible(block: Block, start: int, length: int, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        has = block.has[:length]
        return has if allowed is None else has & allowed[start : start + length]

    def compacted(self, keep: NDArray[np.int64]) -> Vectors:
        """The vectors of the rows `keep` as a bulk of their own, in steps."""
        matrix = np.empty((len(keep), self.dim), float32)
        has = np.empty(len(keep), np.bool_)
        for at in range(0, len(keep), STEP):
            rows = keep[at : at + STEP]
            matrix[at : at + STEP], has[at : at + STEP] = self.take(rows), self.have(rows)
        block = Block(matrix, has)
        if len(keep) >= EXACT_BELOW:
            block.coded()
        return Vectors(self.model_id, self.dim, block)


def _dots(matrix: NDArray[float32], query: NDArray[float32]) -> NDArray[float32]:
    return np.asarray(np.vecdot(matrix, query) if len(matrix) <= DOT_BY_DOT else matrix @ query)


_limited: list[object] = []


def one_thread() -> None:
    """BLAS keeps to one thread from here on, for the whole process: it gains nothing on vectors and its spinning costs."""
    if _limited:
        return
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        _limited.append(None)
    else:
        _limited.append(ThreadpoolController().limit(limits=1, user_api="blas"))
