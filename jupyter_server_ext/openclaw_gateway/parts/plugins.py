"""Plugins joined to the house: their offers beside the product's own things, their hooks where they are called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from openclaw_gateway.methods.commands import COMMANDS, Command, CommandCall
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.plugins.api import CommandOffer, ServiceOffer
from openclaw_gateway.plugins.events import ended_event, result_event, run_event, sending_event, tool_event
from openclaw_gateway.plugins.loader import Plugin, Plugins
from openclaw_gateway.protocol.dispatch import Call, Dispatcher, Method
from openclaw_kernel.agent.api import EventSink, RunRequest
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.service import Models
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.envelope import Outbound
from openclaw_kernel.values.errors import UserError, unavailable
from openclaw_kernel.values.events import RunEnded, RunEvent

if TYPE_CHECKING:
    from openclaw_gateway.channels.contract import ChannelManifest, ChannelPlugin

log = logging.getLogger(__name__)

SERVICE_S = 30.0
"""How long a plugin's service may take to start."""


async def open_plugins(settings: OpenClawConfig, state_dir: Path, models: Models) -> Plugins:
    """Loads the plugins and takes in their providers; the rest is joined when its part exists."""
    plugins = Plugins(settings.plugins, state_dir)
    await asyncio.to_thread(plugins.load)
    for plugin in _foreign(plugins):
        for offer in plugin.offers.providers:
            _or_off(plugins, plugin, partial(models.extend, offer.vendor, offer.models, offer.build))
    plugins.on_failure.append(lambda name, _why: _withdraw(plugins, name, models))
    return plugins


def core_tools(plugins: Plugins) -> Callable[..., Sequence[Tool]]:
    """Makes the tools of the built-in plugins that are on, from the arguments of `builtin_tools`."""
    makers = [tool for plugin in _bundled(plugins) for tool in plugin.offers.tools if not isinstance(tool, Tool)]
    return lambda *settings: [tool for make in makers for tool in make(*settings)]


def plugin_tools(plugins: Plugins, others: Sequence[Tool]) -> list[Tool]:
    """The tools of plugins. One whose name is taken, or that is no tool, switches its plugin off."""
    taken = {tool.name for tool in (*builtin_tools(), *others)}
    found: list[Tool] = []
    for plugin in _foreign(plugins):
        names = [getattr(tool, "name", "") for tool in plugin.offers.tools]
        wrong = next((tool for tool in plugin.offers.tools if not isinstance(tool, Tool)), None)
        if wrong is not None or taken & set(names) or len(set(names)) < len(names):
            plugins.quarantine(plugin.id, f"its tools {', '.join(map(repr, names))} are no tools, or a name is taken")
            continue
        taken |= set(names)
        found += [_guarded(plugins, plugin.id, tool) for tool in plugin.offers.tools if isinstance(tool, Tool)]
    return found


def hooked(toolbox: Callable[[str], Toolbox], plugins: Plugins) -> Callable[[str], Toolbox]:
    """The same toolboxes; where a plugin listens to tools, each call passes it."""
    made: dict[int, tuple[Toolbox, Toolbox]] = {}

    def with_hooks(agent_id: str) -> Toolbox:
        plain = toolbox(agent_id)
        if not (plugins.bus.has("before_tool_call") or plugins.bus.has("after_tool_call")):
            return plain
        if (known := made.get(id(plain))) is None or known[0] is not plain:
            made.clear()
            made[id(plain)] = known = (plain, Toolbox([_watched(plugins, tool) for tool in plain.tools()]))
        return known[1]

    return with_hooks


def told(sink: EventSink, plugins: Plugins) -> EventSink:
    """The sink, and `agent_end` for the plugins."""

    def take(event: RunEvent) -> None:
        sink(event)
        if isinstance(event.event, RunEnded) and plugins.bus.has("agent_end"):
            plugins.bus.notify("agent_end", ended_event(event, event.event))

    return take


