"""What `/tools` says is what the model gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import client, served, text_of


async def test_what_a_layer_takes_is_not_offered_and_is_named(tmp_path: Path) -> None:
    async with FakeModelServer() as models:
        tools: dict[str, Any] = {"deny": ["python"], "byProvider": {"fake": {"deny": ["web_*"]}}, "exec": {"ask": "off"}}
        config = provider(models.openai_url, tools=tools)
        async with served(tmp_path / "state", config) as gateway, client(gateway.ws, gateway.token) as peer:
            said = text_of(await peer.final(await peer.say("/tools")))
            assert "- `read`" in said and "- `exec`" in said
            assert "- `python` by `tools.deny`" in said and "- `web_fetch` by `tools.byProvider.fake`" in said
            assert "mode allowlist" in said
            await peer.final(await peer.say("hello"))
            offered = {tool["function"]["name"] for tool in models.requests[-1].body["tools"]}
            assert "read" in offered and not offered & {"python", "web_fetch", "web_search"}
            assert all(f"`{name}`\n" in said for name in offered)


async def test_a_sandboxed_session_keeps_few_tools(tmp_path: Path) -> None:
    async with FakeModelServer() as models:
        config = provider(models.openai_url)
        config["agents"]["defaults"] = {**config["agents"]["defaults"], "sandbox": {"mode": "non-main"}}
        async with served(tmp_path / "state", config) as gateway, client(gateway.ws, gateway.token) as peer:
            other = "agent:main:other"
            said = text_of(await peer.final(await peer.say("/tools", other)))
            assert "- `exec`" in said and "- `remind` by `tools.sandbox.tools`" in said
            await peer.final(await peer.say("hello", other))
            guest = {tool["function"]["name"] for tool in models.requests[-1].body["tools"]}
            await peer.final(await peer.say("hello"))
            owner = {tool["function"]["name"] for tool in models.requests[-1].body["tools"]}
            assert {"exec", "read"} <= guest < owner and {"python", "web_fetch", "remind"} <= owner - guest
