"""The contract over Telegram, by long poll and by webhook, against a Bot API server that refuses what Telegram refuses."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

import httpx

from tests.contract.channels import OWNER, ChannelCase, ChannelContract, Heard
from tests.fakes.telegram_server import TelegramServer
from tests.fakes.telegram_world import BOT_ID

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
FILES = ("photo", "document", "audio", "voice", "video")


class TelegramCase(ChannelCase):
    """By long poll."""

    name: ClassVar[str] = "telegram"
    limit: ClassVar[int] = 4_096

    def __init__(self) -> None:
        self.server = TelegramServer()
        self.url = ""

    async def open(self) -> None:
        await self.server.__aenter__()

    async def close(self) -> None:
        await self.server.stop()

    def config(self) -> dict[str, Any]:
        account = {
            "botToken": self.server.token,
            "apiBaseUrl": self.server.url,
            "filesBaseUrl": self.server.url,
            "dmPolicy": "pairing",
        }
        return {"channels": {"telegram": account}}

    async def joined(self, url: str, token: str) -> None:
        self.url = f"{url.rstrip('/')}/channels/telegram/default/webhook"

    async def says(self, text: str, *, who: str = OWNER, picture: bytes | None = None) -> Any:
        file = None if picture is None else self.server.world.upload("photo", picture, "dot.png")
        return self.server.world.say(text, user=int(who), name="A Name", file=file)

    async def repeat(self, said: Any) -> None:
        self.server.world.repeat(said)

    def heard(self, who: str = OWNER) -> list[Heard]:
        ours = [
            message
            for (chat, _), message in sorted(self.server.world.messages.items())
            if chat == int(who) and message["from"]["id"] == BOT_ID
        ]
        return [
            Heard(row.get("text") or row.get("caption") or "", tuple(kind for kind in FILES if kind in row), float(row["date"]))
            for row in ours
        ]

    async def slow_down(self, seconds: int) -> None:
        self.server.fail("sendMessage", code=429, retry_after=seconds)

    async def lose(self) -> None:
        await self.server.stop()

    async def restore(self) -> None:
        await self.server.__aenter__()

    async def forge(self) -> list[int]:
        """An account that polls has no webhook at all."""
        return [await self._post(b'{"update_id": 1}', headers) for headers in ({}, {SECRET_HEADER: "x"})]

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        async with httpx.AsyncClient() as http:
            return (await http.post(self.url, content=body, headers=headers)).status_code

    def edits(self) -> int:
        return len(self.server.of("editMessageText"))

    def typed(self) -> int:
        return len(self.server.of("sendChatAction"))


class TelegramWebhookCase(TelegramCase):
    """By webhook: Telegram posts, and repeats what was not answered with 200."""

    SECRET: ClassVar[str] = "a-secret_of-some-length"

    def config(self) -> dict[str, Any]:
        config = super().config()
        config["channels"]["telegram"]["webhook"] = {"url": "https://bot.example.org/hook", "secret": self.SECRET}
        return config

    async def joined(self, url: str, token: str) -> None:
        await super().joined(url, token)
        await self.server.until("setWebhook")

    async def says(self, text: str, *, who: str = OWNER, picture: bytes | None = None) -> Any:
        update = await super().says(text, who=who, picture=picture)
        await self.repeat(update)
        return update

    async def repeat(self, said: Any) -> None:
        """As Telegram does it: again and again until the answer is 200."""
        self.server.world.updates.clear()
        async with asyncio.timeout(20):
            while await self._post(json.dumps(said).encode(), {SECRET_HEADER: self.SECRET}) != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def forge(self) -> list[int]:
        update = json.dumps({"update_id": 1, "message": {"message_id": 1, "date": 1, "text": "forged"}}).encode()
        wrong: list[dict[str, str]] = [
            {},
            {SECRET_HEADER: ""},
            {SECRET_HEADER: self.SECRET[:-1]},
            {SECRET_HEADER: self.SECRET.upper()},
            {SECRET_HEADER: self.SECRET + "x"},
        ]
        statuses = [await self._post(update, headers) for headers in wrong]
        return [*statuses, await self._post(b"{]", {SECRET_HEADER: self.SECRET})]


class TestTelegram(ChannelContract):
    make = TelegramCase


class TestTelegramWebhook(ChannelContract):
    make = TelegramWebhookCase
