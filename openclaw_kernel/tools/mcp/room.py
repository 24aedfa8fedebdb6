"""The door to the MCP servers: what is behind it is made when the first server is configured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_kernel.tools.mcp.house import McpServers

Request = TypeVar("Request")


class McpRoom:
    """What the gateway holds; the servers' own room is made when the first one is configured."""

    def __init__(self, config: ConfigStore, make: Callable[[], McpServers]) -> None:
        self._config = config
        self._make = make
        self._servers: McpServers | None = None

    def tools(self) -> tuple[Tool, ...]:
        """What the servers offer now; the same tuple as long as nothing changes."""
        servers = self._open()
        return servers.tools() if servers is not None else ()

    def before(self, gate: Callable[[Request, str], Awaitable[str]]) -> Callable[[Request, str], Awaitable[str]]:
        """`gate`, which is asked before a run, and before it a short wait for servers that are being connected."""

        async def ready(request: Request, agent_id: str) -> str:
            servers = self._open()
            if servers is not None:
                await servers.prepare()
            return await gate(request, agent_id)

        return ready

    def status(self) -> list[dict[str, Any]]:
        """See `McpServers.status`."""
        servers = self._open()
        return servers.status() if servers is not None else []

    async def probe(self, name: str) -> dict[str, Any]:
        """See `McpServers.probe`."""
        servers = self._open()
        if servers is None:
            raise UserError("No MCP server is configured; add one with `jupyter openclaw mcp add`.")
        return await servers.probe(name)

    def reconfigured(self) -> None:
        if self._servers is not None:
            self._servers.reconfigured()

    async def close(self) -> None:
        if self._servers is not None:
            await self._servers.close()

    def _open(self) -> McpServers | None:
        if self._servers is None and self._config.current.config.mcp.servers:
            self._servers = self._make()
        return self._servers
