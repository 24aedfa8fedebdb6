"""Telegram as the house sees it: one value. Importing it imports no SDK."""

from __future__ import annotations

from openclaw_gateway.channels.contract import ChannelCapabilities, ChannelPlugin
from openclaw_gateway.channels.telegram.adapter import TelegramGateway
from openclaw_gateway.channels.telegram.manifest import META
from openclaw_gateway.channels.telegram.outbound import CAPTION_LIMIT, TelegramOutbound
from openclaw_gateway.channels.telegram.parts import (
    TelegramActions,
    TelegramGroups,
    TelegramMessaging,
    TelegramPairing,
    TelegramSecurity,
    TelegramStatus,
    TelegramThreading,
)
from openclaw_gateway.channels.telegram.settings import TelegramConfig

CAPABILITIES = ChannelCapabilities(
    chat_types=frozenset({"direct", "group", "channel"}),
    text_limit=4_096,
    caption_limit=CAPTION_LIMIT,
    media_bytes=100_000_000,
    min_gap_ms=400,
    format="telegram-html",
    media=True,
    edit=True,
    unsend=True,
    typing=True,
    buttons=True,
    reactions=True,
    polls=True,
    threads=True,
    native_commands=True,
    block_streaming=True,
)
"""CHN-11 (gap) and CHN-16 (limits)."""


def telegram_plugin(gateway: TelegramGateway | None = None) -> ChannelPlugin:
    """The plugin around one gateway adapter, which knows the tokens that are polled."""
    gateway = gateway or TelegramGateway()
    return ChannelPlugin(
        id="telegram",
        meta=META,
        capabilities=CAPABILITIES,
        config=TelegramConfig(),
        gateway=gateway,
        outbound=TelegramOutbound(),
        status=TelegramStatus(),
        pairing=TelegramPairing(),
        security=TelegramSecurity(),
        groups=TelegramGroups(gateway),
        threading=TelegramThreading(),
        messaging=TelegramMessaging(),
        actions=TelegramActions(),
    )


PLUGIN = telegram_plugin()
