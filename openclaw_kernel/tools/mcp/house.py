"""All configured MCP servers: what they offer together, how they are reached, and when they are let go (TOL-25)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from openclaw_kernel.config.redact import is_sensitive
from openclaw_kernel.config.schema import OpenClawConfig, SecretRef
from openclaw_kernel.config.schema.mcp import McpServer
from openclaw_kernel.safety.environment import child_env
from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.tools.mcp.api import CONNECT_S, REQUEST_S, Connect, Launch
from openclaw_kernel.tools.mcp.link import connected
from openclaw_kernel.tools.mcp.offers import tool_name, tools_of
from openclaw_kernel.tools.mcp.server import Server
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import UserError

WAIT_S = 3.0
"""How long a turn waits for servers that are being connected; the others join the next turn."""
SWEEP_S = 30.0

Resolve = Callable[[str | SecretRef | None, str], str]

log = logging.getLogger(__name__)


class McpServers:
    """`resolve` turns secret references into values (it may block), `env` is this process's environment."""

    def __init__(
        self,
        config: Callable[[], OpenClawConfig],
        resolve: Resolve,
        env: Mapping[str, str],
        redactor: Redactor,
        home: Path,
        clock: Clock = system_clock,
        connect: Connect = connected,
    ) -> None:
        self._config, self._resolve, self._env, self._redactor = config, resolve, env, redactor
        self._home = home
        self._clock, self._connect = clock, connect
        self._servers: dict[str, Server] = {}
        self._made_for: object = None
        self._tools: tuple[Tool, ...] = ()
        self._stale = True
        self._closing: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None

    def tools(self) -> tuple[Tool, ...]:
        """What all reachable servers offer; the same tuple as long as nothing changes."""
        self._sync()
        if self._stale:
            self._tools, self._stale = tools_of(self._servers.values()), False
        return self._tools

    async def prepare(self, limit_s: float = WAIT_S) -> None:
        """Connects what a turn may use: servers whose tools are not known yet. Waits `limit_s` at most."""
        self._sync()
        for server in self._servers.values():
            if not server.starts or (server.state == "down" and not server.offers):
                server.start()
        waiting = [asyncio.ensure_future(server.settled(limit_s)) for server in self._servers.values() if server.waits]
        if waiting:
            await asyncio.gather(*waiting)

    def reconfigured(self) -> None:
        """The configuration is another: what is gone or changed is closed at once."""
        self._sync()

    def status(self) -> list[dict[str, Any]]:
        """One row a configured server, without secrets: for `mcp.status`, the command line and people."""
        self._sync()
        rows = []
        for name, config in self._config().mcp.servers.items():
            server = self._servers.get(name)
            rows.append(self._row(name, config, server))
        return rows

    async def probe(self, name: str) -> dict[str, Any]:
        """Connects a server now, whatever was before. Raises `UserError` for one that is not configured or switched off."""
        self._sync()
        server = self._servers.get(name)
        if server is None:
            known = ", ".join(self._config().mcp.servers) or "none"
            raise UserError(f"There is no MCP server {name!r} that is switched on; configured: {known}.")
        if server.state != "ready":
            server.start(anyway=True)
            await server.settled(server.config.connect_s(CONNECT_S) + 1)
        return self._row(name, server.config, server)

    async def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        servers, self._servers = list(self._servers.values()), {}
        await asyncio.gather(*(server.close() for server in servers), *self._closing, return_exceptions=True)

    def _sync(self) -> None:
        """Makes the servers those of the configuration in force; an unchanged one stays as it is."""
        config = self._config()
        if self._made_for is config:
            return
        self._made_for = config
        wanted = {name: row for name, row in config.mcp.servers.items() if row.enabled}
        for name, server in list(self._servers.items()):
            if wanted.get(name) != server.config:
                self._close_later(self._servers.pop(name))
        kept = self._servers
        self._servers = {name: kept.get(name) or self._server(name, row) for name, row in wanted.items()}
        self._stale = True
        if self._servers and self._sweeper is None:
            self._sweeper = asyncio.ensure_future(self._sweep())

    def _server(self, name: str, row: McpServer) -> Server:
        return Server(name, row, lambda: asyncio.to_thread(self._launch, name, row), self._connect, self._clock, self._mark)

    def _mark(self) -> None:
        self._stale = True

    def _close_later(self, server: Server) -> None:
        task = asyncio.ensure_future(server.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _sweep(self) -> None:
        """Lets go of servers that nobody has used for `mcp.sessionIdleTtlMs`; the next call starts them again."""
        while True:
            await asyncio.sleep(SWEEP_S)
            await self.sweep()

    async def sweep(self) -> None:
        """Lets go of what was not used for too long."""
        limit = self._config().mcp.session_idle_ttl_ms
        for server in list(self._servers.values()) if limit else ():
            if server.idle_for() > limit:
                await server.close("unused for a while; the next call starts it")

    def _launch(self, name: str, row: McpServer) -> Launch:
        """With secrets resolved; blocking. Raises `SecretError`."""
        at = f"mcp.servers.{name}"
        env = {key: self._value(value, f"{at}.env.{key}", key) for key, value in row.env.items()}
        headers = {key: self._resolve(value, f"{at}.headers.{key}") for key, value in row.headers.items()}
        return Launch(
            name,
            row.way,
            row.command or "",
            tuple(row.args),
            {**child_env(self._env, self._redactor), **env} if row.command else {},
            str(Path(row.folder).expanduser()) if row.folder else str(self._home),
            row.url or "",
            headers,
            row.connect_s(CONNECT_S),
            row.request_s(REQUEST_S),
        )

    def _value(self, value: str | SecretRef, where: str, key: str) -> str:
        """A plain value that is no secret by its name is not hidden everywhere: it may be an ordinary word."""
        if isinstance(value, str) and not is_sensitive((key,)) and "${" not in value:
            return value
        return self._resolve(value, where)

    def _row(self, name: str, config: McpServer, server: Server | None) -> dict[str, Any]:
        launch = " ".join((config.command, *config.args)) if config.command else f"{config.way} {config.url}"
        return {
            "name": name,
            "enabled": config.enabled,
            "transport": config.way,
            "launch": self._redactor.text(launch),
            "env": sorted(config.env),
            "headers": sorted(config.headers),
            "requestTimeoutMs": int(config.request_s(REQUEST_S) * 1000),
            "connectionTimeoutMs": int(config.connect_s(CONNECT_S) * 1000),
            "toolFilter": config.tool_filter.model_dump(by_alias=True),
            "state": server.state if server is not None else "off",
            "reason": self._redactor.text(server.reason) if server is not None else "",
            "tools": [tool_name(name, offer.name) for offer in server.offers] if server is not None else [],
        }
