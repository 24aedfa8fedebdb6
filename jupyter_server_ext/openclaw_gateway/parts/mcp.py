"""MCP servers joined to the house; nothing of theirs is loaded where none is configured."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.tools.mcp.room import McpRoom
from openclaw_kernel.values.clock import Clock

if TYPE_CHECKING:
    from openclaw_kernel.tools.mcp.house import McpServers


def open_mcp(
    stack: AsyncExitStack,
    config: ConfigStore,
    secrets: Secrets,
    env: Mapping[str, str],
    redactor: Redactor,
    state_dir: Path,
    clock: Clock,
) -> McpRoom:
    """The room; every server is ended with the stack."""

    def make() -> McpServers:
        from openclaw_kernel.tools.mcp.house import McpServers  # not worth its time where nobody has a server

        return McpServers(lambda: config.current.config, secrets.resolve, env, redactor, state_dir, clock)

    room = McpRoom(config, make)
    config.on_reload.append(lambda _loaded, plan: room.reconfigured() if plan.touches("mcp") else None)
    stack.push_async_callback(room.close)
    return room
