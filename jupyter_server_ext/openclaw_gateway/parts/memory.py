"""The memories of all agents joined to the house: their settings, their model, their private conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from openclaw_gateway.plugins.loader import Plugins
from openclaw_kernel.agent.waiting import mark_tainted
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.memory.memories import House, Maker, Memories
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.session_key import parse

if TYPE_CHECKING:
    from openclaw_kernel.memory.embedding.choose import EmbedderSource
    from openclaw_kernel.memory.embedding.shelf import Opened

PRIVATE = ("main", "direct", "custom", "dashboard")
"""Kinds of conversations that are recalled in others (MEM-13)."""


def open_memories(
    stack: AsyncExitStack,
    config: ConfigStore,
    secrets: Secrets,
    sessions: Sessions,
    plugins: Plugins,
    workspace: Callable[[str], Path],
    state_dir: Path,
    clock: Clock,
) -> Memories:
    """Nothing is read or loaded before an agent's memory is first used; all are closed with the stack."""
    house = House(
        spoken=lambda agent_id: private_transcripts(sessions, agent_id),
        tainted=lambda key: _tainted(sessions, key),
        taint=lambda key, tool: mark_tainted(sessions.open(key), tool),
        makers=_makers(plugins),
    )
    memories = Memories(
        lambda agent_id: memory_settings(config.current.config, agent_id),
        workspace,
        state_dir,
        lambda settings: _embedding(settings, secrets, state_dir),
        clock,
        house,
    )
    stack.push_async_callback(memories.close)
    return memories


def memory_settings(config: OpenClawConfig, agent_id: str) -> Memory:
    """`memory` under `agents.defaults.memorySearch` under the agent's own. Raises `UserError` naming the key."""
    own = next((agent.memory_search for agent in config.agents.list if agent.id == agent_id), {})
    try:
        return config.memory.overlaid(config.agents.defaults.memory_search, own)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"memorySearch.{key} of agent {agent_id} in openclaw.json is not valid: {first['msg']}.") from error


def private_transcripts(sessions: Sessions, agent_id: str) -> Sequence[Spoken]:
    """The transcripts of an agent that its other private conversations may recall. Words are the owner's where nobody else
    could have spoken; what came in through a tool is seen when the transcript is read."""
    return [
        Spoken(
            entry.session_id,
            sessions.path(agent_id, entry.session_id),
            entry.key,
            "untrusted" if parse(entry.key).channel else "owner",
        )
        for entry in sessions.list(agent_id)
        if _private(entry)
    ]


def _private(entry: SessionEntry) -> bool:
    return entry.chat_type == "direct" and parse(entry.key).kind in PRIVATE


def _tainted(sessions: Sessions, key: str) -> bool:
    entry = sessions.get(key)
    return entry is not None and sessions.transcript(entry.agent_id, entry.session_id).latest("taint") is not None


def _embedding(settings: Memory, secrets: Secrets, state_dir: Path) -> Callable[[], Opened]:
    """The model of these settings, looked for when it is needed: on a thread, for a secret may be a program's."""
    made: list[EmbedderSource] = []

    def opened() -> Opened:
        from openclaw_kernel.memory.embedding.choose import EmbedderSource
        from openclaw_kernel.memory.embedding.shelf import Shelf

        if not made:
            wanted = settings.embedding
            key = secrets.resolve(wanted.api_key, "memory.embedding.apiKey") if wanted.api_key is not None else ""
            shelf = Shelf(state_dir)
            made.append(
                EmbedderSource(shelf, wanted.provider, model=wanted.model or "", base_url=wanted.base_url or "", api_key=key)
            )
        return made[0].opened()

    return opened


def _makers(plugins: Plugins) -> dict[str, Maker]:
    """Back ends that plugins bring, by name; `build()` of such an offer gives the maker."""
    offers = [plugin.offers.memory for plugin in plugins.active() if plugin.manifest.origin != "bundled"]
    return {name: _later(build) for offer in offers for name, build in offer.items()}


def _later(build: Callable[[], object]) -> Maker:
    return lambda wanted: cast(Maker, build())(wanted)
