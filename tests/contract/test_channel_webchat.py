"""The contract over WebChat, whose wire is the gateway protocol itself."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import websockets

from tests.contract.channels import OWNER, ChannelCase, ChannelContract, Heard, counter
from tests.flow.wire import Client, client, text_of


class WebChatCase(ChannelCase):
    """A page that is connected; after a new start it reads what it missed from the history."""

    name: ClassVar[str] = "webchat"
    limit: ClassVar[int] = 1_000_000
    cannot: ClassVar[dict[str, str]] = {
        "rate": "the gateway does not refuse itself",
        "picture-out": "pictures are part of the messages that the page shows",
        "preview": "deltas are events of the protocol, which has its own tests",
        "typing": "the page sees the run itself",
        "stranger": "who may connect is decided by the gateway's login",
        "kill": "the page asks for the history; tests/flow/test_crash.py holds that to `kill -9`",
    }

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._page: Client | None = None
        self._seen: dict[str, Heard] = {}
        self._url = self._token = ""

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        await self._stack.aclose()

    def config(self) -> dict[str, Any]:
        return {"channels": {"webchat": {}}}

    async def joined(self, url: str, token: str) -> None:
        self._url, self._token = url.replace("http", "ws", 1).rstrip("/") + "/", token
        await self.restore()

    async def says(self, text: str, *, who: str = OWNER, picture: bytes | None = None) -> dict[str, Any]:
        params: dict[str, Any] = {"sessionKey": "main", "message": text, "idempotencyKey": f"w{next(counter)}"}
        if picture is not None:
            content = base64.b64encode(picture).decode()
            params["attachments"] = [{"content": content, "mimeType": "image/png", "fileName": "dot.png"}]
        await self.repeat(params)
        return params

    async def repeat(self, said: dict[str, Any]) -> None:
        assert self._page is not None
        await self._page.call("chat.send", said)

    def heard(self, who: str = OWNER) -> list[Heard]:
        for frame in self._page.events if self._page is not None else ():
            payload = frame.get("payload", {})
            if frame["event"] == "chat" and payload.get("state") == "final" and payload.get("message"):
                self._seen.setdefault(payload["runId"], Heard(text_of(payload)))
        return list(self._seen.values())

    async def lose(self) -> None:
        self.heard()
        await self._stack.aclose()
        self._page = None

    async def restore(self) -> None:
        self._page = await self._stack.enter_async_context(client(self._url, self._token))
        history = await self._page.call("chat.history", {"sessionKey": "main"})
        runs = [row for row in history["messages"] if row["role"] == "assistant"]
        for number, row in enumerate(runs[len(self._seen) :]):
            text = "".join(part.get("text", "") for part in row["content"])
            self._seen[f"history-{len(self._seen)}-{number}"] = Heard(text)

    async def forge(self) -> list[int]:
        statuses = []
        for token in ("wrong", ""):
            try:
                async with client(self._url, token):
                    statuses.append(200)
            except (AssertionError, websockets.ConnectionClosed):
                statuses.append(401)
        return statuses


class TestWebChat(ChannelContract):
    make = WebChatCase
