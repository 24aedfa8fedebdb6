"""A generic channel over HTTP. In: signed POSTs to the account's webhook. Out: signed POSTs to `replyUrl`, or the answer of the
request itself when it asks for `sync`.

    channels: { webhook: { secret: "…", replyUrl: "https://…", dmPolicy: "allowlist", allowFrom: ["crm"] } }
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, Field, field_validator

from openclaw_gateway.channels.contract import (
    Account,
    AccountHost,
    ChannelCapabilities,
    ChannelError,
    ChannelPlugin,
    CredentialSource,
    Resolve,
    Sent,
    WebhookRequest,
    WebhookResponse,
)
from openclaw_gateway.channels.settings import read_accounts
from openclaw_gateway.channels.webhook.manifest import MANIFEST
from openclaw_gateway.channels.webhook.message import INLINE, MENTIONED, inbound_of, read_message
from openclaw_gateway.channels.webhook.signature import refusal, sign
from openclaw_kernel.config.schema.base import SecretInput
from openclaw_kernel.config.schema.channels import AccountSettings, ChannelSettings
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.envelope import Attachment, Inbound, Outbound, Peer, Thread
from openclaw_kernel.values.errors import UserError

CHANNEL = MANIFEST.id
MIN_SECRET = 16
REFUSED_WAIT_S = 2.0
"""A sender who is not heard may get a pairing code; an answer is waited for no longer than this."""
_OWN = frozenset({"secret", "replyUrl", "name"})


class WebhookSettings(AccountSettings):
    """`secret` signs both ways. `sync_timeout_s` is how long a request that asks for its answer is held."""

    secret: SecretInput | None = Field(default=None, repr=False)
    reply_url: str | None = None
    files_base_url: str | None = None
    sync_timeout_s: float = Field(default=60.0, gt=0, le=600)

    @field_validator("reply_url", "files_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must be an address that starts with https:// or http://")
        return value


class WebhookBlock(WebhookSettings, ChannelSettings):
    """`channels.webhook`."""


class WebhookConfig:
    settings: type[BaseModel] = WebhookBlock

    def accounts(self, block: Mapping[str, Any], resolve: Resolve, env: Mapping[str, str]) -> list[Account]:
        return [
            self._account(name, settings, where, on, resolve)
            for name, settings, where, on in read_accounts(CHANNEL, block, WebhookSettings, _OWN)
        ]

    def _account(self, name: str, settings: WebhookSettings, where: str, on: bool, resolve: Resolve) -> Account:
        secret, problem = "", ""
        try:
            secret = resolve(settings.secret, f"{where}.secret") if settings.secret is not None else ""
        except UserError as error:
            problem = str(error)
        if not problem and len(secret) < MIN_SECRET:
            problem = f"The webhook has no usable secret; set {where}.secret to at least {MIN_SECRET} characters."
        source: CredentialSource = "config" if secret else "none"
        known = settings.model_copy(update={"secret": secret})
        return Account(CHANNEL, name, settings.name, on, not problem, problem, source, known)


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


class WebhookOutbound:
    """Sends to the request that waits, else to `replyUrl`. `id` is the same when a part is sent again."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock

    async def send(self, live: WebhookLive, outbound: Outbound) -> Sent:
        reply = await asyncio.to_thread(_reply, outbound)
        if live.take(outbound, reply):
            return Sent(outbound.delivery_id)
        if not live.settings.reply_url:
            raise ChannelError("nobody waits for this answer any more, and channels.webhook.replyUrl is not set", "refused")
        return await self._post(live, orjson.dumps(reply), outbound.delivery_id)

    async def edit(self, live: WebhookLive, sent: Sent, outbound: Outbound) -> None:
        raise ChannelError("a webhook message cannot be changed", "refused")

    async def typing(self, live: WebhookLive, target: Peer, thread: Thread | None) -> None:
        return None

    async def _post(self, live: WebhookLive, body: bytes, delivery_id: str) -> Sent:
        import httpx

        headers = {"Content-Type": "application/json", **sign(str(live.settings.secret), body, self._clock() // 1000)}
        try:
            async with httpx.AsyncClient(timeout=30.0) as client:
                response = await client.post(str(live.settings.reply_url), content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ChannelError("replyUrl cannot be reached") from error
        except httpx.HTTPError as error:
            raise ChannelError(f"replyUrl did not answer: {type(error).__name__}", "ambiguous") from error
        status = response.status_code
        if status == 429 or status >= 500:
            raise ChannelError(f"replyUrl answered {status}", "retry", _seconds(response.headers.get("retry-after")))
        if status >= 300:
            raise ChannelError(f"replyUrl answered {status}", "refused")
        return Sent(delivery_id)


class WebhookGroups:
    def mentions(self, inbound: Inbound, account: Account) -> bool:
        return MENTIONED in inbound.group.roles


class WebhookThreading:
    def reply_mode(self, account: Account, inbound: Inbound) -> Literal["off", "first", "all"]:
        settings: WebhookSettings = account.settings
        return settings.reply_to_mode


class WebhookMessaging:
    def target(self, text: str) -> tuple[Peer, Thread | None]:
        """`id` is a person, `group:id` and `channel:id` are rooms."""
        kind, colon, rest = text.partition(":")
        if colon and rest and kind == "group":
            return Peer("group", rest), None
        if colon and rest and kind == "channel":
            return Peer("channel", rest), None
        return Peer("direct", text), None


class WebhookSecurity:
    def warnings(self, account: Account) -> list[str]:
        settings: WebhookSettings = account.settings
        url = urlsplit(settings.reply_url or "")
        if url.scheme == "http" and url.hostname not in ("127.0.0.1", "localhost", "::1"):
            return [f"channels.webhook account {account.id}: replyUrl is not https, so answers can be read on their way."]
        return []


def _reply(outbound: Outbound) -> dict[str, Any]:
    media = [
        {
            "name": item.name,
            "mediaType": item.media_type,
            "content": base64.b64encode(Path(item.path).read_bytes()).decode(),
        }
        for item in outbound.media
    ]
    reply: dict[str, Any] = {"id": outbound.delivery_id, "chat": asdict(outbound.target), "text": outbound.text, "media": media}
    payload = outbound.payload or {}
    reply |= {name: payload[name] for name in ("part", "of") if name in payload}
    if outbound.thread is not None:
        reply["thread"] = outbound.thread.id
    if outbound.reply_to is not None:
        reply["replyTo"] = outbound.reply_to
    return reply


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ChannelError("the attachment is not base64", "refused") from None


def _file_name(attachment: Attachment) -> str:
    name = "".join(char if char.isalnum() or char in "-_. " else "_" for char in attachment.name).strip(". ")
    return name[-100:] or attachment.kind


def _seconds(text: str | None) -> float | None:
    try:
        return min(max(float(text), 0.0), 3_600.0) if text else None
    except ValueError:
        return None


def _json(status: int, body: dict[str, Any]) -> WebhookResponse:
    return WebhookResponse(status, orjson.dumps(body), "application/json")


PLUGIN = ChannelPlugin(
    id=CHANNEL,
    meta=MANIFEST.meta,
    capabilities=ChannelCapabilities(
        chat_types=frozenset({"direct", "group", "channel"}),
        text_limit=4_000,
        format="markdown",
        media=True,
        threads=True,
    ),
    config=WebhookConfig(),
    gateway=WebhookGateway(),
    outbound=WebhookOutbound(),
    groups=WebhookGroups(),
    threading=WebhookThreading(),
    messaging=WebhookMessaging(),
    security=WebhookSecurity(),
)
