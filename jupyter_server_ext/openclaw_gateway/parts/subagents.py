"""Subagents and the sessions' tools, wired to the agent and to the faces (AGT-33, TOL-12)."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack

from openclaw_gateway.automation.contract import Announcement
from openclaw_gateway.automation.jobs import Delivery
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.parts.announce import announcer
from openclaw_gateway.parts.tools import ToolServices
from openclaw_kernel.agent.api import Outcome
from openclaw_kernel.agent.runtime import AgentRuntime
from openclaw_kernel.agent.subagents import Parts, Subagents
from openclaw_kernel.agent.subagents_delivery import Answered
from openclaw_kernel.agent.subagents_desk import Desk
from openclaw_kernel.agent.subagents_rows import SubagentRow
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.messages import UserMessage

_JOB = re.compile(r"^agent:[^:]+:cron:([^:]+):run:")


def open_subagents(stack: AsyncExitStack, services: GatewayServices, runtime: AgentRuntime, tools: ToolServices) -> Subagents:
    """Builds them; `start` takes up what a restart left. They are let go before the agent stops."""
    parts = Parts(
        config=lambda: services.settings,
        runtime=runtime,
        sessions=services.sessions,
        resolve=services.models.resolve,
        agents=services.agent_ids,
        clock=services.clock,
        new_id=services.new_id,
        tell=lambda key, reason: services.projection.changed(key, reason=reason),
    )
    room = Subagents(services.state_dir / "subagents.jsonl", parts)
    services.subagents = tools.sessions = Desk(parts, room)
    runtime.on_abort.append(room.stopped)
    runtime.also_ends.append(room.clients)
    room.answered.append(_passer(services))
    stack.push_async_callback(room.close)
    return room


def _passer(services: GatewayServices) -> Answered:
    """What a parent makes of a result goes where its person spoke last: on a channel it is sent; elsewhere it is shown. What a
    job makes of one goes where its answer goes."""
    announce = announcer(services)

    async def answered(row: SubagentRow, outcome: Outcome) -> None:
        entry = services.sessions.get(row.parent_key)
        if outcome.status != "ok" or outcome.stop_reason == "steered" or outcome.message is None or entry is None:
            return
        if found := _JOB.match(row.parent_key):
            if (to := _of_job(services, found[1])).mode == "announce":
                text = outcome.message.text
                await announce(Announcement(entry.agent_id, text, outcome.run_id, to.channel or "last", to.account, to.to))
            return
        channel = _spoken_on(services, entry)
        if channel and channel == entry.last_channel:
            note = Announcement(entry.agent_id, outcome.message.text, outcome.run_id, channel=channel, to=entry.last_to or "")
            await announce(note)

    return answered


def _of_job(services: GatewayServices, job_id: str) -> Delivery:
    """Where a job's answers go; one that is gone was a single occurrence, whose person still waits."""
    try:
        return services.automation.cron.get(job_id).delivery
    except OpenClawError:
        return Delivery("announce", "last")


def _spoken_on(services: GatewayServices, entry: SessionEntry) -> str:
    """The channel of the last message that a person wrote; empty for the app, a notebook and the terminal."""
    for stored in reversed(services.sessions.transcript(entry.agent_id, entry.session_id).messages()):
        message = stored.message
        if isinstance(message, UserMessage) and "provenance" not in message.meta:
            return str(message.meta.get("channel") or "")
    return ""
