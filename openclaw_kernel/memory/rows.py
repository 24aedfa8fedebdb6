"""Where each chunk of the index comes from, in columns: row by row as they were added, until a compaction closes the gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openclaw_kernel.memory.api import KINDS, Kind, Provenance
from openclaw_kernel.memory.arrays import Arrays

KIND_ORDER: tuple[Kind, ...] = ("memory", "session")
PROVENANCE_ORDER: tuple[Provenance, ...] = ("owner", "agent", "untrusted", "system")
COLUMNS = {
    "id": "i8", "path": "i4", "heading": "i4", "kind": "u1", "provenance": "u1", "importance": "u1", "day": "i4",
    "line0": "i4", "line1": "i4", "byte0": "i8", "byte1": "i8", "digest": "u8", "length": "f4",
}  # fmt: skip
"""`day` is a proleptic Gregorian ordinal, 0 for none; `length` counts terms, as BM25 wants it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One chunk. `id` is from a sequence and never used again. `text` and `heading` are read while adding, and only `heading`
    is kept. `day` is `YYYY-MM-DD` for a dated note. Lines count from 1 and include both ends; `byte1` is behind the last byte.
    `digest` is any 64 bits of the chunk's hash: whoever reads the text from the file checks it against them."""

    id: int
    text: str
    heading: str = ""
    path: str = ""
    kind: Kind = "memory"
    day: str = ""
    importance: int = 5
    provenance: Provenance = "owner"
    line0: int = 0
    line1: int = 0
    byte0: int = 0
    byte1: int = 0
    digest: int = 0


