"""Jobs, heartbeat and webhooks, wired to the agent and to whoever is to hear of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from openclaw_gateway.automation.agent_jobs import AgentJobs
from openclaw_gateway.automation.contract import Announce, Announcement, CronSettings
from openclaw_gateway.automation.cron import Cron
from openclaw_gateway.automation.heartbeat import Heartbeat
from openclaw_gateway.automation.heartbeat_rules import plan_of
from openclaw_gateway.automation.hooks import Attempts, HookDoor
from openclaw_gateway.automation.house import Automation
from openclaw_gateway.automation.runner import JobRunner, house_message
from openclaw_gateway.automation.system_events import SystemEvents
from openclaw_gateway.methods.chat import gateway_message
from openclaw_gateway.methods.services import GatewayServices
from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.safety.ssrf import request
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.tools.cron import cron_tool
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.errors import OpenClawError, UserError, invalid
from openclaw_kernel.values.events import MessageStored
from openclaw_kernel.values.messages import AssistantMessage
from openclaw_kernel.values.session_key import parse

log = logging.getLogger(__name__)

LOOK_BACK = 200
"""How many messages of the main session are searched for an announcement that is already there."""


def open_automation(stack: AsyncExitStack, services: GatewayServices, secrets: Secrets) -> Automation:
    """Builds it; `services.automation.start()` sets it going. It stops before the agent does."""
    events = SystemEvents(
        services.state_dir / "system-events.jsonl", say=_sayer(services), known=_knower(services), clock=services.clock
    )
    announce = announcer(services)
    heartbeat = Heartbeat(
        plans=lambda: [
            plan_of(services.settings, agent, default_agent=services.default_agent) for agent in services.agent_ids()
        ],
        workspace=services.workspace,
        main_key=main_key,
        runtime=services.runtime,
        events=events,
        announce=announce,
        clock=services.clock,
        tell=lambda payload: _tell(services, "heartbeat", payload),
    )
    runner = JobRunner(
        services.runtime, events, announce, _poster(services, secrets), main_key, heartbeat.active, services.clock
    )
    cron = Cron(
        services.state_dir / "cron",
        runner,
        clock=services.clock,
        settings=lambda: _cron_settings(services),
        tell=lambda payload: _tell(services, "cron", payload),
    )
    automation = Automation(cron, heartbeat, _door(services, secrets, announce), events, services.clock, services.new_id)
    automation.hooks.wake_session = automation.wake
    _check_hooks(automation.hooks)
    services.automation = automation
    stack.push_async_callback(automation.stop)
    return automation


def main_key(agent_id: str) -> str:
    return f"agent:{agent_id}:main"


def announcer(services: GatewayServices) -> Announce:
    """To the named channel, else to where the owner is: without a channel that is the agent's main session."""

    async def announce(note: Announcement) -> bool:
        if note.channel in ("last", "owner", "session"):
            _into_main(services, note)
            return True
        raise invalid(f"channel {note.channel!r} is not configured")

    return announce


def _into_main(services: GatewayServices, note: Announcement) -> None:
    """As words of the gateway in the main session, once (AUT-07)."""
    key = main_key(note.agent_id)
    session = services.sessions.open(key)
    for stored in session.transcript.tail(LOOK_BACK):
        if isinstance(stored.message, AssistantMessage) and stored.message.meta.get("deliveryId") == note.delivery_id:
            return
    message = gateway_message(services, note.text)
    message = AssistantMessage(
        message.content, message.timestamp, message.api, message.provider, message.model, meta={"deliveryId": note.delivery_id}
    )
    stored = services.sessions.append(session, message)
    services.projection.message(key, parse(key).agent, MessageStored(stored.entry_id, stored.seq, message))
    services.projection.reply(key, parse(key).agent, f"announce-{note.delivery_id}", note.text)


def _sayer(services: GatewayServices) -> Any:
    async def say(run_id: str, key: str, text: str) -> None:
        message = house_message(run_id, text, services.clock())
        await services.runtime.submit(RunRequest(run_id, key, message, client_id="event"))

    return say


def _knower(services: GatewayServices) -> Any:
    async def known(run_id: str) -> bool:
        try:
            await services.runtime.wait(run_id, 0)
        except OpenClawError:
            return False
        return True

    return known


def _poster(services: GatewayServices, secrets: Secrets) -> Any:
    async def post(url: str, body: Mapping[str, object], token: str) -> None:
        settings = services.settings.cron
        token = token or secrets.resolve(settings.webhook_token, "cron.webhookToken")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await request("POST", url, json=dict(body), headers=headers, allowed=settings.webhook_allow_hosts)
        if answer.status >= 300:
            raise UserError(f"The webhook answered {answer.status}; look at its own log.")

    return post


def _cron_settings(services: GatewayServices) -> CronSettings:
    cron = services.settings.cron
    return CronSettings(cron.enabled, cron.catch_up, cron.max_concurrent_runs, cron.catch_up_delay_ms)


def _door(services: GatewayServices, secrets: Secrets, announce: Announce) -> HookDoor:
    async def not_yet(_mode: str, _key: str, _text: str, _event: str) -> None:
        raise OpenClawError("UNAVAILABLE", "the gateway is starting")

    def taint(key: str) -> None:
        transcript = services.sessions.open(key).transcript
        if transcript.latest("taint") is None:
            transcript.append({"type": "custom", "customType": "taint", "data": {"tool": "webhook"}})

    return HookDoor(
        settings=lambda: services.settings.hooks,
        token=lambda: secrets.resolve(services.settings.hooks.token, "hooks.token"),
        gateway_secret=services.secret,
        runtime=services.runtime,
        wake_session=not_yet,
        taint=taint,
        announce=announce,
        later=_later,
        agent_ids=services.agent_ids,
        default_agent=lambda: services.default_agent,
        clock=services.clock,
        new_id=services.new_id,
        attempts=Attempts(services.clock),
    )


def _check_hooks(door: HookDoor) -> None:
    """Raises `UserError`: open webhooks without a token of their own."""
    if not door.settings().enabled:
        return
    token = door.token()
    if not token:
        raise UserError("hooks.enabled is true, but hooks.token is not set; set a token that is not the gateway's.")
    if token == door.gateway_secret():
        raise UserError("hooks.token is the gateway's own token; give the webhooks a token of their own.")


_tasks: set[asyncio.Future[None]] = set()


def _later(work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_done)


def _done(task: asyncio.Future[None]) -> None:
    _tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("the answer to a webhook could not be delivered: %s", error)


def _tell(services: GatewayServices, event: str, payload: Mapping[str, Any]) -> None:
    services.broadcaster.send(event, payload, session_key="")


def cron_tools(
    automation: Callable[[], Automation], names: Callable[[str], tuple[str, ...]], clock: Clock, new_id: NewId
) -> tuple[Tool, ...]:
    """The tool `cron`; `names` are the tools of an agent."""
    return (cron_tool(AgentJobs(lambda: automation().cron, names, clock=clock, new_id=new_id)),)
