"""What a person asks of one agent's memory, answered as the wire wants it: the same for a method, a command and a page.

desk = Desk(memories, "main", workspace, memory_folder(state_dir, "main"), clock)
await desk.search("who waters the plants", limit=3)
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeVar, runtime_checkable

from openclaw_kernel.memory.api import KINDS, Hit, Kind, MemoryBackend, MemoryRefused, Selector
from openclaw_kernel.memory.carry import Step, forget_gone, import_notes, undo_import
from openclaw_kernel.memory.export import export_zip
from openclaw_kernel.memory.imports import FILE_NAME as IMPORTS
from openclaw_kernel.memory.imports import Imports
from openclaw_kernel.memory.keeper import Keeper
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.memory.notes import CURATED
from openclaw_kernel.memory.places import Places
from openclaw_kernel.memory.promote import Promoted, promote
from openclaw_kernel.memory.writes import Writes
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import UserError

MAX_EXPORT = 12_000_000
"""Bytes of a zip that a method returns; base64 of it stays below the largest frame (protocol section 3.2)."""

SHORT_ID = 8
"""So much of an id is enough where no other begins with it."""

Forget = Callable[[str, Selector, bool], Awaitable[dict[str, Any]]]
"""Agent, what is to be forgotten, whether conversations go with it: out of everything the house keeps."""

T = TypeVar("T")
_changing = Lock()
"""Imports, undoings and promotions of one process, one at a time."""


@runtime_checkable
class _Booked(Protocol):
    """A back end that keeps the book of writes itself."""

    def keeper(self) -> Keeper: ...


@runtime_checkable
class _Rebuilding(Protocol):
    """A back end whose index can be made anew."""

    async def rebuild(self) -> None: ...


class Desk:
    """Used from the event loop. Every method raises `UserError` with the sentence for the person. `redact` is laid over the
    words of notes."""

    def __init__(
        self,
        memories: Memories,
        agent_id: str,
        workspace: Path,
        folder: Path,
        clock: Clock = system_clock,
        redact: Callable[[str], str] = str,
        forget: Forget | None = None,
    ) -> None:
        self._memories = memories
        self._agent_id = agent_id
        self._workspace = workspace
        self._folder = folder
        self._clock = clock
        self._redact = redact
        self._forget = forget

    # --- looking

    async def status(self) -> dict[str, Any]:
        """Files, chunks, vectors, and the sentence on semantic search (MEM-10)."""
        found = await self._memories.of(self._agent_id).status()
        return {
            "agentId": self._agent_id,
            "workspace": str(self._workspace),
            "backend": found.backend,
            "files": found.files,
            "chunks": found.chunks,
            "semantic": found.semantic,
            "sentence": found.sentence,
            "model": found.model,
            "embedded": found.embedded,
            "waiting": found.waiting,
            "sources": list(self._memories.settings(self._agent_id).sources),
            "problems": list(found.problems),
        }

    async def search(self, query: str, limit: int | None = None, kinds: Sequence[Kind] = ()) -> dict[str, Any]:
        """`results`, best first; `sentence` says when they were found by words alone."""
        from openclaw_kernel.memory.snippet import narrowed  # with it comes numpy

        backend = self._memories.of(self._agent_id)
        wanted = limit or self._memories.settings(self._agent_id).query.max_results
        hits = await backend.search(query, limit=wanted, kinds=frozenset(kinds) or KINDS)
        found = await backend.status()
        return {
            "agentId": self._agent_id,
            "query": query,
            "results": [self._hit(narrowed(hit, query)) for hit in hits],
            "provider": found.backend,
            "model": found.model,
            "semantic": found.semantic,
            "sentence": found.sentence,
        }

    async def get(self, path: str, start: int, lines: int) -> dict[str, Any]:
        part = await self._memories.of(self._agent_id).get(path, start, lines)
        text = self._redact(part.text)
        return {"path": part.path, "startLine": part.start, "endLine": part.end, "text": text, "more": part.more}

    async def log(self, limit: int) -> dict[str, Any]:
        """Writes and imports, newest first; the text of a line is empty when it is not there any more."""
        rows = await asyncio.to_thread(self._log, self._memories.of(self._agent_id))
        return {"agentId": self._agent_id, "entries": rows[:limit], "total": len(rows)}

    async def export(self) -> dict[str, Any]:
        """A zip of the notes with `provenance.jsonl`, in base64."""
        data, files = await asyncio.to_thread(export_zip, self._places(), self._folder)
        if len(data) > MAX_EXPORT:
            raise MemoryRefused(
                f"The notes are {len(data) // 1_000_000} MB, too many to send; run `memory export` on the gateway's machine."
            )
        name = f"memory-{self._agent_id}-{datetime.fromtimestamp(self._clock() / 1000, UTC):%Y-%m-%d}.zip"
        return {"fileName": name, "files": files, "contentType": "application/zip", "data": base64.b64encode(data).decode()}

    # --- changing

    async def index(self, force: bool) -> dict[str, Any]:
        """Takes up what changed; with `force` the index is built anew, vectors of unchanged texts are kept."""
        backend = self._memories.of(self._agent_id)
        if force:
            if not isinstance(backend, _Rebuilding):
                raise MemoryRefused("This memory's back end cannot build its index anew; leave --force out.")
            await backend.rebuild()
        report = await backend.sync()
        return {
            "files": report.files,
            "changed": report.changed,
            "removed": report.removed,
            "chunksAdded": report.chunks_added,
            "chunksRemoved": report.chunks_removed,
            **await self.status(),
        }

    async def forget(self, selector: Selector, sessions: bool = False) -> dict[str, Any]:
        """Out of the whole house where it is at hand, else out of the memory alone."""
        if self._forget is not None:
            answer = await self._forget(self._agent_id, selector, sessions)
        else:
            found = await self._memories.of(self._agent_id).forget(selector)
            answer = {"notes": found.notes, "chunks": found.chunks, "vectors": found.vectors, "files": list(found.files)}
        await _in_thread(self._forget_gone)
        return answer

    async def undo(self, id: str) -> dict[str, Any]:
        """Takes one entry of the log back: a written line, or a whole import."""
        backend = self._memories.of(self._agent_id)
        changed, answer = await _in_thread(lambda: self._undone(id, backend))
        await self._take_up(changed)
        return answer

    async def promote(self, ref: str, triggers: Sequence[str] = ()) -> dict[str, Any]:
        """Brings a note into MEMORY.md; other people's words are refused (MEM-12)."""

        backend = self._memories.of(self._agent_id)

        def work() -> Promoted:
            with _changing, self._writes(backend) as writes:
                wanted = _whole(ref, [one.id for one in writes.rows()])
                return promote(self._places(), writes, wanted, self._clock(), triggers)

        made = await _in_thread(work)
        await self._take_up([CURATED])
        return {"id": made.id, "text": made.text, "source": made.source, "provenance": made.provenance}

    async def bring_in(self, source: str, everything: bool, dry_run: bool) -> dict[str, Any]:
        """Merges the notes of another workspace (MEM-19)."""

        def work() -> tuple[str, list[Step]]:
            with _changing, self._imports() as imports:
                return import_notes(
                    self._places(), imports, Path(source).expanduser(), self._clock(), everything=everything, dry_run=dry_run
                )  # fmt: skip

        id, steps = await _in_thread(work)
        if id:
            await self._take_up([step.path for step in steps if step.action in ("new", "added")])
        rows = [{"path": one.path, "action": one.action, "notes": one.notes, "reason": one.reason} for one in steps]
        return {"id": id, "source": source, "dryRun": dry_run, "files": rows}

    # --- hands

    def _hit(self, hit: Hit) -> dict[str, Any]:
        return {
            "path": hit.path,
            "startLine": hit.line0,
            "endLine": hit.line1,
            "score": round(hit.score, 4),
            "snippet": self._redact(hit.text),
            "source": "sessions" if hit.kind == "session" else "memory",
            "provenance": hit.provenance,
            "heading": hit.heading,
            "citation": hit.citation,
        }

    def _log(self, backend: MemoryBackend) -> list[dict[str, Any]]:
        with self._writes(backend) as writes:
            rows = [
                {"id": row.id, "kind": "write", "path": row.path, "text": self._redact(line), "provenance": row.provenance,
                 "sessionKey": row.session_key, "at": row.at, "state": row.state}
                for row, line in Keeper(self._places(), writes).log()
            ]  # fmt: skip
        with self._imports() as imports:
            for one in imports.rows():
                notes = sum(len(file.notes) for file in one.files)
                rows.append({"id": one.id, "kind": "import", "path": one.source, "files": len(one.files), "notes": notes,
                             "text": f"{notes} notes of {len(one.files)} files", "at": one.at, "state": one.state})  # fmt: skip
        return sorted(rows, key=lambda row: row["at"], reverse=True)

    def _undone(self, id: str, backend: MemoryBackend) -> tuple[list[str], dict[str, Any]]:
        with _changing, self._imports() as imports:
            row = imports.get(_whole(id, [one.id for one in imports.rows()]))
            if row is not None:
                notes, files = undo_import(self._places(), imports, row)
                return files, {"id": id, "kind": "import", "notes": notes, "files": files}
        with _changing, self._writes(backend) as writes:
            id = _whole(id, [one.id for one in writes.rows()])
            path, line = Keeper(self._places(), writes).undo(id)
        return [path], {"id": id, "kind": "write", "notes": 1, "files": [path], "text": self._redact(line)}

    def _forget_gone(self) -> None:
        if (self._folder / IMPORTS).exists():
            with _changing, self._imports() as imports:
                forget_gone(self._places(), imports)

    async def _take_up(self, names: Sequence[str]) -> None:
        if names:
            await self._memories.of(self._agent_id).sync([self._workspace / name for name in names])

    def _places(self) -> Places:
        return Places(self._workspace, self._memories.settings(self._agent_id).extra_paths)

    @contextmanager
    def _writes(self, backend: MemoryBackend) -> Iterator[Writes]:
        if isinstance(backend, _Booked):
            yield backend.keeper().writes
            return
        writes = Writes(self._folder)
        try:
            yield writes
        finally:
            writes.close()

    @contextmanager
    def _imports(self) -> Iterator[Imports]:
        imports = Imports(self._folder)
        try:
            yield imports
        finally:
            imports.close()


def _whole(id: str, known: Sequence[str]) -> str:
    """The only known id that begins so; `id` itself when there is none, or when there are several."""
    found = [one for one in known if len(id) >= SHORT_ID and one.startswith(id)]
    return found[0] if len(found) == 1 else id


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise UserError(f"{error.filename or 'A note'} cannot be read or written: {error.strerror or error}.") from error
