"""A hub on plain lists: what the gateway sent, and how it closed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from openclaw_gateway.protocol.auth import FailureLimit, GatewayAuth
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.connection import Connection
from openclaw_gateway.protocol.devices import Devices
from openclaw_gateway.protocol.dispatch import Call, Dispatcher, Method, NoParams, Params, TwoStep
from openclaw_gateway.protocol.hub import Hub
from openclaw_gateway.protocol.policy import Policy
from openclaw_kernel.client.device import DeviceIdentity
from openclaw_kernel.values.errors import UserError

SECRET = "a-secret-for-tests"
NOW = 1_795_201_869_419


class ChatSend(Params):
    session_key: str
    message: str
    idempotency_key: str


class ChatHistory(Params):
    session_key: str
    limit: int = Field(default=200, ge=1, le=1000)


async def echo(params: Params, call: Call) -> dict[str, Any]:
    return params.model_dump(by_alias=True)


async def twice(params: Params, call: Call) -> TwoStep:
    async def final() -> dict[str, Any]:
        return {"status": "ok"}

    return TwoStep({"status": "accepted"}, final())


async def broken(params: Params, call: Call) -> dict[str, Any]:
    raise RuntimeError("the inside of the house")


async def mistaken(params: Params, call: Call) -> dict[str, Any]:
    raise UserError("models.default names no model; run jupyter openclaw models list")


METHODS = [
    Method("health", NoParams, echo, "operator.read"),
    Method("chat.send", ChatSend, echo, "operator.write"),
    Method("chat.history", ChatHistory, echo, "operator.read"),
    Method("config.set", NoParams, echo, "operator.admin"),
    Method("agent", NoParams, twice, "dynamic"),
    Method(
        "sessions.patch",
        ChatHistory,
        echo,
        "dynamic",
        scope_of=lambda p: "operator.admin" if p.limit > 500 else "operator.write",
    ),
    Method("node.event", NoParams, echo, "node"),
    Method("broken", NoParams, broken, "operator.read"),
    Method("mistaken", NoParams, mistaken, "operator.read"),
]


class Timers:
    """Timers that fire when told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, action: Callable[[], None]) -> Any:
        entry = (seconds, action)
        self.waiting.append(entry)
        timers = self

        class Handle:
            def cancel(self) -> None:
                timers.waiting.remove(entry)

        return Handle()

    def fire(self) -> None:
        for _, action in list(self.waiting):
            action()


class Wire:
    """One client's view: frames received, and the close."""

    def __init__(self, bench: Bench, **peer: Any) -> None:
        self.bench = bench
        self.frames: list[dict[str, Any]] = []
        self.closes: list[tuple[int, str]] = []
        self.connection: Connection = bench.hub.connect(
            self._take, lambda code, reason: self.closes.append((code, reason)), **peer
        )
        self.challenge = self.frames.pop()
        self._ids = itertools.count(2)

    def _take(self, text: str) -> None:
        self.frames.append(json.loads(text))

    async def send(self, frame: dict[str, Any] | str) -> dict[str, Any] | None:
        """Sends a frame; returns the last thing received since, if any."""
        before = len(self.frames)
        await self.connection.receive(frame if isinstance(frame, str) else json.dumps(frame))
        await self.bench.hub.idle()
        responses = [item for item in self.frames[before:] if item["type"] == "res"]
        return responses[-1] if responses else None

    async def connect(self, *, device: DeviceIdentity | None = None, **changes: Any) -> dict[str, Any] | None:
        params = connect_params(**changes)
        if device is not None:
            params["device"] = sign(device, params, self.challenge["payload"])
        return await self.send({"type": "req", "id": "1", "method": "connect", "params": params})

    async def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any] | None:
        frame: dict[str, Any] = {"type": "req", "id": str(next(self._ids)), "method": method}
        if params is not None:
            frame["params"] = params
        return await self.send(frame)

    @property
    def closed(self) -> bool:
        return bool(self.closes)

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == "event" and name in (None, frame["event"])]


def connect_params(
    *,
    client: str = "cli",
    mode: str = "cli",
    token: str | None = SECRET,
    scopes: list[str] | None = None,
    auth: dict[str, str] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    params: dict[str, Any] = {
        "minProtocol": 4,
        "maxProtocol": 4,
        "client": {"id": client, "mode": mode, "version": "1", "platform": "linux", "deviceFamily": "Linux"},
        "role": "operator",
        "scopes": ["operator.read"] if scopes is None else scopes,
        "auth": auth if auth is not None else ({"token": token} if token else {}),
    }
    return params | extra


def sign(device: DeviceIdentity, params: dict[str, Any], challenge: dict[str, Any]) -> dict[str, Any]:
    auth = params["auth"]
    token = auth.get("token") or auth.get("deviceToken") or ""
    return device.claim(params["client"], role=params["role"], scopes=params["scopes"], token=token, challenge=challenge)


class Bench:
    """A hub with a settable clock."""

    def __init__(
        self, directory: Path, mode: Any = "token", policy: Policy | None = None, origins: tuple[str, ...] = ()
    ) -> None:
        self.now = NOW
        self.timers = Timers()
        self.devices = Devices(directory / "devices.jsonl", clock=lambda: self.now)
        self.auth = GatewayAuth(mode, SECRET, allowed_origins=origins, limit=FailureLimit(clock=lambda: self.now))
        self.hub = Hub(
            self.auth,
            self.devices,
            Dispatcher(METHODS),
            Broadcaster(),
            lambda: {"health": {"ok": True}},
            policy,
            clock=lambda: self.now,
            call_later=self.timers.later,
        )

    def wire(self, **peer: Any) -> Wire:
        return Wire(self, **peer)

    async def connected(self, *, peer: dict[str, Any] | None = None, **changes: Any) -> Wire:
        wire = self.wire(**(peer or {}))
        answer = await wire.connect(**changes)
        assert answer is not None and answer["ok"], answer
        wire.frames.clear()
        return wire


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.devices.close()


@pytest.fixture
def make_bench(tmp_path: Path) -> Callable[..., Bench]:
    return lambda **options: Bench(tmp_path, **options)


@pytest.fixture
def device() -> DeviceIdentity:
    return DeviceIdentity.create()
