"""The SDK of the Model Context Protocol behind `Link`; imported when the first server is spoken to."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from openclaw_kernel._version import __version__
from openclaw_kernel.tools.mcp.api import Launch, Link, McpFailure, Offer, Progress, Reply, blunt
from openclaw_kernel.tools.mcp.stdio import Child, stdio
from openclaw_kernel.values.messages import Image, Part, Text

MAX_TOOLS = 200
"""Tools of one server that are read; a list without end is cut here."""
MAX_BODY = 16 * 1024 * 1024
"""Bytes of one HTTP answer that is no event stream; of one event the SDK itself sets a limit."""
MAX_IMAGE = 8 * 1024 * 1024
"""Characters of base64 of one image."""
PICTURES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
REASON_CHARS = 300
PROGRESS_S = 0.2
"""What a server says of its progress in between is not passed on: everybody who looks on would be told of it."""
STREAM_S = 300.0
"""How long an event stream may be silent, the SDK's own default."""

log = logging.getLogger(__name__)


class SdkLink:
    """One client of the SDK as a `Link`."""

    def __init__(self, launch: Launch, client: Any, child: Child | None, gone: asyncio.Event, changed: asyncio.Event) -> None:
        self.gone, self.changed = gone, changed
        self._launch = launch
        self._client = client
        self._child = child

    async def tools(self) -> list[Offer]:
        found: list[Offer] = []
        cursor: str | None = None
        while len(found) < MAX_TOOLS:
            try:
                page = await self._client.list_tools(cursor=cursor, cache_mode="refresh")
            except Exception as error:
                raise McpFailure(f"MCP server {self._launch.name} does not list its tools: {one_line(error)}") from error
            found += [_offer(tool) for tool in page.tools]
            cursor = page.next_cursor
            if not cursor or not page.tools:
                break
        return found[:MAX_TOOLS]

    async def call(self, tool: str, arguments: Mapping[str, Any], progress: Progress) -> Reply:
        name, limit = self._launch.name, self._launch.request_s

        loop = asyncio.get_running_loop()
        next_at = 0.0

        async def told(done: float, total: float | None, message: str | None) -> None:
            nonlocal next_at
            if loop.time() < next_at:
                return
            next_at = loop.time() + PROGRESS_S
            progress(blunt(message or f"{name} works on {tool}", 200), min(1.0, done / total) if total else None)

        try:
            async with asyncio.timeout(limit):
                result = await self._client.call_tool(tool, dict(arguments), progress_callback=told)
        except TimeoutError:
            raise McpFailure(f"MCP server {name} did not answer {tool} within {limit:g} seconds.") from None
        except Exception as error:
            log.info("MCP server %s, tool %s: %s", name, tool, type(error).__name__)
            raise self._failure(tool, error) from error
        parts = tuple(_part(block) for block in result.content)
        if not parts and result.structured_content is not None:
            parts = (Text(json.dumps(result.structured_content, ensure_ascii=False, default=str)),)
        return Reply(parts, bool(result.is_error))

    def last_words(self) -> str:
        return f"«{blunt(self._child.said[-1], REASON_CHARS)}»" if self._child is not None and self._child.said else ""

    def _failure(self, tool: str, error: Exception) -> McpFailure:
        name = self._launch.name
        if self.gone.is_set() or type(error).__name__ in ("ClosedResourceError", "BrokenResourceError", "EndOfStream"):
            words = f"MCP server {name} ended while it worked on {tool}; whether that was done is not known."
            return McpFailure(words, gone=True)
        return McpFailure(f"MCP server {name} refused {tool}: {one_line(error)}")


@asynccontextmanager
async def connected(launch: Launch) -> AsyncIterator[Link]:
    """Opens a connection and shakes hands. Raises `McpFailure`."""
    try:
        async with _connected(launch) as link:
            yield link
    except McpFailure:
        raise
    except Exception as error:
        raise McpFailure(f"MCP server {launch.name}: {one_line(error)}", gone=True) from error


