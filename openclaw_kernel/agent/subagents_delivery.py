"""Bringing results to their parents: once each, through every restart, for as long as it is worth trying (AGT-33)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from openclaw_kernel.agent.api import Outcome, RunRequest, Runtime
from openclaw_kernel.agent.subagents_rows import SubagentRow, result_message
from openclaw_kernel.agent.subagents_rules import BACKLOG_WARN, WINDOW_MS, retry_ms
from openclaw_kernel.agent.waiting import HOUSE
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import OpenClawError, UserError
from openclaw_kernel.values.messages import UserMessage

log = logging.getLogger(__name__)

Answered = Callable[[SubagentRow, Outcome], Awaitable[None]]
"""Told how the turn ended that a result has started."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hands the results in `rows` to `runtime`: into the parent's run under way, else as a turn of its own.

    `under_way` is told when a result is on its way, so that a parent that waits for it need wait no longer.
    """

    rows: Ledger[SubagentRow]
    runtime: Runtime
    sessions: Sessions
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    under_way: Callable[[SubagentRow], None]
    answered: list[Answered] = field(default_factory=list)

    async def bring(self, row_id: str) -> None:
        """Until the parent has it, nobody wants it any more, or half an hour has gone by in vain."""
        self._warn()
        row = self._changed(row_id, window_at=self.clock(), delivery="open")
        tries = 0
        while row.delivery == "open":
            if self.sessions.get(row.parent_key) is None:
                self._changed(row_id, delivery="none")
                return
            try:
                outcome = await self._attempt(row)
            except (OpenClawError, UserError) as error:
                log.warning("the result of subagent %s did not reach %s: %s", row_id, row.parent_key, error)
                outcome = None
            row = self._now(row_id)
            if outcome is not None and self._arrived(row, outcome):
                row = self._changed(row_id, delivery="delivered")
                await self._tell(row, outcome)
                return
            if row.delivery != "open":
                return
            if self.clock() - row.window_at >= WINDOW_MS:
                self._changed(row_id, delivery="late")
                log.error("the result of subagent %s waits in the list of %s: no delivery worked", row_id, row.parent_key)
                return
            tries += 1
            await self.sleep(retry_ms(tries) / 1000)
            row = self._now(row_id)

    async def _attempt(self, row: SubagentRow) -> Outcome | None:
        """One delivery. One that was begun before a restart is looked up first: what arrived is not brought again."""
        outcome = await self._known(row) if row.attempts else None
        if outcome is not None and self._arrived(row, outcome):
            return outcome
        if outcome is not None or not row.attempts:
            row = self._changed(row.id, attempts=row.attempts + 1)
        message = result_message(row, self.clock())
        await self.runtime.submit(
            RunRequest(row.delivery_run, row.parent_key, message, client_id=HOUSE, tools=row.tools, queue="steer")
        )
        self.under_way(row)
        return await self.runtime.wait(row.delivery_run)

    async def _known(self, row: SubagentRow) -> Outcome | None:
        """How an earlier attempt ended; `None` when the agent never heard of it."""
        try:
            return await self.runtime.wait(row.delivery_run)
        except OpenClawError as unknown:
            log.debug("delivery %s was not begun: %s", row.delivery_run, unknown)
            return None

    def _arrived(self, row: SubagentRow, outcome: Outcome) -> bool:
        """Whether the message is in the parent's transcript."""
        entry = self.sessions.get(row.parent_key)
        if entry is None:
            return False
        key = f"{row.delivery_run}:user"
        for session_id in dict.fromkeys((outcome.session_id, entry.session_id)):
            messages = self.sessions.transcript(entry.agent_id, session_id).messages()
            if any(isinstance(it.message, UserMessage) and it.message.idempotency_key == key for it in reversed(messages)):
                return True
        return False

    async def _tell(self, row: SubagentRow, outcome: Outcome) -> None:
        for tell in self.answered:
            try:
                await tell(row, outcome)
            except (OpenClawError, UserError) as error:
                log.warning("the answer to subagent %s was not passed on: %s", row.id, error)

    def _now(self, row_id: str) -> SubagentRow:
        row = self.rows.get(row_id)
        assert row is not None
        return row

    def _changed(self, row_id: str, **changes: object) -> SubagentRow:
        return self.rows.settle(row_id, lambda row: replace(row, **changes))  # type: ignore[arg-type]

    def _warn(self) -> None:
        owed = sum(row.owed for row in self.rows.rows())
        if owed >= BACKLOG_WARN:
            log.warning("%d results of subagents wait for their parents", owed)
