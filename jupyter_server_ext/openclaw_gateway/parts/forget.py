"""Forgetting without a trace (MEM-14): notes and index first, then files, then ledgers, and the names of the sessions last.

    forgetter = Forgetter(state_dir, sessions, memories, agents, workspace)
    report = await forgetter.forget("main", Selector(session_key="agent:main:main"))

A row with a hash of what is to be forgotten is on disk before the first step and goes with the last; `resume` finishes at the
next start what a crash cut short. Every step may be done again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.parts import forget_files as files
from openclaw_gateway.parts import forget_left as left
from openclaw_gateway.parts import forget_rows as rows
from openclaw_kernel.memory.api import ForgetReport, MemoryRefused, Selector
from openclaw_kernel.memory.backend import memory_folder
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.session_key import parse, resolve

log = logging.getLogger(__name__)


def open_forgetter(services: GatewayServices) -> Forgetter:
    """Of a running gateway: its methods reach it through `services.forget`."""

    def busy(key: str) -> bool:
        return bool(services.runtime.active(key) or services.runtime.queued(key))

    forgetter = Forgetter(
        services.state_dir,
        services.sessions,
        services.memories,
        services.agent_ids,
        services.workspace,
        busy=busy,
        clock=services.clock,
        changed=lambda key: services.projection.changed(key, reason="delete"),
        at_work=lambda: bool(services.runtime.active()),
    )
    services.forget = forgetter.answer
    return forgetter


Step = Callable[[str], None]
"""Hears the name of each step before it is done."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """One forgetting that is not finished. `mark` names what goes without saying it; `at` in milliseconds."""

    id: str
    agent_id: str
    kind: str
    mark: str
    at: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is gone, in counts: `sessions` those that are gone whole, `made` files of theirs, `mentions` sessions that still
    hold the text, `sentences` what a person should know."""

    memory: ForgetReport = field(default_factory=ForgetReport)
    sessions: tuple[str, ...] = ()
    transcripts: int = 0
    made: int = 0
    rows: int = 0
    mentions: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """The report of `memory.forget`."""
        wire = asdict(self.memory) | {name: value for name, value in asdict(self).items() if name != "memory"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in wire.items()}