class Strings:
    """Paths and headings by number. What a file held stays bytes until it is asked for."""

    def __init__(self, blob: NDArray[Any] | None = None, ends: NDArray[Any] | None = None) -> None:
        self._blob = np.empty(0, np.uint8) if blob is None else blob
        self._ends = np.empty(0, np.int64) if ends is None else ends
        self._new: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        known = self._numbers.get(text)
        if known is None:
            known = self._numbers[text] = len(self._ends) + len(self._new)
            self._new.append(text)
        return known

    def __getitem__(self, number: int) -> str:
        if number >= len(self._ends):
            return self._new[number - len(self._ends)]
        start = self._ends.item(number - 1) if number else 0
        return self._blob[start : self._ends.item(number)].tobytes().decode()

    def __len__(self) -> int:
        return len(self._ends) + len(self._new)

    def arrays(self, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The first `count` as bytes and where each ends."""
        encoded = [self[number].encode("utf-8", "replace") for number in range(count)]
        ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        return np.frombuffer(b"".join(encoded), np.uint8), ends


GROUPS = 32


def greatest(values: NDArray[Any], k: int) -> NDArray[np.int64]:
    """Places of the `k` greatest values, in no order. The k-th greatest of the best of each group is a border that few pass,
    which is many times faster than numpy's argpartition over all."""
    size = len(values)
    if size <= k:
        return np.arange(size)
    groups = min(GROUPS, max(1, size // (8 * k)))
    width = size // groups
    if groups == 1:
        return values.argpartition(size - k)[size - k :]
    tops = values[: width * groups].reshape(groups, width).max(axis=0)
    tops.partition(width - k)
    places: NDArray[np.int64] = (values >= tops[width - k]).nonzero()[0]
    if len(places) == k:
        return places
    return places[values[places].argpartition(len(places) - k)[len(places) - k :]]


def grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The array with room for `size` along its last axis, in steps of a quarter (memory page, section 7)."""
    if array.shape[-1] >= size:
        return array
    return lengthened(array, size + size // 4 + 1024)


def lengthened(array: NDArray[Any], size: int) -> NDArray[Any]:
    larger = np.zeros((*array.shape[:-1], size), array.dtype)
    larger[..., : array.shape[-1]] = array
    return larger


class Rows:
    """The columns and which rows are alive. `self["length"]` is a column with spare room behind `self.size` rows."""

    def __init__(self, columns: Arrays | None = None, strings: Strings | None = None) -> None:
        self._columns = columns or {name: np.zeros(0, kind) for name, kind in COLUMNS.items()}
        self.strings = Strings() if strings is None else strings
        self.size = self._sealed = len(self._columns["id"])
        self.alive = np.ones(self.size, np.bool_)
        self.dead = 0
        self.total_length = float(self._columns["length"].sum(dtype=np.float64))
        self._seal_order()

    def _seal_order(self) -> None:
        ids = self._columns["id"][: self._sealed]
        self._order = None if bool(np.all(ids[1:] > ids[:-1])) else np.argsort(ids, kind="stable")
        self._sorted = ids if self._order is None else ids[self._order]
        self._later: dict[int, int] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __len__(self) -> int:
        return self.size - self.dead

    def append(self, entry: Entry, length: int) -> int:
        """The new row's number."""
        row = self.size
        if row >= len(self.alive):
            self._columns = {name: grown(column, row + 1) for name, column in self._columns.items()}
            self.alive = grown(self.alive, row + 1)
        values = {
            "id": entry.id,
            "path": self.strings.number(entry.path),
            "heading": self.strings.number(entry.heading),
            "kind": KIND_ORDER.index(entry.kind),
            "provenance": PROVENANCE_ORDER.index(entry.provenance),
            "importance": entry.importance,
            "day": date.fromisoformat(entry.day).toordinal() if entry.day else 0,
            "line0": entry.line0,
            "line1": entry.line1,
            "byte0": entry.byte0,
            "byte1": entry.byte1,
            "digest": entry.digest,
            "length": length,
        }
        for name, value in values.items():
            self._columns[name][row] = value
        self.alive[row] = True
        self._later[entry.id] = row
        self.total_length += length
        self.size += 1
        return row

    def find(self, ids: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
        """Row of each id, −1 where no living row has it."""
        wanted = np.asarray(ids, np.int64)
        rows = np.full(len(wanted), -1, np.int64)
        if self._sealed and len(wanted):
            at = np.minimum(self._sorted.searchsorted(wanted), self._sealed - 1)
            rows = np.where(self._sorted[at] == wanted, at if self._order is None else self._order[at], -1)
        if self._later:
            for place, id in enumerate(wanted.tolist()):
                rows[place] = self._later.get(id, rows[place])
        if self.dead:
            rows[(rows >= 0) & ~self.alive[rows]] = -1
        return rows

    def kill(self, rows: NDArray[np.int64]) -> None:
        self.alive[rows] = False
        self.dead += len(rows)
        self.total_length -= float(self._columns["length"][rows].sum(dtype=np.float64))

    def entries(self, rows: NDArray[np.int64]) -> list[Entry]:
        """The places of chunks, without their texts."""
        columns = [self._columns[name][rows].tolist() for name in COLUMNS]
        return [
            Entry(
                id,
                "",
                self.strings[heading],
                self.strings[path],
                KIND_ORDER[kind],
                date.fromordinal(day).isoformat() if day else "",
                importance,
                PROVENANCE_ORDER[provenance],
                *span,
            )
            for id, path, heading, kind, provenance, importance, day, *span, _ in zip(*columns, strict=True)
        ]

    def of_kinds(self, kinds: frozenset[Kind]) -> NDArray[np.bool_] | None:
        """Which rows are alive and of these kinds; None when all are."""
        if kinds == KINDS:
            return self.alive[: self.size] if self.dead else None
        numbers = [KIND_ORDER.index(kind) for kind in kinds]
        return self.alive[: self.size] & np.isin(self._columns["kind"][: self.size], numbers)

    def compacted(self, upto: int, keep: NDArray[np.int64]) -> Rows:
        """Rows `keep` of the first `upto` as a table of their own, with only the strings they name."""
        columns = {name: column[:upto][keep] for name, column in self._columns.items()}
        strings = Strings()
        for name in ("path", "heading"):
            used, numbers = np.unique(columns[name], return_inverse=True)
            fresh = np.fromiter((strings.number(self.strings[number]) for number in used.tolist()), np.int32, len(used))
            columns[name] = fresh[numbers] if len(used) else columns[name]
        return Rows(columns, strings)

    def extend(self, older: Rows, start: int) -> None:
        """Takes over the rows of `older` from `start` on, dead ones too."""
        more = older.size - start
        self._columns = {name: grown(column, self.size + more) for name, column in self._columns.items()}
        self.alive = grown(self.alive, self.size + more)
        for name, column in self._columns.items():
            values = older._columns[name][start : older.size]
            if name in ("path", "heading"):
                used, numbers = np.unique(values, return_inverse=True)
                values = np.array([self.strings.number(older.strings[number]) for number in used.tolist()], np.int32)[numbers]
            column[self.size : self.size + more] = values
        self.alive[self.size : self.size + more] = True
        ids = older._columns["id"][start : older.size]
        self._later.update(zip(ids.tolist(), range(self.size, self.size + more), strict=True))
        self.total_length += float(older._columns["length"][start : older.size].sum(dtype=np.float64))
        self.size += more

    def arrays(self, size: int, strings: int) -> Arrays:
        """What a file keeps of the first `size` rows and so many strings; more may be added meanwhile."""
        blob, ends = self.strings.arrays(strings)
        return {name: column[:size] for name, column in self._columns.items()} | {"blob": blob, "ends": ends}

    @classmethod
    def of_arrays(cls, arrays: Arrays) -> Rows:
        return cls({name: arrays[name].copy() for name in COLUMNS}, Strings(arrays["blob"], arrays["ends"]))
