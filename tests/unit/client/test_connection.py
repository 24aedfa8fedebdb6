"""The client against a real socket: our own hub behind the websockets library."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from openclaw_gateway.protocol.auth import GatewayAuth
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.devices import Devices
from openclaw_gateway.protocol.dispatch import Call, Dispatcher, Method, NoParams, TwoStep
from openclaw_gateway.protocol.hub import Hub
from openclaw_kernel.client.blocking import BlockingGateway
from openclaw_kernel.client.connection import GatewayUnreachable, connect
from openclaw_kernel.client.device import DeviceIdentity
from openclaw_kernel.values.errors import OpenClawError

SECRET = "a-secret-for-tests"


async def health(params: NoParams, call: Call) -> dict[str, Any]:
    call.connection.send_event("tick", {"ts": 1})
    return {"ok": True}


async def agent(params: NoParams, call: Call) -> TwoStep:
    async def final() -> dict[str, Any]:
        return {"status": "ok"}

    return TwoStep({"status": "accepted"}, final())


async def never(params: NoParams, call: Call) -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


@asynccontextmanager
async def gateway(directory: Path):
    """A hub on a port of its own; gives the hub and its URL."""
    devices = Devices(directory / "devices.jsonl")
    methods = [
        Method("health", NoParams, health, "operator.read"),
        Method("agent", NoParams, agent, "operator.write"),
        Method("never", NoParams, never, "operator.read"),
    ]
    hub = Hub(GatewayAuth("token", SECRET), devices, Dispatcher(methods), Broadcaster(), dict)

    async def handle(socket: ServerConnection) -> None:
        outgoing: asyncio.Queue[str | tuple[int, str]] = asyncio.Queue()
        connection = hub.connect(outgoing.put_nowait, lambda code, reason: outgoing.put_nowait((code, reason)))
        writer = asyncio.create_task(_write(outgoing, socket))
        try:
            async for text in socket:
                await connection.receive(text)
        except ConnectionClosed:
            pass
        finally:
            connection.closed()
            writer.cancel()

    async with serve(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield hub, f"ws://127.0.0.1:{port}/"
        for task in hub._requests:
            task.cancel()
    devices.close()


async def _write(outgoing: asyncio.Queue[str | tuple[int, str]], socket: ServerConnection) -> None:
    while isinstance(item := await outgoing.get(), str):
        await socket.send(item)
    await socket.close(*item)


@pytest.fixture
async def server(tmp_path):
    async with gateway(tmp_path) as running:
        yield running


async def test_request_and_events(server):
    hub, url = server
    async with connect(url, token=SECRET) as client:
        events = client.events("tick")
        assert await client.request("health") == {"ok": True}
        event = await anext(events)
        assert (event.event, event.seq) == ("tick", 1)
        assert client.hello["protocol"] == 4
    assert len(hub.broadcaster) == 0


async def test_both_answers(server):
    async with connect(server[1], token=SECRET) as client:
        assert await client.request_two_step("agent") == ({"status": "accepted"}, {"status": "ok"})
        assert await client.request("agent") == {"status": "accepted"}


async def test_error_frames_are_raised(server):
    async with connect(server[1], token=SECRET, scopes=["operator.read"]) as client:
        with pytest.raises(OpenClawError, match=r"missing scope: operator\.write") as caught:
            await client.request("agent")
        assert caught.value.code == "FORBIDDEN" and caught.value.details["missingScope"] == "operator.write"


async def test_a_refused_handshake_is_raised(server):
    with pytest.raises(OpenClawError, match="gateway token mismatch"):
        async with connect(server[1], token="wrong"):
            pass


async def test_a_device_connects_with_the_token_it_was_given(server):
    device = DeviceIdentity.create()
    async with connect(server[1], token=SECRET, device=device) as client:
        token = client.device_token
    async with connect(server[1], device=device, device_token=token) as client:
        assert client.hello["auth"]["method"] == "device-token" and client.device_token == token


async def test_a_request_fails_when_the_connection_is_lost(server):
    hub, url = server
    async with connect(url, token=SECRET) as client:
        events = client.events()
        request = asyncio.ensure_future(client.request("never"))
        await client.request("health")
        next(iter(hub.broadcaster)).close(1012, "service restart")
        with pytest.raises(OpenClawError, match=r"closed the connection \(1012 service restart\)"):
            await request
        assert [event.event async for event in events] == ["tick"]
        with pytest.raises(OpenClawError, match="is closed"):
            await client.request("health")


async def test_a_request_times_out(server):
    async with connect(server[1], token=SECRET) as client:
        with pytest.raises(OpenClawError, match=r"did not answer never within 0\.01 s"):
            await client.request("never", timeout=0.01)


async def test_nobody_there():
    with pytest.raises(GatewayUnreachable, match=r"no OpenClaw gateway answers at ws://127\.0\.0\.1:1/"):
        async with connect("http://127.0.0.1:1/"):
            pass


async def test_blocking(server):
    def use() -> tuple[Any, str]:
        with BlockingGateway(server[1], token=SECRET) as client:
            events = client.listen()
            return client.request("health"), next(events).event

    assert await asyncio.to_thread(use) == ({"ok": True}, "tick")


async def test_blocking_refused(server):
    def use() -> None:
        with BlockingGateway(server[1], token="wrong"):
            pass

    with pytest.raises(OpenClawError, match="token mismatch"):
        await asyncio.to_thread(use)
