"""Dreaming joined to the house: the memories whose notes it reads, the clock, and the way to the owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from openclaw_gateway.automation.contract import Announcement
from openclaw_gateway.automation.dreams import Dreams, Place
from openclaw_gateway.automation.nights import Nights, Plan
from openclaw_gateway.automation.schedule import Cron
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.parts.announce import announcer
from openclaw_gateway.parts.memory import memory_settings
from openclaw_kernel.agent.settings import workspace_of
from openclaw_kernel.config.loader import load_config
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.memory import Dreaming
from openclaw_kernel.memory.backend import Builtin, memory_folder
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.memory.writes import Writes
from openclaw_kernel.store.lock import StateLock
from openclaw_kernel.store.paths import config_path, ensure_private_dir
from openclaw_kernel.values.clock import system_clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.session_key import DEFAULT_AGENT

ORIGINAL = "memory-core"
"""The plugin that dreams in OpenClaw."""
WAIT_S = 1.0
"""For another command that is just ending."""


def open_dreaming(stack: AsyncExitStack, services: GatewayServices) -> Nights:
    """Builds it and hears of recalls; `start()` sets the nights going. Nothing is read while dreaming is off."""
    memories = services.memories
    books: dict[Path, Writes] = {}
    dreams = Dreams(
        lambda agent_id: _place(services, memories, books, agent_id),
        lambda agent_id: dreaming_settings(services.settings, agent_id),
        services.clock,
    )
    announce = announcer(services)

    async def tell(agent_id: str, id: str, text: str) -> None:
        await announce(Announcement(agent_id, text, id, channel="owner"))

    nights = Nights(
        services.state_dir / "memory" / "nights.jsonl", lambda: _plans(services), dreams.night, tell, services.clock
    )
    services.dreams = dreams
    memories.on_recall.append(dreams.recalled)
    services.config.on_reload.append(lambda _loaded, _plan: nights.poke())
    stack.callback(_close, books)
    stack.push_async_callback(dreams.close)
    stack.push_async_callback(nights.stop)
    return nights


@asynccontextmanager
async def dreams_alone(state_dir: Path, env: Mapping[str, str], agent_id: str | None) -> AsyncIterator[tuple[Dreams, str]]:
    """Dreams without a gateway, and the agent that is meant; this process owns the state directory meanwhile.

    Raises `StateLocked` when a gateway does, and `UserError` for an agent that is not configured."""
    ensure_private_dir(state_dir)
    lock = await asyncio.to_thread(StateLock.acquire, state_dir, wait_s=WAIT_S)
    books: dict[Path, Writes] = {}
    try:
        env = {**env, "OPENCLAW_STATE_DIR": str(state_dir)}
        config = (await asyncio.to_thread(load_config, config_path(env), env)).config
        agents = [agent.id for agent in config.agents.list] or [DEFAULT_AGENT]
        first = next((agent.id for agent in config.agents.list if agent.default), agents[0])
        if agent_id is not None and agent_id not in agents:
            raise UserError(f"There is no agent {agent_id!r}; known: {', '.join(agents)}.")

        def place(one: str) -> Place:
            folder = memory_folder(state_dir, one)
            return Place(workspace_of(config, state_dir, one), folder, lambda: lambda: _book(books, folder), _nobody)

        dreams = Dreams(place, lambda one: dreaming_settings(config, one), system_clock)
        try:
            yield dreams, agent_id or first
        finally:
            await dreams.close()
    finally:
        _close(books)
        lock.release()


def dreaming_settings(config: OpenClawConfig, agent_id: str) -> Dreaming:
    """`memory.dreaming`, and over it what OpenClaw's own plugin is told, with the marks of its deep phase. Raises `UserError`
    naming the key."""
    settings = memory_settings(config, agent_id).dreaming
    entry = config.plugins.entries.get(ORIGINAL)
    theirs = entry.config.get("dreaming") if entry is not None else None
    if not isinstance(theirs, Mapping):
        return settings
    deep = (theirs.get("phases") or {}).get("deep") or {}
    marks = {name: value for name, value in deep.items() if name != "enabled"}
    try:
        return Dreaming.model_validate({**settings.model_dump(by_alias=True), **theirs, **marks})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        where = f"plugins.entries.{ORIGINAL}.config.dreaming"
        raise UserError(f"{where}: {key} in openclaw.json is not valid: {first['msg']}.") from error


def _plans(services: GatewayServices) -> list[Plan]:
    found = []
    for agent_id in services.agent_ids():
        dreaming = dreaming_settings(services.settings, agent_id)
        if dreaming.enabled and memory_settings(services.settings, agent_id).enabled:
            found.append(Plan(agent_id, Cron(dreaming.frequency, dreaming.timezone)))
    return found


def _place(services: GatewayServices, memories: Memories, books: dict[Path, Writes], agent_id: str) -> Place:
    folder = memory_folder(services.state_dir, agent_id)

    def writes() -> Callable[[], Writes]:
        backend = memories.of(agent_id)
        return (lambda: backend.keeper().writes) if isinstance(backend, Builtin) else (lambda: _book(books, folder))

    async def taken_up(paths: Sequence[Path]) -> None:
        await memories.of(agent_id).sync(paths)

    return Place(services.workspace(agent_id), folder, writes, taken_up)


def _book(books: dict[Path, Writes], folder: Path) -> Writes:
    """The book of writes of a back end that keeps none."""
    if folder not in books:
        books[folder] = Writes(folder)
    return books[folder]


def _close(books: dict[Path, Writes]) -> None:
    for book in books.values():
        book.close()


async def _nobody(_paths: Sequence[Path]) -> None:
    """No memory is open; the next one that is finds the change by itself."""
