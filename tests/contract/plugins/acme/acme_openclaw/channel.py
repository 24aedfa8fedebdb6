"""A channel over a folder: what people write comes by its webhook, what is said to them is a file of their own folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from openclaw_gateway.channels.contract import (
    Account,
    AccountHost,
    ChannelCapabilities,
    ChannelMeta,
    ChannelPlugin,
    Resolve,
    Sent,
    WebhookRequest,
    WebhookResponse,
)
from openclaw_kernel.values.envelope import Attachment, Inbound, Outbound, Peer, Sender, Thread


class Settings(BaseModel):
    model_config = ConfigDict(extra="allow")
    enabled: bool = True
    folder: str


class Config:
    settings: type[BaseModel] = Settings

    def accounts(self, block: Mapping[str, Any], resolve: Resolve, env: Mapping[str, str]) -> list[Account]:
        settings = Settings.model_validate(dict(block))
        return [Account("acme", enabled=settings.enabled, settings=settings)]


class Live:
    def __init__(self, account: Account, host: AccountHost) -> None:
        self.folder, self.host = Path(account.settings.folder), host
        self.sent = len(list(self.folder.glob("*/*.txt")))
        self.stopped = asyncio.Event()

    async def ended(self) -> None:
        await self.stopped.wait()

    async def webhook(self, request: WebhookRequest) -> WebhookResponse:
        wire = json.loads(request.body)
        peer = Peer("direct", wire["from"])
        inbound = Inbound("acme", peer, Sender(wire["from"]), wire["id"], 0, text=wire["text"], command_text=wire["text"])
        receipt = await self.host.intake(inbound)
        return WebhookResponse(200, receipt.encode())

    async def fetch(self, attachment: Attachment, into: Path, limit: int) -> Attachment:
        raise NotImplementedError


class Gateway:
    @asynccontextmanager
    async def start(self, account: Account, host: AccountHost) -> AsyncIterator[Live]:
        live = Live(account, host)
        live.folder.mkdir(parents=True, exist_ok=True)
        host.connected(True)
        yield live
        live.stopped.set()


class Outgoing:
    async def send(self, live: Any, outbound: Outbound) -> Sent:
        live.sent += 1
        name = f"{outbound.target.id}/{live.sent:03d}.txt"
        (live.folder / name).parent.mkdir(exist_ok=True)
        (live.folder / name).write_text(outbound.text)
        return Sent(name)

    async def edit(self, live: Any, sent: Sent, outbound: Outbound) -> None:
        (live.folder / sent.message_id).write_text(outbound.text)

    async def typing(self, live: Any, target: Peer, thread: Thread | None) -> None: ...


CHANNEL = ChannelPlugin(
    id="acme",
    meta=ChannelMeta("Acme", "Speaks through a folder."),
    capabilities=ChannelCapabilities(),
    config=Config(),
    gateway=Gateway(),
    outbound=Outgoing(),
)
