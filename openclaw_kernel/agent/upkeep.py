"""What is done to a session between its turns: shorten it, undo that, say what fills its context, start it anew."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import orjson

from openclaw_kernel.agent import compaction
from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.agent.equip import choose_model, facts_of, give_tools
from openclaw_kernel.agent.lanes import Lanes
from openclaw_kernel.agent.measure import CHARS_PER_TOKEN, context_tokens, room
from openclaw_kernel.agent.pins import Pins
from openclaw_kernel.agent.prompt import SectionSize, skill_rows
from openclaw_kernel.agent.run import House, Turn
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.sessions.store import Session
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.messages import UserMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """Whether something was done, and a sentence about it."""

    done: bool
    text: str


@dataclass(frozen=True, slots=True)
class ContextReport:
    """What the next call of a session would hold (AGT-24). Sizes are characters, `history` and `window` tokens."""

    model: str
    window: int
    room: int
    sections: tuple[SectionSize, ...]
    tools: tuple[tuple[str, int], ...]
    history: int
    messages: int
    summarised: int

    @property
    def prompt_tokens(self) -> int:
        """The system prompt and the tools."""
        return (sum(one.injected_chars for one in self.sections) + sum(size for _, size in self.tools)) // CHARS_PER_TOKEN


class Upkeep:
    """Works in the session's own lane, so never beside a run."""

    def __init__(self, house: House, lanes: Lanes) -> None:
        self._house = house
        self._lanes = lanes
        self._farewells: set[asyncio.Task[None]] = set()

    @property
    def pins(self) -> Pins:
        return self._house.pins

    async def compact(self, key: str, focus: str = "") -> Said:
        """`/compact`: whether it was done, and the sentence for the person."""
        if self._lanes.busy(key):
            return Said(False, "A run is under way; compact when it has ended, or stop it first.")
        done: asyncio.Future[Said] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                done.set_result(await self._compact(key, focus))
            except UserError as error:
                done.set_result(Said(False, str(error)))
            except BaseException as error:
                done.set_exception(error)
                raise

        self._lanes.submit(key, self._house.new_id(), work)
        said = await done
        await asyncio.sleep(0)  # the lane is free once its job has returned
        return said

    def undo(self, key: str) -> str:
        """`/compact undo`."""
        if self._lanes.busy(key):
            return "A run is under way; undo when it has ended."
        undone = self._house.sessions.open(key).transcript.undo_compaction()
        return "The full history is back." if undone else "This conversation was not compacted."

    async def context(self, key: str) -> ContextReport:
        """Sizes of the next call. Raises `UserError` when the session's model cannot be found."""
        turn = self._turn(self._house.sessions.open(key))
        skills = await self._furnish(turn)
        sections = await self._house.prompts.report(facts_of(turn, skills))
        tools = tuple(
            (one.name, len(one.name) + len(one.description) + len(orjson.dumps(one.parameters))) for one in turn.tools.specs()
        )
        transcript, model = turn.session.transcript, turn.model
        assert model is not None
        return ContextReport(
            model.ref,
            model.context_window,
            room(model, compaction.settings_of(turn)),
            sections,
            tools,
            context_tokens(transcript),
            len(transcript.messages()),
            transcript.kept_from,
        )

    def renew(self, key: str, reason: str) -> SessionEntry:
        """A new session under the same key; notes about the old one are written in the background (AGT-28)."""
        old = self._house.sessions.open(key)
        fresh = self._house.sessions.reset(key, reason)
        if old.transcript.context():
            task = asyncio.create_task(self._farewell(old))
            self._farewells.add(task)
            task.add_done_callback(self._farewells.discard)
        return fresh

    async def close(self) -> None:
        """Ends notes that are still being written; the old transcripts hold everything anyway."""
        for task in self._farewells:
            task.cancel()
        await asyncio.gather(*self._farewells, return_exceptions=True)
        self.pins.close()

    def reread(self) -> None:
        """`/reset soft`: the conversation stays, the prompt's files are read again."""
        self._house.prompts.forget()

    async def _compact(self, key: str, focus: str) -> Said:
        turn = self._turn(self._house.sessions.open(key))
        await self._furnish(turn)
        result = await compaction.make_room(turn, "manual", focus)
        notes = "".join(f" {line}" for line in turn.notices)
        match result:
            case compaction.Done(tokens_before=before, tokens_after=after):
                sentence = f"Compacted: about {before:,} tokens before, {after:,} now. Undo with `/compact undo`.{notes}"
                return Said(True, sentence)
            case compaction.Refused(sentence=sentence):
                return Said(False, sentence)

    async def _farewell(self, old: Session) -> None:
        turn = self._turn(old)
        try:
            await self._furnish(turn)
            await compaction.flush_all(turn)
        except Exception:
            log.exception("no notes were written about session %s, which was left", old.entry.session_id)

    def _turn(self, session: Session) -> Turn:
        """A turn without a run: nothing of it is told or stored."""
        request = RunRequest(self._house.new_id(), session.entry.key, UserMessage((), self._house.clock()))
        return Turn(self._house, request, session.entry.agent_id, session, emit=lambda _event: None)

    async def _furnish(self, turn: Turn) -> tuple[tuple[str, str, str], ...]:
        """Model, workspace and tools, as a run of this session would have them; its skills."""
        await choose_model(turn)
        give_tools(turn)
        services = self._house.services
        return skill_rows(await services.list_skills(turn.agent_id)) if services is not None else ()
