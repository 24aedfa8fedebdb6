"""The dreams of all agents (MEM-16): asked by methods and commands, fed by searches, set going each night.

    found = await dreams.ask("main", lambda dreamer: dreamer.dream(keep=False))

A dreamer is opened with its first use; one piece of work at a time, on a thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_gateway.automation.schedule import zone
from openclaw_kernel.config.schema.memory import Dreaming
from openclaw_kernel.memory.api import Hit, MemoryRefused
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_kernel.memory.dreaming import Applied, Dream, Dreamer
    from openclaw_kernel.memory.dreaming_page import Shown
    from openclaw_kernel.memory.writes import Writes

T = TypeVar("T")
WAITING_ROWS = 200
"""Recalls that wait for the disk; more are not counted."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent's notes and ledgers are, who keeps the book of writes, and who is told that a note has changed. `writes`
    is asked on the event loop and gives what is asked on the thread."""

    workspace: Path
    folder: Path
    writes: Callable[[], Callable[[], Writes]]
    taken_up: Callable[[Sequence[Path]], Awaitable[object]]


@dataclass(slots=True)
class _Open:
    place: Place
    writes: Callable[[], Writes]
    dreamer: Dreamer | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Dreams:
    """Used from the event loop."""

    def __init__(self, place: Callable[[str], Place], settings: Callable[[str], Dreaming], clock: Clock) -> None:
        self._place, self.settings, self._clock = place, settings, clock
        self._open: dict[str, _Open] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def ask(self, agent_id: str, work: Callable[[Dreamer], T]) -> T:
        """What `work` makes of the agent's dreamer. Raises `UserError`."""
        place = self._place(agent_id)
        held = self._open.get(agent_id)
        if held is None or (held.place.workspace, held.place.folder) != (place.workspace, place.folder):
            if held is not None:
                await self._let_go(held)
            held = self._open[agent_id] = _Open(place, place.writes())
        held.writes = place.writes()
        async with held.lock:
            try:
                return await asyncio.to_thread(self._worked, agent_id, held, work)
            except OSError as error:
                raise UserError(
                    f"{error.filename or 'A note'} cannot be read or written: {error.strerror or error}."
                ) from error

    async def change(self, agent_id: str, work: Callable[[Dreamer], T]) -> T:
        """As `ask`, for work that may change MEMORY.md, which the memory then takes up."""
        found = await self.ask(agent_id, work)
        place = self._place(agent_id)
        await place.taken_up([place.workspace / "MEMORY.md"])
        return found

    def recalled(self, agent_id: str, query: str, hits: Sequence[Hit]) -> None:
        """Counts what a search found, behind the back of whoever searched. Does nothing while dreaming is off."""
        if not hits or len(self._tasks) >= WAITING_ROWS or not self.settings(agent_id).enabled:
            return
        now = self._clock()
        task = asyncio.ensure_future(self._count(agent_id, query, hits, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def night(self, agent_id: str) -> str:
        """One night of an agent; what its person is told in the morning, empty when there is nothing to say."""
        settings = self.settings(agent_id)
        dream = await self.ask(agent_id, lambda dreamer: dreamer.dream())
        if settings.apply != "auto":
            return _asks(dream) if dream.fresh else ""
        done, refused = await self._applied(agent_id, dream)
        return _tells(done, refused if dream.fresh else ())  # what was refused is said once, not each night

    async def close(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for held in self._open.values():
            await self._let_go(held)
        self._open.clear()

    # --- hands

    async def _applied(self, agent_id: str, dream: Dream) -> tuple[int, list[str]]:
        """New notes and dropped repetitions as two rewrites, so that a refused one does not hold the other up."""
        done, refused = 0, []
        for kind in ("add", "drop"):
            ids = [one.row.id for one in dream.waiting if one.row.kind == kind]
            if not ids:
                continue
            try:
                found: Applied = await self.change(agent_id, lambda dreamer, ids=ids: dreamer.apply(ids))  # type: ignore[misc]
                done += len(found.applied)
            except MemoryRefused as error:
                refused.append(str(error))
        return done, refused

    async def _count(self, agent_id: str, query: str, hits: Sequence[Hit], at: int) -> None:
        day = f"{self._local(agent_id, at):%Y-%m-%d}"
        try:
            await self.ask(agent_id, lambda dreamer: dreamer.recalls.add(query, hits, day, at))
        except UserError as error:
            log.warning("a recall was not counted: %s", error)

    def _worked(self, agent_id: str, held: _Open, work: Callable[[Dreamer], T]) -> T:
        if held.dreamer is None:
            from openclaw_kernel.memory.dreaming import Dreamer

            held.dreamer = Dreamer(
                held.place.workspace,
                held.place.folder,
                lambda: self.settings(agent_id),
                lambda: self._local(agent_id, self._clock()),
                lambda: held.writes(),
            )
        return work(held.dreamer)

    async def _let_go(self, held: _Open) -> None:
        async with held.lock:
            if held.dreamer is not None:
                dreamer, held.dreamer = held.dreamer, None
                await asyncio.to_thread(dreamer.close)

    def _local(self, agent_id: str, at: int) -> datetime:
        try:
            return datetime.fromtimestamp(at / 1000, zone(self.settings(agent_id).timezone))
        except OpenClawError as error:
            raise UserError(f"memory.dreaming.timezone in openclaw.json: {error.message}.") from error


def _asks(dream: Dream) -> str:
    rows = "\n".join(f"- {_line(one)}" for one in dream.fresh)
    return (
        f"I went through my notes and would change MEMORY.md in {_places(len(dream.fresh))}:\n{rows}\n\n"
        "`jupyter openclaw memory dream apply` does it, with ids only those; `memory dream reject ID` turns one down."
    )


def _tells(done: int, refused: Sequence[str]) -> str:
    if not done and not refused:
        return ""
    said = [f"I went through my notes and changed MEMORY.md in {_places(done)}; `memory log` lists it."] if done else []
    return "\n".join([*said, *refused])


def _places(count: int) -> str:
    return "one place" if count == 1 else f"{count} places"


def _line(one: Shown) -> str:
    return f"`{one.row.id}` {'keep' if one.row.kind == 'add' else 'drop what is said twice'}: {one.text}"
