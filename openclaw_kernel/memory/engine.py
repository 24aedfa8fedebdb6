"""The blocking half of the built-in memory: the durable index, the one that answers, and the files, kept in step.

One thread calls everything but `find`, which any thread may call at any time. numpy and duckdb are loaded by importing this
module, so a memory imports it on first use.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.memory.api import Hit, Kind, SyncReport
from openclaw_kernel.memory.chunking import digest_of
from openclaw_kernel.memory.durable import Durable
from openclaw_kernel.memory.exclusions import Exclusions
from openclaw_kernel.memory.places import Places
from openclaw_kernel.memory.quiet import collector_resting
from openclaw_kernel.memory.ram import Entry, RamIndex
from openclaw_kernel.memory.ranking import Options
from openclaw_kernel.memory.records import Row, Source, parts
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.memory.salvage import open_index
from openclaw_kernel.memory.sidefiles import SideFiles
from openclaw_kernel.memory.sync import Syncer
from openclaw_kernel.memory.writes import Writes
from openclaw_kernel.values.clock import Clock

if TYPE_CHECKING:
    from openclaw_kernel.memory.embedding.api import Embedder

INDEX = "index.duckdb"
LOAD = 100
"""Chunks taken into the answering index at once, about 3 ms."""

UNSAVED_LEAST = 1_000
"""Changes below which writing the side files before the end is not worth it."""

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A hit whose text may still be missing: `id` asks the durable index for it."""

    id: int
    hit: Hit
    whole: bool


