"""The generic webhook as it is listed."""

from __future__ import annotations

from openclaw_gateway.channels.contract import ChannelManifest, ChannelMeta

META = ChannelMeta(
    label="Webhook",
    blurb="Signed HTTP requests in, signed HTTP requests out: for your own programs and platforms without a channel.",
    order=90,
)

MANIFEST = ChannelManifest(id="webhook", meta=META, plugin="openclaw_gateway.channels.webhook.plugin:PLUGIN")
