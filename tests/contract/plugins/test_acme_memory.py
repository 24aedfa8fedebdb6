"""A memory of somebody else's answers the memory tools of a real gateway, and its failures are sentences."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.contract.plugins.test_acme import gateway
from tests.flow.wire import Client, client, text_of


async def say(peer: Client, words: str, key: str = "main") -> str:
    return text_of(await peer.final(await peer.say(words, key)))


def config(slot: str) -> dict[str, Any]:
    return {"plugins": {"allow": ["acme"], "slots": {"memory": slot}}}


@pytest.mark.parametrize("slot", ["lines", "acme"])
async def test_it_is_the_memory_that_the_slot_names(tmp_path: Path, acme: Path, slot: str) -> None:
    state = tmp_path / "state"
    async with gateway(state, acme, config(slot)) as running, client(running.ws, running.token) as peer:
        assert (await say(peer, "remember that my cat is called Miso")).startswith("Noted.")
        assert "acme knows: " in await say(peer, "recall Miso cat", "other")
        [hit] = (await peer.call("memory.search", {"query": "miso"}))["results"]
        assert hit["snippet"].startswith("acme knows: ") and "my cat is called Miso" in hit["snippet"]
        status = await peer.call("memory.status")
        assert (status["backend"], status["sentence"]) == ("acme", "Semantic search is off: acme only compares words.")
        assert "Miso" in (await peer.call("memory.get", {"path": hit["path"]}))["text"]
        made = await peer.call("memory.promote", {"ref": f"{hit['path']}#{hit['startLine']}"})
        assert len((await peer.call("memory.search", {"query": "miso"}))["results"]) == 2
        await peer.call("memory.undo", {"id": made["id"]})
        for name, params, words in (
            ("memory.search", {"query": "explode"}, "The memory of plugin acme failed: RuntimeError: acme's memory is on fire"),
            ("memory.forget", {"text": "miso"}, "acme forgets nothing"),
            ("memory.get", {"path": "x.md"}, "is not a note that acme knows"),
            ("memory.index", {"force": True}, "cannot build its index anew"),
        ):
            assert words in (await peer.fails(name, params))["message"]
        assert "on fire" in await say(peer, "recall explode"), "the turn goes on with the sentence"
    assert not await asyncio.to_thread((state / "memory" / "main" / "index.duckdb").exists), "the other one was never opened"


async def test_a_slot_that_names_nothing_says_what_there_is(tmp_path: Path, acme: Path) -> None:
    async with gateway(tmp_path / "a", acme, config("lancedb")) as running, client(running.ws, running.token) as peer:
        error = await peer.fails("memory.status")
        assert "'lancedb', which is not there; known: " in error["message"] and "builtin" in error["message"]
    async with gateway(tmp_path / "b", acme, config("none")) as running, client(running.ws, running.token) as peer:
        assert "switched off" in (await peer.fails("memory.status"))["message"]
        assert await say(peer, "hello"), "a turn needs no memory"


async def test_the_built_in_one_registers_as_any_other(tmp_path: Path, acme: Path) -> None:
    async with gateway(tmp_path / "a", acme, config("memory-core")) as running, client(running.ws, running.token) as peer:
        assert (await peer.call("memory.status"))["backend"] == "builtin"
    off = {"plugins": {"entries": {"core-memory": {"enabled": False}}}}
    async with gateway(tmp_path / "b", acme, off) as running, client(running.ws, running.token) as peer:
        assert "'builtin', which is not there; known: none" in (await peer.fails("memory.status"))["message"]
