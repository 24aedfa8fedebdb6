"""What the index keeps, as values: sources, chunks, and one change of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from openclaw_kernel.memory.api import Kind, Provenance

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read. `mtime_ns` is -1 while its time of change is too young to be trusted. `tail_offset` and `tail_line`
    are how far a transcript was read; `session_key` is empty for notes."""

    id: int
    kind: Kind
    path: str
    size: int
    mtime_ns: int
    inode: int
    hash: str
    chunker: str
    session_key: str = ""
    tail_offset: int = 0
    tail_line: int = 0
    provenance: Provenance = "owner"


@dataclass(frozen=True, slots=True)
class Row:
    """A chunk with its place; fields as in `chunking.Chunk` and `ram.Entry`."""

    id: int
    source_id: int
    ord: int
    line0: int
    line1: int
    byte0: int
    byte1: int
    heading: str
    hash: str
    digest: int
    tokens: int
    text: str
    day: str = ""
    importance: int = 5
    provenance: Provenance = "owner"


@dataclass(slots=True)
class Change:
    """What one debounce changes, written in one transaction. `moved` are chunks that keep id and text."""

    sources: list[Source] = field(default_factory=list)
    gone_sources: list[int] = field(default_factory=list)
    added: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    next_id: int = 0

    @property
    def empty(self) -> bool:
        return not (self.sources or self.gone_sources or self.added or self.moved or self.removed)


def parts(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
