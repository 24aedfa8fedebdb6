"""The one plugin API (PLG-01). Built-ins use it, and so does a package of somebody else:

    # pyproject.toml of the package
    [project.entry-points."openclaw.plugins"]
    acme = "acme_openclaw"

    # acme_openclaw/__init__.py
    from openclaw_gateway.plugins.api import PluginApi, hookimpl

    @hookimpl
    def openclaw_register(api: PluginApi) -> None:
        api.tool(WEATHER)
        api.channel(CHANNEL)
        api.hook("message_sending", sign, priority=10)

`openclaw_register` only says what there is. Nothing is connected or started by it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from openclaw_gateway.protocol.dispatch import Method
from openclaw_gateway.protocol.scopes import OPERATOR_SCOPES
from openclaw_kernel.models.api import Model, Provider
from openclaw_kernel.models.catalogue import Vendor
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_gateway.channels.contract import ChannelManifest, ChannelPlugin
    from openclaw_kernel.memory.memories import Maker

GROUP = "openclaw.plugins"
"""The entry-point group."""
PROJECT = "openclaw"
"""The name of the pluggy project; pluggy finds its marks as `openclaw_impl`."""

Kind = Literal["gate", "modifier", "observer"]

HOOKS: Mapping[str, Kind] = {
    "before_agent_run": "gate",
    "before_tool_call": "gate",
    "message_sending": "modifier",
    "after_tool_call": "observer",
    "agent_end": "observer",
    "message_received": "observer",
    "message_sent": "observer",
    "gateway_start": "observer",
    "gateway_stop": "observer",
}
"""The hooks that have a call site. A gate may block, a modifier may change or cancel, an observer only looks."""

ID = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")

Event = Mapping[str, Any]
HookFn = Callable[[Event], Awaitable[Mapping[str, Any] | None] | Mapping[str, Any] | None]
"""Takes the event. A gate may answer `{"block": True, "reason": …}`, a modifier `{"cancel": True}` or `{"text": …}`."""


def hookimpl(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks `openclaw_register` for pluggy, without loading pluggy for those who only read."""
    function.openclaw_impl = {  # type: ignore[attr-defined]
        "wrapper": False,
        "hookwrapper": False,
        "optionalhook": False,
        "tryfirst": False,
        "trylast": False,
        "specname": None,
    }
    return function


@dataclass(frozen=True, slots=True)
class Hook:
    """One function at one hook. `tools` narrows tool hooks to these names; the higher priority comes first."""

    plugin: str
    name: str
    fn: HookFn
    priority: int = 0
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ProviderOffer:
    """A model provider. `build` makes the adapter on first use; without it `vendor.api` names a known wire format."""

    vendor: Vendor
    models: tuple[Model, ...] = ()
    build: Callable[[], Provider] | None = None


