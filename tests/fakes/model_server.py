"""A model provider of our own making that speaks the real wire formats over a real socket.

    async with FakeModelServer() as server:
        server.url           http://127.0.0.1:PORT      (for Anthropic clients)
        server.openai_url    http://127.0.0.1:PORT/v1   (for OpenAI clients)
        server.requests      every request so far

    python -m tests.fakes.model_server --port 8765 --tokens 20

Routes: POST /v1/messages, /v1/chat/completions, /v1/responses; /api/show (Ollama); GET /v1/models, /api/tags, /healthz, /stats.
What it answers is steered by the last user message (see `model_steering`) or by a `script` (see `model_script`). The key
`wrong-key` is refused with 401.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.fakes.model_script import Script
from tests.fakes.model_steering import Plan, plan
from tests.fakes.model_wire import WIRES, BadRequest, Wire, error_body

WRONG_KEY = "wrong-key"
MAX_HEAD = 1 << 16
MAX_BUFFER = 1 << 24
KEPT_STANDALONE = 32


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None

    @property
    def key(self) -> str:
        """The API key the client sent, in whichever header."""
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")


class Dropped(Exception):
    """The connection is to be cut."""


@dataclass
class FakeModelServer:
    """Serves on a free port of 127.0.0.1 unless told another; `tokens` words when nothing else was asked for.

    For a bench, which sends long histories thousands of times: `keep` is how many requests are remembered, and without `check`
    only the newest message of a request, and what followed it, is looked at.
    """

    port: int = 0
    tokens: int = 10
    models: tuple[str, ...] = ("fake-1", "fake-2")
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    keep: int | None = None
    check: bool = True
    script: Script | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _failed_once: set[str] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    async def __aenter__(self) -> FakeModelServer:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=MAX_BUFFER)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while (request := await _read_request(reader, self.check)) is not None:
                self._remember(request)
                await self._answer(request, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Dropped:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    def _remember(self, request: Request) -> None:
        self.counts[request.path] += 1
        self.requests.append(request)
        if self.keep is not None:
            del self.requests[: -self.keep]

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        wire = WIRES.get(request.path)
        if wire is not None and request.method == "POST":
            await self._complete(request, wire, writer)
        elif request.path == "/healthz":
            _send(writer, 200, {"ok": True})
        elif request.path == "/stats":
            _send(writer, 200, {"requests": self.counts.total(), "byPath": self.counts})
        elif request.path == "/v1/models":
            _send(writer, 200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
        elif request.path == "/api/show":
            shown = {"parameters": "num_ctx 16384", "model_info": {"llama.context_length": 131_072}, "capabilities": ["vision"]}
            _send(
                writer, 200, shown if request.body["model"] == self.models[0] else {"model_info": {"x.context_length": 40_960}}
            )
        elif request.path == "/api/tags":
            _send(writer, 200, {"models": [{"name": name} for name in self.models]})
        else:
            _send(writer, 404, error_body(request.path, 404, f"no route {request.method} {request.path}"))

    async def _complete(self, request: Request, wire: Wire, writer: asyncio.StreamWriter) -> None:
        if request.key == WRONG_KEY:
            _send(writer, 401, error_body(request.path, 401, "invalid x-api-key"))
            return
        try:
            turns = wire.turns(request.body)
            wanted = self.script(request.body) if self.script is not None else plan(turns, self.tokens)
        except (BadRequest, KeyError, TypeError) as error:
            _send(writer, 400, error_body(request.path, 400, str(error)))
            return
        if self._fails(wanted):
            headers = {"retry-after": wanted.retry_after} if wanted.retry_after else {}
            _send(writer, wanted.status, error_body(request.path, wanted.status, f"asked to fail {wanted.status}"), headers)
            return
        if wanted.sleep_s:
            await asyncio.sleep(wanted.sleep_s)
        if request.body.get("stream"):
            await _stream(request, wire, wanted, writer)
        else:
            _send(writer, 200, wire.whole(request.body, wanted))

    def _fails(self, wanted: Plan) -> bool:
        if not wanted.status or (wanted.once and wanted.asked in self._failed_once):
            return False
        self._failed_once.add(wanted.asked)
        return True


def _newest(raw: bytes) -> bytes:
    """The request from the last words of a person on. The marks cannot stand in a string: its quotes are escaped."""
    first = raw.find(b'":[{"role":') + 3
    last = raw.find(b'],"tools":') + 1 or len(raw)
    while (last := raw.rfind(_USER, first, last)) > 0 and raw.startswith(_RESULTS, last):
        pass
    return raw[:first] + raw[last:] if 3 <= first < last else raw


_USER = b'{"role":"user"'
_RESULTS = b'{"role":"user","content":[{"type":"tool_result"'


async def _stream(request: Request, wire: Wire, wanted: Plan, writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    events = list(wire.events(request.body, wanted))
    for number, event in enumerate(events):
        if wanted.breakage and number == len(events) // 2:
            await _break(wire, wanted, writer)
        _chunk(writer, _sse(event))
    writer.write(b"0\r\n\r\n")


async def _break(wire: Wire, wanted: Plan, writer: asyncio.StreamWriter) -> None:
    """The middle of the stream: whatever was asked to go wrong."""
    match wanted.breakage:
        case "drop":
            await writer.drain()
            raise Dropped
        case "hang":
            await writer.drain()
            await asyncio.Event().wait()
        case "garbage":
            _chunk(writer, b'event: nonsense\ndata: {"type": "content_block_delta", <<<\n\n')
        case "error":
            _chunk(writer, _sse(wire.error_event(wanted.error_type)))


def _sse(event: dict[str, Any] | str) -> bytes:
    if isinstance(event, str):
        return f"data: {event}\n\n".encode()
    head = f"event: {event['type']}\n" if "type" in event else ""
    return f"{head}data: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))


def _send(writer: asyncio.StreamWriter, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
    data = json.dumps(value).encode()
    extra = "".join(f"{name}: {text}\r\n" for name, text in (headers or {}).items())
    head = f"HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n{extra}\r\n"
    writer.write(head.encode() + data)


async def _read_request(reader: asyncio.StreamReader, check: bool) -> Request | None:
    """The next request on a connection; None when the client is done."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    raw = await reader.readexactly(length) if length else b""
    return Request(method, target.split("?", 1)[0], headers, orjson.loads(raw if check else _newest(raw)) if raw else None)


async def _serve(port: int, tokens: int, check: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with FakeModelServer(port=port, tokens=tokens, keep=KEPT_STANDALONE, check=check) as server:
        print(json.dumps({"listening": server.port}), flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake model provider that speaks the real wire formats.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free port and prints it")
    parser.add_argument("--tokens", type=int, default=20)
    parser.add_argument("--no-check", action="store_true", help="look at the newest message of a request only")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.port, arguments.tokens, not arguments.no_check))


if __name__ == "__main__":
    main()
