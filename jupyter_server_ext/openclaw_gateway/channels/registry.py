"""Which channels exist. Manifests are known without an SDK; a plugin is imported when its account is to run (CHN-03)."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Sequence

from openclaw_gateway.channels.contract import ChannelManifest, ChannelPlugin
from openclaw_kernel.values.errors import UserError

BUILT_IN = (
    "openclaw_gateway.channels.webchat.manifest:MANIFEST",
    "openclaw_gateway.channels.telegram.manifest:MANIFEST",
    "openclaw_gateway.channels.webhook.manifest:MANIFEST",
)
"""Import strings: not even a manifest is read before somebody asks for channels."""

log = logging.getLogger(__name__)


class UnknownChannel(UserError):
    """No channel of that name."""


class Channels:
    """The channels by id. `add` takes those of others; a name that is taken is refused."""

    def __init__(self, built_in: Sequence[str] = BUILT_IN) -> None:
        self._built_in = built_in
        self._manifests: dict[str, ChannelManifest] | None = None
        self._plugins: dict[str, ChannelPlugin] = {}
        self._added: dict[str, ChannelManifest] = {}

    def add(self, manifest: ChannelManifest, plugin: ChannelPlugin | None = None) -> None:
        """A channel from elsewhere. Raises `UserError` when the id is taken."""
        if manifest.id in self.manifests():
            raise UserError(f"There is a channel {manifest.id!r} already; the other one is left out.")
        self._added[manifest.id] = manifest
        self._manifests = None
        if plugin is not None:
            self._plugins[manifest.id] = plugin

    def manifests(self) -> dict[str, ChannelManifest]:
        """Every channel, in the order in which lists show them."""
        if self._manifests is None:
            found = {manifest.id: manifest for manifest in map(_manifest, self._built_in)} | self._added
            self._manifests = dict(sorted(found.items(), key=lambda item: (item[1].meta.order, item[0])))
        return self._manifests

    def find(self, name: str) -> str:
        """The id of a channel given by id or alias. Raises `UnknownChannel`."""
        wanted = name.strip().lower()
        for channel, manifest in self.manifests().items():
            if wanted == channel or wanted in manifest.meta.aliases:
                return channel
        raise UnknownChannel(f"There is no channel {name!r}; known: {', '.join(self.manifests())}.")

    def missing(self, channel: str) -> str:
        """What to install before a channel can run, in one sentence; empty when nothing is missing."""
        manifest = self.manifests()[channel]
        absent = [name for name in manifest.requires if importlib.util.find_spec(name) is None]
        if not absent:
            return ""
        extra = manifest.meta.extra
        how = f"pip install 'jupyter-openclaw[{extra}]'" if extra else f"pip install {' '.join(absent)}"
        return f"{manifest.meta.label} needs {', '.join(absent)}, which is not installed; run {how}."

    def plugin(self, channel: str) -> ChannelPlugin:
        """The plugin, imported on first use. Raises `UserError` with an install hint, or the reason it cannot be loaded."""
        if channel in self._plugins:
            return self._plugins[channel]
        if hint := self.missing(channel):
            raise UserError(hint)
        where = self.manifests()[channel].plugin
        module, _, name = where.partition(":")
        try:
            plugin = getattr(importlib.import_module(module), name)
        except Exception as error:
            log.exception("channel %s cannot be loaded", channel)
            raise UserError(f"The channel {channel} cannot be loaded: {type(error).__name__}: {error}.") from error
        if not isinstance(plugin, ChannelPlugin):
            raise UserError(f"The channel {channel} cannot be loaded: {where} is no ChannelPlugin.")
        self._plugins[channel] = plugin
        return plugin


def _manifest(where: str) -> ChannelManifest:
    module, _, name = where.partition(":")
    manifest: ChannelManifest = getattr(importlib.import_module(module), name)
    return manifest
