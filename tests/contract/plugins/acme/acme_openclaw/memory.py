"""A memory back end: the lines of the workspace's notes that hold a word of the query, the most words first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from openclaw_kernel.memory.api import (
    KINDS,
    Excerpt,
    ForgetReport,
    Hit,
    Kind,
    MemoryRefused,
    MemoryStatus,
    Selector,
    SyncReport,
)
from openclaw_kernel.memory.memories import Maker, Wanted


class Lines:
    def __init__(self, wanted: Wanted) -> None:
        self.workspace = wanted.workspace
        self.closed = False

    async def sync(self, changed: Iterable[Path] | None = None) -> SyncReport:
        return SyncReport(files=len(list(self._files())), changed=len(list(changed or ())))

    async def search(self, query: str, *, limit: int = 6, kinds: frozenset[Kind] = KINDS) -> list[Hit]:
        if "explode" in query:
            raise RuntimeError("acme's memory is on fire")
        words = set(query.casefold().split())
        hits = []
        for path in self._files():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if shared := words & set(line.casefold().split()):
                    hits.append(Hit(self._name(path), number, number, f"acme knows: {line}", float(len(shared))))
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    async def get(self, path: str, start: int = 1, lines: int = 120) -> Excerpt:
        for file in self._files():
            if self._name(file) == path:
                rows = file.read_text().splitlines()
                window = rows[start - 1 : start - 1 + lines]
                return Excerpt(path, start, start + len(window) - 1, "\n".join(window), start - 1 + lines < len(rows))
        raise MemoryRefused(f"{path!r} is not a note that acme knows.")

    async def forget(self, selector: Selector) -> ForgetReport:
        raise MemoryRefused("acme forgets nothing; edit the notes.")

    async def status(self) -> MemoryStatus:
        count = len(list(self._files()))
        return MemoryStatus("acme", count, count, False, "Semantic search is off: acme only compares words.")

    async def close(self) -> None:
        self.closed = True

    def _files(self) -> Iterator[Path]:
        for path in (self.workspace / "MEMORY.md", *sorted((self.workspace / "memory").glob("*.md"))):
            if path.is_file():
                yield path

    def _name(self, path: Path) -> str:
        return path.relative_to(self.workspace).as_posix()


def lines() -> Maker:
    return Lines
