"""Subagents: tasks that a session hands to sessions of their own, and whose results come back to it (AGT-33).

A task is a row before it is a run. What became of it is written into the row and brought to the parent as a message; a crash in
between loses nothing: at the next start the row says what was going on and the run ledger how far it came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openclaw_kernel.agent.api import Outcome, RunRequest, Runtime
from openclaw_kernel.agent.subagents_delivery import Answered, Delivery
from openclaw_kernel.agent.subagents_rows import SubagentRow, label_of, open_rows
from openclaw_kernel.agent.subagents_rules import Spawn, check, model_for, thinking_for
from openclaw_kernel.agent.waiting import HOUSE
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import Model
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.errors import OpenClawError, UserError, invalid
from openclaw_kernel.values.messages import AssistantMessage, Text, UserMessage

log = logging.getLogger(__name__)

CASCADE = frozenset({"stop", "rpc", "reset", "delete", "disconnected"})
"""Reasons to abort a session that hold for what it has started, too."""
LOOK_S = 1.0
"""How soon somebody who waits for a result sees that a person has spoken."""
_CUT = frozenset({"restart", "shutdown"})

BRIEF = """\
You are a subagent: another session of the assistant gave you one task, the message above all others. Do it and nothing else.
Nobody reads along and nobody can answer questions. Your last message is handed to that session as the result: make it whole."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What subagents are made of. `agents` names the configured ones; `tell(key, reason)` announces a changed session."""

    config: Callable[[], OpenClawConfig]
    runtime: Runtime
    sessions: Sessions
    resolve: Callable[[str | None, str], Model]
    agents: Callable[[], Sequence[str]]
    clock: Clock
    new_id: NewId
    tell: Callable[[str, str], None] = lambda _key, _reason: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Subagents:
    """The tasks of one gateway. `start` takes up what a restart left; `close` leaves it to the next start."""

    def __init__(self, path: Path, parts: Parts) -> None:
        self._parts = parts
        self._rows = open_rows(path)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, asyncio.Event] = {}
        self._more: dict[str, list[str]] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._delivery = Delivery(self._rows, parts.runtime, parts.sessions, parts.clock, parts.sleep, self._on_its_way)

    @property
    def answered(self) -> list[Answered]:
        """Told how a turn ended that a result has started."""
        return self._delivery.answered

    # --- starting and ending

    def start(self) -> None:
        for row in self._rows.rows():
            if row.running or row.owed or not row.archived:
                self._follow(row.id)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._rows.flush()
        self._rows.close()

    # --- what a parent does

    async def spawn(self, spawn: Spawn) -> SubagentRow:
        """Starts a task and returns at once. Raises `OpenClawError` or `UserError`: a limit, an unknown agent or model."""
        parts, config = self._parts, self._parts.config()
        parent = parts.sessions.get(spawn.parent_key)
        if parent is None:
            raise invalid(f"unknown session {spawn.parent_key!r}")
        check(spawn, config, parent.spawn_depth, self._rows.rows(), parts.agents())
        agent = spawn.agent_id or spawn.parent_agent
        named = model_for(spawn, config)
        model = parts.resolve(named, agent).ref if named else None
        if model is None and agent == spawn.parent_agent:
            model = parent.model_override
        head = spawn.parent_key if parent.spawn_depth and agent == spawn.parent_agent else f"agent:{agent}"
        row = SubagentRow(
            id=parts.new_id(),
            child_key=f"{head}:subagent:{parts.new_id()}",
            agent_id=agent,
            parent_key=spawn.parent_key,
            parent_run=spawn.parent_run,
            label=label_of(spawn.label, spawn.task),
            depth=parent.spawn_depth + 1,
            created_at=parts.clock(),
            cleanup=spawn.cleanup,
            guest=spawn.guest,
            tools=parts.runtime.tools_of(spawn.parent_run),
            client=self._client(spawn),
        )
        changes = {
            "label": row.label,
            "created_via": "subagent",
            "parent_session_key": row.parent_key,
            "spawn_depth": row.depth,
            "model_override": model,
            "thinking_level": thinking_for(spawn, config),
        }
        return await self._begin(row, spawn, changes)

    async def steer(self, row: SubagentRow, spawn: Spawn) -> SubagentRow:
        """Says more to a subagent: into its run, or, when that is over, as a further task with a row of its own."""
        parts = self._parts
        if parts.sessions.get(row.child_key) is None:
            raise invalid(f"the session of subagent {row.id} is gone; start a new one with sessions_spawn")
        if row.running:
            run_id = parts.new_id()
            tools = _fewer(row.tools, parts.runtime.tools_of(spawn.parent_run))
            message = self._message(run_id, row, spawn)
            await parts.runtime.submit(RunRequest(run_id, row.child_key, message, client_id=HOUSE, tools=tools, queue="steer"))
            self._more.setdefault(row.id, []).append(run_id)
            return row
        check(spawn, parts.config(), max(0, row.depth - 1), self._rows.rows(), parts.agents())
        again = SubagentRow(
            parts.new_id(), row.child_key, row.agent_id, row.parent_key, spawn.parent_run, row.label, row.depth, parts.clock(),
            row.cleanup, spawn.guest, _fewer(row.tools, parts.runtime.tools_of(spawn.parent_run)), client=self._client(spawn),
        )  # fmt: skip
        return await self._begin(again, spawn, {"archived_at": None})

    def kill(self, row: SubagentRow) -> bool:
        """Ends a subagent and all it has started; its parent knows and is not told. False when it was over, or as good as."""
        if not row.running or row.delivery == "none":
            return False
        self._change(row.id, delivery="none", reason="killed by its parent")
        self._parts.runtime.abort(row.child_key, reason="stop")
        return True

    def children(self, parent_key: str) -> list[SubagentRow]:
        """The subagents of a session, the oldest first; those long over and archived are left out."""
        return [row for row in self._rows.rows() if row.parent_key == parent_key and not row.archived]

    def clients(self, parent_key: str, run_id: str | None) -> frozenset[str]:
        """Whose subagents end when this session, or one run of it, is stopped."""
        rows = (row for row in self._rows.rows() if row.parent_key == parent_key and row.unsettled)
        return frozenset(row.client for row in rows if run_id in (None, row.parent_run))

    async def next_result(self, parent_key: str, timeout_s: float) -> bool:
        """Waits until a result is on its way to a session that has subagents at work; false when none comes in time, or when
        somebody else speaks to the session first."""
        end = asyncio.get_running_loop().time() + timeout_s
        while True:
            rows = self.children(parent_key)
            if any(row.delivery == "open" and row.attempts for row in rows):
                return True
            left = end - asyncio.get_running_loop().time()
            if left <= 0 or not any(row.unsettled for row in rows) or self._parts.runtime.queued(parent_key):
                return False
            news = self._news.setdefault(parent_key, asyncio.Event())
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), min(left, LOOK_S))

    # --- what happens around it

    def stopped(self, key: str, run_id: str | None, reason: str) -> list[str]:
        """A session was stopped: so is what it started, and no result starts it again (`AgentRuntime.on_abort`)."""
        if reason not in CASCADE:
            return []
        ended: list[str] = []
        for row in self._rows.rows():
            if row.parent_key != key or run_id not in (None, row.parent_run):
                continue
            if row.running:
                self._change(row.id, delivery="none", reason="stopped with the session that started it")
                ended += self._parts.runtime.abort(row.child_key, reason="stop")
            elif row.owed and run_id is None:
                self._change(row.id, delivery="none")
        return ended

    def _client(self, spawn: Spawn) -> str:
        """Who is behind the run that asks; behind one of the house's own, who was behind the subagent that it is about."""
        above = self._rows.get(spawn.parent_run.partition(":result")[0])
        return (
            above.client
            if above is not None
            else next(iter(self._parts.runtime.clients(spawn.parent_key, spawn.parent_run)), "")
        )

    async def _begin(self, row: SubagentRow, spawn: Spawn, changes: Mapping[str, Any]) -> SubagentRow:
        """The row, then the session, then the run."""
        parts = self._parts
        self._rows.put(row)
        seconds = spawn.run_timeout_s or parts.config().agents.defaults.subagents.run_timeout_seconds
        try:
            parts.sessions.open(row.child_key)
            parts.sessions.update(row.child_key, **changes)
            await parts.runtime.submit(
                RunRequest(
                    row.id,
                    row.child_key,
                    self._message(row.id, row, spawn),
                    timeout_ms=seconds * 1000 or None,
                    extra_system_prompt=BRIEF,
                    client_id=HOUSE,
                    tools=row.tools,
                )
            )
        except (OpenClawError, UserError):
            self._change(row.id, state="failed", delivery="none", archived=True, ended_at=parts.clock())
            raise
        parts.tell(row.child_key, "create")
        self._follow(row.id)
        return row

    def _message(self, run_id: str, row: SubagentRow, spawn: Spawn) -> UserMessage:
        meta: dict[str, Any] = {
            "senderIsOwner": not spawn.guest,
            "idempotencyKey": f"{run_id}:user",
            "provenance": {"kind": "inter_session", "sourceSessionKey": row.parent_key, "sourceTool": "sessions_spawn"},
        }
        if spawn.tainted:
            meta["untrusted"] = True
        return UserMessage((Text(spawn.task),), self._parts.clock(), f"{run_id}:user", meta)

    # --- the life of a task

    def _follow(self, row_id: str) -> None:
        self._told[row_id] = asyncio.Event()
        task = asyncio.create_task(self._live(row_id), name=f"subagent:{row_id}")
        self._tasks[row_id] = task
        task.add_done_callback(lambda done: self._over(row_id, done))

    def _over(self, row_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(row_id, None)
        self._tell_told(row_id)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("subagent %s is no longer followed; it is taken up at the next start", row_id, exc_info=error)

    async def _live(self, row_id: str) -> None:
        row = self._get(row_id)
        if row.running:
            row = await self._end(row)
            await self._rows.flush()
        if row.owed and self._in_vain(row):
            row = self._change(row_id, delivery="none")
        if row.owed:
            await self._delivery.bring(row_id)
            await self._rows.flush()
        self._tell_told(row_id)
        await self._archive(row_id)

    def _in_vain(self, row: SubagentRow) -> bool:
        """Whether the subagent that wanted this is itself over without an answer; its own parent knows."""
        boss = self._rows.get(row.parent_run)
        return boss is not None and not boss.running and boss.state != "done"

    async def _end(self, row: SubagentRow) -> SubagentRow:
        """Waits for the run, then for what came of its own subagents, and writes down how it went."""
        try:
            outcome = await self._parts.runtime.wait(row.id)
        except OpenClawError as unknown:
            log.info("subagent %s never started: %s", row.id, unknown)
            return self._settle(row, "interrupted", "the gateway stopped before it could start")
        assert outcome is not None
        outcome = await self._said_later(row, outcome)
        if outcome.status == "ok" and await self._children_of(row):
            return self._settle(row, "done", "", self._last_words(row))
        return self._settle(row, *self._fate(row, outcome))

    async def _said_later(self, row: SubagentRow, outcome: Outcome) -> Outcome:
        """What was said to a subagent too late for its run is a run of its own, whose end counts."""
        while run_ids := self._more.pop(row.id, []):
            for run_id in run_ids:
                later = await self._parts.runtime.wait(run_id)
                outcome = later if later is not None and later.stop_reason != "steered" else outcome
        return outcome

    async def _children_of(self, row: SubagentRow) -> bool:
        """Whether the subagent had others at work when its run ended; it has been told of them when this returns."""
        had = False
        while left := [it for it in self._rows.rows() if it.parent_key == row.child_key and it.unsettled]:
            told = self._told.get(left[0].id)
            if told is None:
                break
            had = True
            await told.wait()
        return had

    def _fate(self, row: SubagentRow, outcome: Outcome) -> tuple[Any, ...]:
        """State, reason and words of a run that has ended."""
        match outcome.status:
            case "ok":
                return "done", "", outcome.message.text if outcome.message is not None else ""
            case "timeout":
                return "timeout", "its time was over", self._last_words(row)
            case "error":
                return "failed", outcome.error.message if outcome.error else "it failed without a reason", self._last_words(row)
            case _ if outcome.stop_reason in _CUT:
                return "interrupted", "the gateway stopped while it was at work", self._last_words(row)
            case _:
                return "stopped", row.reason or "somebody stopped it", self._last_words(row)

    def _last_words(self, row: SubagentRow) -> str:
        """The last thing a subagent said; empty when it said nothing."""
        entry = self._parts.sessions.get(row.child_key)
        if entry is None:
            return ""
        for stored in reversed(self._parts.sessions.transcript(entry.agent_id, entry.session_id).messages()):
            if isinstance(stored.message, AssistantMessage) and stored.message.text.strip() not in ("", "NO_REPLY"):
                return stored.message.text
        return ""

    def _settle(self, row: SubagentRow, state: str, reason: str = "", result: str = "") -> SubagentRow:
        entry = self._parts.sessions.get(row.child_key)
        taint = None
        if entry is not None:
            taint = self._parts.sessions.transcript(entry.agent_id, entry.session_id).latest("taint")
        reason = self._get(row.id).reason or reason
        done = self._change(
            row.id, state=state, reason=reason, result=result, ended_at=self._parts.clock(), untrusted=taint is not None
        )
        log.info("subagent %s of %s: %s", row.id, row.parent_key, state)
        return done

    async def _archive(self, row_id: str) -> None:
        """Takes the session out of sight after its time; one that was to be deleted, at once."""
        row = self._get(row_id)
        if row.cleanup != "delete":
            minutes = self._parts.config().agents.defaults.subagents.archive_after_minutes
            if not minutes:
                return
            left = row.ended_at + minutes * 60_000 - self._parts.clock()
            if left > 0:
                await self._parts.sleep(left / 1000)
        sessions, busy = self._parts.sessions, self._parts.runtime.active(row.child_key)
        if sessions.get(row.child_key) is not None and not busy:
            if row.cleanup == "delete":
                sessions.delete(row.child_key)
            else:
                sessions.update(row.child_key, archived_at=self._parts.clock())
            self._parts.tell(row.child_key, "delete" if row.cleanup == "delete" else "patch")
        if not row.owed:
            self._change(row_id, archived=True)

    def _on_its_way(self, row: SubagentRow) -> None:
        if (news := self._news.pop(row.parent_key, None)) is not None:
            news.set()

    def _tell_told(self, row_id: str) -> None:
        if (told := self._told.pop(row_id, None)) is not None:
            told.set()

    def _get(self, row_id: str) -> SubagentRow:
        row = self._rows.get(row_id)
        assert row is not None
        return row

    def _change(self, row_id: str, **changes: Any) -> SubagentRow:
        return self._rows.settle(row_id, lambda row: replace(row, **changes))


def _fewer(before: tuple[str, ...] | None, now: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The tools of a task that goes on: those it had, and of them only what the run that asks has."""
    if before is None or now is None:
        return now if before is None else before
    return tuple(name for name in before if name in now)
