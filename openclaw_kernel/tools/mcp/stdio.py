"""An MCP server that is a child process, spoken to line by line.

It leads its own session and carries a mark in its environment, so that its end is the end of everything it started. A line
has a limit, and what it writes on stderr is kept only as a few last lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from openclaw_kernel.tools.mcp.api import Launch, McpFailure
from openclaw_kernel.tools.processes import end_all, mark

MAX_LINE = 16 * 1024 * 1024
"""Bytes of one message; an image in a result is a few megabytes."""
CLOSE_S = 1.0
"""How long a server may take to end by itself once its input is closed."""
STDERR_LINES, STDERR_CHARS = 20, 300

log = logging.getLogger(__name__)


class Child:
    """The process of one server, from start to the last trace of it."""

    def __init__(self, launch: Launch, process: asyncio.subprocess.Process, cookie: dict[str, str]) -> None:
        self.process = process
        self.gone = asyncio.Event()
        self.said: deque[str] = deque(maxlen=STDERR_LINES)
        self._name = launch.name
        self._cookie = cookie

    async def read(self, out: Any) -> None:
        """Passes messages on until the process ends or says something that is no line."""
        from mcp.shared.message import SessionMessage
        from mcp_types import jsonrpc_message_adapter

        assert self.process.stdout is not None
        try:
            while line := await self.process.stdout.readline():
                if not line.strip():
                    continue
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError as error:
                    log.info("MCP server %s: a line that is no message: %s", self._name, type(error).__name__)
                    continue
                await out.send(SessionMessage(message))
        except ValueError:
            log.warning("MCP server %s wrote a line of more than %d bytes; it is ended", self._name, MAX_LINE)
        except Exception as error:
            if not _is_closed(error):
                raise
        finally:
            self.gone.set()
            out.close()

    async def write(self, messages: Any) -> None:
        assert self.process.stdin is not None
        try:
            async for message in messages:
                text: str = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                self.process.stdin.write(text.encode() + b"\n")
                await self.process.stdin.drain()
        except (ConnectionError, OSError):
            self.gone.set()

    async def listen(self) -> None:
        """Keeps the last lines of stderr."""
        assert self.process.stderr is not None
        while piece := await self.process.stderr.read(4096):
            for line in piece.decode("utf-8", "replace").splitlines():
                if line.strip():
                    self.said.append(line.strip()[:STDERR_CHARS])

    async def end(self) -> None:
        """Closes its input, waits a moment, then ends it and everything it started."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), CLOSE_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await asyncio.to_thread(end_all, self.process.pid, self._cookie)
        await self.process.wait()
        # What nobody read keeps the pipes open otherwise; asyncio offers no public way to let go of them.
        if (transport := getattr(self.process, "_transport", None)) is not None:
            transport.close()


@asynccontextmanager
async def stdio(launch: Launch) -> AsyncIterator[tuple[Any, Any, Child]]:
    """The process with the two streams the SDK wants. Raises `McpFailure` when it cannot be started."""
    import anyio

    cookie = mark(f"mcp-{uuid4().hex[:8]}")
    try:
        process = await asyncio.create_subprocess_exec(
            launch.command,
            *launch.args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**launch.env, **cookie},
            cwd=launch.cwd,
            start_new_session=True,
            limit=MAX_LINE,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise McpFailure(f"MCP server {launch.name}: {launch.command!r} cannot be started: {why}.", gone=True) from None
    child = Child(launch, process, cookie)
    to_us, from_it = anyio.create_memory_object_stream[Any](0)
    to_it, for_it = anyio.create_memory_object_stream[Any](0)
    tasks = [asyncio.ensure_future(work) for work in (child.read(to_us), child.write(for_it), child.listen())]
    try:
        yield from_it, to_it, child
    finally:
        for stream in (from_it, to_it, to_us, for_it):
            stream.close()
        try:
            await asyncio.shield(asyncio.ensure_future(child.end()))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _is_closed(error: Exception) -> bool:
    """Whether nobody listens on the other end of a stream any more."""
    import anyio

    return isinstance(error, anyio.ClosedResourceError | anyio.BrokenResourceError | ConnectionError)
