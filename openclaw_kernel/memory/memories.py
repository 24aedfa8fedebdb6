"""The memories of all agents: one a workspace, opened with its first use, closed together.

memories = Memories(settings_of, workspace_of, state_dir, embedding_of)
hits = await memories.of("main").search("who waters the plants")
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.memory.api import Excerpt, Hit, MemoryBackend, Provenance
from openclaw_kernel.memory.backend import NAME, memory_folder, open_memory
from openclaw_kernel.memory.filling import Progress
from openclaw_kernel.memory.notes import Note, Notes
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_kernel.memory.embedding.shelf import Opened

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a back end is made of: whose memory, over which workspace, and a folder of its own for what it keeps."""

    agent_id: str
    workspace: Path
    folder: Path
    settings: Memory


Maker = Callable[[Wanted], MemoryBackend]


@runtime_checkable
class Writing(Protocol):
    """A back end that books what is written; for one that does not, the line goes into the note alone."""

    async def append(self, text: str, provenance: Provenance, session_key: str, now: datetime) -> Note: ...

    async def whose(self, part: Excerpt) -> Provenance: ...


@dataclass(slots=True)
class _Open:
    settings: Memory
    backend: MemoryBackend


@dataclass(frozen=True, slots=True)
class House:
    """What memories ask of the layers above; every part may be left out. `spoken` names an agent's private transcripts,
    `tainted` and `taint` know the sessions that met other people's words, `progress` hears of vectors, `makers` are further
    back ends."""

    spoken: Callable[[str], Sequence[Spoken]] = lambda _agent: ()
    tainted: Callable[[str], bool] = lambda _key: False
    taint: Callable[[str, str], None] = lambda _key, _tool: None
    progress: Callable[[str], Progress] = lambda _agent: lambda _done, _all: None
    makers: Mapping[str, Maker] = field(default_factory=dict)


class Memories:
    """Used from the event loop. `settings`, `workspace` and `embedding` are asked when a memory is opened; one whose settings
    have changed since is opened anew."""

    def __init__(
        self,
        settings: Callable[[str], Memory],
        workspace: Callable[[str], Path],
        state_dir: Path,
        embedding: Callable[[Memory], Callable[[], Opened]],
        clock: Clock = system_clock,
        house: House | None = None,
    ) -> None:
        self.settings = settings
        self.house = house or House()
        self._workspace = workspace
        self._state_dir = state_dir
        self._embedding = embedding
        self._clock = clock
        self.on_recall: list[Callable[[str, str, Sequence[Hit]], None]] = []
        """Hear the agent, the query and the hits of every search that the assistant makes for its owner."""
        self._open: dict[str, _Open] = {}
        self._closing: set[asyncio.Future[None]] = set()

    def of(self, agent_id: str) -> MemoryBackend:
        """The agent's memory; nothing is read before its first call. Raises `UserError` when it is switched off, or when its
        back end is unknown."""
        settings = self.settings(agent_id)
        held = self._open.get(agent_id)
        if held is not None and held.settings == settings:
            return held.backend
        backend = self._made(agent_id, settings)
        if held is not None:
            self._let_go(held.backend)
        self._open[agent_id] = _Open(settings, backend)
        return backend

    def opened(self) -> dict[str, MemoryBackend]:
        """The memories that are in use, by agent."""
        return {agent_id: held.backend for agent_id, held in self._open.items()}

    async def append(self, agent_id: str, text: str, provenance: Provenance, session_key: str, now: datetime) -> Note:
        """Adds one line to the day's note. Raises `ToolPathError`, `OSError`, `StoreError`, and `UserError` as `of` does."""
        backend = self.of(agent_id)
        if isinstance(backend, Writing):
            return await backend.append(text, provenance, session_key, now)
        note = await asyncio.to_thread(Notes(self._workspace(agent_id)).append, text, now)
        await backend.sync([self._workspace(agent_id) / note.path])
        return note

    async def whose(self, agent_id: str, part: Excerpt) -> Provenance:
        """The least trusted writer of an excerpt's lines."""
        backend = self.of(agent_id)
        return await backend.whose(part) if isinstance(backend, Writing) else "owner"

    async def newest(self, agent_id: str, limit: int) -> list[Note]:
        """The notes written last."""
        return await asyncio.to_thread(Notes(self._workspace(agent_id)).newest, limit)

    async def close(self) -> None:
        held, self._open = self._open, {}
        for one in held.values():
            self._let_go(one.backend)
        while self._closing:
            await asyncio.gather(*self._closing)

    def _made(self, agent_id: str, settings: Memory) -> MemoryBackend:
        if not settings.enabled:
            raise UserError(f"Memory is switched off for agent {agent_id}; set memory.enabled to true in openclaw.json.")
        workspace = self._workspace(agent_id)
        if settings.backend == NAME:
            spoken, progress = self.house.spoken, self.house.progress(agent_id)
            embedding = self._embedding(settings)
            return open_memory(
                workspace, self._state_dir, agent_id, settings, embedding, self._clock,
                spoken=lambda: spoken(agent_id), progress=progress,
            )  # fmt: skip
        maker = self.house.makers.get(settings.backend)
        if maker is None:
            known = ", ".join(sorted({NAME, *self.house.makers}))
            raise UserError(f"memory.backend in openclaw.json is {settings.backend!r}, which is not there; known: {known}.")
        return maker(Wanted(agent_id, workspace, memory_folder(self._state_dir, agent_id), settings))

    def _let_go(self, backend: MemoryBackend) -> None:
        task = asyncio.ensure_future(self._closed(backend))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _closed(self, backend: MemoryBackend) -> None:
        try:
            await backend.close()
        except (UserError, OSError) as error:
            log.warning("a memory could not be closed in order: %s", error)
