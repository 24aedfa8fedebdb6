"""Vectors for tests: random, of length 1, the same for the same seed."""

from __future__ import annotations

import numpy as np
from numpy import float32
from numpy.typing import NDArray


def unit_vectors(rows: int, dim: int, seed: int) -> NDArray[float32]:
    made = np.random.default_rng(seed).standard_normal((rows, dim)).astype(float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), float32)
