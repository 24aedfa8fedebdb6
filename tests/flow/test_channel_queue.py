"""A person writes on Telegram while the assistant works: steered, stopped, collected (AGT-08 to AGT-11)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.fakes.model_server import FakeModelServer
from tests.fakes.telegram_server import TelegramServer
from tests.flow.processes import provider
from tests.flow.test_telegram import OWNER, House
from tests.flow.wire import client, served

WAIT = json.dumps({"command": "for i in $(seq 400); do test -e go && break; sleep 0.05; done; echo waited"})
WRITE = json.dumps({"path": "never.txt", "content": "x"})


@asynccontextmanager
async def house(state_dir: Path, **queue: Any) -> AsyncIterator[House]:
    async with FakeModelServer() as model, TelegramServer() as telegram:
        block = {
            "enabled": True,
            "botToken": telegram.token,
            "apiBaseUrl": telegram.url,
            "filesBaseUrl": telegram.url,
            "allowFrom": [str(OWNER)],
        }
        config = provider(
            model.openai_url,
            channels={"telegram": block},
            commands={"ownerAllowFrom": [f"telegram:{OWNER}"]},
            messages={"inbound": {"debounceMs": 0}, "queue": {"debounceMs": 0, **queue}},
            tools={"exec": {"security": "full", "ask": "off"}},
        )
        async with served(state_dir, config) as gateway, client(gateway.ws, gateway.token, caps=["tool-events"]) as peer:
            yield House(telegram, model, gateway, peer)


async def users(at: House) -> list[str]:
    """What the session holds of the person's words."""
    page = await at.peer.call("chat.history", {"sessionKey": "main", "limit": 100})
    return [str(row["content"]) for row in page["messages"] if row["role"] == "user"]


async def settled(at: House) -> None:
    """Nothing waits for an answer in the inbox, and nothing to be sent in the outbox."""

    def rows(name: str) -> list[dict[str, Any]]:
        lines = (at.gateway.state_dir / "channels" / name).read_text().splitlines()
        return list({row["id"]: row for row in map(json.loads, lines)}.values())

    await at.until(lambda: all(row["state"] == "done" for name in ("inbox.jsonl", "outbox.jsonl") for row in rows(name)))


async def test_a_second_message_steers_and_both_get_one_answer(tmp_path: Path) -> None:
    async with house(tmp_path / "state") as at:
        at.telegram.world.say(f"[[tool exec {WAIT}]] [[tool write {WRITE}]] work", user=OWNER)
        await at.peer.event("agent", stream="tool")
        at.telegram.world.say("[[echo about the sea]] rather this", user=OWNER)
        await at.until(lambda: "rather this" in (at.gateway.state_dir / "runs.jsonl").read_text())
        await asyncio.to_thread((at.gateway.state_dir / "workspace" / "go").write_text, "")
        await at.said(OWNER, "about the sea")
        await settled(at)
        assert [text for text in at.telegram.world.texts(OWNER) if "sea" in text] == ["about the sea"]
        assert len(at.telegram.world.texts(OWNER)) == 1
        assert not (at.gateway.state_dir / "workspace" / "never.txt").exists()
        assert "Not run: the user said something new first." in json.dumps(at.model.requests[-1].body)
        assert len(at.model.requests) == 2 and len(await users(at)) == 2


async def test_stop_from_a_chat_ends_the_tool_and_what_waits(tmp_path: Path) -> None:
    async with house(tmp_path / "state", mode="followup") as at:
        at.telegram.world.say(f"[[tool exec {WAIT}]] work", user=OWNER)
        await at.peer.event("agent", stream="tool")
        at.telegram.world.say("[[echo never said]] and then this", user=OWNER)
        await at.until(lambda: "and then this" in (at.gateway.state_dir / "runs.jsonl").read_text())
        at.telegram.world.say("/stop", user=OWNER)
        assert await at.said(OWNER, "Stopped") == "Stopped 2 runs."
        await settled(at)
        assert at.telegram.world.texts(OWNER) == ["Stopped 2 runs."] and len(at.model.requests) == 1


async def test_the_owner_pins_from_a_chat(tmp_path: Path) -> None:
    async with house(tmp_path / "state") as at:
        at.telegram.world.say("/pin Never write to strangers.", user=OWNER)
        await at.said(OWNER, "Pinned: Never write to strangers.")
        at.telegram.world.say("hello", user=OWNER)
        await at.until(lambda: at.model.requests)
        assert "Never write to strangers." in json.dumps(at.model.requests[0].body["messages"][0])


async def test_collected_messages_are_one_turn_with_one_answer(tmp_path: Path) -> None:
    async with house(tmp_path / "state", mode="collect") as at:
        at.telegram.world.say("[[sleep 1]] [[echo first answer]]", user=OWNER)
        await at.peer.event("agent", stream="lifecycle")
        for word in ("two", "three"):
            at.telegram.world.say(f"[[echo to {word}]] {word}", user=OWNER)
        await at.said(OWNER, "to three")
        await settled(at)
        assert at.telegram.world.texts(OWNER) == ["first answer", "to three"] and len(at.model.requests) == 2
