"""What is known of a plugin before any of its code runs (PLG-02): its id, where it lives, and which package brought it.

Entry points are read from package metadata, which takes a quarter of a second in a full environment; the result is a ledger row
that holds as long as no folder of the import path has changed.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from openclaw_gateway.plugins.api import GROUP, ID
from openclaw_kernel.store.ledger import Ledger

log = logging.getLogger(__name__)

Origin = Literal["bundled", "package", "path"]
MANIFEST_NAME = "openclaw.plugin.json"
MAX_MANIFEST = 65_536


@dataclass(frozen=True, slots=True)
class PluginManifest:
    """`entry` is `module` or `module:attribute`; `root` the folder that holds all of the plugin's code.

    `problem` says why it cannot even be looked at.
    """

    id: str
    origin: Origin
    entry: str
    name: str = ""
    description: str = ""
    version: str = ""
    package: str = ""
    root: str = ""
    problem: str = ""


def installed(cache: Path, path: Sequence[str] | None = None) -> list[PluginManifest]:
    """The plugins of installed packages. Blocking; imports none of them."""
    folders = [entry for entry in (sys.path if path is None else path) if entry]
    signature = _signature(folders)
    ledger: Ledger[dict[str, Any]] = Ledger(cache, key=lambda row: str(row["id"]), encode=dict, decode=dict)
    try:
        row = ledger.get("packages")
        if row is not None and row.get("signature") == signature:
            return [PluginManifest(**found) for found in row["plugins"]]
        found = _scan(folders)
        ledger.put({"id": "packages", "signature": signature, "plugins": [asdict(one) for one in found]})
        return found
    finally:
        ledger.close()


def at_path(folder: Path) -> PluginManifest:
    """The plugin of a folder named in `plugins.load.paths`, from its `openclaw.plugin.json`: `{id, entry, name?, …}`."""
    place = folder.expanduser()
    try:
        with (place / MANIFEST_NAME).open("rb") as file:
            wire = json.loads(file.read(MAX_MANIFEST))
        if not isinstance(wire, dict):
            raise ValueError("it holds no object")
        plugin_id, entry = wire["id"], wire["entry"]
        if not isinstance(plugin_id, str) or not ID.match(plugin_id) or not isinstance(entry, str) or not entry:
            raise ValueError("id or entry is wrong")
    except (OSError, ValueError, KeyError) as error:
        why = f"{place / MANIFEST_NAME} cannot be used: {type(error).__name__}: {error}"
        return PluginManifest(_id_of(place.name), "path", "", name=place.name, root=str(place), problem=why)
    texts = {key: str(wire.get(key) or "")[:300] for key in ("name", "description", "version")}
    return PluginManifest(plugin_id, "path", entry, root=str(place), **texts)


def _scan(folders: Sequence[str]) -> list[PluginManifest]:
    from importlib.metadata import distributions  # walks every installed package

    found: list[PluginManifest] = []
    for dist in distributions(path=list(folders)):
        for point in dist.entry_points:
            if point.group == GROUP:
                found.append(_of_package(point.name, point.value, dist.metadata, dist.version))
    return sorted(found, key=lambda one: one.id)


def _of_package(name: str, value: str, metadata: Any, version: str) -> PluginManifest:
    summary, package = str(metadata["Summary"] or "")[:300], str(metadata["Name"] or "")
    if not ID.match(name):
        return PluginManifest(_id_of(name), "package", "", name, summary, version, package, problem=f"{name!r} is no plugin id")
    root = _root_of(value.partition(":")[0].strip())
    problem = "" if root else f"the package of entry point {value!r} is not there"
    return PluginManifest(name, "package", value.strip(), package, summary, version, package, root, problem)


def _root_of(module: str) -> str:
    """The folder (or file) of the top-level package; finding it runs no code."""
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return ""
    if spec.submodule_search_locations:
        return str(next(iter(spec.submodule_search_locations)))
    return spec.origin or ""


def _signature(folders: Sequence[str]) -> str:
    parts = [sys.version]
    for folder in folders:
        try:
            parts.append(f"{folder}:{os.stat(folder).st_mtime_ns}")
        except OSError:
            continue
    return "|".join(parts)


def _id_of(text: str) -> str:
    """Something to call a plugin whose own name is unusable."""
    return "".join(char if char.isalnum() else "-" for char in text.lower())[:60].strip("-") or "unnamed"


def bundled(rows: Mapping[str, tuple[str, str]]) -> list[PluginManifest]:
    """Manifests of built-ins: id → (entry, description)."""
    return [PluginManifest(name, "bundled", entry, name, text) for name, (entry, text) in rows.items()]
