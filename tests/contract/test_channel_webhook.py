"""The contract over the generic webhook, with a program on the other side that checks our signatures as strictly as we do."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, ClassVar

import httpx
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from openclaw_gateway.channels.webhook.signature import refusal, sign
from tests.contract.channels import OWNER, ChannelCase, ChannelContract, Heard, counter
from tests.processes import free_port

SECRET = "a secret of some length"


class Platform:
    """Takes the gateway's posts. `refuse` holds (status, headers) of answers to come; a repeated id is dropped."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: dict[str, list[Heard]] = {}
        self.ids: set[str] = set()
        self.refuse: list[tuple[int, dict[str, str]]] = []
        self.twice: list[str] = []
        self._server: HTTPServer | None = None

    def up(self) -> None:
        platform = self

        class Reply(RequestHandler):
            def post(self) -> None:
                platform.reply(self)

        self._server = Application([("/replies", Reply)], log_function=lambda _handler: None).listen(self.port, "127.0.0.1")

    async def down(self) -> None:
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
            self._server = None

    def reply(self, handler: RequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.request.headers.get_all()}
        assert refusal(SECRET, headers, handler.request.body, int(time.time())) == ""
        if self.refuse:
            status, more = self.refuse.pop(0)
            handler.set_status(status)
            for name, value in more.items():
                handler.set_header(name, value)
            return
        body = json.loads(handler.request.body)
        if body["id"] in self.ids:
            self.twice.append(body["id"])
            return
        self.ids.add(body["id"])
        files = tuple(row["name"] for row in body["media"])
        assert all(base64.b64decode(row["content"]) for row in body["media"])
        self.taken.setdefault(body["chat"]["id"], []).append(Heard(body["text"], files, time.time()))


class WebhookCase(ChannelCase):
    name: ClassVar[str] = "webhook"
    cannot: ClassVar[dict[str, str]] = {
        "preview": "a message that was posted to a URL cannot be changed",
        "typing": "there is nothing to show it in",
    }

    def __init__(self) -> None:
        self.platform = Platform()
        self.url = ""

    async def open(self) -> None:
        self.platform.up()

    async def close(self) -> None:
        await self.platform.down()
        assert self.platform.twice == []

    def config(self) -> dict[str, Any]:
        reply_url = f"http://127.0.0.1:{self.platform.port}/replies"
        return {"channels": {"webhook": {"secret": SECRET, "replyUrl": reply_url, "dmPolicy": "pairing"}}}

    async def joined(self, url: str, token: str) -> None:
        self.url = url.rstrip("/") + "/channels/webhook/default/webhook"

    async def says(self, text: str, *, who: str = OWNER, picture: bytes | None = None) -> bytes:
        body: dict[str, Any] = {"sender": {"id": who, "name": "A Name"}, "text": text, "id": f"m{next(counter)}"}
        if picture is not None:
            body["attachments"] = [{"content": base64.b64encode(picture).decode(), "name": "dot.png", "mediaType": "image/png"}]
        raw = json.dumps(body).encode()
        await self.repeat(raw)
        return raw

    async def repeat(self, said: bytes) -> None:
        status = await self._post(said, sign(SECRET, said, int(time.time())))
        assert status in (200, 202), status

    async def _post(self, raw: bytes, headers: dict[str, str]) -> int:
        async with httpx.AsyncClient() as http:
            return (await http.post(self.url, content=raw, headers=headers)).status_code

    def heard(self, who: str = OWNER) -> list[Heard]:
        return self.platform.taken.get(who, [])

    async def slow_down(self, seconds: int) -> None:
        self.platform.refuse.append((429, {"Retry-After": str(seconds)}))

    async def lose(self) -> None:
        await self.platform.down()

    async def restore(self) -> None:
        self.platform.up()

    async def forge(self) -> list[int]:
        raw = json.dumps({"sender": OWNER, "text": "forged", "id": "f"}).encode()
        now = int(time.time())
        genuine = sign(SECRET, raw, now)
        stale = sign(SECRET, raw, now - 301)
        attempts = [
            {},
            sign("another secret of length", raw, now),
            stale,
            stale | {"x-openclaw-timestamp": str(now)},
            {"x-openclaw-signature": genuine["x-openclaw-signature"]},
            genuine | {"x-openclaw-timestamp": "9" * 40},
        ]
        statuses = [await self._post(raw, headers) for headers in attempts]
        statuses.append(await self._post(raw.replace(b"forged", b"f0rged"), genuine))
        statuses.append(await self._post(b"{]", sign(SECRET, b"{]", now)))
        return statuses


class TestWebhook(ChannelContract):
    make = WebhookCase
