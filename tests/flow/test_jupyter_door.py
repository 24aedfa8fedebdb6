"""The gateway under Jupyter's own server: closed without Jupyter's token, an operator with it (jupyter.md section 3)."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_jupyter.jupyter_core import jp_asyncio_loop  # noqa: F401 - tests/conftest.py switches it off elsewhere
from pytest_jupyter.jupyter_server import jp_server_cleanup  # noqa: F401
from tornado.httpclient import HTTPClientError

from openclaw_gateway.extension import OpenClawApp
from openclaw_gateway.http.jupyter_door import introduce, jupyter_routes
from tests.flow.wire import LIMIT_S, served, write_config

pytest_plugins = ["pytest_jupyter.jupyter_server"]

PATHS = [
    "openclaw/ws",
    "openclaw/api/state",
    *(f"openclaw/{name}{z}" for name in ("health", "ready", "startup") for z in ("", "z")),
]
CONNECT = {
    "minProtocol": 4,
    "maxProtocol": 4,
    "client": {"id": "webchat-ui", "version": "1", "platform": "test", "mode": "webchat"},
    "role": "operator",
    "scopes": ["operator.admin"],
}


def on_server_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs a test on the loop of pytest-jupyter's server, not on a loop of pytest-asyncio's own."""

    def run(**fixtures: Any) -> None:
        loop = fixtures.pop("jp_asyncio_loop")
        loop.run_until_complete(asyncio.wait_for(test(**fixtures), LIMIT_S))

    signature = inspect.signature(test)
    extra = inspect.Parameter("jp_asyncio_loop", inspect.Parameter.KEYWORD_ONLY)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), extra])  # type: ignore[attr-defined]
    run.__name__ = test.__name__
    return run


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "claw"


@pytest.fixture
def jp_server_config(state_dir: Path) -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"openclaw_gateway": True}},
        "OpenClawApp": {"state_dir": str(state_dir), "port": 0, "lock_wait_s": 0.0},
    }


async def started(app: Any) -> OpenClawApp:
    claw = next(iter(app.extension_manager.extension_apps["openclaw_gateway"]))
    if claw._starting is None:
        await claw._start_jupyter_server_extension(app)
    await claw._starting
    assert isinstance(claw, OpenClawApp)
    return claw


def test_every_route_is_in_the_walk() -> None:

    for pattern, _ in jupyter_routes():
        assert any(re.fullmatch(pattern, "/" + path) for path in PATHS), pattern


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "token wrong"}])
@on_server_loop
async def test_closed_without_a_token(jp_fetch: Callable[..., Awaitable[Any]], path: str, headers: dict[str, str]) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch(*path.split("/"), headers=headers, follow_redirects=False)
    assert refused.value.code == 403


@on_server_loop
async def test_state_names_the_gateway_and_no_token(jp_fetch: Any, jp_serverapp: Any) -> None:
    claw = await started(jp_serverapp)
    try:
        body = json.loads((await jp_fetch("openclaw", "api", "state")).body)
        gateway = claw.door.gateway
        assert gateway is not None and body["mode"] == "owner" and body["url"] == gateway.url
        assert gateway.token not in json.dumps(body)
        assert json.loads((await jp_fetch("openclaw", "ready")).body)["ready"] is True
    finally:
        await claw.stop_extension()


async def hello_through(jp_ws_fetch: Any) -> tuple[Any, dict[str, Any]]:
    socket = await jp_ws_fetch("openclaw", "ws")
    challenge = json.loads(await asyncio.wait_for(socket.read_message(), 10))
    assert challenge["event"] == "connect.challenge"
    await socket.write_message(json.dumps({"type": "req", "id": "1", "method": "connect", "params": CONNECT}))
    answer = json.loads(await asyncio.wait_for(socket.read_message(), 10))
    assert answer["ok"], answer
    return socket, answer["payload"]


async def turn_through(socket: Any) -> str:
    params = {"sessionKey": "main", "message": "hello", "idempotencyKey": "run-1"}
    await socket.write_message(json.dumps({"type": "req", "id": "2", "method": "chat.send", "params": params}))
    while True:
        frame = json.loads(await asyncio.wait_for(socket.read_message(), 10))
        if frame.get("event") == "chat" and frame["payload"]["state"] == "final":
            return str(frame["payload"]["message"]["content"][0]["text"])


@on_server_loop
async def test_a_turn_through_jupyter(jp_ws_fetch: Any, jp_serverapp: Any) -> None:
    claw = await started(jp_serverapp)
    try:
        socket, hello = await hello_through(jp_ws_fetch)
        assert "operator.admin" in hello["auth"]["scopes"]
        assert await turn_through(socket)
        socket.close()
    finally:
        await claw.stop_extension()


