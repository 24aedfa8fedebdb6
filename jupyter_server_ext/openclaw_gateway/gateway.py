"""The composition root: builds every part, hands each what it needs, starts and stops in order.

    async with Gateway.open(state_dir, env) as gateway: ...

Parts are entered into one `AsyncExitStack`, so the stop order is the reverse by construction: intake stops, runs finish or are
aborted, clients hear `shutdown`, requests drain, files close, the lock goes.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_gateway.methods import approvals as approval_methods
from openclaw_gateway.methods.catalogue import FAMILIES
from openclaw_gateway.methods.health import health_snapshot
from openclaw_gateway.methods.projection import Projection
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.methods.session_view import row_by_key
from openclaw_gateway.parts.automation import cron_tools, open_automation
from openclaw_gateway.parts.browser import open_browser
from openclaw_gateway.parts.budget import announce_budget
from openclaw_gateway.parts.channels import open_channels, run_channels
from openclaw_gateway.parts.credentials import check_auth, gateway_auth, gateway_secret, load_secrets
from openclaw_gateway.parts.dreaming import open_dreaming
from openclaw_gateway.parts.forget import open_forgetter
from openclaw_gateway.parts.jobs import open_jobs
from openclaw_gateway.parts.log import open_redactor, start_log
from openclaw_gateway.parts.mcp import open_mcp
from openclaw_gateway.parts.memory import open_memories
from openclaw_gateway.parts.nodes import NodeTools, join_nodes, open_nodes
from openclaw_gateway.parts.plugins import (
    core_tools,
    hooked,
    join_plugins,
    open_plugins,
    plugin_tools,
    run_gate,
    run_plugins,
    told,
)
from openclaw_gateway.parts.questions import open_questions
from openclaw_gateway.parts.review import open_reviewer
from openclaw_gateway.parts.sandbox import open_sandboxes
from openclaw_gateway.parts.subagents import open_subagents
from openclaw_gateway.parts.tools import Toolboxes, ToolServices, tools_of_skills
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.devices import FILE_NAME as DEVICES_FILE
from openclaw_gateway.protocol.devices import Devices
from openclaw_gateway.protocol.dispatch import Dispatcher
from openclaw_gateway.protocol.hub import Hub
from openclaw_kernel._version import __version__
from openclaw_kernel.agent.runtime import AgentRuntime
from openclaw_kernel.agent.workspace import ensure_workspace
from openclaw_kernel.config.loader import LoadedConfig
from openclaw_kernel.config.reload import ReloadPlan
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.models.service import Models
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.skills.shelf import Shelf
from openclaw_kernel.store.lock import StateLock
from openclaw_kernel.store.paths import config_path, ensure_private_dir
from openclaw_kernel.store.runtime_file import RuntimeInfo, remove_runtime, write_runtime
from openclaw_kernel.tools.ask_user import ask_user_tool
from openclaw_kernel.tools.gateway_config import gateway_tool
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.clock import Clock, NewId, new_id, system_clock

log = logging.getLogger("openclaw_gateway")

GRACE_S = 5.0
"""How long runs may go on after the gateway was told to stop."""


@dataclass(slots=True)
class Gateway:
    """A running gateway. `url` is empty until a listener is bound; see `serve.py` and `extension.py`."""

    state_dir: Path
    hub: Hub
    services: GatewayServices
    runtime: AgentRuntime
    token: str
    url: str = ""

    @property
    def config(self) -> ConfigStore:
        return self.services.config

    @property
    def sessions(self) -> Sessions:
        return self.services.sessions

    @property
    def approvals(self) -> Approvals:
        return self.services.approvals

    @property
    def models(self) -> Models:
        return self.services.models

    @property
    def settings(self) -> OpenClawConfig:
        return self.services.settings

    def publish(self, url: str) -> None:
        """Writes the runtime file: from now on kernels and the CLI find this gateway."""
        self.url = url
        info = RuntimeInfo(url, self.token, os.getpid(), self.services.started_at, __version__)
        write_runtime(self.state_dir, info)
        log.info("gateway %s is ready at %s", __version__, url)

    @staticmethod
    @asynccontextmanager
    async def open(
        state_dir: Path,
        env: Mapping[str, str],
        *,
        overrides: Mapping[str, Any] | None = None,
        clock: Clock = system_clock,
        new_id: NewId = new_id,
    ) -> AsyncIterator[Gateway]:
        """Builds and starts a gateway on a state directory.

        Raises `UserError`: directory not writable, `StateLocked`, config invalid, or no authentication on an open address.
        """
        async with AsyncExitStack() as stack:
            yield await _build(stack, state_dir, env, overrides or {}, clock, new_id)


async def _build(
    stack: AsyncExitStack,
    state_dir: Path,
    env: Mapping[str, str],
    overrides: Mapping[str, Any],
    clock: Clock,
    new_id: NewId,
) -> Gateway:
    ensure_private_dir(state_dir)
    lock = await asyncio.to_thread(StateLock.acquire, state_dir, wait_s=float(overrides.get("lock_wait_s", 5.0)))
    stack.callback(lock.release)
    place = config_path({**env, "OPENCLAW_STATE_DIR": str(state_dir)})
    config = await asyncio.to_thread(ConfigStore, place, env)
    settings = config.current.config
    secrets = Secrets(settings, env)
    await asyncio.to_thread(load_secrets, secrets)
    config.before_reload.append(lambda changed: load_secrets(secrets, changed))
    secret = await asyncio.to_thread(gateway_secret, state_dir, settings, secrets, env)
    redactor = open_redactor(config, lambda: {*secrets.known(), secret} - {""})
    log_file = start_log(stack, state_dir, settings, redactor)
    check_auth(settings, str(overrides.get("host", "127.0.0.1")))

    sessions = Sessions(state_dir, clock, new_id)
    stack.callback(sessions.close)
    approvals = Approvals(state_dir / "approvals.jsonl", state_dir / "exec-approvals.jsonl", clock)
    stack.callback(approvals.close)
    models = Models(settings, secrets, clock=clock, state_dir=state_dir)
    stack.push_async_callback(models.close)
    approvals.reviewer = open_reviewer(config, models, sessions, clock)
    devices = Devices(state_dir / DEVICES_FILE, clock=clock, new_id=new_id)
    stack.callback(devices.close)

    broadcaster = Broadcaster()
    models.on_budget.append(lambda reached: announce_budget(reached, broadcaster, clock))
    nodes, surfaces = open_nodes(stack, state_dir, config, broadcaster, clock, new_id)
    projection = Projection(broadcaster, clock)
    plugins = await open_plugins(settings, state_dir, models)
    skills = Shelf(lambda: config.current.config, lambda agent_id: services.workspace(agent_id), state_dir, env)
    planning = cron_tools(lambda: services.automation, lambda agent_id: toolbox(agent_id).names(), clock, new_id)
    sandboxes = open_sandboxes(stack, config, state_dir)
    jobs = open_jobs(stack, config, lambda: services, clock)
    web = Web(lambda: config.current.config.tools.web, secrets.resolve, env, clock)
    questions = open_questions(stack, state_dir, broadcaster, clock, new_id)
    eyes = open_browser(stack, config, models, sessions, state_dir, env, web, clock)
    own = (*tools_of_skills(skills, sessions), *planning, *eyes, ask_user_tool(questions), gateway_tool(config))
    mcp = open_mcp(stack, config, secrets, env, redactor, state_dir, clock)
    memories = open_memories(
        stack, config, secrets, sessions, plugins, lambda one: services.workspace(one), state_dir, clock, models, broadcaster
    )
    more = (*own, *plugin_tools(plugins, own))
    boxes = Toolboxes(config, more, sandboxes, core_tools(plugins), jobs, web, mcp.tools, memories)
    toolbox = hooked(boxes, plugins)
    tool_services = ToolServices(
        lambda *words: services.automation.remind(*words), skills, NodeTools(nodes, surfaces, state_dir)
    )
    runtime = AgentRuntime(
        config=lambda: config.current.config,
        models=models,
        toolbox=toolbox,
        sessions=sessions,
        approvals=approvals,
        redactor=redactor,
        state_dir=state_dir,
        sink=told(projection, plugins),
        before_run=mcp.before(run_gate(plugins)),
        services=tool_services,
        notes=memories,
        clock=clock,
        new_id=new_id,
    )
    services = GatewayServices(
        state_dir=state_dir,
        version=__version__,
        clock=clock,
        new_id=new_id,
        started_at=clock(),
        config=config,
        sessions=sessions,
        models=models,
        runtime=runtime,
        approvals=approvals,
        devices=devices,
        broadcaster=broadcaster,
        projection=projection,
        log_file=log_file,
        presence=lambda: hub.presence(),
        health_changed=lambda: hub.health_changed(),
        secret=lambda: secret or None,
        skills=skills,
        nodes=nodes,
        surfaces=surfaces,
        sandboxes=sandboxes,
        mcp=mcp,
        questions=questions,
    )
    services.tool_standings = boxes.standings
    services.memories = memories
    services.redactor = redactor
    services.channels = open_channels(services, secrets, env)
    projection.session_row = lambda key: row_by_key(services, key)
    projection.session_id = lambda key: _session_id(sessions, key)
    approvals.on_change.append(lambda approval: approval_methods.announce(approval, broadcaster, clock))
    auth = gateway_auth(settings, secret, lambda: services.settings, clock)
    dispatcher = Dispatcher(services=services, families=FAMILIES)
    hub = Hub(
        auth,
        devices,
        dispatcher,
        broadcaster,
        lambda: _snapshot(services),
        clock=clock,
        new_id=new_id,
        silent_nodes=lambda: services.settings.gateway.nodes.auto_approve_local,
    )
    join_nodes(hub, services)
    stack.push_async_callback(_stop, services, runtime, hub)
    config.on_reload.append(lambda loaded, plan: _reloaded(models, loaded, plan))
    config.on_reload.append(lambda _loaded, _plan: services.automation.poke())

    await _prepare_workspaces(services)
    await open_forgetter(services).resume()
    await runtime.recover()
    hub.start()
    join_plugins(services, plugins, dispatcher)
    await run_channels(stack, services.channels)
    open_subagents(stack, services, runtime, tool_services).start()
    await open_automation(stack, services, secrets).start()
    open_dreaming(stack, services).start()
    await run_plugins(stack, services)
    await _watch(stack, config)
    await config.mark_good()
    stack.callback(remove_runtime, state_dir)
    return Gateway(state_dir, hub, services, runtime, secret)


def _session_id(sessions: Sessions, key: str) -> str | None:
    entry = sessions.get(key)
    return entry.session_id if entry is not None else None


def _snapshot(services: GatewayServices) -> dict[str, Any]:
    """`hello-ok.snapshot` without presence and versions, which the hub adds (protocol section 3.2)."""
    agent_id = services.default_agent
    return {
        "health": health_snapshot(services),
        "uptimeMs": services.clock() - services.started_at,
        "sessionDefaults": {
            "defaultAgentId": agent_id,
            "mainKey": services.settings.session.main_key,
            "mainSessionKey": services.main_key(agent_id),
            "scope": "per-sender",
        },
        "authMode": services.settings.gateway.auth.mode,
        "configPath": str(services.config.current.path),
        "stateDir": str(services.state_dir),
        "appliedConfigHash": services.config.current.hash,
        "suspension": {"phase": "accepting" if services.accepting else "draining"},
    }


async def _prepare_workspaces(services: GatewayServices) -> None:
    for agent_id in services.agent_ids():
        await asyncio.to_thread(ensure_workspace, services.workspace(agent_id))


def _reloaded(models: Models, loaded: LoadedConfig, plan: ReloadPlan) -> None:
    models.reconfigure(loaded.config)
    if plan.hot:
        log.info("configuration changed: %s", ", ".join(plan.hot))
    if plan.restart:
        log.warning("these settings take effect after a restart: %s", ", ".join(plan.restart))


async def _watch(stack: AsyncExitStack, config: ConfigStore) -> None:
    """Follows the config file; a broken edit keeps what runs and is logged."""
    if config.current.config.gateway.reload.mode == "off":
        return
    task = asyncio.ensure_future(config.watch())
    stack.push_async_callback(_cancel, task)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _stop(services: GatewayServices, runtime: AgentRuntime, hub: Hub) -> None:
    """Intake first, then runs, then the goodbye, then the requests under way."""
    services.accepting = False
    await runtime.close(GRACE_S)
    await hub.stop()
    await services.approvals.flush()
    await services.sessions.flush()
