"""Approvals: a question put to a person, and what they answered (SAF-10).

Every change is one line in a ledger. A question that was open when the gateway stopped is found again as `expired`: the turn
that asked is gone, so nobody may answer it any more. `allow-always` adds an entry to the agent's allowlist (SAF-11).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from openclaw_kernel.safety.allowed import Allowed, job_of, patterns_for
from openclaw_kernel.safety.api import Card, Decision
from openclaw_kernel.safety.reviewer import REVIEW_S, Review, Reviewed, Reviewer
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, NewId, system_clock
from openclaw_kernel.values.clock import new_id as random_id
from openclaw_kernel.values.errors import OpenClawError, invalid

_log = logging.getLogger(__name__)

ApprovalState = Literal["pending", "resolved", "expired", "cancelled"]

DAY_MS = 24 * 3600 * 1000
KEEP_MS = 7 * DAY_MS
"""Settled questions are kept a week for `exec.approval.list` and audits."""


EXPIRES_AFTER_MS = 1_800_000
"""30 minutes without an answer are a denial (SAF-10)."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One question. Times are milliseconds since the epoch; `decision` is set only in state `resolved`."""

    id: str
    card: Card
    session_key: str
    agent_id: str
    run_id: str
    tool_call_id: str
    created_at: int
    expires_at: int
    state: ApprovalState = "pending"
    decision: Decision | None = None
    resolved_by: str = ""