@on_server_loop
async def test_a_second_server_relays_to_the_first(jp_ws_fetch: Any, jp_fetch: Any, jp_serverapp: Any, state_dir: Path) -> None:
    async with served(state_dir) as owner:
        claw = await started(jp_serverapp)
        try:
            body = json.loads((await jp_fetch("openclaw", "api", "state")).body)
            assert body["mode"] == "client" and body["url"] == owner.url and owner.token not in json.dumps(body)
            socket, hello = await hello_through(jp_ws_fetch)
            assert "operator.admin" in hello["auth"]["scopes"]
            assert await turn_through(socket)
            socket.close()
        finally:
            await claw.stop_extension()


async def window_through(jp_ws_fetch: Any) -> dict[str, Any]:
    """A JupyterLab window that comes as a node; its row in `node.list`."""
    window = await jp_ws_fetch("openclaw", "ws")
    await asyncio.wait_for(window.read_message(), 10)
    client = {**CONNECT["client"], "platform": "web", "mode": "node", "instanceId": "lab-1"}  # type: ignore[dict-item]
    params = {**CONNECT, "client": client, "role": "node", "scopes": [], "commands": ["notebook.cells"]}
    await window.write_message(json.dumps({"type": "req", "id": "1", "method": "connect", "params": params}))
    answer = json.loads(await asyncio.wait_for(window.read_message(), 10))
    assert answer["ok"] and answer["payload"]["auth"]["role"] == "node", answer
    socket, _hello = await hello_through(jp_ws_fetch)
    await socket.write_message(json.dumps({"type": "req", "id": "2", "method": "node.list", "params": {}}))
    while (frame := json.loads(await asyncio.wait_for(socket.read_message(), 10))).get("id") != "2":
        pass
    window.close()
    socket.close()
    return dict(frame["payload"]["nodes"][0])


def assert_window(row: dict[str, Any]) -> None:
    assert row["nodeId"] == "local:lab-1" and row["commands"] == ["notebook.cells"] and row["local"]


@on_server_loop
async def test_a_window_is_a_node_of_our_gateway(jp_ws_fetch: Any, jp_serverapp: Any) -> None:
    claw = await started(jp_serverapp)
    try:
        assert_window(await window_through(jp_ws_fetch))
    finally:
        await claw.stop_extension()


@on_server_loop
async def test_a_window_is_a_node_of_another_processs_gateway(jp_ws_fetch: Any, jp_serverapp: Any, state_dir: Path) -> None:
    async with served(state_dir):
        claw = await started(jp_serverapp)
        try:
            assert_window(await window_through(jp_ws_fetch))
        finally:
            await claw.stop_extension()


@on_server_loop
async def test_takes_the_place_of_a_gateway_that_ended(
    jp_ws_fetch: Any, jp_fetch: Any, jp_serverapp: Any, state_dir: Path
) -> None:
    async with served(state_dir) as owner:
        claw = await started(jp_serverapp)
        assert claw.door.gateway is None and claw.door.state()["url"] == owner.url
    try:
        socket, _hello = await hello_through(jp_ws_fetch)
        assert await turn_through(socket)
        assert json.loads((await jp_fetch("openclaw", "api", "state")).body)["mode"] == "owner"
        socket.close()
    finally:
        await claw.stop_extension()


@on_server_loop
async def test_starts_once_the_config_was_mended(jp_ws_fetch: Any, jp_serverapp: Any, state_dir: Path) -> None:
    await asyncio.to_thread(write_config, state_dir, "{ nonsense")
    claw = await started(jp_serverapp)
    with pytest.raises(HTTPClientError, match="503"):
        await jp_ws_fetch("openclaw", "ws")
    await asyncio.to_thread(write_config, state_dir, "{}")
    try:
        socket, _hello = await hello_through(jp_ws_fetch)
        assert await turn_through(socket)
        socket.close()
    finally:
        await claw.stop_extension()


@on_server_loop
async def test_a_broken_config_does_not_stop_jupyter(jp_fetch: Any, jp_serverapp: Any, state_dir: Path) -> None:
    await asyncio.to_thread(write_config, state_dir, "{ nonsense")
    claw = await started(jp_serverapp)
    body = json.loads((await jp_fetch("openclaw", "api", "state")).body)
    assert body["mode"] == "none" and "openclaw.json" in body["problem"]
    assert claw.current_activity() == 0
    assert (await jp_fetch("api")).code == 200


def test_every_setting_explains_itself() -> None:
    assert all(trait.help for trait in OpenClawApp.class_own_traits(config=True).values())


def test_only_the_connect_frame_gets_the_token() -> None:
    frame = json.loads(introduce(json.dumps({"method": "connect", "params": CONNECT}), "secret"))
    assert frame["params"]["auth"]["token"] == "secret" and frame["params"]["client"]["id"] == "gateway-client"
    other = json.dumps({"method": "health", "params": {}})
    assert introduce(other, "secret") == other and introduce("{", "secret") == "{"
