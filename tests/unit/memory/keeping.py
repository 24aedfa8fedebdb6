"""What the tests of the memory share: a workspace, a model that needs no weights, and a memory over both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.memory.api import Hit
from openclaw_kernel.memory.backend import Builtin, open_memory
from openclaw_kernel.memory.embedding.shelf import Opened

OFF = Opened(None, "Semantic search is off: no embedding model is installed.")


class WordModel:
    """Vectors by words: texts that share words are near. Counts what it was asked, may be told to wait or to fail."""

    def __init__(self, model_id: str = "words", dim: int = 256) -> None:
        self.model_id, self.dim, self.window, self.floor = model_id, dim, 256, 0.3
        self.read: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def embed(self, texts: Sequence[str]) -> NDArray[float32]:
        self.before()
        self.read += texts
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> NDArray[float32]:
        vector = np.zeros(self.dim, dtype=np.float32)
        for word in text.casefold().split():
            vector += _word_vector(f"{self.model_id}:{word.strip('.,?!#>-')}", self.dim)
        length = float(np.linalg.norm(vector))
        return vector / np.float32(length) if length else vector


@lru_cache(maxsize=500_000)
def _word_vector(word: str, dim: int) -> NDArray[float32]:
    bits = np.unpackbits(np.frombuffer(hashlib.sha256(word.encode()).digest(), np.uint8))[:dim]
    return bits.astype(np.float32) * 2 - 1


class Hands:
    """A workspace with its memory, whose time is held."""

    def __init__(self, root: Path) -> None:
        self.workspace = root / "workspace"
        self.state = root / "state"
        (self.workspace / "memory").mkdir(parents=True)
        self.now = 1_800_000_000_000
        self.model: WordModel | None = None
        self.spoken: list[Any] = []
        self.progress: list[tuple[int, int]] = []

    def write(self, name: str, text: str) -> Path:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def memory(self, agent_id: str = "main", **settings: Any) -> Builtin:
        merged = Memory().overlaid({"sync": {"watch": False}}, settings)
        return open_memory(
            self.workspace, self.state, agent_id, merged, self.opened, lambda: self.now, spoken=lambda: self.spoken,
            progress=lambda done, whole: self.progress.append((done, whole)),
        )  # fmt: skip

    def opened(self) -> Opened:
        return Opened(self.model) if self.model is not None else OFF


def places(hits: Iterable[Hit]) -> list[str]:
    return [hit.citation for hit in hits]


async def answers(memory: Builtin, queries: Iterable[str], limit: int = 6) -> list[tuple[list[float], list[tuple[str, str]]]]:
    """What a memory says to each query, in a form that does not depend on the ids of chunks: all scores, and the hits but for
    those that share the lowest score of a full list (which of them come in is up to their ids)."""
    found = []
    for query in queries:
        hits = await memory.search(query, limit=limit)
        scores = [round(hit.score, 4) for hit in hits]
        least = scores[-1] if len(scores) == limit else -1.0
        kept = [(hit.citation, hit.text) for hit, score in zip(hits, scores, strict=True) if score > least]
        found.append((scores, sorted(kept)))
    return found
