"""The memories of all agents joined to the house: their settings, their model, their private conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from openclaw_gateway.parts.embedding import on_account
from openclaw_gateway.parts.memory_progress import ProgressTeller
from openclaw_gateway.plugins.loader import Plugins
from openclaw_gateway.plugins.memory import memory_makers
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_kernel.agent.waiting import mark_tainted
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.memory.audience import PRIVATE
from openclaw_kernel.memory.backend import NAME
from openclaw_kernel.memory.memories import House, Memories
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.models.service import Models
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.session_key import parse

if TYPE_CHECKING:
    from openclaw_kernel.memory.embedding.choose import EmbedderSource
    from openclaw_kernel.memory.embedding.shelf import Opened

OUR_NAMES = ("builtin", "core-memory", "memory-core")
"""What `plugins.slots.memory` may call the house's own back end."""


def open_memories(
    stack: AsyncExitStack,
    config: ConfigStore,
    secrets: Secrets,
    sessions: Sessions,
    plugins: Plugins,
    workspace: Callable[[str], Path],
    state_dir: Path,
    clock: Clock,
    models: Models,
    broadcaster: Broadcaster | None = None,
) -> Memories:
    """Nothing is read or loaded before an agent's memory is first used; all are closed with the stack."""
    teller = ProgressTeller(Broadcaster() if broadcaster is None else broadcaster, clock)
    stack.callback(teller.close)
    house = House(
        spoken=lambda agent_id: private_transcripts(sessions, agent_id),
        tainted=lambda key: _tainted(sessions, key),
        taint=lambda key, tool: mark_tainted(sessions.open(key), tool),
        root=sessions.root_key,
        progress=teller.of,
        makers=memory_makers(plugins),
    )
    memories = Memories(
        lambda agent_id: memory_settings(config.current.config, agent_id),
        workspace,
        state_dir,
        lambda agent_id, settings: _embedding(agent_id, settings, secrets, state_dir, models),
        clock,
        house,
    )
    stack.push_async_callback(memories.close)
    return memories


def memory_settings(config: OpenClawConfig, agent_id: str) -> Memory:
    """`memory` under `agents.defaults.memorySearch` under the agent's own; `plugins.slots.memory` picks the back end of who
    names none. Raises `UserError` naming the key."""
    own = next((agent.memory_search for agent in config.agents.list if agent.id == agent_id), {})
    try:
        settings = config.memory.overlaid(config.agents.defaults.memory_search, own)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"memorySearch.{key} of agent {agent_id} in openclaw.json is not valid: {first['msg']}.") from error
    slot = config.plugins.slots.memory
    if slot == "none":
        return settings.model_copy(update={"enabled": False})
    taken = settings.backend != NAME or slot in (None, "", *OUR_NAMES)
    return settings if taken else settings.model_copy(update={"backend": slot})


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


def _embedding(agent_id: str, settings: Memory, secrets: Secrets, state_dir: Path, models: Models) -> Callable[[], Opened]:
    """The model of these settings, looked for when it is needed: on a thread, for a secret may be a program's."""
    made: list[EmbedderSource] = []
    wanted = settings.embedding
    allow, spent = on_account(models, agent_id, wanted.provider, wanted.model or "")

    def opened() -> Opened:
        from openclaw_kernel.memory.embedding.choose import EmbedderSource
        from openclaw_kernel.memory.embedding.shelf import Shelf

        if not made:
            key = secrets.resolve(wanted.api_key, "memory.embedding.apiKey") if wanted.api_key is not None else ""
            at = {"model": wanted.model or "", "base_url": wanted.base_url or "", "api_key": key}
            made.append(EmbedderSource(Shelf(state_dir), wanted.provider, **at, allow=allow, spent=spent))
        return made[0].opened()

    return opened
