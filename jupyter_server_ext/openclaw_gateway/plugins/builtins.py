"""What the product itself brings, registered as any plugin is. Import strings: listing them loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from openclaw_gateway.plugins.api import PluginApi
from openclaw_kernel.models.catalogue import VENDORS
from openclaw_kernel.tools.builtin import builtin_tools

if TYPE_CHECKING:
    from openclaw_kernel.memory.memories import Maker

CHANNELS: Mapping[str, str] = {
    "webchat": "openclaw_gateway.channels.webchat.manifest:MANIFEST",
    "telegram": "openclaw_gateway.channels.telegram.manifest:MANIFEST",
    "webhook": "openclaw_gateway.channels.webhook.manifest:MANIFEST",
}


def _channel(name: str) -> Callable[[PluginApi], None]:
    def register(api: PluginApi) -> None:
        api.channel(CHANNELS[name])

    return register


def _providers(api: PluginApi) -> None:
    for vendor in VENDORS.values():
        api.provider(vendor)


def _tools(api: PluginApi) -> None:
    api.tool(builtin_tools)


def _memory(api: PluginApi) -> None:
    api.memory("builtin", _builtin)


def _builtin() -> Maker:
    from openclaw_kernel.memory.memories import builtin  # loaded with the first memory

    return builtin


BUILTINS: Mapping[str, tuple[str, Callable[[PluginApi], None]]] = {
    "core-tools": ("Files, commands, Python, notes, canvas and plans.", _tools),
    "core-providers": ("The model providers of the catalogue.", _providers),
    "core-memory": ("Markdown notes, and the index that finds them.", _memory),
    **{name: (f"The channel {name}.", _channel(name)) for name in CHANNELS},
}
"""Id → what it is, and its `openclaw_register`."""
