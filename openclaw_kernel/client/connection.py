"""A client of a gateway: connect, request, hear events (protocol sections 1, 3, 4).

async with connect(url, token=token) as gateway:
    ack = await gateway.request("chat.send", {...})
    async for event in gateway.events(): ...
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import platform
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, WebSocketException

from openclaw_kernel._version import __version__
from openclaw_kernel.values.errors import OpenClawError, UserError, unavailable

if TYPE_CHECKING:
    from openclaw_kernel.client.device import DeviceIdentity

log = logging.getLogger(__name__)

PROTOCOL = 4
REQUEST_TIMEOUT_S = 30.0  # the reference client's (protocol section 1)
HANDSHAKE_TIMEOUT_S = 15.0
_MAX_FRAME = 52_428_800
_CODES = frozenset(
    {"INVALID_REQUEST", "FORBIDDEN", "UNAVAILABLE", "NOT_PAIRED", "NOT_LINKED", "AGENT_TIMEOUT", "APPROVAL_NOT_FOUND"}
)
ALL_SCOPES = (
    "operator.admin",
    "operator.read",
    "operator.write",
    "operator.approvals",
    "operator.questions",
    "operator.pairing",
)


class GatewayUnreachable(UserError):
    """Nothing answers at the gateway's address."""


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """One event frame. `seq` counts per connection from 1."""

    event: str
    payload: Mapping[str, Any]
    seq: int | None = None


@dataclass(slots=True)
class _Waiting:
    """A request without its last response. `first` is set only for a method that answers twice."""

    last: asyncio.Future[Any]
    first: asyncio.Future[Any] | None = None

    def fail(self, error: BaseException) -> None:
        for future in (self.first, self.last):
            if future is not None and not future.done():
                future.set_exception(error)
                # Whoever waits for the first answer never sees the last one; its error is the same.
                future.exception()


class GatewayConnection:
    """An open connection; made by `connect`. `hello` is the server's `hello-ok`."""

    def __init__(self, socket: ClientConnection, hello: Mapping[str, Any]) -> None:
        self.hello = hello
        self._socket = socket
        self._ids = itertools.count(2)
        self._waiting: dict[str, _Waiting] = {}
        self._listeners: set[asyncio.Queue[GatewayEvent | None]] = set()
        self._reader = asyncio.get_running_loop().create_task(self._read())

    @property
    def device_token(self) -> str | None:
        """The token to store for the next connect of this device."""
        token = self.hello.get("auth", {}).get("deviceToken")
        return str(token) if token else None

    @property
    def closed(self) -> bool:
        return self._reader.done()

    async def request(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = REQUEST_TIMEOUT_S
    ) -> Any:
        """The payload of the (first) response.

        Raises `OpenClawError` for an error frame, a lost connection, or after `timeout` seconds.
        """
        async with self._sent(method, params, two_step=False) as waiting:
            return await _within(waiting.last, timeout, method)

    async def request_two_step(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> tuple[Any, Any]:
        """Both payloads of a method that answers twice, such as `agent`: accepted and final. `timeout` is for each."""
        async with self._sent(method, params, two_step=True) as waiting:
            if waiting.first is None:
                raise AssertionError("a two-step request waits for two answers")
            accepted = await _within(waiting.first, timeout or REQUEST_TIMEOUT_S, method)
            return accepted, await _within(waiting.last, timeout, method)

    def events(self, *names: str) -> AsyncIterator[GatewayEvent]:
        """Events from this call on, until the connection ends; only those named, or all."""
        return self._events(self.listen(), names)

    async def _events(self, queue: asyncio.Queue[GatewayEvent | None], names: tuple[str, ...]) -> AsyncIterator[GatewayEvent]:
        try:
            while (event := await queue.get()) is not None:
                if not names or event.event in names:
                    yield event
        finally:
            self._listeners.discard(queue)

    def listen(self) -> asyncio.Queue[GatewayEvent | None]:
        """A queue that gets every event from this moment; `None` marks the end."""
        queue: asyncio.Queue[GatewayEvent | None] = asyncio.Queue()
        if self.closed:
            queue.put_nowait(None)
        else:
            self._listeners.add(queue)
        return queue

    def unlisten(self, queue: asyncio.Queue[GatewayEvent | None]) -> None:
        self._listeners.discard(queue)

    async def close(self) -> None:
        await self._socket.close()
        await asyncio.wait({self._reader})

    @asynccontextmanager
    async def _sent(self, method: str, params: Mapping[str, Any] | None, *, two_step: bool) -> AsyncIterator[_Waiting]:
        if self.closed:
            raise unavailable("the connection to the gateway is closed")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop.create_future(), loop.create_future() if two_step else None)
        request_id = str(next(self._ids))
        self._waiting[request_id] = waiting
        frame: dict[str, Any] = {"type": "req", "id": request_id, "method": method}
        if params is not None:
            frame["params"] = params
        try:
            try:
                await self._socket.send(orjson.dumps(frame).decode())
            except ConnectionClosed as error:
                raise _lost(error) from error
            yield waiting
        finally:
            del self._waiting[request_id]

    async def _read(self) -> None:
        error: OpenClawError = unavailable("the connection to the gateway is closed")
        try:
            async for text in self._socket:
                self._take(orjson.loads(text))
        except ConnectionClosed as closed:
            error = _lost(closed)
        except (orjson.JSONDecodeError, KeyError, TypeError) as broken:
            log.warning("the gateway sent a frame that cannot be read: %s", broken)
            error = unavailable("the gateway sent a frame that cannot be read")
        finally:
            for waiting in self._waiting.values():
                waiting.fail(error)
            for queue in self._listeners:
                queue.put_nowait(None)

    def _take(self, frame: Mapping[str, Any]) -> None:
        if frame["type"] == "event":
            event = GatewayEvent(frame["event"], frame.get("payload") or {}, frame.get("seq"))
            for queue in self._listeners:
                queue.put_nowait(event)
        elif frame["type"] == "res":
            waiting = self._waiting.get(frame["id"])
            if waiting is not None:
                _settle(waiting, frame)


