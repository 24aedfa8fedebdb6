"""One configured MCP server: connected when first wanted, let go when unused, started again once after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from openclaw_kernel.config.schema.mcp import McpServer
from openclaw_kernel.tools.mcp.api import CONNECT_S, Connect, Launch, Link, McpFailure, Offer, Progress, Reply, fingerprint
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import UserError

State = Literal["idle", "connecting", "ready", "down"]

RETRY_MS = 60_000
"""How long a server that could not be reached, or that fails again and again, is left alone."""
FAILURES = 3
"""Failed calls in a row after which it is left alone."""
CLOSE_S = 8.0
REREAD_S = 1.0
"""Between two readings of a list that its server says is another one each time."""

log = logging.getLogger(__name__)


class Server:
    """`launch` resolves how it is reached, `listed` is told when the tools are others. Used from the event loop only."""

    def __init__(
        self,
        name: str,
        config: McpServer,
        launch: Callable[[], Awaitable[Launch]],
        connect: Connect,
        clock: Clock,
        listed: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.config = config
        self.identity = fingerprint(config)
        self.state: State = "idle"
        self.reason = ""
        self.offers: tuple[Offer, ...] = ()
        self.starts = 0
        self._launch, self._connect, self._clock, self._listed = launch, connect, clock, listed
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._stop = asyncio.Event()
        self._again_at = 0
        self._failures = 0
        self._crashed = False
        self._used_at = clock()
        self._busy = 0

    @property
    def waits(self) -> bool:
        """Whether it is being connected now."""
        return self._task is not None and not self._task.done() and not self._settled.is_set()

    def start(self, *, anyway: bool = False) -> None:
        """Begins to connect, unless it is connected or was out of reach a moment ago."""
        if self._task is not None and not self._task.done():
            return
        if not anyway and self._clock() < self._again_at:
            return
        self.state, self.reason = "connecting", ""
        self._settled, self._stop = asyncio.Event(), asyncio.Event()
        self.starts += 1
        self._task = asyncio.ensure_future(self._hold())

    async def settled(self, limit_s: float) -> None:
        """Returns when it is connected or not reachable, or after `limit_s`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), limit_s)

    async def call(self, tool: str, arguments: Mapping[str, Any], progress: Progress) -> Reply:
        """Connects first when it must. Raises `McpFailure`."""
        link = await self._linked()
        self._busy += 1
        try:
            reply = await link.call(tool, arguments, progress)
        except McpFailure as error:
            self._failed(error)
            raise
        finally:
            self._busy -= 1
            self._used_at = self._clock()
        self._failures, self._crashed = 0, False
        return reply

    def idle_for(self) -> int:
        """Milliseconds since its last use; 0 while it is at work or not connected."""
        return self._clock() - self._used_at if self.state == "ready" and not self._busy else 0

    async def close(self, reason: str = "") -> None:
        """Ends the connection and the program behind it."""
        task, self._task = self._task, None
        self._stop.set()
        if task is not None and not task.done():
            if self._link is not None:
                await asyncio.wait({task}, timeout=CLOSE_S)
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self.state, self.reason, self._link = "idle", reason, None

    async def _linked(self) -> Link:
        if self._clock() < self._again_at:
            raise McpFailure(f"MCP server {self.name} is not available: {self.reason or 'it failed a moment ago'}.")
        if self._link is not None and self._link.gone.is_set() and self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSE_S)  # what is left of it is being cleared away
        if self._link is None:
            self.start()
            await self.settled(self.config.connect_s(CONNECT_S))
        if self._link is None:
            raise McpFailure(f"MCP server {self.name} is not available: {self.reason or 'it does not answer yet'}.")
        return self._link

    def _failed(self, error: McpFailure) -> None:
        if error.gone:
            if self._crashed:
                self._pause("it ended twice in a row")
            self._crashed = True
            return
        self._failures += 1
        if self._failures >= FAILURES:
            self._failures = 0
            self._pause(f"{FAILURES} calls in a row failed")

    def _pause(self, reason: str) -> None:
        self._again_at = self._clock() + RETRY_MS
        self.reason = f"{reason}, so it is left alone for {RETRY_MS // 1000} seconds"
        log.warning("MCP server %s: %s", self.name, self.reason)

    async def _hold(self) -> None:
        """Keeps the connection in a task of its own, as the SDK wants it: opened and closed by the same one."""
        reason = ""
        try:
            limit_s = self.config.connect_s(CONNECT_S)
            async with asyncio.timeout(limit_s) as limit:
                launch = await self._launch()
                async with self._connect(launch) as link:
                    self._take(await link.tools())
                    limit.reschedule(None)
                    self._link, self.state, self._used_at = link, "ready", self._clock()
                    self._settled.set()
                    reason = await self._serve(link)
                    self._link = None
        except TimeoutError:
            reason = f"it did not answer within {limit_s:g} seconds"
        except asyncio.CancelledError:
            raise
        except McpFailure as error:
            reason = str(error).removesuffix(".")
        except UserError as error:
            reason = str(error).removesuffix(".")
        finally:
            was_up = self.state == "ready"
            self._link = None
            if reason:
                self.state, self.reason = "down", reason
                if not was_up:
                    self._again_at = self._clock() + RETRY_MS
                log.warning("MCP server %s is down: %s", self.name, reason)
            self._settled.set()

    async def _serve(self, link: Link) -> str:
        """Until it is told to stop or the other side is gone; why it is down, if it is."""
        stop, gone = asyncio.ensure_future(self._stop.wait()), asyncio.ensure_future(link.gone.wait())
        try:
            while True:
                changed = asyncio.ensure_future(link.changed.wait())
                try:
                    await asyncio.wait({stop, gone, changed}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
                if stop.done():
                    return ""
                if gone.done():
                    words = link.last_words()
                    return "it ended" + (f"; its last words: {words}" if words else "")
                link.changed.clear()
                await self._reread(link)
                await asyncio.wait({stop, gone}, timeout=REREAD_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            gone.cancel()

    async def _reread(self, link: Link) -> None:
        try:
            async with asyncio.timeout(self.config.connect_s(CONNECT_S)):
                self._take(await link.tools())
        except (McpFailure, TimeoutError) as error:
            log.warning("MCP server %s: its new list of tools cannot be read: %s", self.name, error)

    def _take(self, offers: Sequence[Offer]) -> None:
        kept = tuple(offer for offer in offers if self._wanted(offer.name))
        if kept != self.offers:
            self.offers = kept
            self._listed()

    def _wanted(self, tool: str) -> bool:
        names = (tool, f"{self.name}__{tool}")
        include, exclude = self.config.tool_filter.include, self.config.tool_filter.exclude

        def hit(patterns: Sequence[str]) -> bool:
            return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)

        return (not include or hit(include)) and not hit(exclude)
