"""One turn, as six named stages, each timed in one place (AGT-01).

restore: the message is in the transcript and the workspace exists · compact: the history fits · compose: the prompt is built ·
converse: the model and its tools · save: the index knows how it went · respond: the outcome, told once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from openclaw_kernel.agent import compaction
from openclaw_kernel.agent.api import AUTOMATIC, Outcome
from openclaw_kernel.agent.batch import Ruling
from openclaw_kernel.agent.equip import choose_model, facts_of, give_tools
from openclaw_kernel.agent.failover import account_of, replacement, teller
from openclaw_kernel.agent.gate import Gate
from openclaw_kernel.agent.loop import MAX_ITERATIONS, SILENT_REPLY, LoopConfig, run_loop
from openclaw_kernel.agent.policy import policy_of
from openclaw_kernel.agent.prompt import skill_rows
from openclaw_kernel.agent.recall import is_private, recalled_notes
from openclaw_kernel.agent.repeats import Repeats
from openclaw_kernel.agent.run import Turn
from openclaw_kernel.agent.toolrun import ToolRunner
from openclaw_kernel.models.api import Model, ModelCall, ModelStream
from openclaw_kernel.models.service import UnknownModel
from openclaw_kernel.safety import taint
from openclaw_kernel.sessions.index import PREVIEW_CHARS, shorten
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.values.errors import OpenClawError, UserError
from openclaw_kernel.values.events import (
    MessageStored,
    PhaseChanged,
    RunEnded,
    RunStarted,
    RunStatus,
)
from openclaw_kernel.values.messages import AssistantMessage, ModelFailure, Text, ToolCall

log = logging.getLogger(__name__)

MAX_RECOVERIES = 2
"""How often a run shortens its history because a model said that it is too long."""


async def restore(turn: Turn) -> None:
    house, request = turn.house, turn.request
    turn.emit(PhaseChanged("preparing_workspace"))
    if turn.stored is None:
        turn.stored = house.sessions.append(turn.session, request.message)
    turn.emit(MessageStored(turn.stored.entry_id, turn.stored.seq, turn.stored.message))
    if house.before_run is not None and (refusal := await house.before_run(request, turn.agent_id)):
        raise UserError(refusal)
    await choose_model(turn)
    if not turn.tainted and taint.others_spoke(request.message.meta):
        turn.tainted = True
        turn.session.transcript.append({"type": "custom", "customType": "taint", "data": {"tool": "message"}})


async def compact(turn: Turn) -> None:
    if trigger := compaction.due(turn):
        await compaction.make_room(turn, trigger)
    else:
        await compaction.flush_if_near(turn)


async def compose(turn: Turn) -> None:
    house = turn.house
    turn.emit(PhaseChanged("preparing_context"))
    give_tools(turn)
    skills = skill_rows(await house.services.list_skills(turn.agent_id)) if house.services is not None else ()
    facts = facts_of(turn, skills)
    key, said = turn.session.entry.key, turn.request.message
    facts = replace(facts, private=is_private(house.notes, turn.agent_id, key, said))
    turn.prompt = await house.prompts.build(facts)
    if facts.private and (recalled := await recalled_notes(house.notes, turn.agent_id, key, said, turn.prompt.stable)):
        turn.prompt = replace(turn.prompt, volatile=f"{turn.prompt.volatile}\n{recalled}")
    if any(pin not in turn.prompt.stable for pin in facts.pinned):
        raise UserError("A pinned constraint is not in the prompt; the model was not asked. Look at /pins.")
    _note_model(turn)


async def converse(turn: Turn) -> None:
    turn.emit(PhaseChanged("starting_model"))
    turn.emit(RunStarted(turn.started_at))
    result = await run_loop(_loop_config(turn))
    turn.message, turn.usage = result.message, result.usage


async def save(turn: Turn) -> None:
    sessions, message = turn.house.sessions, turn.message
    entry = sessions.get(turn.session.entry.key)
    if entry is None or entry.session_id != turn.session.entry.session_id:
        return
    usage, status = turn.usage, _status(turn)
    now = turn.house.clock()
    changes: dict[str, Any] = {
        "last_interaction_at": entry.last_interaction_at if turn.request.client_id in AUTOMATIC else now,
        "started_at": turn.started_at,
        "ended_at": now,
        "status": {"ok": "done", "error": "failed", "aborted": "killed", "timeout": "timeout"}[status],
        "last_run_id": turn.run_id,
        "last_run_error": turn.failure.message if turn.failure else None,
        "aborted_last_run": status in ("aborted", "timeout"),
        "system_sent": True,
        "input_tokens": entry.input_tokens + usage.input,
        "output_tokens": entry.output_tokens + usage.output,
        "cache_read": entry.cache_read + usage.cache_read,
        "cache_write": entry.cache_write + usage.cache_write,
        "estimated_cost_usd": entry.estimated_cost_usd + usage.cost.total,
    }
    if turn.model is not None:
        changes |= {"model": turn.model.id, "model_provider": turn.model.provider, "context_tokens": turn.model.context_window}
    if message is not None and message.usage.total:
        changes["total_tokens"] = message.usage.total
    if message is not None and message.text.strip() not in ("", SILENT_REPLY):
        changes["preview"] = shorten(message.text, PREVIEW_CHARS)
    sessions.update(entry.key, **changes)


async def respond(turn: Turn) -> None:
    status = _status(turn)
    message = turn.message
    shown = message if message is not None and message.text.strip() not in ("", SILENT_REPLY) else None
    if shown is not None and (line := replacement(turn)):
        shown = replace(shown, content=(*shown.content, Text(f"\n\n{line}")))
    if shown is not None and turn.notices and turn.session.entry.chat_type == "direct":
        lines = "".join(f"\n\n*{line}*" for line in turn.notices)
        shown = replace(shown, content=(*shown.content, Text(lines)))
    turn.outcome = Outcome(
        run_id=turn.run_id,
        session_key=turn.session.entry.key,
        session_id=turn.session.entry.session_id,
        status=status,
        started_at=turn.started_at,
        ended_at=turn.house.clock(),
        message=shown if status != "error" else None,
        error=turn.failure if status == "error" else None,
        stop_reason=_stop_reason(turn, status),
        usage=turn.usage,
    )


Stage = Callable[[Turn], Awaitable[None]]
STAGES: tuple[Stage, ...] = (restore, compact, compose, converse, save, respond)
_ALWAYS: tuple[Stage, ...] = (save, respond)


async def run_turn(turn: Turn) -> Outcome:
    """Runs the stages. Never raises for what goes wrong inside: a failed stage ends the turn with status `error`."""
    turn.started_at = turn.house.clock()
    for stage in STAGES:
        if (turn.failure is not None or (turn.signal.aborted and turn.message is None)) and stage not in _ALWAYS:
            if turn.failure is None and stage is converse:
                _write_stopped(turn)
            continue
        before = time.perf_counter()
        try:
            await stage(turn)
            if stage is converse and turn.message is not None and turn.message.stop_reason == "error":
                turn.failure = turn.message.error or ModelFailure("The model failed without a reason.")
        except Exception as error:
            log.log(logging.INFO if isinstance(error, UserError | OpenClawError) else logging.ERROR,
                    "run %s failed in stage %s", turn.run_id, stage.__name__, exc_info=error)  # fmt: skip
            _fail(turn, error)
        finally:
            turn.timings[stage.__name__] = (time.perf_counter() - before) * 1000
    if turn.outcome is None:
        await respond(turn)
    outcome = turn.outcome
    assert outcome is not None
    return outcome


def run_ended(outcome: Outcome) -> RunEnded:
    """The event that tells an outcome."""
    return RunEnded(outcome.status, outcome.started_at, outcome.ended_at, outcome.message, outcome.error, outcome.stop_reason)


def ending(
    session_key: str, run_id: str, now: int, sentence: str, *, aborted: bool, model: Model | None = None
) -> AssistantMessage:
    """The record that closes a run without an answer."""
    return AssistantMessage(
        content=(),
        timestamp=now,
        api=model.api if model else "",
        provider=model.provider if model else "",
        model=model.id if model else "",
        stop_reason="aborted" if aborted else "error",
        error=ModelFailure(sentence),
        idempotency_key=None if aborted else f"{run_id}:terminal-error",
        meta={"runId": run_id},
    )


def _write_stopped(turn: Turn) -> None:
    sentence = f"stopped ({turn.signal.reason})"
    message = ending(turn.session.entry.key, turn.run_id, turn.house.clock(), sentence, aborted=True, model=turn.model)
    _try_save(turn, message)


def _fail(turn: Turn, error: Exception) -> None:
    """A stage failed by itself: one sentence in the transcript and in the outcome."""
    if isinstance(error, UnknownModel):
        turn.failure = ModelFailure(str(error), "model_not_found")
    elif isinstance(error, UserError | OpenClawError):
        turn.failure = ModelFailure(str(error))
    else:
        turn.failure = ModelFailure(f"The run failed: {type(error).__name__}: {error}")
    if turn.message is None:
        message = ending(
            turn.session.entry.key, turn.run_id, turn.house.clock(), turn.failure.message, aborted=False, model=turn.model
        )
        _try_save(turn, message)


def _try_save(turn: Turn, message: AssistantMessage) -> None:
    turn.message = message
    try:
        turn.emit(turn.save(message))
    except UserError as error:
        log.error("the end of run %s is not in the transcript: %s", turn.run_id, error)


def _status(turn: Turn) -> RunStatus:
    if turn.failure is not None:
        return "error"
    if turn.message is not None and turn.message.stop_reason == "aborted":
        return "timeout" if turn.signal.reason == "timeout" else "aborted"
    return "ok"


def _stop_reason(turn: Turn, status: RunStatus) -> str:
    if status in ("aborted", "timeout"):
        return turn.signal.reason or "aborted"
    if status == "error":
        return "error"
    return turn.message.stop_reason if turn.message else "stop"


def _note_model(turn: Turn) -> None:
    """Writes a line when the model or the thinking level is not the one of the turn before."""
    model, transcript = turn.model, turn.session.transcript
    if model is None:
        return
    if transcript.latest("thinking_level_change") != turn.thinking:
        transcript.append({"type": "thinking_level_change", "thinkingLevel": turn.thinking})
    last = transcript.latest("model-snapshot") or {}
    if (last.get("provider"), last.get("modelId")) != (model.provider, model.id):
        data = {"timestamp": turn.house.clock(), "provider": model.provider, "modelApi": model.api, "modelId": model.id}
        transcript.append({"type": "custom", "customType": "model-snapshot", "data": data})


def _loop_config(turn: Turn) -> LoopConfig:
    house, model = turn.house, turn.model
    assert model is not None
    nodes = house.services.nodes if house.services is not None else None
    gate = Gate(house.approvals, lambda: policy_of(turn), turn.session.entry.key, turn.agent_id, turn.run_id, nodes)
    repeats = Repeats(house.config().tools.loop_detection)
    runner = ToolRunner(turn, gate.places, gate.seen, repeats)

    account, on_ask = account_of(turn), teller(turn)

    def ask() -> ModelStream:
        pruning = house.config().agents.defaults.context_pruning
        context, session_id = turn.session.transcript.context(), turn.session.entry.session_id
        return house.models.stream(
            ModelCall(
                model=model,
                prompt=turn.prompt,
                messages=house.pruner.view(context, session_id, model, pruning, house.clock()),
                tools=turn.tools.specs(),
                thinking=turn.thinking,
                session_key=turn.session.entry.key,
                account=account,
                fallbacks=turn.fallbacks,
                on_ask=on_ask,
            )
        )

    async def decide(call: ToolCall, tool: Tool) -> Ruling:
        if sentence := repeats.refusal(call):
            return Ruling(False, "repeated", sentence)
        return await gate.rule(call, tool)

    async def before_ask() -> None:
        if trigger := compaction.due(turn, mid_turn=True):
            await compaction.make_room(turn, trigger)

    async def recover(message: AssistantMessage) -> bool:
        if message.error is None or message.error.kind != "context_length" or turn.recovered >= MAX_RECOVERIES:
            return False
        turn.recovered += 1
        return isinstance(await compaction.make_room(turn, "overflow"), compaction.Done)

    return LoopConfig(
        stream=ask,
        find_tool=turn.tools.get,
        decide=decide,
        run_tool=runner.run,
        next_steering=turn.take_steering,
        last_words=turn.take_last_words,
        before_ask=before_ask,
        recover=recover,
        tripped=lambda: repeats.ending,
        emit=turn.emit,
        save=turn.save,
        signal=turn.signal,
        clock=house.clock,
        new_id=house.new_id,
        max_iterations=MAX_ITERATIONS,
        blank=AssistantMessage((), house.clock(), model.api, model.provider, model.id, meta=turn.meta),
    )
