"""Jobs, heartbeat and webhooks, wired to the agent and to whoever is to hear of them."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from openclaw_gateway.automation.agent_jobs import AgentJobs
from openclaw_gateway.automation.contract import Announce, CronSettings
from openclaw_gateway.automation.cron import Cron
from openclaw_gateway.automation.heartbeat import Heartbeat
from openclaw_gateway.automation.heartbeat_rules import plan_of
from openclaw_gateway.automation.hooks import Attempts, HookDoor
from openclaw_gateway.automation.house import Automation
from openclaw_gateway.automation.runner import JobRunner, house_message
from openclaw_gateway.automation.system_events import SystemEvents
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.parts.announce import announcer
from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.safety.ssrf import request
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.tools.cron import cron_tool
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.errors import OpenClawError, UserError

log = logging.getLogger(__name__)

TIDY_EVERY_MS = 3_600_000
"""How often old sessions of scheduled runs are looked for."""


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
        main_key=services.main_key,
        runtime=services.runtime,
        events=events,
        announce=announce,
        clock=services.clock,
        tell=lambda payload: _tell(services, "heartbeat", payload),
    )
    runner = JobRunner(
        services.runtime,
        events,
        announcer(services, tells_withheld=True),
        _poster(services, secrets),
        services.main_key,
        heartbeat.active,
        services.clock,
    )
    cron = Cron(
        services.state_dir / "cron",
        runner,
        clock=services.clock,
        settings=lambda: _cron_settings(services),
        tell=_Teller(services),
    )
    automation = Automation(cron, heartbeat, _door(services, secrets, announce), events, services.clock, services.new_id)
    automation.hooks.wake_session = automation.wake
    _check_hooks(automation.hooks)
    services.automation = automation
    stack.push_async_callback(automation.stop)
    return automation


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
        main_key=services.main_key,
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


class _Teller:
    """Events `cron`; after a run, the sessions of runs long ago are taken away (AUT-10)."""

    def __init__(self, services: GatewayServices) -> None:
        self._services = services
        self._tidied_at = 0

    def __call__(self, payload: Mapping[str, Any]) -> None:
        _tell(self._services, "cron", payload)
        now = self._services.clock()
        if payload.get("action") == "finished" and now - self._tidied_at >= TIDY_EVERY_MS:
            self._tidied_at = now
            _tidy(self._services, now)


def _tidy(services: GatewayServices, now: int) -> None:
    oldest = now - services.settings.cron.session_retention_hours * 3_600_000
    for entry in services.sessions.list():
        if _RUN_SESSION.match(entry.key) and entry.updated_at < oldest and not services.runtime.active(entry.key):
            services.sessions.delete(entry.key)


_RUN_SESSION = re.compile(r"^agent:[^:]+:cron:[^:]+:run:")


def _tell(services: GatewayServices, event: str, payload: Mapping[str, Any]) -> None:
    services.broadcaster.send(event, payload, session_key="")


def cron_tools(
    automation: Callable[[], Automation], names: Callable[[str], tuple[str, ...]], clock: Clock, new_id: NewId
) -> tuple[Tool, ...]:
    """The tool `cron`; `names` are the tools of an agent."""
    return (cron_tool(AgentJobs(lambda: automation().cron, names, clock=clock, new_id=new_id)),)
