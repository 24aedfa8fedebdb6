"""Codes and a second look find what the exact scan finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.memory.rows import greatest
from openclaw_kernel.memory.vectors import Block, Vectors, codes

DIM = 384


def clustered(rows: int, seed: int = 7, dim: int = DIM) -> NDArray[float32]:
    """rows/50 centres and 0.7 of noise, of length 1 (memory page, section 13)."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(1, rows // 50), dim)).astype(float32)
    made = centres[rng.integers(0, len(centres), rows)] + float32(0.7) * rng.standard_normal((rows, dim)).astype(float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), float32)


def held(matrix: NDArray[float32], *, border: int = 0) -> Vectors:
    """Rows up to `border` in the bulk, the others behind it."""
    bulk = Block(matrix[:border].copy(), np.ones(border, np.bool_)) if border else None
    vectors = Vectors("m", matrix.shape[1], bulk)
    if border < len(matrix):
        vectors.put(np.arange(border, len(matrix)), matrix[border:], len(matrix))
    return vectors


def exact(matrix: NDArray[float32], query: NDArray[float32], k: int, allowed: NDArray[np.bool_] | None = None) -> set[int]:
    near = matrix @ query
    if allowed is not None:
        near[~allowed] = -2
    return set(np.argsort(-near)[:k].tolist())


@pytest.mark.parametrize("border", [0, 700, 1000])
def test_below_the_switch_the_scan_is_exact(border: int) -> None:
    matrix = clustered(1000)
    vectors = held(matrix, border=border)
    allowed = np.random.default_rng(1).random(1000) > 0.3
    for query in matrix[:20]:
        assert set(vectors.nearest(query, 10, None, 1000).tolist()) == exact(matrix, query, 10)
        assert set(vectors.nearest(query, 10, allowed, 1000).tolist()) == exact(matrix, query, 10, allowed)


@pytest.mark.parametrize("border", [0, 9_000, 12_000])
def test_codes_with_a_second_look_equal_the_exact_scan(border: int) -> None:
    matrix = clustered(12_000)
    vectors = held(matrix, border=border)
    rng = np.random.default_rng(3)
    allowed = rng.random(12_000) > 0.2
    found, wanted = 0, 0
    for row in rng.integers(0, 12_000, 40):
        query = matrix[row] + float32(0.03) * rng.standard_normal(DIM).astype(float32)
        query /= np.linalg.norm(query)
        for mask in (None, allowed):
            near = set(vectors.nearest(query, 10, mask, 12_000).tolist())
            assert mask is None or all(mask[list(near)])
            found += len(near & exact(matrix, query, 10, mask))
            wanted += 10
    assert found / wanted >= 0.99


def test_rows_without_a_vector_are_never_near() -> None:
    matrix = clustered(9_000)
    vectors = Vectors("m", DIM)
    some = np.arange(0, 9_000, 2)
    vectors.put(some, matrix[some], 9_000)
    assert vectors.count == 4_500
    near = vectors.nearest(matrix[1], 50, None, 9_000)
    assert len(near) == 50 and not (near % 2).any()
    assert vectors.have(np.array([0, 1, 2])).tolist() == [True, False, True]
    assert not vectors.take(np.array([1])).any()


def test_a_vector_that_is_set_again_moves() -> None:
    matrix = clustered(9_000)
    for border in (0, 9_000):
        vectors = held(matrix, border=border)
        vectors.nearest(matrix[0], 1, None, 9_000)
        vectors.put(np.array([5]), -matrix[5:6], 9_000)
        assert vectors.count == 9_000
        assert vectors.nearest(-matrix[5], 1, None, 9_000).tolist() == [5]


def test_a_compacted_bulk_has_the_kept_rows_in_order() -> None:
    matrix = clustered(9_000)
    vectors = held(matrix, border=3_000)
    keep = np.flatnonzero(np.arange(9_000) % 9)
    fresh = vectors.compacted(keep)
    assert np.array_equal(fresh.bulk.matrix, matrix[keep]) and fresh.whole(len(keep))
    assert fresh.bulk.bits is not None
    assert np.array_equal(fresh.bulk.bits, codes(matrix[keep]))


@pytest.mark.parametrize("dim", [1, 63, 64, 65, 200])
def test_codes_hold_one_sign_a_bit(dim: int) -> None:
    matrix = clustered(10, dim=dim)
    packed = codes(matrix)
    assert packed.shape == (-(-dim // 64), 10)
    apart = sum(int(np.bitwise_count(a ^ b)) for a, b in zip(packed[:, 0], packed[:, 1], strict=True))
    assert apart == int(((matrix[0] > 0) != (matrix[1] > 0)).sum())


@pytest.mark.parametrize("kind", [np.float32, np.uint16])
@pytest.mark.parametrize("size", [0, 1, 5, 24, 25, 800, 5_003])
@pytest.mark.parametrize("shape", ["any", "ties", "rising", "mostly zero"])
def test_greatest(kind: Any, size: int, shape: str) -> None:
    rng = np.random.default_rng(size)
    values = {
        "any": rng.integers(0, 60_000, size),
        "ties": rng.integers(0, 3, size),
        "rising": np.arange(size),
        "mostly zero": rng.integers(0, 60_000, size) * (rng.random(size) > 0.99),
    }[shape].astype(kind)
    places = greatest(values, 24)
    assert len(places) == len(set(places.tolist())) == min(24, size)
    assert sorted(values[places].tolist()) == sorted(values.tolist())[-24:]


def test_short_vectors_get_a_longer_second_look() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((9_000, 64)).astype(float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    vectors, found = held(matrix), 0
    for row in range(0, 4_000, 100):
        query = matrix[row] + float32(0.01) * matrix[row + 1]
        found += len(set(vectors.nearest(query, 10, None, len(matrix)).tolist()) & exact(matrix, query, 10))
    assert found >= 0.95 * 400