@dataclass(frozen=True, slots=True)
class CommandOffer:
    """A slash command. `run` gets the session key and the words behind the command, and returns Markdown."""

    name: str
    description: str
    run: Callable[[str, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """A request to `/plugins/<id>/<path>`. Header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    remote_ip: str = ""


@dataclass(frozen=True, slots=True)
class RouteResponse:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class RouteOffer:
    """An HTTP route. `public`: the plugin itself decides who may call it; otherwise the gateway's secret is needed."""

    path: str
    handle: Callable[[RouteRequest], Awaitable[RouteResponse]]
    public: bool = False


@dataclass(frozen=True, slots=True)
class ServiceOffer:
    """Something that runs as long as the gateway: an async context manager, entered at start, left at stop."""

    name: str
    start: Callable[[], AbstractAsyncContextManager[Any]]


@dataclass(slots=True)
class Offers:
    """What one plugin said it has."""

    channels: list[ChannelManifest | ChannelPlugin | str] = field(default_factory=list)
    providers: list[ProviderOffer] = field(default_factory=list)
    memory: dict[str, Callable[[], Maker]] = field(default_factory=dict)
    tools: list[Tool | Callable[..., Sequence[Tool]]] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    commands: list[CommandOffer] = field(default_factory=list)
    routes: list[RouteOffer] = field(default_factory=list)
    methods: list[Method[Any]] = field(default_factory=list)
    services: list[ServiceOffer] = field(default_factory=list)
    cli: dict[str, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many of each kind, for lists."""
        names = ("channels", "providers", "memory", "tools", "hooks", "commands", "routes", "methods", "services", "cli")
        return {name: len(found) for name in names if (found := getattr(self, name))}


class PluginApi:
    """What a plugin is handed. `config` is its own block, `plugins.entries.<id>.config`; `state_dir` its private folder.

    Each method raises `UserError` for an offer that cannot be: the plugin is then switched off as a whole.
    """

    def __init__(self, plugin_id: str, config: Mapping[str, Any], state_dir: Path) -> None:
        self.id = plugin_id
        self.config = config
        self.state_dir = state_dir
        self.offers = Offers()

    def channel(self, channel: ChannelPlugin | ChannelManifest | str) -> None:
        """A channel: the plugin, a manifest that names it, or the import string of a manifest."""
        self.offers.channels.append(channel)

    def provider(self, vendor: Vendor, *, models: Sequence[Model] = (), build: Callable[[], Provider] | None = None) -> None:
        """A model provider with its catalogue rows. With `build` it speaks a wire format of its own."""
        if any(model.provider != vendor.id for model in models):
            raise UserError(f"Plugin {self.id}: a model of provider {vendor.id!r} names another provider.")
        self.offers.providers.append(ProviderOffer(vendor, tuple(models), build))

    def memory(self, name: str, build: Callable[[], Maker]) -> None:
        """A memory back end, chosen by `plugins.slots.memory` with its name, or with the plugin's id where it has one back end.
        `build()` is called when the first memory is opened; what it returns makes the memory of one agent."""
        self.offers.memory[self._name(name)] = build

    def tool(self, tool: Tool | Callable[..., Sequence[Tool]]) -> None:
        """A tool. (Built-ins give a function of the settings instead.)"""
        self.offers.tools.append(tool)

    def hook(self, name: str, fn: HookFn, *, priority: int = 0, tools: Sequence[str] = ()) -> None:
        """A function at a hook, of those in `HOOKS`."""
        if name not in HOOKS:
            raise UserError(f"Plugin {self.id}: there is no hook {name!r}; known: {', '.join(HOOKS)}.")
        self.offers.hooks.append(Hook(self.id, name, fn, priority, frozenset(tools)))

    def command(self, name: str, description: str, run: Callable[[str, str], Awaitable[str]]) -> None:
        """A slash command, `/name`."""
        self.offers.commands.append(CommandOffer(self._name(name), description, run))

    def route(self, path: str, handle: Callable[[RouteRequest], Awaitable[RouteResponse]], *, public: bool = False) -> None:
        """An HTTP route below `/plugins/<id>/`."""
        bare = path.strip("/")
        if not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", bare) or ".." in bare:
            raise UserError(f"Plugin {self.id}: the route {path!r} is no plain path.")
        self.offers.routes.append(RouteOffer(bare, handle, public))

    def method(self, method: Method[Any]) -> None:
        """A gateway method. Its name begins with the plugin's id and it asks for an operator scope."""
        if not method.name.startswith(f"{self.id}."):
            raise UserError(f"Plugin {self.id}: the method {method.name!r} must be called {self.id}.…")
        if method.scope not in OPERATOR_SCOPES:
            raise UserError(f"Plugin {self.id}: the method {method.name!r} needs an operator scope.")
        self.offers.methods.append(method)

    def service(self, name: str, start: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        """Something that runs beside the gateway."""
        self.offers.services.append(ServiceOffer(self._name(name), start))

    def cli(self, name: str, command: str) -> None:
        """A command of `jupyter openclaw`: its name and the import string of a click command."""
        self.offers.cli[self._name(name)] = command

    def _name(self, name: str) -> str:
        if not _NAME.match(name):
            raise UserError(f"Plugin {self.id}: {name!r} is no name; use lower case letters, digits, - and _.")
        return name
