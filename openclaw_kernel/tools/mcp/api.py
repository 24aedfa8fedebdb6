"""What the rest of the room knows of an MCP server, without the SDK."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from openclaw_kernel.config.schema.mcp import McpServer
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.messages import Part

CONNECT_S = 30.0
"""As the original's default connection timeout."""
REQUEST_S = 60.0

Progress = Callable[[str, float | None], None]


class McpFailure(Exception):
    """A server did not do what it was asked. One sentence without secrets; `gone` when the connection is no more."""

    def __init__(self, sentence: str, *, gone: bool = False) -> None:
        super().__init__(sentence)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Launch:
    """How one server is reached, with secrets in clear: never logged, never stored."""

    name: str
    way: Literal["stdio", "streamable-http", "sse"]
    command: str = ""
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str | None = None
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_s: float = CONNECT_S
    request_s: float = REQUEST_S


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as its server describes it: all of it is untrusted text. `hints` are its annotations, for people only."""

    name: str
    description: str
    schema: Mapping[str, Any]
    hints: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call brought back."""

    parts: tuple[Part, ...]
    is_error: bool = False


def blunt(text: str, limit: int) -> str:
    """A stranger's words in one line, without what a model or our own markers could take for a command (SAF-24)."""
    inside = fence("x", " ".join(text[: 4 * limit].split())).split("\n", 1)[1].rsplit("\n", 1)[0]
    inside = "".join(char for char in inside if char.isprintable()).replace("«", "‹").replace("»", "›")
    return inside if len(inside) <= limit else inside[: limit - 1] + "…"


class Link(Protocol):
    """An open connection. `gone` is set when the other side ended it, `changed` when its list of tools is another."""

    gone: asyncio.Event
    changed: asyncio.Event

    async def tools(self) -> list[Offer]: ...

    async def call(self, tool: str, arguments: Mapping[str, Any], progress: Progress) -> Reply:
        """Raises `McpFailure`."""
        ...

    def last_words(self) -> str:
        """What the server wrote on stderr at last, one line."""
        ...


Connect = Callable[[Launch], AbstractAsyncContextManager[Link]]


def fingerprint(config: McpServer) -> str:
    """32 hexadecimal characters that change when another program, folder or address would be spoken to. Values of variables
    and headers are left out: they are secrets, and new ones do not make another server."""
    facts = [config.way, config.command, config.args, config.folder, config.url, sorted(config.env), sorted(config.headers)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
