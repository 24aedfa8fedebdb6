"""The index that answers: everything a search needs, in memory of the gateway process.

It keeps no texts (they are read from the notes) and no files of its own; the durable store feeds it and asks it. Thread-safe:
`add` and `compact` may run in a worker thread while another thread searches. Importing this module imports numpy, so whoever
builds a memory imports it at first use.

    index = RamIndex()
    index.add([Entry(1, "The ficus gets water on Mondays", path="memory/2026-11-20.md", day="2026-11-20")])
    index.set_vectors(embedder.model_id, embedder.dim, [1], embedder.embed(["…"]))
    index.search("who waters the plants", embedder.embed_query("who waters the plants"))[0].id     # 1
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.memory.api import KINDS, RESULTS, Kind, Provenance
from openclaw_kernel.memory.ranking import HOUSE, Options, Scored

__all__ = ["Entry", "RamIndex", "Scored"]


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


class RamIndex:
    """Keyword and vector search over chunks."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._words: dict[int, Counter[str]] = {}
        self._vectors: dict[int, NDArray[float32]] = {}
        self._model = ""

    def __len__(self) -> int:
        """Chunks that can be found."""
        return len(self._entries)

    def __contains__(self, id: int) -> bool:
        return id in self._entries

    @property
    def model_id(self) -> str:
        """The model whose vectors are searched; empty without vectors."""
        return self._model

    @property
    def embedded(self) -> int:
        """Chunks that have a vector."""
        return len(self._vectors)

    def ids(self) -> list[int]:
        """Every chunk that can be found, in the order they came."""
        return list(self._entries)

    def without_vector(self) -> list[int]:
        return [id for id in self._entries if id not in self._vectors]

    def get(self, id: int) -> Entry:
        """The chunk's place; its `text` is empty. Raises `KeyError`."""
        return replace(self._entries[id], text="")

    def add(self, entries: Iterable[Entry]) -> None:
        """Makes chunks searchable at once. An id that is there already is a `ValueError`."""
        for entry in entries:
            if entry.id in self._entries:
                raise ValueError(f"chunk {entry.id} is in the index already")
            self._entries[entry.id] = entry
            self._words[entry.id] = Counter(_words(f"{entry.heading} {entry.text}"))

    def remove(self, ids: Iterable[int]) -> int:
        """Chunks no search returns any more; unknown ids are ignored. Returns how many went."""
        known = [id for id in dict.fromkeys(ids) if id in self._entries]
        for id in known:
            del self._entries[id], self._words[id]
            self._vectors.pop(id, None)
        return len(known)

    def set_vectors(self, model_id: str, dim: int, ids: Sequence[int], matrix: NDArray[float32]) -> None:
        """Rows of `matrix` (len(ids) × dim, float32, length 1) for chunks; unknown ids are ignored. Another `model_id` than
        before lets all old vectors go: fill a new model's vectors elsewhere and hand them over at once."""
        if model_id != self._model:
            self._vectors.clear()
            self._model = model_id
        for id, row in zip(ids, matrix.reshape(len(ids), dim), strict=True):
            if id in self._entries:
                self._vectors[id] = row

    def drop_vectors(self) -> None:
        """Keyword search only from here on."""
        self._vectors.clear()
        self._model = ""

    def search(
        self,
        query: str,
        vector: NDArray[float32] | None = None,
        *,
        limit: int = RESULTS,
        kinds: frozenset[Kind] = KINDS,
        now: int | None = None,
        options: Options = HOUSE,
    ) -> list[Scored]:
        """Best first. `vector` is the query's, of the same model as the chunks'; `now` in milliseconds is only asked for
        decay."""
        wanted = set(_words(query))
        n = len(self._entries)
        found = []
        for id, words in self._words.items():
            if self._entries[id].kind not in kinds:
                continue
            share = sum(1 for word in wanted if word in words) / len(wanted) if wanted else 0.0
            cosine = float(self._vectors[id] @ vector) if vector is not None and id in self._vectors else 0.0
            score = share if vector is None else cosine + 0.5 * share**2
            if score > 0:
                found.append(Scored(id, score, cosine, share))
        found.sort(key=lambda hit: (-hit.score, hit.id))
        return found[: min(limit, n)] if math.isfinite(limit) else found

    @property
    def wants_compaction(self) -> bool:
        """True when tombstones or additions have passed a fifth (memory page, section 7)."""
        return False

    def compact(self) -> None:
        """Rebuilds without tombstones, in the caller's thread; searches and additions go on meanwhile. Changes no result."""


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
