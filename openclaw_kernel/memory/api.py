"""What the house asks of a memory: sync, search, get, forget, status. A back end is a plugin kind; the built-in one keeps
Markdown as the truth, DuckDB as its durable index and answers from RAM.

    hits = await memory.search("who waters the plants", limit=3)
    hits[0].citation        # "memory/2026-11-20.md#L4"
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from openclaw_kernel.values.errors import UserError

Kind = Literal["memory", "session"]
"""Where a chunk comes from: a Markdown file of the workspace, or a transcript."""

Provenance = Literal["owner", "agent", "untrusted", "system"]
"""Whose words a chunk holds (MEM-12). Untrusted text is never promoted."""

KINDS: frozenset[Kind] = frozenset({"memory", "session"})
RESULTS = 6
"""Hits of one search unless asked otherwise (MEM-05)."""
WINDOW_LINES = 120
WINDOW_CHARS = 12_000
"""The largest excerpt (MEM-08)."""


class MemoryRefused(UserError):
    """A path that is no note, an empty selector, an index that another process owns; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk that answers a query. `path` is relative to the workspace (a session key for kind `session`), lines count from
    1 and include both ends, `score` is comparable within one search only."""

    path: str
    line0: int
    line1: int
    text: str
    score: float
    kind: Kind = "memory"
    provenance: Provenance = "owner"
    heading: str = ""
    day: str = ""

    @property
    def citation(self) -> str:
        """`path#Lfirst-Llast`, one line as `path#Lfirst` (MEM-09)."""
        span = f"#L{self.line0}" if self.line0 == self.line1 else f"#L{self.line0}-L{self.line1}"
        return self.path + span


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines `start` to `end` of a note; `more` when the file goes on behind them."""

    path: str
    start: int
    end: int
    text: str
    more: bool


@dataclass(frozen=True, slots=True)
class Selector:
    """What to forget (MEM-14): a session by its key, notes of one path, or every chunk that holds a text. One is set.
    `mark` stands for a text that a crash kept from being forgotten, see `forget.mark_of`."""

    session_key: str = ""
    path: str = ""
    text: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync did, in counts. `waiting` chunks have no vector yet."""

    files: int = 0
    changed: int = 0
    removed: int = 0
    chunks_added: int = 0
    chunks_removed: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """What is gone, in counts, and the files that were rewritten for it."""

    notes: int = 0
    chunks: int = 0
    vectors: int = 0
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemoryStatus:
    """`sentence` says in plain words whether semantic search is on, and if not, how to switch it on (MEM-10)."""

    backend: str
    files: int
    chunks: int
    semantic: bool
    sentence: str
    model: str = ""
    embedded: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = field(default_factory=tuple)


class MemoryBackend(Protocol):
    """The memory of one agent's workspace. All of it may be awaited on the event loop; what takes long runs in a thread."""

    async def sync(self, changed: Iterable[Path] | None = None) -> SyncReport:
        """Takes up what changed on disk; `None` looks at every file."""

    async def search(self, query: str, *, limit: int = RESULTS, kinds: frozenset[Kind] = KINDS) -> list[Hit]: ...

    async def get(self, path: str, start: int = 1, lines: int = WINDOW_LINES) -> Excerpt:
        """Raises `MemoryRefused` for a path that is no note of this workspace."""

    async def forget(self, selector: Selector) -> ForgetReport: ...

    async def status(self) -> MemoryStatus: ...

    async def close(self) -> None: ...
