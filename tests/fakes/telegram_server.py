"""A Bot API server of our own making: strict like Telegram, on a free port of 127.0.0.1.

async with TelegramServer() as server:
    server.url                          channels.telegram.apiBaseUrl and filesBaseUrl
    server.token                        channels.telegram.botToken
    server.world.say("hello")           a person writes; see `telegram_world`
    server.calls                        every call of the bot so far
    server.fail("sendMessage", code=429, retry_after=1)

python -m tests.fakes.telegram_server --port 0        prints one JSON line {url, token}; POST /control/{say,press,fail,state}
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.fakes.telegram_methods import METHODS, UPDATE_METHODS
from tests.fakes.telegram_rules import Refused
from tests.fakes.telegram_world import World

TOKEN = "7000001:AAtest-token_for-the-fake-Bot-API00"
MAX_POLL_S = 50


@dataclass(frozen=True)
class BotCall:
    """One call of the bot: `arguments` as they came, `files` by field."""

    method: str
    arguments: Mapping[str, Any]
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass
class Failure:
    """How the next `times` calls of a method fail. `after`: the method does its work first, then the answer is lost."""

    code: int = 0
    times: int = 1
    retry_after: int | None = None
    description: str = ""
    silence: bool = False
    close: bool = False
    after: bool = False


@dataclass
class TelegramServer:
    """Usable as an async context manager. `stop` cuts open polls; entered again, it is back at its address with all it knew."""

    port: int = 0
    token: str = TOKEN
    world: World = field(default_factory=World)
    calls: list[BotCall] = field(default_factory=list)
    webhook: dict[str, Any] | None = None
    downloads: list[str] = field(default_factory=list)
    _failures: dict[str, list[Failure]] = field(default_factory=dict)
    _polling: asyncio.Event | None = None
    _called: asyncio.Event = field(default_factory=asyncio.Event)
    _server: HTTPServer | None = None
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> TelegramServer:
        routes = [
            (r"/bot([^/]+)/(\w+)", _MethodHandler, {"fake": self}),
            (r"/file/bot([^/]+)/(.+)", _FileHandler, {"fake": self}),
            (r"/control/(\w+)", _ControlHandler, {"fake": self}),
        ]
        self._stopped = asyncio.Event()
        sockets = bind_sockets(self.port, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        self._server = HTTPServer(Application(routes, log_function=lambda _: None), max_body_size=60_000_000)
        self._server.add_sockets(sockets)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        self._stopped.set()
        self.world.changed.set()
        if self._server is not None:
            self._server.stop()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.close_all_connections(), 1)
            self._server = None

    # --- steering and looking ---

    def fail(self, method: str, **how: Any) -> None:
        self._failures.setdefault(method, []).append(Failure(**how))

    def of(self, method: str) -> list[BotCall]:
        return [call for call in self.calls if call.method == method]

    async def until(self, method: str, count: int = 1, timeout_s: float = 10.0) -> list[BotCall]:
        """The calls of a method once there are `count`."""
        async with asyncio.timeout(timeout_s):
            while len(self.of(method)) < count:
                self._called.clear()
                await self._called.wait()
        return self.of(method)

    async def confirmed(self, update_id: int, timeout_s: float = 10.0) -> None:
        """Returns once the bot's offset has passed an update."""
        async with asyncio.timeout(timeout_s):
            while any(row["update_id"] == update_id for row in self.world.updates):
                self._called.clear()
                await self._called.wait()

    # --- the wire ---

    async def answer(self, token: str, method: str, call: BotCall) -> Any:
        if token != self.token:
            raise Refused(401 if ":" in token else 404, "Unauthorized" if ":" in token else "Not Found")
        self.calls.append(call)
        self._called.set()
        failure = self._failure(method)
        if failure is not None and not failure.after:
            await self._fail(failure)
        if method == "getUpdates":
            result: Any = await self._updates(call.arguments)
        elif method in UPDATE_METHODS:
            result = self._hook(method, call.arguments)
        elif method in METHODS:
            result = METHODS[method](self.world, call.arguments, call.files)
        else:
            raise Refused(404, "Not Found")
        if failure is not None and failure.after:
            await self._fail(failure)
        return result

    def _failure(self, method: str) -> Failure | None:
        waiting = self._failures.get(method)
        if not waiting:
            return None
        failure = waiting[0]
        failure.times -= 1
        if failure.times <= 0:
            waiting.pop(0)
        return failure

    async def _fail(self, failure: Failure) -> None:
        if failure.silence:
            await self._stopped.wait()
        if failure.silence or failure.close:
            raise ConnectionAbortedError
        wait = {} if failure.retry_after is None else {"retry_after": failure.retry_after}
        words = {429: f"Too Many Requests: retry after {failure.retry_after}", 403: "Forbidden: bot was blocked by the user"}
        raise Refused(failure.code, failure.description or words.get(failure.code, "Internal Server Error"), **wait)

    def _hook(self, method: str, arguments: Mapping[str, Any]) -> bool:
        self.webhook = dict(arguments) if method == "setWebhook" else None
        return True

    async def _updates(self, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A newer poll ends the older one with 409, as two programs on one token feel it."""
        if self.webhook is not None:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        if self._polling is not None:
            self._polling.set()
        mine = self._polling = asyncio.Event()
        offset = int(arguments.get("offset") or 0)
        if offset:
            self.world.updates[:] = [row for row in self.world.updates if row["update_id"] >= offset]
            self._called.set()
        try:
            await self._news(mine, min(float(arguments.get("timeout") or 0), MAX_POLL_S))
        finally:
            if self._polling is mine:
                self._polling = None
        if mine.is_set():
            sentence = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            raise Refused(409, sentence)
        return list(self.world.updates[: int(arguments.get("limit") or 100)])

    async def _news(self, superseded: asyncio.Event, timeout_s: float) -> None:
        """Until there is an update, a newer poll, the end of the server, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not (self.world.updates or superseded.is_set() or self._stopped.is_set()):
                    self.world.changed.clear()
                    waits = {asyncio.ensure_future(self.world.changed.wait()), asyncio.ensure_future(superseded.wait())}
                    try:
                        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        for wait in waits:
                            wait.cancel()


class _Handler(RequestHandler):
    fake: TelegramServer

    def initialize(self, fake: TelegramServer) -> None:
        self.fake = fake

    def cut(self) -> None:
        """Closes the connection without an answer."""
        self.request.connection.close()  # type: ignore[union-attr]
        self._finished = True

    def reply(self, body: Any, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(body))


class _MethodHandler(_Handler):
    async def post(self, token: str, method: str) -> None:
        try:
            result = await self.fake.answer(token, method, _call(method, self.request))
        except Refused as refused:
            self.reply(refused.body(), refused.code)
        except ConnectionAbortedError:
            self.cut()
        else:
            self.reply({"ok": True, "result": result})


class _FileHandler(_Handler):
    async def get(self, token: str, path: str) -> None:
        found = [data for name, data in self.fake.world.files.values() if name == path]
        if token != self.fake.token or not found:
            self.reply({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
            return
        self.fake.downloads.append(path)
        self.set_header("Content-Type", "application/octet-stream")
        self.finish(found[0])


class _ControlHandler(_Handler):
    """For a test in another process."""

    def post(self, what: str) -> None:
        given = json.loads(self.request.body or b"{}")
        match what:
            case "say":
                self.reply(self.fake.world.say(**given))
            case "press":
                self.reply(self.fake.world.press(**given))
            case "fail":
                self.fake.fail(**given)
                self.reply({})
            case "state":
                calls = [{"method": call.method, "arguments": dict(call.arguments)} for call in self.fake.calls]
                self.reply({"calls": calls, "messages": list(self.fake.world.messages.values())})
            case _:
                self.reply({"error": f"no such control: {what}"}, 404)


def _call(method: str, request: HTTPServerRequest) -> BotCall:
    """Query, form or multipart; a field that names `attach://part` or is a part is a file."""
    arguments = {name: values[-1].decode() for name, values in request.arguments.items()}
    if request.headers.get("Content-Type", "").startswith("application/json"):
        arguments = json.loads(request.body or b"{}")
    files = {name: (rows[0]["filename"], rows[0]["body"]) for name, rows in request.files.items()}
    return BotCall(method, arguments, files)


async def _main(port: int, token: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with TelegramServer(port, token) as server:
        print(json.dumps({"url": server.url, "token": server.token}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A local Bot API server for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    asked = parser.parse_args()
    asyncio.run(_main(asked.port, asked.token))