@asynccontextmanager
async def _connected(launch: Launch) -> AsyncIterator[Link]:
    try:
        from mcp import Client
        from mcp_types import Implementation
    except ImportError:
        raise McpFailure("MCP needs the package mcp: install jupyter-openclaw[mcp].") from None
    changed = asyncio.Event()

    async def heard(message: Any) -> None:
        if type(message).__name__ == "ToolListChangedNotification":
            changed.set()

    async with _transport(launch) as (transport, child):
        gone = child.gone if child is not None else asyncio.Event()
        info = Implementation(name="jupyter-openclaw", version=__version__)
        async with Client(transport, message_handler=heard, client_info=info) as client:
            link = SdkLink(launch, client, child, gone, changed)
            watch = asyncio.ensure_future(_watch(client, changed))
            try:
                yield link
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)


async def _watch(client: Any, changed: asyncio.Event) -> None:
    """Servers of the newer protocol say what changed only on a stream that is asked for."""
    from mcp.client.subscriptions import ListenNotSupportedError

    try:
        async with client.listen(tools_list_changed=True) as stream:
            async for _event in stream:
                changed.set()
    except ListenNotSupportedError:
        log.debug("this MCP server tells of changes by itself")


@asynccontextmanager
async def _transport(launch: Launch) -> AsyncIterator[tuple[Any, Child | None]]:
    if launch.way == "stdio":
        async with stdio(launch) as (read, write, child):
            yield _Open((read, write)), child
        return
    async with _http(launch) as client:
        if launch.way == "sse":
            from mcp.client.sse import sse_client

            def ours(headers: Any = None, timeout: Any = None, auth: Any = None) -> Any:
                return client

            yield sse_client(launch.url, httpx_client_factory=ours), None
        else:
            from mcp.client.streamable_http import streamable_http_client

            yield streamable_http_client(launch.url, http_client=client), None


class _Open:
    """Streams that are open already, in the form of a transport."""

    def __init__(self, streams: tuple[Any, Any]) -> None:
        self._streams = streams

    async def __aenter__(self) -> tuple[Any, Any]:
        return self._streams

    async def __aexit__(self, *_: object) -> None:
        return None


@asynccontextmanager
async def _http(launch: Launch) -> AsyncIterator[Any]:
    """A client that speaks to the configured origin and to nothing else: the owner named that one, so it may be private;
    wherever a server would send it besides is refused (SAF-25)."""
    import httpx2

    home = httpx2.URL(launch.url)

    async def only_home(request: Any) -> None:
        if (request.url.scheme, request.url.host, request.url.port) != (home.scheme, home.host, home.port):
            raise httpx2.RequestError(f"MCP server {launch.name} leads to another address, which is not called")

    async def bounded(response: Any) -> None:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return
        response.stream = _bounded(httpx2, response.stream, launch.name)

    timeout = httpx2.Timeout(launch.connect_s, read=max(STREAM_S, launch.request_s))
    hooks: dict[str, list[Any]] = {"request": [only_home], "response": [bounded]}
    async with httpx2.AsyncClient(
        headers=dict(launch.headers), timeout=timeout, trust_env=False, follow_redirects=False, event_hooks=hooks
    ) as client:
        yield client


def _bounded(httpx2: Any, stream: Any, name: str) -> Any:
    """The same bytes, with an end: a server without one must not fill the memory."""

    class Bounded(httpx2.AsyncByteStream):  # type: ignore[misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            seen = 0
            async for piece in stream:
                seen += len(piece)
                if seen > MAX_BODY:
                    raise httpx2.ReadError(f"MCP server {name} answers with more than {MAX_BODY} bytes")
                yield piece

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()


def _offer(tool: Any) -> Offer:
    hints = tool.annotations.model_dump(exclude_none=True) if tool.annotations is not None else {}
    return Offer(str(tool.name), str(tool.description or tool.title or ""), dict(tool.input_schema or {}), hints)


def _part(block: Any) -> Part:
    match block.type:
        case "text":
            return Text(block.text)
        case "image" if block.mime_type in PICTURES and len(block.data) <= MAX_IMAGE:
            return Image(block.data, block.mime_type)
        case "resource_link":
            return Text(f"[resource {block.name}: {block.uri}]")
        case "resource" if getattr(block.resource, "text", None) is not None:
            return Text(block.resource.text)
        case kind:
            return Text(f"[{kind} content that cannot be shown here]")


def one_line(error: BaseException) -> str:
    """The innermost reason of a failure in one line. A server may have written it, so it is quoted and blunted."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"«{blunt(str(error) or type(error).__name__, REASON_CHARS)}»"
