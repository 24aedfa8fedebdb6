"""The built-in memory, `builtin`: the asynchronous face of `engine.Engine`.

    memory = open_memory(workspace, state_dir, "main", settings, lambda: shelf.open())
    hits = await memory.search("who waters the plants")

Nothing is loaded before the first call. All DuckDB work runs on one thread of its own, searches on threads of the loop.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.memory.api import (
    KINDS,
    RESULTS,
    WINDOW_CHARS,
    WINDOW_LINES,
    Excerpt,
    ForgetReport,
    Hit,
    Kind,
    MemoryStatus,
    Provenance,
    Selector,
    SyncReport,
)
from openclaw_kernel.memory.durable import BrokenIndex
from openclaw_kernel.memory.embedding.api import Embedder, EmbeddingError
from openclaw_kernel.memory.filling import Filling, Progress
from openclaw_kernel.memory.keeper import Keeper
from openclaw_kernel.memory.notes import Note
from openclaw_kernel.memory.places import MAX_FILE_BYTES, Places
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.memory.watch import Watch
from openclaw_kernel.memory.writes import Writes, provenance_of
from openclaw_kernel.values.clock import Clock, system_clock

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    from openclaw_kernel.memory.embedding.shelf import Opened
    from openclaw_kernel.memory.engine import Answer, Engine

T = TypeVar("T")
NAME = "builtin"
SMALL = 500
"""Up to so many files a search looks at their stats first: about 3 ms."""

FIRST_WAIT_S = 10.0
"""How long the first call waits for the first build; after that it answers from what is there."""

log = logging.getLogger(__name__)


def memory_folder(state_dir: Path, agent_id: str) -> Path:
    """Where an agent's index, its side files and its ledgers are."""
    return state_dir / "memory" / agent_id


def open_memory(
    workspace: Path,
    state_dir: Path,
    agent_id: str,
    settings: Memory,
    embedding: Callable[[], Opened],
    clock: Clock = system_clock,
    *,
    spoken: Callable[[], Sequence[Spoken]] = lambda: (),
    progress: Progress = lambda _done, _all: None,
) -> Builtin:
    """The memory of one agent; opened in truth by its first call. `spoken` names the transcripts that may be searched, and is
    asked on the event loop; `progress` hears how many texts have a vector."""
    return Builtin(workspace, memory_folder(state_dir, agent_id), settings, embedding, clock, spoken, progress)