class Engine:
    """One agent's index, open. `problem` says why it was made anew, if it was; `arrived` is told, on the thread that calls, of
    chunks that can be found by their words since a moment, before they are on disk; not while the first build goes on."""

    def __init__(
        self,
        folder: Path,
        places: Places,
        settings: Memory,
        writes: Writes,
        clock: Clock,
        halted: Callable[[], bool] = lambda: False,
    ) -> None:
        opened = open_index(folder / INDEX)
        self.durable: Durable = opened.durable
        self.problem = opened.problem
        self.places = places
        self.settings = settings
        self.writes = writes
        self.exclusions = Exclusions(folder)
        self.ram: RamIndex = RamIndex()
        self._files = SideFiles(folder)
        self._building = False
        self.arrived: Callable[[list[Row]], None] = lambda _rows: None
        self._moved: dict[int, Entry] = {}
        self._unsaved = 0
        self.syncer = Syncer(
            self.durable,
            places,
            self._apply,
            clock,
            tokens=settings.chunking.tokens,
            overlap=settings.chunking.overlap,
            voices=writes.voices,
            excluded=self.exclusions.__contains__,
            halted=halted,
        )
        with collector_resting():
            self._load()

    # --- files

    def sync(self, changed: Iterable[Path] | None, spoken: Sequence[Spoken] | None = None) -> SyncReport:
        """See `Syncer.sync`."""
        self._building = changed is None and not len(self.ram)
        if not self._building:
            return self.syncer.sync(changed, spoken)
        with collector_resting():
            return self.syncer.sync(None, spoken)

    def tidy(self) -> None:
        """Compacts what has grown ragged, and writes the side files once a fifth of the chunks is not in them."""
        if self.durable.wasteful():
            self.durable.rewrite()
        if self.ram.wants_compaction:
            with collector_resting():
                self.ram.compact()
        if self._unsaved > UNSAVED_LEAST and self._unsaved * 5 > len(self.ram):
            self.save()

    def save(self) -> None:
        """Writes the side files, from which the next start is quick."""
        self._files.write(self.ram, self.durable, self._moved)
        self._unsaved = 0

    def drop(self, ids: Sequence[int]) -> None:
        """Chunks that no search returns any more."""
        self._apply([], [], ids)

    def forget_side_files(self) -> None:
        """No trace of a removed chunk stays in memory or in a side file."""
        self._files.remove()
        self.ram.relearn(f"{row.heading}\n{row.text}" for row in self.durable.rows())
        self.ram.compact()
        self.save()

    def abandon(self) -> None:
        """Closes what is open and writes nothing more."""
        self.exclusions.close()
        with suppress(duckdb.Error):
            self.durable.close()

    def close(self) -> None:
        if self._unsaved:
            self.save()
        self.exclusions.close()
        self.durable.close()

    # --- search

    def find(
        self,
        query: str,
        vector: NDArray[float32] | None,
        limit: int,
        kinds: frozenset[Kind],
        now: int,
        floor: float,
    ) -> list[Answer]:
        """The best hits with their texts out of the files; any thread."""
        wanted = self.settings.query
        decay = wanted.hybrid.temporal_decay
        options = Options(
            rule=wanted.hybrid.rule,
            half_life_days=float(decay.half_life_days) if decay.enabled else 0.0,
            mmr=wanted.hybrid.mmr.lambda_ if wanted.hybrid.mmr.enabled else 0.0,
            floor=floor,
        )
        found = self.ram.search(query, vector, limit=limit, kinds=kinds, now=now, options=options)
        least = wanted.min_score
        scores = {one.id: one.score for one in found if least is None or one.score >= least}
        places = self.ram.places(list(scores))  # without what was removed between the search and now
        return [self._answer(self._moved.get(entry.id, entry), scores[entry.id]) for entry in places]

    def place(self, id: int) -> Entry:
        """Where a chunk is now. Raises `KeyError`."""
        entry = self.ram.get(id)
        return self._moved.get(id, entry)

    def texts(self, ids: Sequence[int]) -> dict[int, str]:
        """Texts as they were indexed."""
        return {row.id: row.text for row in self.durable.rows(ids=ids)}

    def _answer(self, entry: Entry, score: float) -> Answer:
        raw = self._bytes(entry) if entry.kind == "memory" else None
        whole = raw is not None and digest_of(raw) == entry.digest
        text = raw.decode("utf-8", "replace") if raw is not None and whole else ""
        hit = Hit(entry.path, entry.line0, entry.line1, text, score, entry.kind, entry.provenance, entry.heading, entry.day)
        return Answer(entry.id, hit, whole)

    def _bytes(self, entry: Entry) -> bytes | None:
        """The bytes that lie where the chunk was in its file; `None` when there is no such file. Whatever has come into its
        place, or a link leads to, is told from the chunk by its digest; a pipe is not waited for."""
        try:
            file = os.open(os.path.join(self.places.workspace, entry.path), _READ)
        except OSError:
            return None
        try:
            return os.pread(file, entry.byte1 - entry.byte0, entry.byte0)
        except OSError:
            return None
        finally:
            os.close(file)

    # --- vectors

    def show_vectors(self, embedder: Embedder) -> None:
        """Takes the model's kept vectors into the answering index, for every chunk that has none of it yet."""
        model = embedder.model_id
        missing = self.ram.without_vector() if self.ram.model_id == model else self.ram.ids()
        if not missing:
            return
        few = len(missing) * 4 < len(self.ram)
        batches = (
            (batch for ids in parts(missing, 1_000) for batch in self.durable.vectors(model, ids))
            if few
            else self.durable.vectors(model)
        )
        for ids, matrix in batches:
            self.ram.set_vectors(model, embedder.dim, ids, matrix)
            self._unsaved += len(ids)

    def put_vectors(self, embedder: Embedder, hashes: Sequence[str], matrix: NDArray[float32], show: bool) -> int:
        """Keeps vectors by the text they are of; `show` also lets searches see them. Returns of how many chunks they are."""
        rows = dict(zip(hashes, matrix, strict=True))
        found = self.durable.having(hashes)
        if show and found:
            chunk_rows = np.stack([rows[name] for _, name in found]).astype(np.float32)
            self.ram.set_vectors(embedder.model_id, embedder.dim, [id for id, _ in found], chunk_rows)
            self._unsaved += len(found)
        self.durable.put_vectors(embedder.model_id, hashes, matrix)  # a lost one is only embedded again
        return len(found)

    # --- loading

    def _load(self) -> None:
        """Side files first; what came, went or moved since is in the durable index."""
        sources = {one.id: one for one in self.syncer.sources.values()}
        loaded = self._files.read(self.durable)
        if loaded is None:
            self._add((sources[row.source_id], row) for row in self.durable.rows())
            return
        self.ram = loaded.ram
        moved = list(self.durable.rows(ids=loaded.moved))
        if loaded.revision != self.durable.revision:
            alive, known = self.durable.chunk_ids(), np.array(self.ram.ids(), np.int64)
            self.ram.remove(np.setdiff1d(known, alive, assume_unique=True).tolist())
            new = set(np.setdiff1d(alive, known, assume_unique=True).tolist())
            self._add((sources[row.source_id], row) for row in self.durable.rows(ids=sorted(new)))
            moved += [row for row in self.durable.rows(after=loaded.revision) if row.id not in new]
        for row in moved:
            self._moved[row.id] = replace(_entry(sources[row.source_id], row), text="")

    def _add(self, rows: Iterable[tuple[Source, Row]]) -> None:
        batch: list[Entry] = []
        for source, row in rows:
            batch.append(_entry(source, row))
            self._unsaved += 1
            if len(batch) >= LOAD:
                self.ram.add(batch)
                batch = []
        self.ram.add(batch)

    def _apply(self, added: Sequence[tuple[Source, Row]], moved: Sequence[tuple[Source, Row]], removed: Sequence[int]) -> None:
        self._add(added)
        if added and not self._building:
            self.arrived([row for _, row in added])
        for source, row in moved:
            self._moved[row.id] = replace(_entry(source, row), text="")
        self.ram.remove(removed)
        for id in removed:
            self._moved.pop(id, None)
        self._unsaved += len(moved) + len(removed)


def _entry(source: Source, row: Row) -> Entry:
    path = source.session_key or source.path
    return Entry(
        row.id, row.text, row.heading, path, source.kind, row.day, row.importance, row.provenance,
        row.line0, row.line1, row.byte0, row.byte1, row.digest,
    )  # fmt: skip