def _settle(waiting: _Waiting, frame: Mapping[str, Any]) -> None:
    if not frame["ok"]:
        waiting.fail(_error(frame["error"]))
        return
    future = waiting.first if waiting.first is not None and not waiting.first.done() else waiting.last
    if not future.done():
        future.set_result(frame.get("payload"))


async def _within(future: Awaitable[Any], timeout: float | None, method: str) -> Any:
    try:
        async with asyncio.timeout(timeout):
            return await future
    except TimeoutError:
        raise unavailable(f"the gateway did not answer {method} within {timeout:g} s") from None


def _error(wire: Mapping[str, Any]) -> OpenClawError:
    code = wire.get("code")
    return OpenClawError(
        code if code in _CODES else "UNAVAILABLE",
        str(wire.get("message", "")),
        wire.get("details") or {},
        bool(wire.get("retryable")),
        wire.get("retryAfterMs"),
    )


def _lost(error: ConnectionClosed) -> OpenClawError:
    reason = error.rcvd.reason if error.rcvd is not None else ""
    code = error.rcvd.code if error.rcvd is not None else 1006
    return unavailable(f"the gateway closed the connection ({code}{' ' + reason if reason else ''})")


@asynccontextmanager
async def connect(
    url: str,
    *,
    token: str | None = None,
    password: str | None = None,
    device: DeviceIdentity | None = None,
    device_token: str | None = None,
    client_id: str = "cli",
    mode: str = "cli",
    role: str = "operator",
    scopes: Sequence[str] = ALL_SCOPES,
    caps: Sequence[str] = (),
    commands: Sequence[str] = (),
    display_name: str = "",
    instance_id: str = "",
    platform_name: str = "",
    headers: Mapping[str, str] | None = None,
    timeout: float = HANDSHAKE_TIMEOUT_S,
) -> AsyncIterator[GatewayConnection]:
    """Connects, shakes hands, and closes at the end of the block.

    `url` is `ws://…` or `http://…`; its path is kept. Raises `GatewayUnreachable` when nothing answers and `OpenClawError` when
    the gateway refuses.
    """
    client = _client(client_id, mode, display_name, instance_id)
    if platform_name:
        client["platform"] = platform_name
    auth = {key: value for key, value in (("token", token), ("password", password), ("deviceToken", device_token)) if value}
    params: dict[str, Any] = {
        "minProtocol": PROTOCOL,
        "maxProtocol": PROTOCOL,
        "client": client,
        "role": role,
        "scopes": list(scopes),
        "caps": list(caps),
        "commands": list(commands),
        "auth": auth,
    }
    address = _websocket_url(url)
    try:
        socket = await open_socket(
            address, max_size=_MAX_FRAME, compression=None, open_timeout=timeout, additional_headers=headers, proxy=None
        )
    except (OSError, WebSocketException, TimeoutError) as error:
        raise GatewayUnreachable(
            f"no OpenClaw gateway answers at {address} ({error}); start one with: jupyter openclaw serve"
        ) from error
    async with socket:
        try:
            async with asyncio.timeout(timeout):
                hello = await _shake_hands(socket, params, device)
        except TimeoutError:
            raise unavailable(f"the gateway at {address} did not finish the handshake within {timeout:g} s") from None
        except ConnectionClosed as error:
            raise _lost(error) from error
        connection = GatewayConnection(socket, hello)
        try:
            yield connection
        finally:
            await connection.close()


async def _shake_hands(socket: ClientConnection, params: dict[str, Any], device: DeviceIdentity | None) -> Mapping[str, Any]:
    challenge = orjson.loads(await socket.recv())
    if device is not None:
        auth = params["auth"]
        signed = auth.get("token") or auth.get("deviceToken") or ""
        params["device"] = device.claim(
            params["client"], role=params["role"], scopes=params["scopes"], token=signed, challenge=challenge["payload"]
        )
    frame = {"type": "req", "id": "1", "method": "connect", "params": params}
    await socket.send(orjson.dumps(frame).decode())
    while True:
        answer = orjson.loads(await socket.recv())
        if answer["type"] == "res":
            break
    if not answer["ok"]:
        raise _error(answer["error"])
    hello: Mapping[str, Any] = answer["payload"]
    return hello


def _client(client_id: str, mode: str, display_name: str, instance_id: str) -> dict[str, Any]:
    system = platform.system()
    client = {
        "id": client_id,
        "version": __version__,
        "platform": system.lower(),
        "mode": mode,
        "deviceFamily": system,
        "displayName": display_name,
        "instanceId": instance_id,
    }
    return {key: value for key, value in client.items() if value}


def _websocket_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return f"ws://{url}"
    return {"http": "ws", "https": "wss"}.get(scheme, scheme) + "://" + rest