class Builtin:
    """`MemoryBackend` over Markdown, DuckDB and an index in memory."""

    def __init__(
        self,
        workspace: Path,
        folder: Path,
        settings: Memory,
        embedding: Callable[[], Opened],
        clock: Clock,
        spoken: Callable[[], Sequence[Spoken]],
        progress: Progress,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.places = Places(workspace, settings.extra_paths)
        self._clock = clock
        self._talks = spoken
        self._spoken = spoken if "sessions" in settings.sources else None
        self._hands = ThreadPoolExecutor(1, "openclaw-memory")
        self._engine: Engine | None = None
        self._keeper: Keeper | None = None
        self._booking = Lock()
        self._opening = asyncio.Lock()
        self._syncs = 0
        self._watch: Watch | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._filling = Filling(embedding, self._run, progress)
        self._closed = False

    # --- the contract

    async def sync(self, changed: Iterable[Path] | None = None) -> SyncReport:
        """See `MemoryBackend.sync`. Without `changed` the transcripts are looked at too."""
        engine = await self._open()
        report = await self._sync(engine, None if changed is None else list(changed))
        return replace(report, waiting=self._filling.waiting)

    async def search(self, query: str, *, limit: int = RESULTS, kinds: frozenset[Kind] = KINDS) -> list[Hit]:
        """See `MemoryBackend.search`. Nothing a person changed before the call is missed while there are few files."""
        engine = await self._open()
        await self._filling.shown()
        ask = functools.partial(self._asked, engine, query, limit, kinds, self._filling.query_embedder, self._clock())
        look = self.settings.sync.on_search and not self._syncs and len(engine.syncer.sources) <= SMALL
        spoken = list(self._spoken()) if self._spoken is not None and look else []
        answers = await asyncio.to_thread(ask, spoken if look else None)
        if answers is None:
            await self._sync(engine, None)
            answers = await asyncio.to_thread(ask, None) or []
        missing = [answer for answer in answers if not answer.whole]
        if not missing:
            return [answer.hit for answer in answers]
        texts = await self._run(engine.texts, [answer.id for answer in missing])
        changed = {self.places.workspace / answer.hit.path for answer in missing if answer.hit.kind == "memory"}
        if changed:
            self._background(self._sync(engine, list(changed)))
        hits = (answer.hit if answer.whole else replace(answer.hit, text=texts.get(answer.id, "")) for answer in answers)
        return [hit for hit in hits if hit.text]

    async def get(self, path: str, start: int = 1, lines: int = WINDOW_LINES) -> Excerpt:
        """See `MemoryBackend.get`."""
        return await asyncio.to_thread(self._excerpt, path, max(1, start), max(1, min(lines, WINDOW_LINES)))

    async def forget(self, selector: Selector) -> ForgetReport:
        """See `MemoryBackend.forget`; raises `MemoryRefused` for a selector that names nothing or several things."""
        from openclaw_kernel.memory.forget import forget

        engine = await self._open()
        await self._filling.stop()
        self._syncs += 1
        try:
            return await self._run(forget, engine, selector, self._clock(), list(self._talks()))
        finally:
            self._syncs -= 1
            self._filling.start(engine)

    async def status(self) -> MemoryStatus:
        engine = await self._open()
        await self._filling.counted()
        sources, chunks = len(engine.syncer.sources), len(engine.ram)
        sentence = self._filling.sentence(chunks)
        problems = [*engine.syncer.problems.values(), *([engine.problem] if engine.problem else [])]
        return MemoryStatus(
            NAME,
            sources,
            chunks,
            self._filling.query_embedder is not None and not self._filling.problem,
            sentence,
            self._filling.model_id,
            engine.ram.embedded,
            self._filling.waiting,
            tuple(problems),
        )

    async def close(self) -> None:
        """Ends the watching and the filling, and closes the file; a long sync stops at its next file. A second call does
        nothing."""
        if self._closed:
            return
        self._closed = True
        if self._watch is not None:
            self._watch.close()
        await self._filling.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with self._opening:
            if self._engine is not None:
                engine, self._engine = self._engine, None
                await self._run(engine.close)
        if self._keeper is not None:
            self._keeper.writes.close()
        self._hands.shutdown(wait=False)

    # --- writing

    async def append(self, text: str, provenance: Provenance, session_key: str, now: datetime) -> Note:
        """Adds one line to the day's note and says whose it is; searchable when this returns, if the memory is open.

        Raises `ToolPathError`, `OSError` and `StoreError`."""
        note = await asyncio.to_thread(self.keeper().append, text, provenance, session_key, now, self._clock())
        if self._engine is not None:
            await self._sync(self._engine, [self.places.workspace / note.path])
        return note

    async def undo(self, id: str) -> str:
        """Takes a written line back; returns its text. Raises `MemoryRefused`."""
        path, text = await asyncio.to_thread(self.keeper().undo, id)
        if self._engine is not None:
            await self._sync(self._engine, [self.places.workspace / path])
        return text

    async def whose(self, part: Excerpt) -> Provenance:
        """The least trusted writer of an excerpt's lines."""
        keeper = await asyncio.to_thread(self.keeper)
        return provenance_of(part.text, keeper.writes.voices(part.path))

    def keeper(self) -> Keeper:
        """The book of what was written; opening it reads a file."""
        with self._booking:
            if self._keeper is None:
                self._keeper = Keeper(self.places, Writes(self.folder))
            return self._keeper

    async def rebuild(self) -> None:
        """Throws the index away; the next call builds it from the notes. Vectors of unchanged texts are kept."""
        await self._abandon(await self._open())
        async with self._opening:
            if self._engine is None:
                await self._run(self._start_over)

    # --- hands

    async def settled(self) -> None:
        """Returns once nothing is under way: syncs, and vectors for every chunk."""
        while self._tasks or self._filling.running:
            await asyncio.gather(*self._tasks, self._filling.wait(), return_exceptions=True)
        await self._run(lambda: None)

    async def _open(self) -> Engine:
        """The engine; the first call makes it and takes up every file."""
        if self._engine is not None:
            return self._engine
        async with self._opening:
            if self._engine is None:
                engine = await self._run(self._build)
                first = asyncio.ensure_future(self._sync(engine, None))
                self._background(first)
                large = len(engine.syncer.sources) > SMALL  # and known: it answers from what it knows while files are looked at
                await asyncio.wait({first}, timeout=0 if large else FIRST_WAIT_S)
                self._engine = engine
                if self.settings.sync.watch:
                    self._watch = Watch(self.places.watched, self._touched, self.settings.sync.watch_debounce_ms)
                    self._watch.start()
        return self._engine

    def _build(self) -> Engine:
        from openclaw_kernel.memory.engine import Engine

        engine = Engine(self.folder, self.places, self.settings, self.keeper().writes, self._clock, lambda: self._closed)
        engine.arrived = functools.partial(self._filling.hurry, engine)
        return engine

    def _start_over(self) -> None:
        from openclaw_kernel.memory.engine import INDEX
        from openclaw_kernel.memory.salvage import start_over

        start_over(self.folder / INDEX)

    async def _sync(self, engine: Engine, changed: list[Path] | None) -> SyncReport:
        spoken = list(self._spoken()) if self._spoken is not None and changed is None else None
        self._syncs += 1
        try:
            report = await self._run(engine.sync, changed, spoken)
        except BrokenIndex:
            await self._abandon(engine)
            raise
        finally:
            self._syncs -= 1
        if report.chunks_added or report.chunks_removed:
            self._background(self._run(engine.tidy))
        self._filling.start(engine)
        return report

    async def _abandon(self, engine: Engine) -> None:
        """Lets go of an index that can no longer be written; the next call opens it anew, or makes another."""
        if self._engine is engine:
            self._engine = None
        if self._watch is not None:
            self._watch.close()
        await self._filling.stop()
        await self._run(engine.abandon)

    def _asked(
        self,
        engine: Engine,
        query: str,
        limit: int,
        kinds: frozenset[Kind],
        embedder: Embedder | None,
        now: int,
        spoken: Sequence[Spoken] | None,
    ) -> list[Answer] | None:
        """On one thread, as every change of threads costs more than a search: `None` when files differ from what is known
        (looked at unless `spoken` is `None`), else the answers."""
        if spoken is not None and engine.syncer.stale(spoken):
            return None
        vector, floor = self._vector(query, embedder)
        return engine.find(query, vector, limit, kinds, now, floor)

    def _vector(self, query: str, embedder: Embedder | None) -> tuple[NDArray[float32] | None, float]:
        """The query as the model sees it, with the cosine that is noise; `None` without a model or vectors."""
        if embedder is None:
            return None, 0.0
        try:
            return embedder.embed_query(query), embedder.floor
        except EmbeddingError as error:
            log.warning("searched by words alone: %s", error)
            self._filling.problem = str(error)
            return None, 0.0

    def _touched(self, paths: set[Path]) -> None:
        if self._engine is not None:
            self._background(self._sync(self._engine, list(paths)))

    def _excerpt(self, name: str, start: int, lines: int) -> Excerpt:
        file = self.places.resolve(name)
        with file.path.open("rb") as handle:
            rows = handle.read(MAX_FILE_BYTES).decode("utf-8", "replace").splitlines()
        window = rows[start - 1 : start - 1 + lines]
        text = "\n".join(window)
        if len(text) > WINDOW_CHARS:
            text = text[:WINDOW_CHARS]
            window = text.split("\n")
        end = start + max(len(window), 1) - 1
        return Excerpt(file.name, start, end, text, end < len(rows))

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        """On the thread that owns the index."""
        return await asyncio.get_running_loop().run_in_executor(self._hands, functools.partial(work, *arguments))

    def _background(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the memory in %s could not be brought up to date: %s", self.folder, error, exc_info=error)
