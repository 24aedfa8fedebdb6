"""Memories joined to sessions and budgets: who hears of notes through a subagent, and who pays for a server's vectors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_gateway.parts.memory import open_memories
from openclaw_gateway.plugins.loader import Plugins
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.models.service import Models
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.clock import system_clock
from tests.fakes.embedding_server import MODEL, EmbeddingServer

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@asynccontextmanager
async def house(tmp_path: Path, config: dict[str, Any]) -> AsyncIterator[tuple[Memories, Sessions, Models]]:
    state, workspace = tmp_path / "state", tmp_path / "workspace"
    state.mkdir()
    workspace.mkdir()
    (state / "openclaw.json").write_bytes(orjson.dumps(config))
    store = ConfigStore(state / "openclaw.json", {})
    settings = store.current.config
    secrets, sessions = Secrets(settings, {}), Sessions(state)
    models = Models(settings, secrets, clock=system_clock, state_dir=state)
    async with AsyncExitStack() as stack:
        stack.callback(sessions.close)
        stack.push_async_callback(models.close)
        plugins = Plugins(settings.plugins, state)
        await asyncio.to_thread(plugins.load)
        yield (
            open_memories(stack, store, secrets, sessions, plugins, lambda _agent: workspace, state, system_clock, models),
            sessions,
            models,
        )


@pytest.mark.parametrize(("parent", "open_"), [("agent:main:main", True), ("agent:main:telegram:group:7", False)])
async def test_a_subagent_hears_what_its_conversation_hears(tmp_path: Path, parent: str, open_: bool) -> None:
    async with house(tmp_path, {}) as (memories, sessions, _models):
        middle, child = "agent:main:subagent:a", "agent:main:subagent:b"
        sessions.open(parent)
        for key, above in ((middle, parent), (child, middle)):
            sessions.open(key)
            sessions.update(key, parent_session_key=above)
        assert memories.open_to("main", child, guest=False) is open_


async def test_vectors_of_a_server_are_paid_for(tmp_path: Path) -> None:
    with EmbeddingServer() as server:
        embedding = {"provider": "openai", "model": MODEL, "baseUrl": f"{server.url}/v1"}
        async with house(tmp_path, {"memory": {"embedding": embedding}, "budget": {"day": {"tokens": 30}}}) as built:
            memories, _sessions, models = built
            await memories.append("main", "the bicycle is behind the library", "owner", "agent:main:main", NOW)
            for _ in range(4):
                hits = await memories.of("main").search("where is the bicycle behind the library")
                assert hits, "words are found without a vector too"
            spent = models.usage.agent_on("main", models.usage.day())
            refused = len(server.requests)
            await memories.of("main").search("a question that would cost more than is left of the day")
            assert 0 < spent.tokens <= 30 and len(server.requests) == refused
