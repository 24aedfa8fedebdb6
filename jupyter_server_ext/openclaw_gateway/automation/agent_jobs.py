"""Jobs an agent makes for itself (TOL-15): capped to the tools it had, spoken to its owner only, and seen by nobody else.

A turn that is itself the run of a job sees and changes only that job.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from openclaw_gateway.automation.cron import Cron
from openclaw_gateway.automation.jobs import Delivery, Job
from openclaw_gateway.automation.requests import new_job, patched
from openclaw_gateway.automation.schedule import duration_ms
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.errors import invalid

NEXT_MIN_MS = 60_000
NEXT_MAX_MS = 86_400_000
"""How soon and how late a job may ask to be looked at again."""
MAX_JOBS = 100
"""Jobs of one agent made by itself."""

_RUN = re.compile(r"^agent:[^:]+:cron:([^:]+):run:")


class AgentJobs:
    """The tool `cron`, from the scheduler's side. `tools` names what an agent's turn may use."""

    def __init__(
        self, cron: Callable[[], Cron], tools: Callable[[str], tuple[str, ...]], *, clock: Clock, new_id: NewId
    ) -> None:
        self._cron, self._tools, self._clock, self._new_id = cron, tools, clock, new_id

    async def __call__(self, session_key: str, agent_id: str, action: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """One use of the tool. Raises `OpenClawError` with a sentence for the model."""
        own = found[1] if (found := _RUN.match(session_key)) else None
        if action == "list":
            return {"jobs": [self._cron().wire(job) for job in self._cron().jobs() if self._sees(job, agent_id, own)]}
        if action == "add":
            return self._add(session_key, agent_id, own, params)
        if action == "next_check":
            return self._next_check(own, params)
        job = self._cron().get(str(params.get("id") or own or ""))
        if not self._sees(job, agent_id, own):
            raise invalid(f"unknown cron job {job.id!r}; action list shows yours")
        if action == "remove":
            return {"removed": self._cron().remove(job.id)}
        if action == "run":
            return {"runId": self._cron().run_now(job.id)}
        if action == "edit":
            return self._edit(job, params)
        raise invalid(f"action {action!r} is not known; use add, list, edit, remove, run or next_check")

    def _sees(self, job: Job, agent_id: str, own: str | None) -> bool:
        return job.id == own if own is not None else job.agent_id == agent_id

    def _add(self, session_key: str, agent_id: str, own: str | None, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if own is not None:
            raise invalid("a scheduled run cannot plan further jobs")
        if sum(job.agent_id == agent_id and not job.trusted for job in self._cron().jobs()) >= MAX_JOBS:
            raise invalid(f"there are {MAX_JOBS} jobs of this agent already; remove some first")
        wire = {**params, "agentId": agent_id, "sessionKey": session_key}
        job = new_job(wire, self._new_id(), self._clock(), default_agent=agent_id)
        return self._cron().wire(self._cron().add(self._capped(job, agent_id)))

    def _edit(self, job: Job, params: Mapping[str, Any]) -> Mapping[str, Any]:
        patch = {key: value for key, value in params.items() if key != "id"}
        now = self._clock()
        return self._cron().wire(
            self._cron().update(
                job.id, lambda old: self._capped(patched(old, patch, now, default_agent=job.agent_id), job.agent_id)
            )
        )

    def _capped(self, job: Job, agent_id: str) -> Job:
        """No tool the turn does not have, and no word to anybody but the owner."""
        had = self._tools(agent_id)
        wanted = had if job.payload.tools is None else tuple(name for name in job.payload.tools if name in had)
        delivery = Delivery("announce", "last") if job.delivery.mode == "announce" else Delivery()
        return replace(job, payload=replace(job.payload, tools=wanted), delivery=delivery, trusted=False)

    def _next_check(self, own: str | None, params: Mapping[str, Any]) -> Mapping[str, Any]:
        wait = duration_ms(str(params.get("in") or ""))
        if own is None:
            raise invalid("next_check is for a scheduled run to say when it wants to look again")
        if wait is None or not NEXT_MIN_MS <= wait <= NEXT_MAX_MS:
            raise invalid("next_check needs `in`, a duration from 1m to 24h")
        until = self._clock() + wait
        return self._cron().wire(self._cron().update(own, lambda job: replace(job, not_before=until)))
