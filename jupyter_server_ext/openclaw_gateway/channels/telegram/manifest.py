"""Telegram as it is listed, without its SDK (CHN-03)."""

from __future__ import annotations

from openclaw_gateway.channels.contract import ChannelManifest, ChannelMeta

META = ChannelMeta(
    label="Telegram",
    blurb="A bot of your own; make one with @BotFather and put its token into the configuration.",
    extra="telegram",
    order=10,
    aliases=("tg",),
)

MANIFEST = ChannelManifest(
    id="telegram",
    meta=META,
    plugin="openclaw_gateway.channels.telegram.plugin:PLUGIN",
    requires=("telegram",),
)