class Forgetter:
    """Used from the event loop. `busy` says whether a session has a run under way or waiting, `at_work` whether any has;
    `changed` hears of each session that is gone."""

    def __init__(
        self,
        state_dir: Path,
        sessions: Sessions,
        memories: Memories,
        agents: Callable[[], Sequence[str]],
        workspace: Callable[[str], Path],
        *,
        busy: Callable[[str], bool] = lambda _key: False,
        clock: Clock = system_clock,
        step: Step = lambda _name: None,
        changed: Callable[[str], None] = lambda _key: None,
        at_work: Callable[[], bool] = lambda: False,
    ) -> None:
        self._state_dir = state_dir
        self._sessions = sessions
        self._memories = memories
        self._agents = agents
        self._workspace = workspace
        self._busy = busy
        self._clock = clock
        self._step = step
        self._changed = changed
        self._at_work = at_work
        self._one = asyncio.Lock()
        self._since = time.time()

    async def forget(self, agent_id: str, selector: Selector, sessions: bool = False) -> Forgotten:
        """`sessions`: a text takes the conversations with it in which it was said. Raises `UserError` with the sentence for the
        person: a selector that names nothing or several things, or a session that is at work."""
        if sum(map(bool, (selector.session_key, selector.path, selector.text.strip()))) != 1:
            raise MemoryRefused("Say what to forget: one session, one note file, or one text.")
        async with self._one:
            if selector.session_key:
                return await self._session(resolve(selector.session_key, default_agent=agent_id), agent_id)
            if selector.path:
                return await self._path(agent_id, selector)
            return await self._text(agent_id, selector, sessions)

    async def answer(self, agent_id: str, selector: Selector, sessions: bool = False) -> dict[str, Any]:
        """`forget` as the wire wants it."""
        return (await self.forget(agent_id, selector, sessions)).to_wire()

    async def resume(self) -> int:
        """At start: finishes what was cut short; returns how many there were. One that cannot be is logged and stays."""
        if not (self._state_dir / rows.FILE_NAME).exists():
            return 0
        pending = await asyncio.to_thread(self._pending)
        for row in pending:
            try:
                async with self._one:
                    await self._again(row)
            except (UserError, OSError) as error:
                log.error("a forgetting that was cut short could not be finished: %s", error)
        return len(pending)

    # --- the kinds

    async def _session(self, key: str, agent_id: str) -> Forgotten:
        found = await asyncio.to_thread(self._traced, {key})
        await self._refuse_busy(found)
        begun = await self._begin(agent_id, "session", _hash(key))
        report = await self._of_sessions(found, agent_id)
        await asyncio.to_thread(self._settle, begun)
        return report

    async def _path(self, agent_id: str, selector: Selector) -> Forgotten:
        memory = await self._of_memory(agent_id, selector)
        return Forgotten(memory, sentences=await self._git(agent_id, memory.files))

    async def _text(self, agent_id: str, selector: Selector, whole: bool) -> Forgotten:
        from openclaw_kernel.memory.forget import mark_of, plain  # with it comes numpy

        wanted = plain(selector.text)
        said = await asyncio.to_thread(files.holding, self._state_dir, lambda text: wanted in plain(text))
        names = await asyncio.to_thread(rows.transcript_keys, self._state_dir)
        keys = tuple(sorted({names.get(id, id) for id in said}))
        found = rows.Trace(set())
        if whole and keys:
            found = await asyncio.to_thread(self._traced, {key for key in keys if key not in said}, said)
            await self._refuse_busy(found)
        held = [await self._begin(agent_id, "session", _hash(key)) for key in sorted(found.keys)]
        held.append(await self._begin(agent_id, "text", mark_of(selector.text)))
        self._step("text")
        memory = await self._of_memory(agent_id, selector)
        stands = await asyncio.to_thread(left.orders, self._state_dir, wanted)
        report = Forgotten(memory, sentences=(*stands, *await self._git(agent_id, memory.files)))
        if found.size:
            also = await self._of_sessions(found, agent_id)
            report = Forgotten(
                _sum([memory, also.memory]), also.sessions, also.transcripts, also.made, also.rows,
                sentences=(*report.sentences, *also.sentences),
            )  # fmt: skip
        elif keys:
            line = f"It was also said in {', '.join(keys)}; give --sessions to forget these conversations whole."
            report = Forgotten(memory, mentions=keys, sentences=(line, *report.sentences))
        for begun in held:
            await asyncio.to_thread(self._settle, begun)
        return report

    async def _again(self, row: Forgetting) -> None:
        if row.kind == "session":
            keys = await asyncio.to_thread(rows.session_keys, self._state_dir)
            wanted = {key for key in keys if _hash(key) == row.mark}
            found = await asyncio.to_thread(self._traced, wanted)
            await self._of_sessions(found, row.agent_id)
        else:
            await self._of_memory(row.agent_id, Selector(mark=row.mark))
            await asyncio.to_thread(self._clean)
        await asyncio.to_thread(self._settle, row.id)
        log.info("a forgetting that was cut short is finished")

    # --- steps

    async def _of_sessions(self, found: rows.Trace, agent_id: str) -> Forgotten:
        """Out of the memory, the files and the ledgers, in this order."""
        parts, sentences = [], []
        noted = await asyncio.to_thread(left.noted, self._state_dir, self._places(), found.keys)
        for key in sorted(found.keys):
            self._step("memory")
            owner = parse(key).agent or agent_id
            if owner not in self._agents():
                continue
            try:
                memory = await self._of_memory(owner, Selector(session_key=key))
            except MemoryRefused:
                raise
            except UserError as off:
                sentences.append(f"Notes were left as they are: {off}")
                continue
            parts.append(memory)
            sentences += await self._git(owner, memory.files)
        self._step("files")
        places = list(self._places().values())
        for path in await asyncio.to_thread(lambda: list(files.transcripts(self._state_dir))):
            if files.id_of(path) in found.transcripts:
                self._sessions.let_go(path)
        transcripts, made = await asyncio.to_thread(
            files.remove_conversations,
            self._state_dir,
            places,
            found,
            lambda _path: self._step("transcript"),
            self._at_work(),
        )
        await asyncio.to_thread(files.remove_log_lines, self._state_dir, found)
        self._step("ledgers")
        gone = await asyncio.to_thread(rows.scrub, self._state_dir, found)
        await asyncio.to_thread(self._clean)
        self._step("end")
        mentions = await asyncio.to_thread(left.recalled, self._state_dir, noted)
        if mentions:
            sentences.append(f"What was noted in it was recalled in {', '.join(mentions)}; forget these conversations too.")
        sentences += await asyncio.to_thread(left.jobs, self._state_dir, found.keys)
        for key in sorted(found.keys):
            self._changed(key)
        told = tuple(dict.fromkeys(sentences))
        return Forgotten(_sum(parts), tuple(sorted(found.keys)), transcripts, made, gone, mentions, told)

    def _places(self) -> dict[str, Path]:
        return {agent: self._workspace(agent) for agent in self._agents()}

    def _clean(self) -> None:
        places = list(self._places().values())
        books = self._state_dir.glob("memory/*/*.jsonl")
        files.remove_leftovers([*rows.ledger_files(self._state_dir), *books], places, self._since)

    async def _of_memory(self, agent_id: str, selector: Selector) -> ForgetReport:
        from openclaw_kernel.memory.dreaming import forget_dreams  # loaded with the first forgetting

        report = await self._memories.of(agent_id).forget(selector)
        await asyncio.to_thread(forget_dreams, self._workspace(agent_id), memory_folder(self._state_dir, agent_id))
        return report

    async def _refuse_busy(self, found: rows.Trace) -> None:
        for key in sorted(found.keys):
            if self._busy(key):
                raise MemoryRefused(f"The assistant is at work in {key}; stop it first (/stop), then forget it.")
        if await asyncio.to_thread(rows.being_sent, self._state_dir, found):
            raise MemoryRefused("An answer of this session is just being sent to a chat; try again in a moment.")

    def _traced(self, keys: Iterable[str], transcripts: Iterable[str] = ()) -> rows.Trace:
        found = rows.trace(self._state_dir, keys)
        found.transcripts = files.with_earlier(self._state_dir, {*found.transcripts, *transcripts})
        return found

    async def _git(self, agent_id: str, changed: Sequence[str]) -> tuple[str, ...]:
        workspace = self._workspace(agent_id)
        if not await asyncio.to_thread(files.in_git, workspace, changed):
            return ()
        return (
            f"Commits of the git repository {workspace} may still hold it in {', '.join(changed)}; "
            "git's history is not rewritten.",
        )

    # --- the ledger of what is under way

    async def _begin(self, agent_id: str, kind: str, mark: str) -> str:
        row = Forgetting(_hash(f"{kind}:{agent_id}:{mark}"), agent_id, kind, mark, self._clock())
        ledger = await asyncio.to_thread(self._ledger)
        try:
            ledger.put(row)
            await ledger.flush()
        finally:
            ledger.close()
        return row.id

    def _settle(self, id: str) -> None:
        ledger = self._ledger()
        try:
            ledger.delete(id)
            if not len(ledger):
                ledger.path.unlink(missing_ok=True)
        finally:
            ledger.close()

    def _pending(self) -> list[Forgetting]:
        ledger = self._ledger()
        try:
            return ledger.rows()
        finally:
            ledger.close()

    def _ledger(self) -> Ledger[Forgetting]:
        return Ledger(
            self._state_dir / rows.FILE_NAME,
            key=lambda row: row.id,
            encode=asdict,
            decode=lambda record: Forgetting(**record),
            is_pending=lambda _row: True,
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _sum(parts: Iterable[ForgetReport]) -> ForgetReport:
    held = list(parts)
    names = tuple(dict.fromkeys(name for part in held for name in part.files))
    return ForgetReport(
        sum(part.notes for part in held), sum(part.chunks for part in held), sum(part.vectors for part in held), names
    )
