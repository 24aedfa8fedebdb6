"""A running webhook account: takes signed requests, holds those that wait for their answer, fetches files."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from openclaw_gateway.channels.contract import Account, AccountHost, ChannelError, WebhookRequest, WebhookResponse
from openclaw_gateway.channels.webhook.message import INLINE, inbound_of, read_message
from openclaw_gateway.channels.webhook.settings import CHANNEL, WebhookSettings
from openclaw_gateway.channels.webhook.signature import refusal
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.envelope import Attachment, Inbound, Outbound, Peer
from openclaw_kernel.values.errors import UserError

REFUSED_WAIT_S = 2.0
"""A sender who is not heard may get a pairing code; an answer is waited for no longer than this."""


class WebhookLive:
    """A running account. `waiting` are the requests that are held until their conversation is answered."""

    def __init__(self, account: Account, host: AccountHost, clock: Clock) -> None:
        self.account = account
        self.settings: WebhookSettings = account.settings
        self._host = host
        self._clock = clock
        self._waiting: dict[tuple[Peer, str], list[asyncio.Queue[tuple[dict[str, Any], bool]]]] = {}

    async def ended(self) -> None:
        await asyncio.Event().wait()

    async def webhook(self, request: WebhookRequest) -> WebhookResponse:
        if request.method != "POST":
            return _json(405, {"error": "POST a signed message"})
        if reason := refusal(str(self.settings.secret), request.headers, request.body, self._clock() // 1000):
            return _json(401, {"error": reason})
        try:
            body = await asyncio.to_thread(read_message, request.body)
        except UserError as error:
            return _json(400, {"error": str(error)})
        inbound = inbound_of(body, CHANNEL, self.account.id, self._clock())
        if body.sync:
            return await self._answered(inbound)
        receipt = await self._host.intake(inbound)
        return _json(200 if receipt == "duplicate" else 202, {"status": "accepted" if receipt == "refused" else receipt})

    async def _answered(self, inbound: Inbound) -> WebhookResponse:
        """Holds the request until the answer is whole. A sender who is not heard is told nothing else than others are."""
        key = (inbound.peer, inbound.thread.id if inbound.thread else "")
        queue: asyncio.Queue[tuple[dict[str, Any], bool]] = asyncio.Queue()
        self._waiting.setdefault(key, []).append(queue)
        replies: list[dict[str, Any]] = []
        try:
            receipt = await self._host.intake(inbound)
            if receipt == "duplicate":
                return _json(200, {"status": "duplicate"})
            limit_s = self.settings.sync_timeout_s if receipt == "accepted" else REFUSED_WAIT_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    last = False
                    while not last:
                        reply, last = await queue.get()
                        replies.append(reply)
        finally:
            self._waiting[key].remove(queue)
            if not self._waiting[key]:
                del self._waiting[key]
        return _json(200, {"status": "answered", "replies": replies}) if replies else _json(202, {"status": "accepted"})

    def take(self, outbound: Outbound, reply: dict[str, Any]) -> bool:
        """Hands a part of an answer to the request that waits for it, the oldest first; false when none does."""
        waiting = self._waiting.get((outbound.target, outbound.thread.id if outbound.thread else ""))
        if not waiting:
            return False
        payload = outbound.payload or {}
        waiting[0].put_nowait((reply, payload.get("part", 1) == payload.get("of", 1)))
        return True

    async def fetch(self, attachment: Attachment, into: Path, limit: int) -> Attachment:
        target = into / _file_name(attachment)
        if attachment.ref.startswith(INLINE):
            data = await asyncio.to_thread(_decoded, attachment.ref.removeprefix(INLINE))
        else:
            data = await self._download(attachment.ref, limit)
        if len(data) > limit:
            raise ChannelError(f"the file has more than {limit} bytes", "refused")
        await asyncio.to_thread(write_atomic, target, data)
        return replace(attachment, ref="", path=str(target), size=len(data))

    async def _download(self, url: str, limit: int) -> bytes:
        """Only from the place that the owner named: a sender must not choose what this machine reads."""
        base = (self.settings.files_base_url or "").rstrip("/")
        if not base or not url.startswith(f"{base}/"):
            raise ChannelError("files come along as base64 or lie below channels.webhook.filesBaseUrl", "refused")
        import httpx

        try:
            async with httpx.AsyncClient(timeout=30.0) as client, client.stream("GET", url) as response:
                if response.status_code != 200:
                    raise ChannelError(f"the file server answered {response.status_code}", "refused")
                data = bytearray()
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > limit:
                        raise ChannelError(f"the file has more than {limit} bytes", "refused")
        except httpx.HTTPError as error:
            raise ChannelError(f"the file could not be fetched: {type(error).__name__}") from error
        return bytes(data)


class WebhookGateway:
    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock

    @contextlib.asynccontextmanager
    async def start(self, account: Account, host: AccountHost) -> AsyncIterator[WebhookLive]:
        yield WebhookLive(account, host, self._clock)


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ChannelError("the attachment is not base64", "refused") from None


def _file_name(attachment: Attachment) -> str:
    name = "".join(char if char.isalnum() or char in "-_. " else "_" for char in attachment.name).strip(". ")
    return name[-100:] or attachment.kind


def _json(status: int, body: dict[str, Any]) -> WebhookResponse:
    return WebhookResponse(status, orjson.dumps(body), "application/json")
