"""Which plugins there are, which of them run, and what became of each (PLG-02 to PLG-04).

    plugins = Plugins(settings, state_dir)
    plugins.load()            # in a thread: manifests, trust, then the code of those that may run

A plugin that cannot be loaded, or fails later, is named with a reason and switched off; nothing it offered stays.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from openclaw_gateway.plugins.api import PROJECT, Offers, PluginApi
from openclaw_gateway.plugins.builtins import BUILTINS
from openclaw_gateway.plugins.hooks import HookBus
from openclaw_gateway.plugins.manifest import PluginManifest, at_path, installed
from openclaw_gateway.plugins.pins import Pin, Pins, digest_of
from openclaw_gateway.plugins.trust import escapes, problem_of
from openclaw_kernel.config.schema.plugins import Plugins as PluginSettings
from openclaw_kernel.values.errors import UserError

log = logging.getLogger(__name__)

State = Literal["active", "disabled", "unacknowledged", "blocked", "failed"]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin. `reason` says why it does not run; `offers` is what it brought."""

    manifest: PluginManifest
    state: State
    reason: str = ""
    offers: Offers = field(default_factory=Offers)

    @property
    def id(self) -> str:
        return self.manifest.id


class Plugins:
    """All plugins of a gateway. `on_failure` hears `(plugin, sentence)` when one is switched off while the gateway runs."""

    def __init__(
        self,
        settings: PluginSettings,
        state_dir: Path,
        *,
        scan: Callable[[Path], Sequence[PluginManifest]] = installed,
        bus: HookBus | None = None,
    ) -> None:
        self._settings = settings
        self._dir = state_dir / "plugins"
        self._pins = Pins(self._dir / "pins.jsonl")
        self._scan = scan
        self._rows: dict[str, Plugin] = {}
        self._manager: Any = None
        self.bus = bus or HookBus(self.quarantine)
        self.on_failure: list[Callable[[str, str], None]] = []

    def load(self) -> None:
        """Finds the plugins and runs `openclaw_register` of those that may run. Blocking; raises nothing of theirs.

        While nobody is let in, installed packages are not even listed: `survey` does that when somebody asks.
        """
        for name, (text, register) in BUILTINS.items():
            manifest = PluginManifest(name, "bundled", "", name, text)
            self._take(manifest, register) if self._bundled_on(name) else self._put(Plugin(manifest, "disabled"))
        if self._settings.allow or self._settings.load.paths:
            self.survey(run=True)

    def survey(self, *, run: bool = False) -> None:
        """Finds the plugins that are not known yet; with `run`, lets in those that may run. Blocking."""
        for manifest in self._found():
            if (known := self._rows.get(manifest.id)) is not None:
                if known.manifest == manifest:
                    continue
                log.warning("plugin %s of %s is left out: the id is taken", manifest.id, manifest.package or manifest.root)
                continue
            state, reason = self._judge(manifest)
            if state != "active":
                self._put(Plugin(manifest, state, reason))
                log.info("plugin %s does not run (%s): %s", manifest.id, state, reason)
                continue
            if run:
                self._take(manifest, None)
            else:
                self._put(Plugin(manifest, "disabled", "it runs from the next start on"))

    def health(self) -> dict[str, list[Any]]:
        """`plugins` of `health`: what runs, what failed."""
        failed = [{"id": row.id, "error": row.reason} for row in self._rows.values() if row.state in ("failed", "blocked")]
        return {"loaded": [row.id for row in self.active()], "errors": failed, "unavailable": []}

    def trust(self, plugin_id: str) -> None:
        """The owner's word for the files as they are now, from the next start on. Blocking. Raises `OSError`, `StoreError`."""
        row = self._rows.get(plugin_id)
        if row is not None and row.manifest.origin != "bundled" and row.manifest.root:
            self._pins.put(Pin(plugin_id, digest_of(Path(row.manifest.root)), row.manifest.version))

    def all(self) -> list[Plugin]:
        """Every plugin that is known, built-ins first."""
        return list(self._rows.values())

    def active(self) -> Iterator[Plugin]:
        return (row for row in list(self._rows.values()) if row.state == "active")

    def get(self, plugin_id: str) -> Plugin | None:
        return self._rows.get(plugin_id)

    def is_active(self, plugin_id: str) -> bool:
        row = self._rows.get(plugin_id)
        return row is not None and row.state == "active"

    def quarantine(self, plugin_id: str, sentence: str) -> None:
        """Switches a plugin off for the life of this gateway."""
        row = self._rows.get(plugin_id)
        if row is None or row.state != "active":
            return
        log.error("plugin %s is switched off: %s", plugin_id, sentence)
        self._rows[plugin_id] = replace(row, state="failed", reason=sentence)
        self.bus.remove(plugin_id)
        for tell in self.on_failure:
            tell(plugin_id, sentence)

    # --- finding and judging

    def _found(self) -> Iterator[PluginManifest]:
        if not self._settings.enabled:
            return
        try:
            yield from self._scan(self._dir / "packages.jsonl")
        except (OSError, UserError) as error:
            log.error("installed plugins cannot be listed: %s", error)
        for folder in self._settings.load.paths:
            yield at_path(Path(folder))

    def _judge(self, manifest: PluginManifest) -> tuple[State, str]:
        settings, name = self._settings, manifest.id
        entry = settings.entries.get(name)
        if manifest.problem:
            return "blocked", manifest.problem
        if name in settings.deny or (entry is not None and not entry.enabled):
            return "disabled", "switched off in the configuration"
        if name not in settings.allow:
            where = manifest.package or manifest.root
            return "unacknowledged", f"it comes from {where}; run `jupyter openclaw plugins enable {name}` to let its code run"
        root = Path(manifest.root)
        if manifest.origin == "path" and escapes(root, manifest.entry.partition(":")[0]):
            return "blocked", f"its entry {manifest.entry!r} leads out of {root}"
        if why := problem_of(root):
            return "blocked", why
        return self._as_pinned(manifest)

    def _as_pinned(self, manifest: PluginManifest) -> tuple[State, str]:
        """Whether the files are those that were let in; those of the first time are."""
        name, entry = manifest.id, self._settings.entries.get(manifest.id)
        if entry is not None and not entry.pinned:
            return "active", ""
        try:
            found = Pin(name, digest_of(Path(manifest.root)), manifest.version)
            known = self._pins.get(name)
            if known is None:
                self._pins.put(found)
        except (OSError, UserError) as error:
            return "blocked", f"its files cannot be compared with those that were let in: {error}"
        if known is None or known.sha256 == found.sha256:
            return "active", ""
        since = f"{known.version or '?'} to {found.version or '?'}" if known.version != found.version else "the same version"
        return "unacknowledged", (
            f"its files have changed since it was let in ({since}); look at {manifest.root}, then run "
            f"`jupyter openclaw plugins enable {name}` to let them run"
        )

    def _bundled_on(self, name: str) -> bool:
        entry = self._settings.entries.get(name)
        return name not in self._settings.deny and (entry is None or entry.enabled)

    # --- running its code

    def _take(self, manifest: PluginManifest, register: Callable[[PluginApi], None] | None) -> None:
        entry = self._settings.entries.get(manifest.id)
        api = PluginApi(manifest.id, dict(entry.config) if entry is not None else {}, self._dir / manifest.id)
        try:
            (register or self._register_of(manifest))(api)
        except Exception as error:
            log.exception("plugin %s cannot be loaded", manifest.id)
            why = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            self._put(Plugin(manifest, "failed", why))
            return
        self._put(Plugin(manifest, "active", "", api.offers))
        for hook in api.offers.hooks:
            self.bus.add(hook)

    def _put(self, row: Plugin) -> None:
        self._rows[row.id] = row

    def _register_of(self, manifest: PluginManifest) -> Callable[[PluginApi], None]:
        """The plugin's own `openclaw_register`, found by pluggy. Imports the plugin. Raises `UserError` when there is none."""
        plugin = _import(manifest)
        manager = self._pluggy()
        manager.register(plugin, name=manifest.id)
        if not manager.get_hookcallers(plugin):
            manager.unregister(plugin)
            raise UserError(f"{manifest.entry} has no openclaw_register marked with hookimpl.")
        others = [other for other in manager.get_plugins() if other is not plugin]
        caller = manager.subset_hook_caller("openclaw_register", remove_plugins=others)
        return lambda api: caller(api=api)

    def _pluggy(self) -> Any:
        if self._manager is None:
            import pluggy  # only when a plugin of somebody else is to run

            spec = pluggy.HookspecMarker(PROJECT)

            class Spec:
                @spec
                def openclaw_register(self, api: PluginApi) -> None:
                    """Say what you have, through `api`."""

            self._manager = pluggy.PluginManager(PROJECT)
            self._manager.add_hookspecs(Spec)
        return self._manager


