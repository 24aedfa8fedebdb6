"""The official command line looks into our rooms and writes through one of them. Optional, as its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.contract.gateway_process import RunningGateway, running_gateway
from tests.contract.official_cli.test_official_cli import OfficialCli, _json, cli, packages, pytestmark
from tests.contract.published import Published
from tests.fakes.telegram_server import TelegramServer

__all__ = ["cli", "packages", "pytestmark"]


def test_channels_status_of_a_gateway_without_channels(cli: OfficialCli) -> None:
    status = _json(cli.run("channels", "status", "--json"))
    assert (status["channelAccounts"], status["channelDefaultAccountId"]) == ({}, {})


def test_nodes_and_devices_list(cli: OfficialCli) -> None:
    assert {"pending": [], "paired": []}.items() <= _json(cli.run("nodes", "list", "--json", addressed=True)).items()
    devices = _json(cli.run("devices", "list", "--json", addressed=True))
    assert devices["pending"] == []


def test_skills_list(cli: OfficialCli) -> None:
    skills = {row["name"]: row for row in _json(cli.run("skills", "list", "--json"))["skills"]}
    assert skills["csv-report"]["eligible"] is True
    assert "csv-report" in cli.run("skills", "list")


def test_approvals_get(cli: OfficialCli) -> None:
    found = _json(cli.run("approvals", "get", "--gateway", "--json"))
    assert found["file"]["version"] == 1 and found["hash"]


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


async def test_message_send_through_telegram(packages: Published, tmp_path: Path, telegram: TelegramServer) -> None:
    telegram.world.say("hello", user=123)  # a bot may not write first
    account = {"botToken": telegram.token, "apiBaseUrl": telegram.url, "filesBaseUrl": telegram.url}
    async with AsyncExitStack() as stack:
        running = running_gateway(tmp_path / "state", config={"channels": {"telegram": account}})
        gateway: RunningGateway = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        cli = OfficialCli(packages, tmp_path / "home", gateway)
        listed = _json(await asyncio.to_thread(cli.run, "channels", "status", "--json"))
        [row] = listed["channelAccounts"]["telegram"]
        assert row["configured"] is True and telegram.token not in str(listed)
        words = ["message", "send", "--channel", "telegram", "--target", "123", "--message", "hi", "--json"]
        sent = _json(await asyncio.to_thread(cli.run, *words))
        assert sent["channel"] == "telegram"
        assert "hi" in telegram.world.texts(123)
