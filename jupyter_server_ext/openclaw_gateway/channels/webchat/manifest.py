"""WebChat as it is listed (CHN-15)."""

from __future__ import annotations

from openclaw_gateway.channels.contract import ChannelManifest, ChannelMeta

META = ChannelMeta(
    label="WebChat",
    blurb="The chat in JupyterLab and on the gateway's own page; always there.",
    order=0,
)

MANIFEST = ChannelManifest(id="webchat", meta=META, plugin="openclaw_gateway.channels.webchat.plugin:PLUGIN")
