"""The index that answers: everything a search needs, in memory of the gateway process.

It keeps no texts (they are read from the notes); the durable store feeds it and asks it. Importing this module imports numpy,
so whoever builds a memory imports it at first use.

    index = RamIndex()
    index.add([Entry(1, "The ficus gets water on Mondays", path="memory/2026-11-20.md", day="2026-11-20")])
    index.set_vectors(embedder.model_id, embedder.dim, [1], embedder.embed(["…"]))
    index.search("who waters the plants", embedder.embed_query("who waters the plants"))[0].id     # 1

Thread-safe: one lock that nothing holds for longer than a search takes. `add` counts words outside it and inserts 16 chunks at
a time (2 ms); `set_vectors` copies 2,048 rows at a time; `compact` freezes, builds beside what is searched, and swaps.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import isnan, nan
from pathlib import Path, PurePosixPath
from threading import Lock

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.memory import words
from openclaw_kernel.memory.api import KINDS, RESULTS, Kind
from openclaw_kernel.memory.arrays import BrokenArrays, read_arrays, write_arrays
from openclaw_kernel.memory.lexical import Corpus, Keywords, Lists, Postings, score
from openclaw_kernel.memory.ranking import HOUSE, Candidates, Options, Scored, diversified, rank
from openclaw_kernel.memory.repair import Vocabulary, repairable
from openclaw_kernel.memory.rows import Entry, Rows, greatest
from openclaw_kernel.memory.vectors import EXACT_BELOW, STEP, Block, Vectors, VectorState
from openclaw_kernel.values.clock import system_clock

__all__ = ["Entry", "Options", "RamIndex", "Scored", "VectorState"]

FORMAT = 1
"""Of the side file; also to be raised when `words` cuts texts differently."""
AT_ONCE = 16
BREATH_S = 0.0002
"""Chunks added at once (2 ms), and the pause between, in which whoever waits for the interpreter gets it: without it an event
loop beside a long addition waits for the 5 ms of a forced switch each time."""
STALE_SHARE = 0.2
STALE_LEAST = 1_000
"""Tombstones and additions ask for a compaction when they pass a fifth (memory page, section 7) and are worth the trouble."""

_LIKE_A_NAME = re.compile(r"[._\-\d]")
_GAPS = re.compile(r"[\s_]+")
_AROUND_NAMES = "\"'`“”‘’()[],;:?!"


class RamIndex:
    """Keyword and vector search over chunks."""

    def __init__(self) -> None:
        self._rows = Rows()
        self._postings = Postings()
        self._vocabulary = Vocabulary()
        self._vectors: Vectors | None = None
        self._bulk = 0
        self._touched: list[NDArray[np.int64]] | None = None
        self._lock = Lock()
        self._compacting = Lock()

    def __len__(self) -> int:
        """Chunks that can be found."""
        return len(self._rows)

    def __contains__(self, id: int) -> bool:
        with self._lock:
            return bool(self._rows.find([id])[0] >= 0)

    @property
    def model_id(self) -> str:
        """The model whose vectors are searched; empty without vectors."""
        return self._vectors.model_id if self._vectors else ""

    @property
    def embedded(self) -> int:
        """Chunks that have a vector."""
        with self._lock:
            return int(np.count_nonzero(self._having()))

    def ids(self) -> list[int]:
        """Every chunk that can be found, in the order they came."""
        with self._lock:
            return self._ids(self._rows.alive[: self._rows.size])

    def without_vector(self) -> list[int]:
        with self._lock:
            return self._ids(self._rows.alive[: self._rows.size] & ~self._having())

    def get(self, id: int) -> Entry:
        """The chunk's place; its `text` is empty. Raises `KeyError`."""
        with self._lock:
            row = self._rows.find([id])
            if row[0] < 0:
                raise KeyError(id)
            return self._rows.entries(row)[0]

    def places(self, ids: Sequence[int]) -> list[Entry]:
        """The places of several chunks at once, those that are gone left out."""
        with self._lock:
            rows = self._rows.find(ids)
            return self._rows.entries(rows[rows >= 0])

    def add(self, entries: Iterable[Entry]) -> None:
        """Makes chunks searchable at once. An id that is there already is a `ValueError`."""
        waiting = iter(entries)
        while batch := list(islice(waiting, AT_ONCE)):
            self._insert(batch)
            if len(batch) == AT_ONCE:
                time.sleep(BREATH_S)

    def _insert(self, batch: Sequence[Entry]) -> None:
        counted = [words.count(f"{entry.heading}\n{entry.text}") for entry in batch]
        with self._lock:
            known = self._rows.find([entry.id for entry in batch])
            if (known >= 0).any() or len({entry.id for entry in batch}) < len(batch):
                raise ValueError("a chunk with this id is in the index already")
            for entry, content in zip(batch, counted, strict=True):
                row = self._rows.append(entry, content.length)
                self._postings.add(row, content.terms | dict.fromkeys(_names(entry), 1))
                self._vocabulary.add(content.words)

    def remove(self, ids: Iterable[int]) -> int:
        """Chunks no search returns any more; unknown ids are ignored. Returns how many went."""
        with self._lock:
            rows = np.unique(self._rows.find(list(ids)))
            rows = rows[rows >= 0]
            self._rows.kill(rows)
            return len(rows)

    def set_vectors(self, model_id: str, dim: int, ids: Sequence[int], matrix: NDArray[float32], *, anew: bool = True) -> None:
        """Rows of `matrix` (len(ids) × dim, float32, length 1) for chunks; unknown ids are ignored. Another `model_id` than
        before lets all old vectors go: gather a new model's vectors elsewhere and hand them over at once. Without `anew`
        vectors of another model are ignored."""
        matrix = np.asarray(matrix, float32).reshape(len(ids), dim)
        for at in range(0, len(ids), STEP):
            with self._lock:
                if self._vectors is None or self._vectors.model_id != model_id or self._vectors.dim != dim:
                    if not anew:
                        return
                    self._vectors = Vectors(model_id, dim)
                rows, last = np.unique(self._rows.find(ids[at : at + STEP])[::-1], return_index=True)
                vectors = matrix[at : at + STEP][::-1][last][rows >= 0]
                rows = rows[rows >= 0]
                if len(rows):
                    self._vectors.put(rows, vectors, self._rows.size)
                    if self._touched is not None:
                        self._touched.append(rows)

    def drop_vectors(self) -> None:
        """Keyword search only from here on."""
        with self._lock:
            self._vectors = None

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
        if limit < 1 or not len(self):
            return []
        with self._lock:
            if vector is not None and (self._vectors is None or vector.shape != (self._vectors.dim,)):
                vector = None
            candidates = self._candidates(query, vector, limit, kinds, now, options)
            order, scores = rank(candidates, options)
            if options.mmr and vector is not None and self._vectors is not None:
                many = options.candidates(limit)
                sides = self._vectors.take(np.array(candidates.rows, np.int64)[order[:many]])
                likeness = sides @ sides.T
                varied = diversified(scores[:many], lambda a, b: float(likeness[a, b]), options.mmr)
                order, scores = [order[at] for at in varied], [scores[at] for at in varied]
        ids, cosines, coverage = candidates.ids, candidates.cosine, candidates.coverage
        best = zip(order[:limit], scores, strict=False)
        return [Scored(ids[at], score, 0.0 if isnan(cosines[at]) else cosines[at], coverage[at]) for at, score in best]

    def _candidates(
        self,
        query: str,
        vector: NDArray[float32] | None,
        limit: int,
        kinds: frozenset[Kind],
        now: int | None,
        options: Options,
    ) -> Candidates:
        """The best of each side, with the true values of the other."""
        rows, corpus, many = self._rows, self._corpus(), options.candidates(limit)
        allowed = rows.of_kinds(kinds)
        lists = self._lists(query, corpus, repair=options.rule == "house")
        found = score(lists, corpus, count=options.rule == "openclaw")
        if allowed is not None:
            found.scores[~allowed] = 0
        first = self._named(query, corpus, allowed, found, many)
        sides = [_best(found.scores, many), first] if found.best else [first]
        vectors = self._vectors if vector is not None else None
        near = None
        if vectors is not None and vector is not None:
            near = vectors.cosines(vector, rows.size) if rows.size < EXACT_BELOW else None
            sides.append(
                vectors.nearest(vector, many, allowed, rows.size) if near is None else vectors.best(near, many, allowed)
            )
        chosen = sorted(set().union(*(side.tolist() for side in sides)))
        at = np.array(chosen, np.int64)
        bm25 = found.scores[at].tolist()
        best = found.best or 1.0
        asked = set(first.tolist())
        days = rows["day"][at].tolist() if options.half_life_days > 0 else []
        today = _day(now) if days else 0
        return Candidates(
            ids=rows["id"][at].tolist(),
            rows=chosen,
            cosine=self._cosines(vector, near, at),
            coverage=[share if (share := value / best) < 1.0 else 1.0 for value in bm25],
            bm25=bm25,
            complete=(found.matched[at] == max(1, len(lists))).tolist() if found.matched is not None else [False] * len(chosen),
            named=[row in asked for row in chosen] if asked else [False] * len(chosen),
            age=[today - day if day > 0 else 0 for day in days],
            importance=rows["importance"][at].tolist(),
        )

    def _cosines(self, vector: NDArray[float32] | None, near: NDArray[float32] | None, at: NDArray[np.int64]) -> list[float]:
        """Of the rows `at`, NaN where there is no vector; `near` has those of all rows if it is there."""
        if vector is None or self._vectors is None:
            return [nan] * len(at)
        cosine = self._vectors.take(at) @ vector if near is None else near[at]
        if self._vectors.count < self._rows.size:
            cosine[~self._vectors.have(at)] = nan
        found: list[float] = cosine.tolist()
        return found

    def _lists(self, query: str, corpus: Corpus, *, repair: bool) -> list[Lists]:
        """What the postings hold for each of the query's terms; a word nobody wrote gives way to the one it was meant to
        be."""
        lists: dict[int, Lists] = {}
        for word, plain, term in words.tokens(query):
            if term in lists:
                continue
            held = self._postings.of(term, corpus)
            if repair and not len(held[0]) and repairable(word, plain):
                meant = self._vocabulary.repair(word, lambda other: len(self._postings.of(other, corpus)[0]))
                if meant is not None:
                    term = words.token_of(meant)[2]
                    held = self._postings.of(term, corpus)
            lists[term] = held
        return list(lists.values())

    def _named(
        self, query: str, corpus: Corpus, allowed: NDArray[np.bool_] | None, found: Keywords, many: int
    ) -> NDArray[np.int64]:
        """The best rows of files that the query names."""
        rows = [self._postings.of(words.name_term(name), corpus)[0] for name in _asked_names(query)]
        rows = [part for part in rows if len(part)]
        if not rows:
            return np.empty(0, np.int64)
        named = np.unique(np.concatenate(rows)).astype(np.int64)
        named = named if allowed is None else named[allowed[named]]
        return named[np.argsort(-found.scores[named], kind="stable")[:many]]

    def _corpus(self) -> Corpus:
        rows = self._rows
        return Corpus(rows["length"], rows.alive, rows.size, len(rows), rows.total_length)

    def _having(self) -> NDArray[np.bool_]:
        rows = self._rows
        if self._vectors is None:
            return np.zeros(rows.size, np.bool_)
        return self._vectors.have(np.arange(rows.size)) & rows.alive[: rows.size]

    def _ids(self, chosen: NDArray[np.bool_]) -> list[int]:
        found: list[int] = self._rows["id"][: self._rows.size][chosen].tolist()
        return found

    @property
    def wants_compaction(self) -> bool:
        """True when tombstones or additions have passed a fifth (memory page, section 7)."""
        stale = max(self._rows.dead, self._rows.size - self._bulk)
        return stale > max(STALE_LEAST, STALE_SHARE * self._rows.size)

    def relearn(self, texts: Iterable[str]) -> None:
        """Makes the vocabulary of these texts alone: after a forgetting no form of a word stays that nobody writes any more,
        though its stem may. The thread that adds."""
        fresh = Vocabulary()
        for number, text in enumerate(texts, 1):
            fresh.add(words.count(text).words)
            if number % AT_ONCE == 0:
                time.sleep(BREATH_S)
        with self._compacting, self._lock:
            self._vocabulary = fresh

    def compact(self) -> None:
        """Rebuilds without tombstones, in the caller's thread; searches and additions go on meanwhile. Changes no result."""
        with self._compacting:
            with self._lock:
                rows, vectors = self._rows, self._vectors
                upto = rows.size
                keep = np.flatnonzero(rows.alive[:upto])
                self._postings.freeze()
                self._vocabulary.freeze()
                self._touched = []
            number = np.full(upto, -1, np.int32)
            number[keep] = np.arange(len(keep), dtype=np.int32)
            postings = self._postings.merged(number)
            vocabulary = self._vocabulary.merged(postings.held)
            table = rows.compacted(upto, keep)
            moved = vectors.compacted(keep) if vectors else None
            with self._lock:
                former = self._vocabulary
                self._swap(table, postings, vocabulary, vectors, moved, keep, upto)
            former.let_go()

    def _swap(
        self,
        table: Rows,
        postings: Postings,
        vocabulary: Vocabulary,
        vectors: Vectors | None,
        moved: Vectors | None,
        keep: NDArray[np.int64],
        upto: int,
    ) -> None:
        """Puts what was built in place and makes up for what happened meanwhile."""
        old = self._rows
        every = np.concatenate((keep, np.arange(upto, old.size)))
        table.extend(old, upto)
        table.kill(np.flatnonzero(~old.alive[every]))
        self._postings.thaw(postings, upto - len(keep))
        self._vocabulary.thaw(vocabulary)
        if self._vectors is None or self._vectors is not vectors or moved is None:
            moved = self._vectors.compacted(every) if self._vectors else None
        elif self._touched:
            rows = np.unique(np.concatenate(self._touched))
            at = np.minimum(np.searchsorted(every, rows), len(every) - 1)
            rows, at = rows[every[at] == rows], at[every[at] == rows]
            if len(rows):
                moved.put(at, vectors.take(rows) if vectors else moved.take(at), table.size)
        self._rows, self._postings, self._vocabulary, self._vectors = table, postings, vocabulary, moved
        self._bulk, self._touched = len(keep), None

    @property
    def _clean(self) -> bool:
        return self._rows.dead == 0 and self._bulk == self._rows.size

    def dump(self, path: Path, revision: int) -> None:
        """Writes everything but the vectors, stamped with the store's revision; compacts first where that is due. Blocking."""
        while True:
            with self._lock:
                if self._clean:
                    rows, postings, vocabulary = self._rows, self._postings, self._vocabulary
                    size, strings = rows.size, len(rows.strings)
                    break
            self.compact()
        parts = (("rows", rows.arrays(size, strings)), ("postings", postings.arrays()), ("words", vocabulary.arrays()))
        arrays = {f"{part}.{name}": array for part, held in parts for name, array in held.items()}
        write_arrays(path, {"format": FORMAT, "revision": revision, "chunks": size}, arrays)

    @classmethod
    def load(cls, path: Path, revision: int) -> RamIndex | None:
        """The index of a dump with this revision, mapped; None when there is none (missing, broken, of another time)."""
        try:
            head, arrays = read_arrays(path)
            if head.get("format") != FORMAT or head.get("revision") != revision:
                return None
            index = cls()
            index._rows = Rows.of_arrays(_part("rows", arrays))
            index._postings = Postings(_part("postings", arrays))
            index._vocabulary = Vocabulary(_part("words", arrays))
        except (BrokenArrays, KeyError):
            return None
        index._bulk = index._rows.size
        return index

    def vector_state(self) -> VectorState | None:
        """The vectors of all chunks for a side file; compacts first where that is due. None without vectors."""
        while True:
            with self._lock:
                held = self._vectors
                if held is None:
                    return None
                if self._clean and held.whole(self._rows.size):
                    ids = self._rows["id"][: self._rows.size].copy()
                    return VectorState(held.model_id, held.dim, ids, held.bulk.has, held.bulk.matrix, held.bulk.bits)
            self.compact()

    def use_vectors(self, state: VectorState) -> bool:
        """Takes the vectors of a side file as they are, mapped ones too. False when they belong to other chunks than the bulk
        of this index; nothing is taken then."""
        block = Block(state.matrix, state.has, state.bits)
        if len(state.ids) >= EXACT_BELOW:
            block.coded()
        with self._lock:
            if not np.array_equal(self._rows["id"][: self._rows.size], state.ids) or len(state.matrix) != len(state.ids):
                return False
            self._vectors = Vectors(state.model_id, state.dim, block)
            return True