def run_gate(plugins: Plugins) -> Callable[[RunRequest, str], Any]:
    """Asks `before_agent_run`; the sentence of the plugin that blocks."""

    async def ask(request: RunRequest, agent_id: str) -> str:
        if not plugins.bus.has("before_agent_run"):
            return ""
        decision = await plugins.bus.gate("before_agent_run", run_event(request, agent_id))
        return f"The run was stopped by plugin {decision.by}: {decision.reason}." if decision.blocked else ""

    return ask


def join_plugins(services: GatewayServices, plugins: Plugins, dispatcher: Dispatcher) -> None:
    """Channels, commands, methods and message hooks. Before the channels are started."""
    services.plugins = plugins
    services.channels.built_in = [
        channel for plugin in _bundled(plugins) for channel in plugin.offers.channels if isinstance(channel, str)
    ]
    for plugin in _foreign(plugins):
        for channel in plugin.offers.channels:
            _or_off(plugins, plugin, partial(_add_channel, services, channel))
        for offer in plugin.offers.commands:
            _or_off(plugins, plugin, partial(_add_command, services, plugin.id, offer))
        for method in plugin.offers.methods:
            _or_off(plugins, plugin, partial(_add_method, dispatcher, plugins, plugin.id, method))
    plugins.on_failure.append(lambda name, why: _tell(services, name, why))


async def run_plugins(stack: AsyncExitStack, services: GatewayServices) -> None:
    """Starts their services and tells them that the gateway runs; at the end, that it stops."""
    plugins = services.plugins
    for plugin in _foreign(plugins):
        for offer in plugin.offers.services:
            await _start(stack, plugins, plugin, offer)
    stack.push_async_callback(plugins.bus.close)
    stack.push_async_callback(plugins.bus.tell, "gateway_stop", {"version": services.version})
    plugins.bus.notify("gateway_start", {"version": services.version, "stateDir": str(services.state_dir)})


async def _start(stack: AsyncExitStack, plugins: Plugins, plugin: Plugin, offer: ServiceOffer) -> None:
    try:
        service = offer.start()
        async with asyncio.timeout(SERVICE_S):
            await service.__aenter__()
    except Exception as error:
        log.exception("service %s of plugin %s did not start", offer.name, plugin.id)
        plugins.quarantine(plugin.id, f"its service {offer.name} did not start: {type(error).__name__}: {error}")
        return

    async def leave() -> None:
        try:
            async with asyncio.timeout(SERVICE_S):
                await service.__aexit__(None, None, None)
        except Exception:
            log.exception("service %s of plugin %s did not stop well", offer.name, plugin.id)

    stack.push_async_callback(leave)


def _foreign(plugins: Plugins) -> list[Plugin]:
    """Active plugins of others."""
    return [plugin for plugin in plugins.active() if plugin.manifest.origin != "bundled"]


def _bundled(plugins: Plugins) -> list[Plugin]:
    return [plugin for plugin in plugins.active() if plugin.manifest.origin == "bundled"]


def _or_off(plugins: Plugins, plugin: Plugin, join: Callable[[], None]) -> None:
    """Joins one offer; a plugin whose offer cannot be taken is switched off as a whole."""
    if not plugins.is_active(plugin.id):
        return
    try:
        join()
    except (UserError, ValueError) as error:
        plugins.quarantine(plugin.id, str(error))


def _withdraw(plugins: Plugins, name: str, models: Models) -> None:
    plugin = plugins.get(name)
    for offer in plugin.offers.providers if plugin is not None and plugin.manifest.origin != "bundled" else ():
        models.withdraw(offer.vendor.id)


def _tell(services: GatewayServices, name: str, why: str) -> None:
    services.plugin_commands = {key: row for key, row in services.plugin_commands.items() if row.source != name}
    services.broadcaster.send("plugins.changed", {"pluginId": name, "state": "error", "reason": why}, session_key="")


