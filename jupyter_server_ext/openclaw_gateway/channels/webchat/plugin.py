"""WebChat: internal, attached to the agent's main session (CHN-15).

Its wire is the gateway protocol itself: `chat.send` is its intake, `chat` events are its sends, and the gateway's own login
decides who may write. So the four required parts are all it has: it is listed and configurable, and there is nothing to start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from openclaw_gateway.channels.contract import Account, ChannelCapabilities, ChannelPlugin, Resolve
from openclaw_gateway.channels.settings import read
from openclaw_gateway.channels.webchat.manifest import MANIFEST
from openclaw_kernel.config.schema.channels import AccountSettings

CHANNEL = MANIFEST.id


class WebChatConfig:
    """One account, which cannot be left out."""

    settings: type[BaseModel] = AccountSettings

    def accounts(self, block: Mapping[str, Any], resolve: Resolve, env: Mapping[str, str]) -> list[Account]:
        settings = read(AccountSettings, block, f"channels.{CHANNEL}")
        return [Account(CHANNEL, name=settings.name, settings=settings)]


PLUGIN = ChannelPlugin(
    id=CHANNEL,
    meta=MANIFEST.meta,
    capabilities=ChannelCapabilities(
        chat_types=frozenset({"direct"}),
        text_limit=1_000_000,
        format="markdown",
        media=True,
        typing=True,
        buttons=True,
        native_commands=True,
        block_streaming=True,
    ),
    config=WebChatConfig(),
)
