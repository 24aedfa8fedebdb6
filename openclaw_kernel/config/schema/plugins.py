"""`plugins`: which code of other people may run in the gateway."""

from __future__ import annotations

from pydantic import Field

from openclaw_kernel.config.schema.base import Loose, OpenSection, Section


class PluginEntry(OpenSection):
    """One plugin: whether it is on, and what it is told. Without `pinned` it runs whatever becomes of its files, which only its
    own author wants."""

    enabled: bool = True
    pinned: bool = True
    config: Loose = Field(default_factory=dict)


class PluginLoad(Section):
    """Folders with an `openclaw.plugin.json`, besides installed packages."""

    paths: list[str] = Field(default_factory=list)


class PluginSlots(OpenSection):
    """Which plugin does what only one can do: `memory` is a back end's name, or `none`."""

    memory: str | None = None


class Plugins(OpenSection):
    """A plugin that is not built in runs only when `allow` names it: that is the owner's word for its source. `deny` wins."""

    enabled: bool = True
    allow: list[str] = Field(default_factory=list)
    deny: list[str] = Field(default_factory=list)
    entries: dict[str, PluginEntry] = Field(default_factory=dict)
    load: PluginLoad = Field(default_factory=PluginLoad)
    slots: PluginSlots = Field(default_factory=PluginSlots)
