"""Plugins: `plugins.list`, `.info`, `.enable`, `.disable`, `.doctor`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import Field

from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.plugins.loader import Plugin, row_of
from openclaw_gateway.plugins.trust import problem_of
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.values.errors import invalid


class PluginParams(Params):
    id: str = Field(min_length=1, max_length=64)


async def plugins_list(_params: NoParams, call: Call) -> dict[str, Any]:
    plugins = parts(call).plugins
    await asyncio.to_thread(plugins.survey)
    rows = [dict(row_of(plugin)) for plugin in plugins.all()]
    wrong = [
        {"level": "error", "message": f"{row['id']}: {row['reason']}"} for row in rows if row["state"] in ("error", "blocked")
    ]
    return {"plugins": rows, "diagnostics": wrong, "mutationAllowed": True, "generation": 1}


async def plugins_info(params: PluginParams, call: Call) -> dict[str, Any]:
    plugin = await _find(parts(call), params.id)
    offers = plugin.offers
    names = {
        "channels": [getattr(channel, "id", channel) for channel in offers.channels],
        "providers": [offer.vendor.id for offer in offers.providers],
        "memory": list(offers.memory),
        "tools": [getattr(tool, "name", "built-in tools") for tool in offers.tools],
        "hooks": [hook.name for hook in offers.hooks],
        "commands": [offer.name for offer in offers.commands],
        "routes": [f"/plugins/{plugin.id}/{route.path}" for route in offers.routes],
        "methods": [method.name for method in offers.methods],
        "services": [service.name for service in offers.services],
        "cli": list(offers.cli),
    }
    manifest = plugin.manifest
    place = {"root": manifest.root, "entry": manifest.entry}
    return {"plugin": {**row_of(plugin), **place, "brings": {kind: found for kind, found in names.items() if found}}}


async def plugins_enable(params: PluginParams, call: Call) -> dict[str, Any]:
    """The owner's word for a plugin: it is named in `plugins.allow`. It runs from the next start on."""
    services = parts(call)
    plugin = await _find(services, params.id)
    if plugin.state == "blocked":
        raise invalid(f"plugin {plugin.id} is blocked: {plugin.reason}")
    section = services.settings.plugins
    changes: dict[str, Any] = {"entries": {plugin.id: {"enabled": True}}, "deny": [n for n in section.deny if n != plugin.id]}
    if plugin.manifest.origin != "bundled":
        changes["allow"] = sorted({*section.allow, plugin.id})
    try:
        await asyncio.to_thread(services.plugins.trust, plugin.id)
    except OSError as error:
        raise invalid(f"the files of plugin {plugin.id} cannot be read: {error}") from error
    return await _write(services, plugin, changes)


async def plugins_disable(params: PluginParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    plugin = await _find(services, params.id)
    return await _write(services, plugin, {"entries": {plugin.id: {"enabled": False}}})


async def plugins_doctor(_params: NoParams, call: Call) -> dict[str, Any]:
    """Looks at every plugin's files again, and names what does not run and why."""
    services = parts(call)
    await asyncio.to_thread(services.plugins.survey)
    findings = []
    for plugin in services.plugins.all():
        if plugin.state in ("failed", "blocked", "unacknowledged"):
            findings.append({"id": plugin.id, "state": plugin.state, "message": plugin.reason})
        elif plugin.manifest.root and (why := await asyncio.to_thread(problem_of, Path(plugin.manifest.root))):
            findings.append({"id": plugin.id, "state": "untrusted", "message": why})
    section = services.settings.plugins
    known = {plugin.id for plugin in services.plugins.all()}
    for name in (*section.allow, *section.entries):
        if name not in known:
            findings.append({"id": name, "state": "missing", "message": "named in the configuration, installed nowhere"})
    return {"ok": not any(row["state"] in ("failed", "blocked", "untrusted") for row in findings), "findings": findings}


async def _write(services: GatewayServices, plugin: Plugin, changes: dict[str, Any]) -> dict[str, Any]:
    await services.config.patch({"plugins": changes}, services.config.current.hash)
    return {"ok": True, "id": plugin.id, "restartRequired": True}


async def _find(services: GatewayServices, plugin_id: str) -> Plugin:
    plugin = services.plugins.get(plugin_id)
    if plugin is None:
        await asyncio.to_thread(services.plugins.survey)
        plugin = services.plugins.get(plugin_id)
    if plugin is None:
        raise invalid(f"unknown plugin {plugin_id!r}; list them with plugins.list")
    return plugin


METHODS = [
    Method("plugins.list", NoParams, plugins_list, "operator.read"),
    Method("plugins.info", PluginParams, plugins_info, "operator.read"),
    Method("plugins.doctor", NoParams, plugins_doctor, "operator.read"),
    Method("plugins.enable", PluginParams, plugins_enable, "operator.admin"),
    Method("plugins.disable", PluginParams, plugins_disable, "operator.admin"),
]
