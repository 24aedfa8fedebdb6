"""Serialised forms that are kept between calls: what did not change since the last call is not encoded again.

Messages and tool lists are frozen values that live on in the session, so their identity is their key. Entries hold their
value, which keeps its identity from being reused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")
F = TypeVar("F")

MAX_BYTES = 32 * 1024 * 1024


class Fragments(Generic[V, F]):
    """A least-recently-used map from (identity of a value, variant) to its encoded form, bounded by total size."""

    def __init__(self, size: Callable[[F], int], max_bytes: int = MAX_BYTES) -> None:
        self._size = size
        self._max = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[int, Hashable], tuple[V, F]] = OrderedDict()

    def get(self, value: V, variant: Hashable, encode: Callable[[V], F]) -> F:
        """The encoded form of `value`; `variant` names everything else the form depends on."""
        key = (id(value), variant)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept[1]
        form = encode(value)
        self._kept[key] = (value, form)
        self._bytes += self._size(form)
        while self._bytes > self._max and len(self._kept) > 1:
            _, (_, old) = self._kept.popitem(last=False)
            self._bytes -= self._size(old)
        return form

    def __len__(self) -> int:
        return len(self._kept)