def _import(manifest: PluginManifest) -> Any:
    module_name, _, attribute = manifest.entry.partition(":")
    if manifest.origin == "path":
        module = _module_at(manifest.id, Path(manifest.root) / module_name)
    else:
        module = importlib.import_module(module_name)
        place = getattr(module, "__file__", None) or ""
        root = Path(manifest.root)
        if not Path(place).resolve().is_relative_to(root.resolve() if root.is_dir() else root.resolve().parent):
            raise UserError(f"{module_name} was loaded from {place}, not from {root}.")
    return getattr(module, attribute) if attribute else module


def _module_at(plugin_id: str, file: Path) -> ModuleType:
    name = f"openclaw_plugin_{plugin_id.replace('-', '_').replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UserError(f"{file} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def row_of(plugin: Plugin) -> Mapping[str, Any]:
    """A row of `plugins.list`."""
    manifest = plugin.manifest
    row: dict[str, Any] = {
        "id": plugin.id,
        "name": manifest.name or plugin.id,
        "description": manifest.description,
        "version": manifest.version,
        "packageName": manifest.package,
        "origin": manifest.origin,
        "installed": True,
        "removable": False,
        "enabled": plugin.state in ("active", "failed"),
        "state": {"active": "enabled", "failed": "error"}.get(plugin.state, plugin.state),
        "runtime": {"state": "loaded" if plugin.state == "active" else "unloaded"},
        "offers": plugin.offers.counts(),
    }
    return row | ({"reason": plugin.reason} if plugin.reason else {})