class Approvals:
    """Open questions and the allowlist, both on disk. Used from the event loop only."""

    def __init__(
        self, path_requests: Path, path_allowlist: Path, clock: Clock = system_clock, new_id: NewId = random_id
    ) -> None:
        self._clock = clock
        self._new_id = new_id
        self._waiting: dict[str, asyncio.Event] = {}
        self._reviews: dict[str, asyncio.Task[None]] = {}
        self.reviewer: Reviewer | None = None
        self.on_change: list[Callable[[Approval], None]] = []
        self._requests: Ledger[Approval] = Ledger(
            path_requests,
            key=lambda row: row.id,
            encode=asdict,
            decode=_approval,
            is_pending=lambda row: row.state == "pending",
        )
        self._allowed: Ledger[Allowed] = Ledger(
            path_allowlist, key=lambda row: row.key, encode=asdict, decode=lambda row: Allowed(**row)
        )
        self._settle_leftovers()

    def request(
        self,
        card: Card,
        *,
        session_key: str,
        agent_id: str,
        run_id: str = "",
        tool_call_id: str = "",
        timeout_ms: int = EXPIRES_AFTER_MS,
        approval_id: str | None = None,
    ) -> Approval:
        """Writes the question down and announces it; one that a model may look at first is announced when it has not allowed
        it. Raises `OpenClawError` when `approval_id` is already taken."""
        name = approval_id or self._new_id()
        if self._requests.get(name) is not None:
            raise invalid(f"approval id {name!r} already exists; choose another")
        now = self._clock()
        approval = Approval(name, card, session_key, agent_id, run_id, tool_call_id, now, now + max(0, timeout_ms))
        self._waiting[name] = asyncio.Event()
        if self.reviewer is None or not card.facts.get("review"):
            return self._put(approval)
        self._requests.put(approval)
        self._reviews[name] = asyncio.ensure_future(self._review(approval, self.reviewer))
        self._reviews[name].add_done_callback(lambda _: self._reviews.pop(name, None))
        return approval

    async def _review(self, approval: Approval, reviewer: Reviewer) -> None:
        review = Review(approval.card, approval.agent_id, approval.session_key, approval.run_id)
        try:
            found = await asyncio.wait_for(reviewer(review), REVIEW_S)
        except TimeoutError:
            found = Reviewed(False, "", f"the reviewer did not answer within {REVIEW_S:g} seconds")
        except Exception:  # noqa: BLE001 — logged; whatever it is, a person is asked
            _log.exception("the reviewer failed, so a person is asked")
            found = Reviewed(False, "", "the reviewer failed")
        if (now := self._requests.get(approval.id)) is None or now.state != "pending":
            return
        if found.allow:
            _log.info("%s was allowed by the reviewer %s", approval.id, found.by)
            self._put(replace(now, state="resolved", decision="allow-once", resolved_by=f"reviewer:{found.by}"))
        else:
            self._put(replace(now, card=replace(now.card, reason=f"{now.card.reason}; {found.why}")))

    async def decision(self, approval_id: str) -> Decision | None:
        """Waits for the answer; `None` when the question expired or was cancelled. Raises APPROVAL_NOT_FOUND."""
        approval = self.get(approval_id)
        event = self._waiting.get(approval_id)
        if approval.state == "pending" and event is not None:
            remaining_s = max(0, approval.expires_at - self._clock()) / 1000
            try:
                await asyncio.wait_for(event.wait(), remaining_s)
            except TimeoutError:
                self._settle(approval_id, "expired")
        return self.get(approval_id).decision

    def resolve(self, approval_id: str, decision: Decision, by: str, days: int | None = None) -> Approval:
        """Records the answer of `by`; what is allowed always ends after `days`, if that is given. Raises APPROVAL_NOT_FOUND
        unless the question is open, INVALID_REQUEST for an answer the card does not offer."""
        self.expire_due()
        approval = self.get(approval_id)
        if approval.state != "pending":
            raise _not_found(f"approval {approval_id} is already {approval.state}; there is nothing to answer")
        if decision not in approval.card.scopes:
            offered = ", ".join(approval.card.scopes)
            raise invalid(f"approval {approval_id} does not offer {decision!r}; answer one of: {offered}")
        if decision == "allow-always":
            self._remember(approval, by, days)
        return self._put(replace(approval, state="resolved", decision=decision, resolved_by=by))

    def get(self, approval_id: str) -> Approval:
        """Raises APPROVAL_NOT_FOUND."""
        approval = self._requests.get(approval_id)
        if approval is None:
            raise _not_found(f"no approval {approval_id!r}; list the open ones with exec.approval.list")
        return approval

    def pending(self) -> list[Approval]:
        """Open questions, oldest first; those whose time is up are settled first."""
        self.expire_due()
        return sorted(self._requests.pending(), key=lambda row: row.created_at)

    def expire_due(self) -> None:
        """Settles every open question whose time is up."""
        now = self._clock()
        for approval in list(self._requests.pending()):
            if approval.expires_at <= now:
                self._settle(approval.id, "expired")

    def cancel_run(self, run_id: str) -> None:
        """Withdraws the open questions of a run that ended (SAF-28)."""
        for approval in list(self._requests.pending()):
            if approval.run_id == run_id:
                self._settle(approval.id, "cancelled")

    def allowlist(self, agent_id: str, cwd: str | None = None, session_key: str = "") -> tuple[str, ...]:
        """Patterns the agent may run unasked; with `cwd`, only those that hold in that directory. What was granted to a
        scheduled job is among them only in a session of that job."""
        return patterns_for(self._allowed.rows(), agent_id, cwd, job_of(session_key), self._clock())

    def entries(self, agent_id: str | None = None) -> list[Allowed]:
        """Allowlist rows for display."""
        return [row for row in self._allowed.rows() if agent_id is None or row.agent_id == agent_id]

    def allow(
        self, agent_id: str, pattern: str, *, cwd: str = "", source: str = "", job: str = "", expires_at: int = 0
    ) -> None:
        """Adds an allowlist entry; see `safety.allowlist` for its forms."""
        self._allowed.put(Allowed(agent_id, pattern, cwd, self._clock(), source, job, expires_at))

    def disallow(self, agent_id: str, pattern: str, cwd: str | None = None, job: str | None = None) -> bool:
        """Removes a pattern of an agent, in every directory or in one, for every job or one; false when there was none."""
        rows = [
            row
            for row in self.entries(agent_id)
            if row.pattern == pattern and cwd in (None, row.cwd) and job in (None, row.job)
        ]
        for row in rows:
            self._allowed.delete(row.key)
        return bool(rows)

    async def flush(self) -> None:
        await self._requests.flush()
        await self._allowed.flush()

    def close(self) -> None:
        for task in list(self._reviews.values()):
            task.cancel()
        self._requests.close()
        self._allowed.close()

    def _remember(self, approval: Approval, by: str, days: int | None) -> None:
        """What a scheduled job asked for is granted to that job alone (SAF-13)."""
        pattern = str(approval.card.facts.get("pattern", ""))
        if not pattern:
            raise invalid(f"approval {approval.id} names no exact command to remember; answer allow-once")
        until = self._clock() + days * DAY_MS if days else 0
        job = job_of(approval.session_key)
        self.allow(approval.agent_id, pattern, cwd=approval.card.cwd, source=by, job=job, expires_at=until)

    def _settle(self, approval_id: str, state: ApprovalState) -> None:
        approval = self._requests.get(approval_id)
        if approval is not None and approval.state == "pending":
            self._put(replace(approval, state=state))

    def _put(self, approval: Approval) -> Approval:
        self._requests.put(approval)
        if approval.state != "pending" and (event := self._waiting.pop(approval.id, None)) is not None:
            event.set()
        for listener in tuple(self.on_change):
            listener(approval)
        return approval

    def _settle_leftovers(self) -> None:
        """At start: what was open is expired, what was settled long ago is dropped."""
        horizon = self._clock() - KEEP_MS
        for approval in list(self._requests.rows()):
            if approval.state == "pending":
                self._requests.put(replace(approval, state="expired"))
            elif approval.expires_at < horizon:
                self._requests.delete(approval.id)
        for row in [row for row in self._allowed.rows() if row.over(self._clock())]:
            self._allowed.delete(row.key)


def _approval(row: dict[str, Any]) -> Approval:
    card = dict(row["card"])
    card["scopes"] = tuple(card["scopes"])
    return Approval(**{**row, "card": Card(**card)})


def _not_found(message: str) -> OpenClawError:
    return OpenClawError("APPROVAL_NOT_FOUND", message)
