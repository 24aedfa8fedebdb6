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
from openclaw_kernel.memory.audience import hears_notes
from openclaw_kernel.memory.backend import NAME, Builtin, memory_folder
from openclaw_kernel.memory.filling import Progress
from openclaw_kernel.memory.notes import Note, Notes
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.memory.triggers import Triggers
from openclaw_kernel.memory.writes import untrusted_lines
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_kernel.memory.embedding.shelf import Opened

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a back end is made of: whose memory, over which workspace, and a folder of its own for what it keeps. `embedding`
    looks for the model, `spoken` names the transcripts that may be searched, `progress` hears of vectors."""

    agent_id: str
    workspace: Path
    folder: Path
    settings: Memory
    embedding: Callable[[], Opened]
    clock: Clock
    spoken: Callable[[], Sequence[Spoken]]
    progress: Progress


Maker = Callable[[Wanted], MemoryBackend]


def builtin(wanted: Wanted) -> MemoryBackend:
    """The memory of the house: Markdown, DuckDB and an index in memory."""
    return Builtin(
        wanted.workspace, wanted.folder, wanted.settings, wanted.embedding, wanted.clock, wanted.spoken, wanted.progress
    )  # fmt: skip


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
    `tainted` and `taint` know the sessions that met other people's words, `root` the conversation that a subagent works for,
    `progress` hears of vectors, `makers` are the back ends by name."""

    spoken: Callable[[str], Sequence[Spoken]] = lambda _agent: ()
    tainted: Callable[[str], bool] = lambda _key: False
    taint: Callable[[str, str], None] = lambda _key, _tool: None
    root: Callable[[str], str] = lambda key: key
    progress: Callable[[str], Progress] = lambda _agent: lambda _done, _all: None
    makers: Mapping[str, Maker] = field(default_factory=lambda: {NAME: builtin})


class Memories:
    """Used from the event loop. `settings`, `workspace` and `embedding` are asked when a memory is opened; one whose settings
    have changed since is opened anew."""

    def __init__(
        self,
        settings: Callable[[str], Memory],
        workspace: Callable[[str], Path],
        state_dir: Path,
        embedding: Callable[[str, Memory], Callable[[], Opened]],
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
        self._triggers = Triggers()
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

    def open_to(self, agent_id: str, session_key: str, guest: bool) -> bool:
        """Whether a turn of this conversation may hear of the agent's notes. Raises `UserError` for settings that are wrong."""
        return hears_notes(self.settings(agent_id).audience, self.house.root(session_key), guest)

    async def recalled(self, agent_id: str, said: str) -> list[str]:
        """Curated notes whose triggers these words hold (MEM-11); other people's words are never among them."""
        if not self.settings(agent_id).enabled:
            return []
        return await asyncio.to_thread(self._recalled, agent_id, said)

    def _recalled(self, agent_id: str, said: str) -> list[str]:
        found = self._triggers.recalled(self._workspace(agent_id), said)
        if not found:
            return []
        doubtful = untrusted_lines(memory_folder(self._state_dir, agent_id))
        return [note.text for note in found if not note.lines & doubtful]

    async def close(self) -> None:
        held, self._open = self._open, {}
        for one in held.values():
            self._let_go(one.backend)
        while self._closing:
            await asyncio.gather(*self._closing)

    def _made(self, agent_id: str, settings: Memory) -> MemoryBackend:
        if not settings.enabled:
            where = "memory.enabled and plugins.slots.memory in openclaw.json"
            raise UserError(f"Memory is switched off for agent {agent_id}; see {where}.")
        maker = self.house.makers.get(settings.backend)
        if maker is None:
            known = ", ".join(sorted(self.house.makers)) or "none"
            raise UserError(f"memory.backend in openclaw.json is {settings.backend!r}, which is not there; known: {known}.")
        spoken = self.house.spoken
        return maker(
            Wanted(
                agent_id,
                self._workspace(agent_id),
                memory_folder(self._state_dir, agent_id),
                settings,
                self._embedding(agent_id, settings),
                self._clock,
                lambda: spoken(agent_id),
                self.house.progress(agent_id),
            )
        )

    def _let_go(self, backend: MemoryBackend) -> None:
        task = asyncio.ensure_future(self._closed(backend))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _closed(self, backend: MemoryBackend) -> None:
        try:
            await backend.close()
        except (UserError, OSError) as error:
            log.warning("a memory could not be closed in order: %s", error)
