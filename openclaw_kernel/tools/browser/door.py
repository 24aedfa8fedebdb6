"""The only way out of the browser: a proxy on the loopback that resolves, judges and pins every address (SAF-25).

Chromium is told to resolve nothing itself and to go through here for everything, its own machine included. Each request and
each tunnel is judged anew, so redirects, frames, scripts, WebSockets and names that answer differently a moment later all meet
the same guard; the connection goes to the address that was judged.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from openclaw_kernel.safety import ssrf
from openclaw_kernel.safety.ssrf import ForbiddenAddress, Pinned

log = logging.getLogger(__name__)

HEAD_BYTES = 65_536
CONNECT_S = 15.0
IDLE_S = 300.0
PIECE = 65_536
CONNECTIONS = 256
"""At once; a page that opens more waits."""
TOLD = 100
"""Refusals of one browser in the log; a page may ask for thousands a second."""
_HOP = ("connection", "proxy-connection", "keep-alive", "proxy-authorization", "te", "trailer", "upgrade")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An address that a page wanted and did not get. `number` counts from the start of the door."""

    number: int
    host: str
    sentence: str


class BadRequest(Exception):
    """What came is no request of a browser to its proxy."""


class Door:
    """`allowed` names the hosts (`host` or `host:port`) that may be private, asked for every request."""

    def __init__(self, allowed: Callable[[], Collection[str]], lookup: ssrf.Lookup = ssrf.resolve) -> None:
        self._allowed = allowed
        self._lookup = lookup
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(CONNECTIONS)
        self.refusals: deque[Refusal] = deque(maxlen=100)
        self.refused = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def since(self, number: int) -> list[Refusal]:
        """What was refused after the refusal of that number."""
        return [one for one in self.refusals if one.number > number]

    async def judge(self, url: str) -> Pinned:
        """Raises `ForbiddenAddress`."""
        return await ssrf.check(url, allowed=self._allowed(), lookup=self._lookup)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with self._room:
                await self._answer(reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, BadRequest) as error:
            log.debug("a connection of the browser ended: %s", error)
        except asyncio.CancelledError:
            log.debug("a connection of the browser was ended")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_S):
            head = await reader.readuntil(b"\r\n\r\n")
        url = ""
        try:
            method, target, headers = _parsed(head)
            url = f"https://{target}/" if method == "CONNECT" else target
            if method != "CONNECT" and urlsplit(url).scheme != "http":
                raise BadRequest(f"{method} to {url[:80]!r}")
            pinned = await self.judge(url)
        except ForbiddenAddress as error:
            self._refuse(url, str(error))
            await _say(writer, 403, str(error))
            return
        except (BadRequest, ValueError):
            await _say(writer, 400, "This is the way out of the assistant's browser and of nothing else.")
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                there = await asyncio.open_connection(pinned.address, pinned.port, limit=HEAD_BYTES)
        except OSError as error:  # TimeoutError is one
            await _say(writer, 502, f"{pinned.host} did not answer: {type(error).__name__}.")
            return
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _both_ways((reader, writer), there)
            else:
                await _one_request(reader, writer, there, method, pinned, headers)
        finally:
            there[1].close()

    def _refuse(self, url: str, sentence: str) -> None:
        self.refused += 1
        self.refusals.append(Refusal(self.refused, urlsplit(url).hostname or "", sentence))
        log.log(logging.INFO if self.refused <= TOLD else logging.DEBUG, "the browser was refused an address: %s", sentence)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _parsed(head: bytes) -> tuple[str, str, list[tuple[str, str]]]:
    """Method, target and headers of a request. Raises `BadRequest`."""
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(first[:80])
    headers = []
    for line in filter(None, rest):
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise BadRequest(line[:80])
        headers.append((name, value.strip()))
    names = [name.lower() for name, _ in headers]
    if any(names.count(name) > 1 for name in ("content-length", "transfer-encoding", "host")):
        raise BadRequest("a header that decides where a request ends is there twice")
    return words[0], words[1], headers


async def _one_request(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    there: Ends,
    method: str,
    pinned: Pinned,
    headers: list[tuple[str, str]],
) -> None:
    """Exactly one request and its answer; the next one comes on a connection of its own and is judged."""
    values = {name.lower(): value for name, value in headers}
    if "transfer-encoding" in values or not values.get("content-length", "0").isdigit():
        await _say(writer, 501, "A request body needs a length.")
        return
    path = (pinned.url.path or "/") + (f"?{pinned.url.query}" if pinned.url.query else "")
    kept = [f"{name}: {value}" for name, value in headers if name.lower() not in (*_HOP, "host")]
    lines = [f"{method} {path} HTTP/1.1", f"Host: {pinned.url.netloc}", *kept, "Connection: close", "", ""]
    there[1].write("\r\n".join(lines).encode("latin-1"))
    await _pass_bytes(reader, there[1], int(values.get("content-length", "0")))
    while True:
        async with asyncio.timeout(IDLE_S):
            head = await there[0].readuntil(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        kept = [line for line in rest if line and line.partition(":")[0].strip().lower() not in _HOP]
        status = first.split(" ")[1:2]
        final = not (status and status[0].startswith("1"))
        end = ["Connection: close", "", ""] if final else ["", ""]
        writer.write("\r\n".join([first, *kept, *end]).encode("latin-1"))
        if final:
            break
    await _pass_all(there[0], writer)


async def _both_ways(one: Ends, other: Ends) -> None:
    """Until either side ends."""
    tasks = [asyncio.ensure_future(_pass_all(one[0], other[1])), asyncio.ensure_future(_pass_all(other[0], one[1]))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_all(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while True:
        async with asyncio.timeout(IDLE_S):
            piece = await source.read(PIECE)
        if not piece:
            return
        target.write(piece)
        await target.drain()


async def _pass_bytes(source: asyncio.StreamReader, target: asyncio.StreamWriter, count: int) -> None:
    while count > 0:
        async with asyncio.timeout(IDLE_S):
            piece = await source.read(min(count, PIECE))
        if not piece:
            raise EOFError("the browser left in the middle of a request")
        count -= len(piece)
        target.write(piece)
        await target.drain()
    await target.drain()


async def _say(writer: asyncio.StreamWriter, status: int, sentence: str) -> None:
    body = sentence.encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()
