"""Telegram through a real gateway and a real socket: pairing, answers, questions, long texts, limits, the webhook."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.model_server import FakeModelServer
from tests.fakes.telegram_server import TelegramServer
from tests.flow.processes import provider
from tests.flow.wire import Client, Served, client, served

OWNER, STRANGER = 42, 66
LIMIT_S = 20


@dataclass
class House:
    telegram: TelegramServer
    model: FakeModelServer
    gateway: Served
    peer: Client

    async def until(self, ready: Callable[[], Any]) -> Any:
        """What the world of Telegram shows in the end."""
        async with asyncio.timeout(LIMIT_S):
            while not (found := ready()):  # noqa: ASYNC110 — the bot acts on a socket, not on an event of ours
                await asyncio.sleep(0.05)
        return found

    async def said(self, chat: int, part: str) -> str:
        """The text of the bot's first message in a chat that holds `part`."""
        return str(await self.until(lambda: next((text for text in self.telegram.world.texts(chat) if part in text), None)))


@asynccontextmanager
async def house(state_dir: Path, **settings: Any) -> AsyncIterator[House]:
    async with FakeModelServer() as model, TelegramServer() as telegram:
        block = {
            "enabled": True,
            "botToken": telegram.token,
            "apiBaseUrl": telegram.url,
            "filesBaseUrl": telegram.url,
            "allowFrom": [str(OWNER)],
            **settings,
        }
        config = provider(
            model.openai_url,
            channels={"telegram": block},
            commands={"ownerAllowFrom": [f"telegram:{OWNER}"]},
            messages={"inbound": {"debounceMs": 0}},
        )
        async with served(state_dir, config) as gateway, client(gateway.ws, gateway.token) as peer:
            yield House(telegram, model, gateway, peer)


async def test_a_stranger_pairs_and_is_heard(tmp_path: Path) -> None:
    async with house(tmp_path / "state") as at:
        at.telegram.world.say("secret words of a stranger", user=STRANGER)
        text = await at.said(STRANGER, "pairing code")
        found = re.search(r"code: (\S+)", text)
        assert found is not None and at.model.requests == [] and at.telegram.downloads == []
        log = (at.gateway.state_dir / "logs" / "gateway.jsonl").read_text()
        assert "secret words" not in log and at.telegram.token not in log
        await at.peer.call("channels.pairing.approve", {"channel": "telegram", "code": found[1]})
        at.telegram.world.say("[[echo welcome in]]", user=STRANGER)
        await at.said(STRANGER, "welcome in")


async def test_an_answer_is_formatted_and_a_question_has_buttons(tmp_path: Path) -> None:
    async with house(tmp_path / "state") as at:
        at.telegram.world.say("[[echo **bold** and `code` < 3]]", user=OWNER)
        assert await at.said(OWNER, "bold") == "bold and code < 3"
        at.telegram.world.say('[[tool exec {"command": "touch pressed.txt"}]] [[echo all done]]', user=OWNER)
        await at.said(OWNER, "touch pressed.txt")
        [message] = [row for row in at.telegram.world.messages.values() if row.get("reply_markup")]
        assert not (at.gateway.state_dir / "workspace" / "pressed.txt").exists()
        data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        at.telegram.world.press(message["message_id"], data, chat=OWNER, user=OWNER)
        await at.said(OWNER, "all done")
        assert (at.gateway.state_dir / "workspace" / "pressed.txt").exists()
        assert at.telegram.of("answerCallbackQuery")


async def test_a_limited_send_waits_and_is_said_once(tmp_path: Path) -> None:
    async with house(tmp_path / "state", streaming="off") as at:
        at.telegram.fail("sendMessage", code=429, retry_after=1)
        at.telegram.world.say("[[echo patience]]", user=OWNER)
        await at.said(OWNER, "patience")
    assert [text for text in at.telegram.world.texts(OWNER) if "patience" in text] == ["patience"]


async def test_a_lost_confirmation_is_no_second_question(tmp_path: Path) -> None:
    async with house(tmp_path / "state", streaming="off") as at:
        update = at.telegram.world.say("[[echo only once]]", user=OWNER)
        await at.said(OWNER, "only once")
        again = at.telegram.world.repeat(update)
        await at.telegram.confirmed(again["update_id"])
        at.telegram.fail("getUpdates", close=True)
        at.telegram.world.say("[[echo after the cut]]", user=OWNER)
        await at.said(OWNER, "after the cut")
    assert at.telegram.world.texts(OWNER) == ["only once", "after the cut"]


@pytest.mark.parametrize("secret", [None, "s3cret"])
async def test_the_webhook_takes_telegram_and_nobody_else(tmp_path: Path, secret: str | None) -> None:
    webhook = {"url": "https://bot.example.org/hook", **({"secret": secret} if secret else {})}
    async with house(tmp_path / "state", webhook=webhook) as at, httpx.AsyncClient() as web:
        await at.telegram.until("setWebhook")
        told = at.telegram.webhook["secret_token"]
        update = json.dumps(at.telegram.world.say("[[echo by webhook]]", user=OWNER))
        address = f"{at.gateway.url}/channels/telegram/default/webhook"
        header = "X-Telegram-Bot-Api-Secret-Token"
        await at.until(lambda: at.telegram.webhook is not None)
        for headers in ({}, {header: "wrong"}, {header: told[:-1]}):
            assert (await web.post(address, content=update, headers=headers)).status_code == 403
        inbox = at.gateway.state_dir / "channels" / "inbox.jsonl"
        assert not inbox.exists() or "by webhook" not in inbox.read_text()
        for _ in range(2):
            assert (await web.post(address, content=update, headers={header: told})).status_code == 200
        await at.said(OWNER, "by webhook")
    assert at.telegram.world.texts(OWNER) == ["by webhook"] and at.telegram.of("getUpdates") == []
