"""A bot on the local Bot API server, with a host that remembers what it was handed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.channels.contract import Account, Callback, Receipt
from openclaw_gateway.channels.telegram.adapter import TelegramGateway, TelegramLive
from openclaw_gateway.channels.telegram.plugin import telegram_plugin
from openclaw_gateway.channels.telegram.settings import TelegramConfig
from openclaw_kernel.values.envelope import Inbound
from tests.fakes.telegram_server import TelegramServer

PLUGIN = telegram_plugin()


@dataclass
class Host:
    """`broken` makes intake fail that many times, as a full disk does."""

    state_dir: Path
    webhook_url: str = ""
    broken: int = 0
    inbox: list[Inbound] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    status: list[bool] = field(default_factory=list)
    frames: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def intake(self, inbound: Inbound) -> Receipt:
        if self.broken:
            self.broken -= 1
            raise OSError("the disk is full")
        self.inbox.append(inbound)
        self.came.set()
        return "accepted"

    async def callback(self, callback: Callback) -> str:
        self.callbacks.append(callback)
        self.came.set()
        return f"got {callback.data}"

    def connected(self, yes: bool) -> None:
        self.status.append(yes)

    def alive(self) -> None:
        self.frames += 1

    def commands(self) -> list[tuple[str, str]]:
        return [("status", "How I am"), ("new-chat", "Start afresh"), ("help", "")]

    async def until(self, count: int = 1) -> list[Inbound]:
        async with asyncio.timeout(10):
            while len(self.inbox) < count:
                self.came.clear()
                await self.came.wait()
        return self.inbox


def account(server: TelegramServer, name: str = "default", **more: Any) -> Account:
    block = {"botToken": server.token, "apiBaseUrl": server.url, "filesBaseUrl": server.url, **more}
    [found] = TelegramConfig().accounts(block, lambda value, _: str(value), {})
    assert found.configured, found.problem
    return found


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as running:
        yield running


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


Start = Callable[..., AbstractAsyncContextManager[TelegramLive]]


@pytest.fixture
def start(server: TelegramServer, host: Host) -> Start:
    """Starts the bot; keywords are settings."""

    @asynccontextmanager
    async def running(*, poll_s: int = 20, stall_s: float = 30.0, hiccup_s: float = 0.01, **more: Any) -> AsyncIterator[Any]:
        gateway = TelegramGateway(poll_s=poll_s, stall_s=stall_s, hiccup_s=hiccup_s)
        async with gateway.start(account(server, **more), host) as live:
            yield live

    return running
