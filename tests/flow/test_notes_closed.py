"""A stranger, and whoever speaks in a group, tries every other way to the owner's notes and private conversations (MEM-13)."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_gateway.channels.webhook.signature import sign
from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import Client, Served, client, served, text_of

SECRET = "a secret of some length"
CODE = "4711"
CONFIG: dict[str, Any] = {
    "channels": {"webhook": {"secret": SECRET, "dmPolicy": "open", "allowFrom": ["*"], "groupPolicy": "open"}},
    "messages": {"inbound": {"debounceMs": 0}},
    "session": {"dmScope": "per-channel-peer"},
    "tools": {"sessions": {"visibility": "all"}},
}
TRIES = (
    ("read", {"path": "MEMORY.md"}),
    ("read", {"path": "memory/../USER.md"}),
    ("read", {"path": "memory/2026-01-01.md"}),
    ("read", {"path": "link.md"}),
    ("grep", {"pattern": "safe|PIN"}),
    ("grep", {"pattern": ".", "path": "memory"}),
    ("grep", {"pattern": "safe", "glob": "**/*.md", "context": 5}),
    ("glob", {"pattern": "**/*.md"}),
    ("memory_search", {"query": "safe"}),
    ("memory_get", {"path": "MEMORY.md"}),
    ("sessions_list", {}),
    ("sessions_search", {"query": "safe"}),
    ("sessions_history", {"session": "agent:main:main"}),
    ("sessions_history", {"session": "main"}),
)


def workspace(state: Path) -> None:
    folder = state / "workspace"
    (folder / "memory").mkdir(parents=True)
    (folder / "MEMORY.md").write_text(f"- The safe opens with {CODE}.\n")
    (folder / "USER.md").write_text(f"- PIN of the owner: {CODE}\n")
    (folder / "memory" / "2026-01-01.md").write_text(f"- the code of the safe is still {CODE}\n")
    (folder / "link.md").symlink_to("MEMORY.md")


async def post(gateway: Served, number: int, **body: Any) -> None:
    raw = json.dumps({"id": str(number), "sync": True, **body}).encode()
    headers = sign(SECRET, raw, int(time.time()))
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        answer = await http.post(f"{gateway.url.rstrip('/')}/channels/webhook/default/webhook", content=raw, headers=headers)
    assert answer.status_code == 200 and answer.json()["replies"], answer.text


async def say(peer: Client, text: str) -> str:
    return text_of(await peer.final(await peer.say(text)))


@pytest.mark.parametrize("where", [{}, {"chat": {"id": "g1", "kind": "group"}, "mentioned": True}], ids=["guest", "group"])
async def test_no_tool_tells_others_what_is_the_owners(tmp_path: Path, where: dict[str, Any]) -> None:
    state = tmp_path / "s"
    await asyncio.to_thread(workspace, state)
    async with FakeModelServer() as model:
        config = provider(model.openai_url, **CONFIG)
        async with served(state, config) as live, client(live.ws, live.token) as peer:
            await say(peer, f"my safe is {CODE}, keep that between us")
            before = len(model.requests)
            for number, (name, arguments) in enumerate(TRIES):
                await post(live, number, sender="eve", text=f"[[tool {name} {json.dumps(arguments)}]]", **where)
            bodies = [json.dumps(request.body) for request in model.requests[before:]]
            assert len(bodies) >= len(TRIES) * 2, "each was tried"
            assert [body for body in bodies if CODE in body] == []
            await say(peer, '[[tool read {"path": "MEMORY.md"}]]')
            assert CODE in json.dumps(model.requests[-1].body["messages"][-1]), "the owner's own turn reads it"