def _part(name: str, arrays: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    start = f"{name}."
    return {key.removeprefix(start): array for key, array in arrays.items() if key.startswith(start)}


def _best(scores: NDArray[float32], k: int) -> NDArray[np.int64]:
    if len(scores) >= EXACT_BELOW:
        best = greatest(scores, k)
        return best[scores[best] > 0]
    found = scores.nonzero()[0]
    return found if len(found) <= k else found[greatest(scores[found], k)]


def _day(now: int | None) -> int:
    moment = system_clock() if now is None else now
    return datetime.fromtimestamp(moment / 1000, UTC).date().toordinal()


def _plain_name(name: str) -> str:
    return _GAPS.sub("-", name.casefold())


def _names(entry: Entry) -> set[int]:
    """The terms under which a note's file is named."""
    if entry.kind != "memory" or not entry.path:
        return set()
    path = PurePosixPath(entry.path)
    return {words.name_term(_plain_name(name)) for name in (path.name, path.stem)}


def _asked_names(query: str) -> set[str]:
    """What may be a file's name in a query: the whole of it, a word with a dot, or one with a digit, dash or underscore."""
    asked = {_plain_name(query.strip())}
    for word in query.split():
        if _LIKE_A_NAME.search(word):
            name = word.rpartition("/")[2].strip(_AROUND_NAMES).rstrip(".")
            if _LIKE_A_NAME.search(name):
                asked.add(_plain_name(name))
    return asked