def _add_channel(services: GatewayServices, channel: ChannelManifest | ChannelPlugin | str) -> None:
    from openclaw_gateway.channels.contract import ChannelManifest  # not needed while no plugin brings a channel

    if isinstance(channel, str):
        raise UserError(f"a channel is given as a plugin or a manifest, not as {channel!r}.")
    if isinstance(channel, ChannelManifest):
        services.channels.channels.add(channel)
    else:
        services.channels.channels.add(ChannelManifest(channel.id, channel.meta, ""), channel)


def _add_command(services: GatewayServices, plugin_id: str, offer: CommandOffer) -> None:
    taken = {name for command in COMMANDS for name in (command.name, *command.aliases)} | set(services.plugin_commands)
    if offer.name in taken:
        raise UserError(f"its command /{offer.name} exists already.")

    async def run(call: CommandCall) -> str:
        try:
            return await offer.run(call.key, call.argument)
        except Exception as error:
            log.exception("command /%s of plugin %s failed", offer.name, plugin_id)
            return f"/{offer.name} failed: {type(error).__name__}: {error}"

    services.plugin_commands[offer.name] = Command(
        offer.name, offer.description, "management", run, accepts_args=True, source=plugin_id
    )


def _add_method(dispatcher: Dispatcher, plugins: Plugins, plugin_id: str, method: Method[Any]) -> None:
    async def handler(params: BaseModel, call: Call) -> Any:
        if not plugins.is_active(plugin_id):
            raise unavailable(f"plugin {plugin_id} is switched off; see plugins.list")
        return await method.handler(params, call)

    dispatcher.add(replace(method, handler=handler))


def _guarded(plugins: Plugins, plugin_id: str, tool: Tool) -> Tool:
    """A plugin's tool, which says so when its plugin was switched off. Its output is never trusted."""

    async def run(arguments: Any, context: ToolContext) -> ToolResult:
        if not plugins.is_active(plugin_id):
            raise ToolError(f"{tool.name} is not available: plugin {plugin_id} was switched off.")
        return await tool.run(arguments, context)

    return replace(tool, run=run, groups=tool.groups | {"plugins"})


def _watched(plugins: Plugins, tool: Tool) -> Tool:
    """A tool whose calls pass the hooks. The person's approval came before: a hook may stop a call, never change it."""

    async def run(arguments: Any, context: ToolContext) -> ToolResult:
        event = tool_event(tool.name, _plain(arguments), context)
        decision = await plugins.bus.gate("before_tool_call", event)
        if decision.blocked:
            raise ToolError(f"{tool.name} was blocked by plugin {decision.by}: {decision.reason}")
        result: ToolResult | None = None
        error = "stopped"
        try:
            result = await tool.run(arguments, context)
            error = ""
            return result
        except Exception as failure:
            error = str(failure)
            raise
        finally:
            plugins.bus.notify("after_tool_call", result_event(event, result, error))

    return replace(tool, run=run)


def _plain(arguments: Any) -> dict[str, Any]:
    return arguments.model_dump(mode="json", by_alias=True) if isinstance(arguments, BaseModel) else dict(arguments or {})


async def message_sending(plugins: Plugins, outbound: Outbound) -> Outbound:
    """What goes out, as the plugins leave it. Raises `ChannelError` when one withholds it."""
    if not plugins.bus.has("message_sending"):
        return outbound
    decision = await plugins.bus.modify("message_sending", sending_event(outbound))
    if decision.blocked:
        from openclaw_gateway.channels.contract import ChannelError  # there is a channel, so it is loaded

        raise ChannelError(f"withheld by plugin {decision.by}: {decision.reason}", "refused")
    text = decision.event["text"]
    return replace(outbound, text=text) if isinstance(text, str) and text != outbound.text and outbound.text else outbound


def message_sent(plugins: Plugins, outbound: Outbound, message_id: str) -> None:
    plugins.bus.notify("message_sent", {**sending_event(outbound), "messageId": message_id})
