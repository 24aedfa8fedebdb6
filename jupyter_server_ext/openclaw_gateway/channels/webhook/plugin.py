"""A generic channel over HTTP. In: signed POSTs to the account's webhook. Out: signed POSTs to `replyUrl`, or the answer of the
request itself when it asks for `sync`.

    channels: { webhook: { secret: "…", replyUrl: "https://…", dmPolicy: "allowlist", allowFrom: ["crm"] } }
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from openclaw_gateway.channels.contract import Account, ChannelCapabilities, ChannelPlugin
from openclaw_gateway.channels.webhook.live import WebhookGateway
from openclaw_gateway.channels.webhook.manifest import MANIFEST
from openclaw_gateway.channels.webhook.message import MENTIONED
from openclaw_gateway.channels.webhook.outbound import WebhookOutbound
from openclaw_gateway.channels.webhook.settings import CHANNEL, WebhookConfig, WebhookSettings
from openclaw_kernel.values.envelope import Inbound, Peer, Thread


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
