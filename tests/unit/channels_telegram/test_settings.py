"""What `channels.telegram` may say, and what follows from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.channels.contract import Account
from openclaw_gateway.channels.telegram.parts import TelegramMessaging, TelegramSecurity
from openclaw_gateway.channels.telegram.settings import TelegramConfig
from openclaw_kernel.values.envelope import Peer, Thread
from openclaw_kernel.values.errors import OpenClawError, UserError

TOKEN = "123456:AAAAAAAAAAAAAAAAAAAA"
OTHER = "654321:BBBBBBBBBBBBBBBBBBBB"


def accounts(block: dict[str, Any], **env: str) -> list[Account]:
    return TelegramConfig().accounts(block, lambda value, where: str(value), env)


def test_the_block_is_the_default_account() -> None:
    [account] = accounts({"botToken": TOKEN, "name": "Home"})
    assert (account.id, account.name, account.configured, account.credential) == ("default", "Home", True, "config")
    assert account.settings.bot_token == TOKEN
    assert TOKEN not in repr(account) + repr(account.settings)


def test_the_environment_serves_the_default_account_only(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(OTHER + "\n")
    first, second, third = accounts(
        {"accounts": {"work": {}, "file": {"tokenFile": str(file)}}, "dmPolicy": "open"}, TELEGRAM_BOT_TOKEN=TOKEN
    )
    assert (first.credential, first.settings.bot_token) == ("env", TOKEN)
    assert not second.configured and "channels.telegram.accounts.work.botToken" in second.problem
    assert (third.credential, third.settings.bot_token, third.settings.dm_policy) == ("file", OTHER, "open")


def test_accounts_inherit_settings_but_neither_token_nor_webhook() -> None:
    block = {
        "botToken": TOKEN,
        "webhook": {"url": "https://x.example"},
        "mediaMaxMb": 5,
        "accounts": {"work": {"botToken": OTHER, "enabled": False}},
    }
    default, work = accounts(block)
    assert default.settings.webhook is not None and work.settings.webhook is None
    assert work.settings.media_bytes == 5_000_000 and default.enabled and not work.enabled
    assert [account.id for account in accounts({"accounts": {"work": {"botToken": OTHER}}})] == ["work"]


def test_switching_the_channel_off_switches_every_account_off() -> None:
    rows = accounts({"enabled": False, "botToken": TOKEN, "accounts": {"work": {"botToken": OTHER, "enabled": True}}})
    assert [row.enabled for row in rows] == [False, False]


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"bottoken": TOKEN}, '"bottoken" is not a known key; did you mean "botToken"'),
        ({"dmPolicy": "everybody"}, "channels.telegram.dmPolicy: must be"),
        ({"apiBaseUrl": "ftp://x"}, "must be an address"),
        ({"mediaMaxMb": 0}, "mediaMaxMb"),
        ({"accounts": {"work": {"nmae": "x"}}}, "channels.telegram.accounts.work"),
        ({"webhook": {"secret": "x"}}, "channels.telegram.webhook.url: this key is required"),
    ],
)
def test_a_wrong_block_is_told_with_its_place(block: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        accounts(block)
    assert sentence in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("block", [{}, {"botToken": "nonsense"}, {"tokenFile": "/nowhere/token"}])
def test_an_account_without_a_token_says_what_is_missing(block: dict[str, Any]) -> None:
    [account] = accounts(block)
    assert not account.configured and account.problem.endswith(".")
    assert "nonsense" not in account.problem


def test_a_webhook_secret_telegram_would_refuse_is_told() -> None:
    [account] = accounts({"botToken": TOKEN, "webhook": {"url": "https://x.example", "secret": "with space"}})
    assert not account.configured and "webhook.secret" in account.problem


def test_open_doors_are_warned_of() -> None:
    [account] = accounts({"botToken": TOKEN, "dmPolicy": "open", "groupPolicy": "open", "webhook": {"url": "http://x.example"}})
    assert len(TelegramSecurity().warnings(account)) == 3
    [closed] = accounts({"botToken": TOKEN})
    assert TelegramSecurity().warnings(closed) == []


def test_targets_as_people_write_them() -> None:
    target = TelegramMessaging().target
    assert target("42") == (Peer("direct", "42"), None)
    assert target("telegram:-100:topic:5") == (Peer("group", "-100"), Thread("5", "topic"))
    assert target("@news_channel") == (Peer("channel", "@news_channel"), None)
    with pytest.raises(OpenClawError):
        target("somebody")


def test_listing_and_reading_settings_imports_no_sdk() -> None:
    code = (
        "import sys; from openclaw_gateway.channels.telegram import manifest, plugin; "
        "plugin.PLUGIN.config.accounts({}, lambda v, w: v, {}); "
        "print([m for m in ('telegram', 'httpx', 'tornado') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
