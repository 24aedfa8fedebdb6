"""What happens when a job is due: a turn of the agent or a line for its main session; then its answer goes out (AUT-04, 05)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from openclaw_gateway.automation.contract import Announce, Announcement, RunResult, Withheld
from openclaw_gateway.automation.jobs import Job, Occurrence
from openclaw_gateway.automation.system_events import SystemEvents
from openclaw_kernel.agent.api import Outcome, RunRequest, Runtime
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.envelope import delivery_id
from openclaw_kernel.values.errors import OpenClawError, UserError
from openclaw_kernel.values.messages import Text, UserMessage

log = logging.getLogger(__name__)

WATCHDOG_S = 3_600
"""A turn of a job ends after an hour unless it says otherwise (AUT-05)."""

PostWebhook = Callable[[str, dict[str, object], str], Awaitable[None]]
"""URL, body, Bearer token: one POST behind the SSRF guard. Raises `UserError`."""


@dataclass(frozen=True, slots=True)
class JobRunner:
    """Implements `contract.Runner` over the agent. `flush_events` hands waiting lines over at once."""

    runtime: Runtime
    events: SystemEvents
    announce: Announce
    post: PostWebhook
    main_key: Callable[[str], str]
    heartbeats: Callable[[str], bool]
    """Whether an agent has a heartbeat that would take a waiting line."""
    clock: Clock

    async def run(self, job: Job, row: Occurrence) -> RunResult:
        key = self.session_of(job, row)
        if job.payload.kind == "systemEvent":
            self.events.add(row.id, key, job.payload.text)
            if job.wake == "now" or not self.heartbeats(job.agent_id):
                await self.events.flush(key)
            return RunResult(True, session_key=key)
        payload = job.payload
        text = f"[cron:{job.id} {job.name}] {payload.text}" if job.target == "isolated" else payload.text
        await self.runtime.submit(
            RunRequest(
                run_id=row.id,
                session_key=key,
                message=house_message(row.id, text, self.clock()),
                model=payload.model,
                thinking=cast("ThinkingLevel | None", payload.thinking),
                timeout_ms=(WATCHDOG_S if payload.timeout_s is None else payload.timeout_s) * 1000,
                client_id="cron",
                tools=payload.tools,
            )
        )
        return _result(await self.runtime.wait(row.id), key)

    async def known(self, row: Occurrence) -> RunResult | None:
        if row.id in self.events:
            return RunResult(True)
        try:
            outcome = await self.runtime.wait(row.id, 0)
        except OpenClawError:
            return None
        return _result(outcome, outcome.session_key if outcome else "")

    async def deliver(self, job: Job, row: Occurrence) -> bool:
        delivery = job.delivery
        if delivery.mode == "webhook":
            body = {"jobId": job.id, "name": job.name, "runId": row.id, "slotMs": row.slot_ms, "text": row.text}
            await self.post(delivery.to, body, delivery.token)
            return True
        to = delivery.to
        channel = delivery.channel or "last"
        note = Announcement(job.agent_id, row.text, delivery_id(row.id, 0), channel, delivery.account, to)
        try:
            told = await self.announce(note)
        except Withheld as why:
            log.info("the answer of cron job %s stays in its session: %s", job.id, why)
            return False
        if not told:
            raise UserError(f"There is nobody to tell on {channel!r}; give the job a channel and a target, or delivery none.")
        return True

    async def alert(self, job: Job, sentence: str) -> None:
        name = delivery_id(f"alert:{job.id}:{job.errors}:{job.not_before}", 0)
        with suppress(Withheld):  # the log says it
            await self.announce(Announcement(job.agent_id, sentence, name, "owner"))

    def session_of(self, job: Job, row: Occurrence) -> str:
        """Where it runs: the main session, a session of its own for every run, or a named one."""
        if job.payload.kind == "systemEvent" or job.target == "main":
            return self.main_key(job.agent_id)
        if job.target.startswith("session:"):
            return job.target.removeprefix("session:")
        if job.target == "current" and job.session_key:
            return job.session_key
        manual = "manual-" if row.trigger == "manual" else ""
        return f"agent:{job.agent_id}:cron:{job.id}:run:{manual}{row.slot_ms}"


def house_message(run_id: str, text: str, now: int, *, owner: bool = True) -> UserMessage:
    """A message that the house itself writes; `owner` is false when its words came from outside."""
    key = f"{run_id}:user"
    return UserMessage((Text(text),), now, key, {"senderIsOwner": owner, "idempotencyKey": key})


def _result(outcome: Outcome | None, key: str) -> RunResult:
    if outcome is None:
        return RunResult(False, error="interrupted", session_key=key)
    text = outcome.message.text.strip() if outcome.message is not None else ""
    if outcome.status == "ok":
        return RunResult(True, text, session_key=key)
    why = outcome.error.message if outcome.error is not None else f"{outcome.status} ({outcome.stop_reason})"
    return RunResult(False, text, why, key)
