"""Vectors for what has none, in the background (MEM-02): words are searchable at once, meaning as the model gets there.

A changed model fills its own vectors beside the old ones; searches go on with the old until every text has a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from openclaw_kernel.memory.chunking import embedded_text
from openclaw_kernel.memory.embedding.api import Embedder, EmbeddingError
from openclaw_kernel.memory.records import Row, parts

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    from openclaw_kernel.memory.embedding.shelf import Opened
    from openclaw_kernel.memory.engine import Engine

Progress = Callable[[int, int], None]
"""Told how many texts have a vector, of how many."""
Run = Callable[..., Awaitable[Any]]
BATCH = 32
LOOK = 512
"""Texts that are looked up at once: in a large index the look-up costs as much as many vectors."""
FEW = 64
"""Texts that get their vectors at once when they come, before they are on disk; more wait for their turn."""
SHOWN_S = 2.0
"""How long a first search waits for kept vectors."""
COUNTED_S = 5.0
"""How long a status waits for the model to be looked for."""

log = logging.getLogger(__name__)


class Filling:
    """Used from the event loop. `query_embedder` is the model whose vectors are searched now, `waiting` how many chunks have
    none of the wanted model, `problem` what kept it from going on."""

    def __init__(self, embedding: Callable[[], Opened], run: Run, progress: Progress) -> None:
        self._embedding = embedding
        self._run = run
        self._progress = progress
        self._hands: ThreadPoolExecutor | None = None
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._reason = ""
        self._shown = asyncio.Event()
        self._ahead: dict[tuple[str, str], NDArray[float32]] = {}
        self._hurried = 0
        self._making = Lock()
        self._counted = asyncio.Event()
        self.query_embedder: Embedder | None = None
        self.waiting = 0
        self.problem = ""

    @property
    def running(self) -> bool:
        return self._task is not None

    @property
    def model_id(self) -> str:
        return self.query_embedder.model_id if self.query_embedder else ""

    def start(self, engine: Engine) -> None:
        """Looks for texts without a vector; while it is at it, once more behind that."""
        self._hurried = 0
        if self._task is not None:
            self._again = True
            return
        self._counted.clear()
        self._task = asyncio.ensure_future(self._fill(engine))
        self._task.add_done_callback(lambda task: self._ended(task, engine))

    async def stop(self) -> None:
        self._again = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._hands is not None:
            self._hands.shutdown(wait=False)
            self._hands = None

    def hurry(self, engine: Engine, rows: Sequence[Row]) -> None:
        """Vectors for a few texts that have just come, on the thread that embeds; the thread of the index asks."""
        embedder = self.query_embedder
        self._hurried += len(rows)
        if embedder is None or self._hurried > FEW:
            return
        kept = engine.durable.kept(embedder.model_id, [row.hash for row in rows])
        new = [row for row in rows if row.hash not in kept]
        if new:
            with suppress(RuntimeError):  # it ends just now
                self._embedding_thread().submit(self._show_ahead, engine, embedder, new)

    def _show_ahead(self, engine: Engine, embedder: Embedder, rows: list[Row]) -> None:
        try:
            matrix = embedder.embed([embedded_text(row.heading, row.text) for row in rows])
        except EmbeddingError as error:
            log.info("left to the filling, which says what is wrong: %s", error)
            return
        engine.ram.set_vectors(embedder.model_id, embedder.dim, [row.id for row in rows], matrix, anew=False)
        for row, vector in zip(rows, matrix, strict=True):
            self._ahead[embedder.model_id, row.hash] = vector

    async def wait(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def shown(self) -> None:
        """Returns once the kept vectors can be searched, or a while later all the same."""
        if not self._shown.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._shown.wait(), SHOWN_S)

    async def counted(self) -> None:
        """Returns once it is known which model there is and how many texts wait for it, or a while later all the same."""
        if self._task is not None and not self._counted.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._counted.wait(), COUNTED_S)

    def sentence(self, chunks: int) -> str:
        """Whether semantic search is on, and if not, how to switch it on (MEM-10)."""
        if self.problem:
            return f"Semantic search is off: {self.problem}"
        if self.query_embedder is None:
            return self._reason or "Semantic search is off: no embedding model is installed."
        if self.waiting:
            return f"Semantic search is on; {self.waiting} of {chunks} chunks wait for their vectors."
        return "Semantic search is on."

    async def _fill(self, engine: Engine) -> None:
        opened = await asyncio.to_thread(self._embedding)
        embedder = opened.embedder
        self._reason = opened.reason
        if embedder is None:
            self.query_embedder, self.waiting = None, 0
            self._shown.set()
            self._counted.set()
            return
        total = len(engine.ram)
        self.waiting = await self._run(engine.durable.waiting, embedder.model_id)
        current = self.query_embedder
        aside = current is not None and current.model_id != embedder.model_id and engine.ram.embedded > 0
        if not aside:
            await self._run(engine.show_vectors, embedder)
            self.query_embedder = embedder
        self._shown.set()
        self._counted.set()
        while True:
            rows = await self._run(engine.durable.unembedded, embedder.model_id, LOOK)
            for part in parts(rows, BATCH):
                matrix = await asyncio.get_running_loop().run_in_executor(
                    self._embedding_thread(), self._vectors, embedder, part
                )
                filled = await self._run(engine.put_vectors, embedder, [row[0] for row in part], matrix, not aside)
                self.waiting = max(0, self.waiting - filled)
                self._progress(max(0, total - self.waiting), total)
            if len(rows) < LOOK:
                break
        if not self._again:
            self.waiting = 0
        if aside:
            await self._run(engine.show_vectors, embedder)
            self.query_embedder = embedder
        self.problem = ""
        self._ahead.clear()

    def _embedding_thread(self) -> ThreadPoolExecutor:
        """A thread of its own: a query must not wait behind a batch of notes."""
        with self._making:
            if self._hands is None:
                self._hands = ThreadPoolExecutor(1, "openclaw-embedding")
            return self._hands

    def _vectors(self, embedder: Embedder, texts: Sequence[tuple[str, str, str]]) -> NDArray[float32]:
        """Of `(hash, heading, text)` each; what was made ahead is not made again."""
        import numpy as np

        made = {hash: self._ahead.pop((embedder.model_id, hash), None) for hash, _, _ in texts}
        left = [(hash, embedded_text(heading, text)) for hash, heading, text in texts if made[hash] is None]
        if left:
            made.update(zip((hash for hash, _ in left), embedder.embed([text for _, text in left]), strict=True))
        return np.stack([vector for vector in made.values() if vector is not None]).astype(np.float32, copy=False)

    def _ended(self, task: asyncio.Task[None], engine: Engine) -> None:
        self._task = None
        self._shown.set()
        self._counted.set()
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, EmbeddingError):
            self.problem = str(error)
            log.warning("notes have no vectors for now: %s", error)
        elif error is not None:
            self.problem = f"{type(error).__name__}: {error}"
            log.error("notes have no vectors for now", exc_info=error)
        elif self._again:
            self._again = False
            self.start(engine)
