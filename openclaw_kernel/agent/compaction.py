"""Compaction: when a history no longer fits, its older part is replaced by a summary in what the model sees (AGT-26).

There is one way in, for every reason there is. The order is always: choose the cut, let the model write notes about what goes,
summarise, check, write one record. The log keeps every line (AGT-27). When anything but the notes fails, the full history
stays, and that is said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from openclaw_kernel.agent import flush as notes
from openclaw_kernel.agent.carried import Carried, carried_from
from openclaw_kernel.agent.cut import cut_point
from openclaw_kernel.agent.failover import account_of
from openclaw_kernel.agent.measure import MARK, context_tokens, estimate, room
from openclaw_kernel.agent.run import Turn
from openclaw_kernel.agent.summary import SummaryFailed, summarise
from openclaw_kernel.config.schema.agents import Compaction as Settings
from openclaw_kernel.models.api import Model, ModelCall, ModelStream
from openclaw_kernel.sessions.context import Context
from openclaw_kernel.sessions.transcript import SUMMARY_HEAD, Transcript
from openclaw_kernel.values.errors import OpenClawError, UserError
from openclaw_kernel.values.events import Compacted
from openclaw_kernel.values.messages import Message, Text, UserMessage

log = logging.getLogger(__name__)

Trigger = Literal["threshold", "overflow", "manual", "size", "mid-turn", "reset"]

FAILED = "compaction-failed"
"""Transcript entry with the tokens a compaction failed at, so that it is not tried again at once."""
NOT_FLUSHED = "memory-flush-failed"
"""The same for notes."""
RETRY_GROWTH = 1.1
REQUIRED = 12
"""How many identifiers from the person's own words the model's summary itself must hold; the rest is carried by code."""
BUILT_IN = "builtin"
"""The provider without a model: nothing overflows there, and it cannot summarise."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a compaction did. `note` says why the notes before it failed, if they did."""

    summary: str
    tokens_before: int
    tokens_after: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was shortened; the sentence says why."""

    sentence: str
    failed: bool = False


def settings_of(turn: Turn) -> Settings:
    return turn.house.config().agents.defaults.compaction


def due(turn: Turn, *, mid_turn: bool = False) -> Trigger | None:
    """Why this session must be shortened before the next call, if it must."""
    model, transcript, settings = turn.model, turn.session.transcript, settings_of(turn)
    if model is None or model.provider == BUILT_IN or settings.mode == "off":
        return None
    tokens = context_tokens(transcript)
    failed_at = transcript.latest(FAILED) or 0
    if failed_at and tokens < failed_at * RETRY_GROWTH:
        return None
    if tokens > room(model, settings):
        return "mid-turn" if mid_turn else "threshold"
    if not mid_turn and settings.max_active_transcript_bytes and transcript.grown > settings.max_active_transcript_bytes:
        return "size"
    return None


async def flush_if_near(turn: Turn) -> None:
    """Notes a little before they are needed: 4,000 tokens under the threshold, or after 2 MB of transcript (AGT-28)."""
    model, transcript, settings = turn.model, turn.session.transcript, settings_of(turn)
    if model is None or model.provider == BUILT_IN or settings.mode == "off" or not settings.memory_flush.enabled:
        return
    wanted = settings.memory_flush
    near = context_tokens(transcript) > room(model, settings) - wanted.soft_threshold_tokens
    if not near and transcript.grown < wanted.transcript_bytes:
        return
    if context_tokens(transcript) < (transcript.latest(NOT_FLUSHED) or 0) * RETRY_GROWTH:
        return
    if not _flushed(transcript, transcript.kept_from + 1):
        await _flush(turn, model, transcript.context())


async def flush_all(turn: Turn) -> None:
    """Notes about a session that is left behind."""
    model, transcript = turn.model, turn.session.transcript
    if model is None or model.provider == BUILT_IN or not settings_of(turn).memory_flush.enabled:
        return
    if not _flushed(transcript, len(transcript.messages())):
        await _flush(turn, model, transcript.context())


async def make_room(turn: Turn, trigger: Trigger, focus: str = "") -> Done | Refused:
    """Shortens the session of a turn. Everything that is told is told by `Compacted` events; it raises `StoreError` only."""
    model, transcript = turn.model, turn.session.transcript
    if model is None or model.provider == BUILT_IN:
        return Refused("The built-in model cannot summarise; choose another with /model.")
    cut = _cut(turn, model, trigger)
    if cut <= transcript.kept_from:
        return Refused("There is nothing old enough to summarise yet.")
    before = context_tokens(transcript)
    turn.emit(Compacted(before, "", trigger, "start"))
    older = _older(transcript, cut)
    note = ""
    if settings_of(turn).memory_flush.enabled and not _flushed(transcript, cut):
        note = await _flush(turn, model, older)
    if turn.signal.aborted:
        return Refused("Stopped.")
    try:
        summary, carried = await _summary(turn, model, older, cut, focus)
    except SummaryFailed as failure:
        return _failed(turn, trigger, before, str(failure))
    done = _write(turn, trigger, cut, summary, carried, before, note)
    turn.emit(Compacted(before, summary, trigger, "end", note))
    return done


def undo(transcript: Transcript) -> bool:
    """Returns to the full history: a branch from before the last compaction with all that was said since (AGT-27)."""
    return transcript.undo_compaction()


def _cut(turn: Turn, model: Model, trigger: Trigger) -> int:
    transcript, settings = turn.session.transcript, settings_of(turn)
    space = room(model, settings)
    keep = min(settings.keep_recent_tokens, space // 2)
    if trigger == "overflow":
        keep = min(keep, context_tokens(transcript) // 3)
    return cut_point(transcript.messages(), keep, start=transcript.kept_from, at_most=space // 2)


def _older(transcript: Transcript, cut: int) -> tuple[Message, ...]:
    """What the model saw up to the cut: the last summary, and what was said since."""
    kept = Context()
    for stored in transcript.messages()[cut:]:
        kept.add(stored.message)
    source = transcript.context()
    return source[: len(source) - len(kept.snapshot())]


async def _summary(turn: Turn, model: Model, older: tuple[Message, ...], cut: int, focus: str) -> tuple[str, Carried]:
    transcript, settings = turn.session.transcript, settings_of(turn)
    messages = transcript.messages()
    gone = [stored.message for stored in messages[transcript.kept_from : cut]]
    inside = not isinstance(messages[cut].message, UserMessage)
    fresh = await asyncio.to_thread(carried_from, gone, unfinished=inside)
    carried = Carried.from_wire(transcript.summary.get("carried")).plus(fresh)
    writer = _writer(turn, model, settings)
    summary = await summarise(
        _without_carried(older, transcript),
        fresh.said[-REQUIRED:],
        writer,
        _stream(turn),
        budget_tokens=max(1_000, room(writer, settings) * 3 // 4),
        focus=focus,
        account=account_of(turn),
    )
    return "\n\n".join(filter(None, (summary, carried.text()))), carried


def _without_carried(older: tuple[Message, ...], transcript: Transcript) -> tuple[Message, ...]:
    """The last summary without the lists behind it: those are carried by code."""
    own = transcript.summary.get("own")
    if not isinstance(own, str) or not older:
        return older
    return (UserMessage((Text(SUMMARY_HEAD + own),), older[0].timestamp), *older[1:])


def _writer(turn: Turn, model: Model, settings: Settings) -> Model:
    """The model that summarises: one of its own, when the config names one that is known."""
    if not settings.model:
        return model
    try:
        return turn.house.models.resolve(settings.model, turn.agent_id)
    except (UserError, OpenClawError) as unknown:
        log.warning("agents.defaults.compaction.model: %s", unknown)
        return model


def _stream(turn: Turn) -> Callable[[ModelCall], ModelStream]:
    return turn.house.models.stream


async def _flush(turn: Turn, model: Model, older: tuple[Message, ...]) -> str:
    """The silent turn, with its mark behind it; why it failed, which is told and changes nothing."""
    transcript = turn.session.transcript
    last = transcript.messages()[-1].entry_id if transcript.messages() else ""
    try:
        failure = await notes.flush(turn, _writer(turn, model, settings_of(turn)), older)
    except Exception as error:
        log.exception("notes before a compaction failed")
        failure = f"{type(error).__name__}: {error}"
    if failure:
        log.warning("no notes were written before the conversation was shortened: %s", failure)
        turn.notices.append(f"No notes were written before this conversation was shortened: {failure}")
        transcript.append({"type": "custom", "customType": NOT_FLUSHED, "data": context_tokens(transcript)})
    else:
        transcript.append({"type": "custom", "customType": notes.MARK, "data": last})
    return failure


def _flushed(transcript: Transcript, cut: int) -> bool:
    """Whether notes were written about everything in front of `cut`."""
    mark = transcript.latest(notes.MARK)
    if not mark:
        return False
    messages = transcript.messages()
    return any(stored.entry_id == mark for stored in messages[max(0, cut - 1) :])


def _failed(turn: Turn, trigger: Trigger, before: int, reason: str) -> Refused:
    sentence = f"This conversation could not be shortened ({reason}); its full history is kept."
    log.warning("%s", sentence)
    turn.session.transcript.append({"type": "custom", "customType": FAILED, "data": before})
    turn.notices.append(sentence)
    turn.emit(Compacted(before, "", trigger, "failed", reason))
    return Refused(sentence, failed=True)


def _write(turn: Turn, trigger: Trigger, cut: int, summary: str, carried: Carried, before: int, note: str) -> Done:
    transcript = turn.session.transcript
    messages = transcript.messages()
    kept = sum(estimate(stored.message) for stored in messages[cut:])
    after = kept + estimate(UserMessage((Text(SUMMARY_HEAD + summary),), 0))
    behind = carried.text()
    transcript.append(
        {
            "type": "compaction",
            "summary": summary,
            "firstKeptEntryId": messages[cut].entry_id,
            "tokensBefore": before,
            "tokensAfter": after,
            "trigger": trigger,
            "own": summary.removesuffix(behind).rstrip() if behind else summary,
            "carried": carried.to_wire(),
        }
    )
    transcript.append({"type": "custom", "customType": MARK, "data": {"entryId": messages[-1].entry_id, "tokens": after}})
    if transcript.latest(FAILED):
        transcript.append({"type": "custom", "customType": FAILED, "data": 0})
    entry = turn.house.sessions.get(turn.session.entry.key)
    if entry is not None and entry.session_id == turn.session.entry.session_id:
        turn.house.sessions.update(entry.key, compaction_count=entry.compaction_count + 1)
    return Done(summary, before, after, note)
