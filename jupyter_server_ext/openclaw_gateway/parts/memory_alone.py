"""The memories of a state directory without a gateway: for a command, which owns the directory meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from openclaw_gateway.parts.forget import Forgetter
from openclaw_gateway.parts.log import open_redactor
from openclaw_gateway.parts.memory import memory_settings, open_memories
from openclaw_gateway.plugins.loader import Plugins
from openclaw_kernel.agent.settings import workspace_of
from openclaw_kernel.config.loader import load_config
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.memory.backend import memory_folder
from openclaw_kernel.memory.desk import Desk
from openclaw_kernel.memory.places import Places
from openclaw_kernel.models.service import Models
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.store.lock import StateLock
from openclaw_kernel.store.paths import config_path, ensure_private_dir
from openclaw_kernel.values.clock import Clock, new_id, system_clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.session_key import DEFAULT_AGENT

WAIT_S = 1.0
"""For another command that is just ending."""

Desks = Callable[[str | None], Desk]


@asynccontextmanager
async def open_desks(state_dir: Path, env: Mapping[str, str], clock: Clock = system_clock) -> AsyncIterator[Desks]:
    """Agent's id, or `None` for the default one → its desk. Raises `StateLocked` when a gateway owns the directory."""
    async with AsyncExitStack() as stack:
        ensure_private_dir(state_dir)
        lock = await asyncio.to_thread(StateLock.acquire, state_dir, wait_s=WAIT_S)
        stack.callback(lock.release)
        env = {**env, "OPENCLAW_STATE_DIR": str(state_dir)}
        config = await asyncio.to_thread(ConfigStore, config_path(env), env)
        settings = config.current.config
        secrets = Secrets(settings, env)
        redactor = open_redactor(config, lambda: {*secrets.known()} - {""})
        sessions = Sessions(state_dir, clock, new_id)
        stack.callback(sessions.close)
        plugins = Plugins(settings.plugins, state_dir)
        await asyncio.to_thread(plugins.load)

        def place(agent_id: str) -> Path:
            return workspace_of(settings, state_dir, agent_id)

        models = Models(settings, secrets, clock=clock, state_dir=state_dir)
        stack.push_async_callback(models.close)
        memories = open_memories(stack, config, secrets, sessions, plugins, place, state_dir, clock, models)

        def agents() -> list[str]:
            return [agent.id for agent in settings.agents.list] or [DEFAULT_AGENT]

        forgetter = Forgetter(state_dir, sessions, memories, agents, place, clock=clock)
        await forgetter.resume()

        def desk(agent_id: str | None) -> Desk:
            wanted = _known(settings, agent_id)
            folder = memory_folder(state_dir, wanted)
            return Desk(memories, wanted, place(wanted), folder, clock, redactor.text, forgetter.answer)

        yield desk


def note_places(state_dir: Path, agent_id: str | None, env: Mapping[str, str] | None = None) -> tuple[Places, Path]:
    """Where an agent's notes are, and the folder of its memory; reads the configuration and owns nothing. Blocking."""
    env = {**(os.environ if env is None else env), "OPENCLAW_STATE_DIR": str(state_dir)}
    settings = load_config(config_path(env), env).config
    wanted = _known(settings, agent_id)
    extra = memory_settings(settings, wanted).extra_paths
    return Places(workspace_of(settings, state_dir, wanted), extra), memory_folder(state_dir, wanted)


def _known(settings: OpenClawConfig, agent_id: str | None) -> str:
    """The agent that is meant. Raises `UserError` for one that is not configured."""
    agents = [agent.id for agent in settings.agents.list] or [DEFAULT_AGENT]
    first = next((agent.id for agent in settings.agents.list if agent.default), agents[0])
    if agent_id is not None and agent_id not in agents:
        raise UserError(f"There is no agent {agent_id!r}; known: {', '.join(agents)}.")
    return agent_id or first
