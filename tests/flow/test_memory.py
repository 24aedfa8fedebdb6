"""Memory through a real gateway: what is remembered in one conversation is known in another, and after a restart."""

from __future__ import annotations

from pathlib import Path

import orjson

from openclaw_kernel.memory.durable import Durable
from tests.flow.wire import Client, client, served, text_of


async def say(peer: Client, words: str, key: str = "main") -> str:
    return text_of(await peer.final(await peer.say(words, key)))


async def test_remembered_here_and_known_there(tmp_path: Path) -> None:
    state = tmp_path / "s"
    config = {"memory": {"sources": ["memory", "sessions"]}}
    async with served(state, config) as gateway, client(gateway.ws, gateway.token) as peer:
        assert not (state / "memory").exists(), "nothing is made before it is used"
        assert (await say(peer, "remember that my cat is called Miso")).startswith("Noted.")
        told = await say(peer, "What is my cat called?", "other")
        assert "my cat is called Miso" in told and "(Source: memory/" in told
        await say(peer, "the greenhouse opens at dawn", "third")
        assert "greenhouse opens" in await say(peer, "recall greenhouse", "other")
    [row] = [orjson.loads(line) for line in (state / "memory/main/writes.jsonl").read_bytes().splitlines()][-1:]
    assert (row["provenance"], row["sessionKey"], row["state"]) == ("agent", "agent:main:main", "written")
    async with served(state, config) as gateway, client(gateway.ws, gateway.token) as peer:
        assert "my cat is called Miso" in await say(peer, "What is my cat called?", "fourth")
    durable = Durable.open(state / "memory/main/index.duckdb")
    assert durable.counts()[1] >= 2
    durable.close()
