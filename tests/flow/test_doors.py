"""The doors that stay closed, each tried from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from openclaw_kernel.client.device import DeviceIdentity
from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import Live, provider, running
from tests.flow.wire import ALL_SCOPES, Client, Served, client, text_of

PLAIN = {"id": "gateway-client", "version": "1", "platform": "test", "mode": "backend"}
PAGE = {"id": "openclaw-control-ui", "version": "1", "platform": "web", "mode": "webchat"}
FOREIGN = "https://evil.example"
HTTP = {"gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": True}}}}}
PREAUTH_BYTES = 65_536
PAYLOAD_BYTES = 26_214_400


@asynccontextmanager
async def opened(url: str, origin: str | None = None) -> AsyncIterator[ClientConnection]:
    headers = {"Origin": origin} if origin else {}
    async with connect(url, proxy=None, max_size=None, additional_headers=headers, compression=None) as socket:
        yield socket


async def frame_of(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 20)))


async def shake_hands(socket: ClientConnection, auth: dict[str, str], device: DeviceIdentity | None = None, **more: Any) -> Any:
    """Sends `connect`; the whole answer frame."""
    challenge = (await frame_of(socket))["payload"]
    scopes = more.pop("scopes", ALL_SCOPES)
    who = more.pop("client", PLAIN)
    params = {"minProtocol": 4, "maxProtocol": 4, "client": who, "role": "operator", "scopes": scopes, "auth": auth, **more}
    if device is not None:
        signed = auth.get("token") or auth.get("deviceToken") or ""
        params["device"] = device.claim(who, role="operator", scopes=scopes, token=signed, challenge=challenge)
    await socket.send(json.dumps({"type": "req", "id": "1", "method": "connect", "params": params}))
    while (frame := await frame_of(socket))["type"] != "res":
        pass
    return frame


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """The close code and reason; events on the way are passed over."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(socket.recv(), 20)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def refused(url: str, auth: dict[str, str], origin: str | None = None, **more: Any) -> dict[str, Any]:
    async with opened(url, origin) as socket:
        answer = await shake_hands(socket, auth, **more)
        assert not answer["ok"], answer
        assert (await closing(socket))[0] == 1008
        return dict(answer["error"])


# --- who are you ---


async def test_wrong_token(gateway: Served) -> None:
    error = await refused(gateway.ws, {"token": "wrong"})
    assert error["details"]["code"] == "AUTH_TOKEN_MISMATCH" and gateway.token not in json.dumps(error)


@pytest.mark.parametrize("scopes", [[], ["operator.read"], ALL_SCOPES])
async def test_no_token_whatever_scopes_it_declares(gateway: Served, scopes: list[str]) -> None:
    error = await refused(gateway.ws, {}, scopes=scopes)
    assert error["code"] in ("INVALID_REQUEST", "NOT_PAIRED")


async def test_a_device_nobody_paired_has_no_word_without_a_token(gateway: Served) -> None:
    error = await refused(gateway.ws, {}, device=DeviceIdentity.create())
    assert error["code"] in ("INVALID_REQUEST", "NOT_PAIRED")


async def test_no_request_before_the_handshake(gateway: Served) -> None:
    async with opened(gateway.ws) as socket:
        await frame_of(socket)
        await socket.send(json.dumps({"type": "req", "id": "1", "method": "config.get", "params": {}}))
        assert not (await frame_of(socket))["ok"] and (await closing(socket))[0] == 1008


async def test_a_scope_that_was_not_granted_is_not_there(gateway: Served) -> None:
    async with client(gateway.ws, gateway.token, scopes=["operator.read"]) as peer:
        for method, params in (
            ("chat.send", {"sessionKey": "main", "message": "x", "idempotencyKey": "1"}),
            ("config.set", {"raw": "{}"}),
            ("exec.approval.resolve", {"id": "x", "decision": "allow-once"}),
        ):
            assert "missing scope" in (await peer.fails(method, params))["message"]


# --- where are you from ---


@pytest.mark.parametrize("who", [PLAIN, PAGE])
@pytest.mark.parametrize("with_token", [True, False])
async def test_foreign_origin_on_the_socket(gateway: Served, with_token: bool, who: dict[str, Any]) -> None:
    auth = {"token": gateway.token} if with_token else {}
    error = await refused(gateway.ws, auth, FOREIGN, client=who)
    assert "origin" in error["message"].lower()


@pytest.mark.parametrize("with_token", [True, False])
async def test_foreign_origin_over_http(tmp_path: Path, with_token: bool) -> None:
    async with running(tmp_path / "s", HTTP) as live, httpx.AsyncClient(base_url=live.url, trust_env=False) as http:
        bearer = {"Authorization": f"Bearer {live.token}"} if with_token else {}
        body = {"messages": [{"role": "user", "content": "hello"}]}
        for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
            answer = await http.request(method, path, headers={**bearer, "Origin": FOREIGN}, json=body)
            assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
            own = await http.request(method, path, headers={**bearer, "Origin": live.url}, json=body)
            assert own.status_code == (200 if with_token else 401)
        assert not list((tmp_path / "s" / "agents").glob("*/sessions/*.jsonl")) or with_token


# --- how much do you say ---


@pytest.mark.parametrize("binary", [True, False])
async def test_oversize_before_auth(gateway: Served, binary: bool) -> None:
    async with opened(gateway.ws) as socket:
        await frame_of(socket)
        data = b"x" * (PREAUTH_BYTES + 1)
        await socket.send(data if binary else data.decode())
        assert (await closing(socket))[0] == 1009


async def test_as_much_as_is_allowed_before_auth(gateway: Served) -> None:
    async with opened(gateway.ws) as socket:
        assert (await shake_hands(socket, {"token": gateway.token}, userAgent="x" * 60_000))["ok"]


async def test_oversize_after_auth(gateway: Served) -> None:
    async with opened(gateway.ws) as socket:
        assert (await shake_hands(socket, {"token": gateway.token}))["ok"]
        with contextlib.suppress(ConnectionClosed):  # it may hear the answer while it is still sending
            await socket.send("x" * (PAYLOAD_BYTES + 1))
        assert (await closing(socket))[0] == 1009
    async with client(gateway.ws, gateway.token) as peer:
        assert (await peer.call("health"))["ok"]


async def test_a_large_frame_is_read_once_we_know_who_sends_it(gateway: Served) -> None:
    async with client(gateway.ws, gateway.token) as peer:
        error = await peer.fails("health", {"x" * (PAYLOAD_BYTES - 1000): 1})
        assert error["code"] == "INVALID_REQUEST"
    async with opened(gateway.ws) as stranger:
        await frame_of(stranger)
        # Only the head of a 20 MB frame: who is unknown is cut before the body has come.
        stranger.transport.write(b"\x81\xff" + (20_000_000).to_bytes(8, "big") + b"mask")
        assert (await closing(stranger))[0] == 1009


async def test_oversize_over_http(gateway: Served) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        try:
            status = (await http.post("/v1/chat/completions", content=b"x" * 20_000_001)).status_code
        except httpx.TransportError:  # cut while it was still sending
            status = 400
        assert status in (400, 404, 413)
        assert (await http.get("/health")).status_code == 200


# --- are you still welcome ---


async def test_a_revoked_device_loses_its_live_socket(gateway: Served) -> None:
    device = DeviceIdentity.create()
    async with opened(gateway.ws) as first:
        hello = await shake_hands(first, {"token": gateway.token}, device=device)
        assert hello["ok"], hello
        token = hello["payload"]["auth"]["deviceToken"]
    async with opened(gateway.ws) as live:
        assert (await shake_hands(live, {"deviceToken": token}, device=device))["ok"]
        async with client(gateway.ws, gateway.token) as admin:
            await admin.call("device.token.revoke", {"deviceId": device.id, "role": "operator"})
        code, reason = await closing(live)
        assert code == 1008 and "revoked" in reason
    assert "deviceToken" not in json.dumps(await refused(gateway.ws, {"deviceToken": token}, device=device)).replace(
        "canRetryWithDeviceToken", ""
    )


async def test_a_device_token_is_no_use_to_another_device(gateway: Served) -> None:
    device = DeviceIdentity.create()
    async with opened(gateway.ws) as socket:
        token = (await shake_hands(socket, {"token": gateway.token}, device=device))["payload"]["auth"]["deviceToken"]
    await refused(gateway.ws, {"deviceToken": token}, device=DeviceIdentity.create())
    await refused(gateway.ws, {"deviceToken": token})


# --- what do you touch ---


def results(peer: Client) -> list[dict[str, Any]]:
    """What the tools said, in order."""
    rows = [frame["payload"]["data"] for frame in peer.events if frame["payload"].get("stream") == "tool"]
    return [row for row in rows if row["phase"] == "result"]


@asynccontextmanager
async def with_tools(state_dir: Path, **config: Any) -> AsyncIterator[tuple[Live, Client, FakeModelServer]]:
    async with (
        FakeModelServer() as model,
        running(state_dir, provider(model.openai_url, **config)) as live,
        client(live.ws, live.token, caps=["tool-events"]) as peer,
    ):
        yield live, peer, model


def tool(name: str, **arguments: str) -> str:
    return f"[[tool {name} {json.dumps(arguments)}]]"


async def test_file_tools_do_not_leave_the_workspace(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("SEEN-OUTSIDE\n")
    async with with_tools(tmp_path / "s") as (live, peer, model):
        workspace = live.state_dir / "workspace"
        (workspace / "link").symlink_to(outside)
        (workspace / "folder").symlink_to(tmp_path)
        asked = [
            *(
                tool("read", path=path)
                for path in ("../../etc/passwd", "/etc/passwd", str(outside), "link", "folder/outside.txt")
            ),
            *(
                tool("read", path=path)
                for path in ("../gateway-token", "../openclaw.json", "~/.bashrc", "a/../../gateway-token")
            ),
            *(tool("write", path=path, content="BROKEN OUT") for path in ("../x.txt", "link", "folder/new.txt", str(outside))),
            tool("edit", path="link", old_string="SEEN", new_string="BROKEN OUT"),
            tool("edit", path="link", oldText="SEEN", newText="BROKEN OUT"),
            tool("list", path=".."),
        ]
        for number, text in enumerate(asked):
            final = await peer.final(await peer.say(text, f"agent:main:try{number}"))
            assert final["state"] == "final", (text, final)
        told = results(peer)
        assert len(told) == len(asked) and all(row["isError"] for row in told), [row for row in told if not row["isError"]]
        heard = json.dumps([request.body for request in model.requests])
        assert "SEEN-OUTSIDE" not in heard and "root:x:0" not in heard and live.token not in heard
    assert outside.read_text() == "SEEN-OUTSIDE\n"
    assert not (live.state_dir / "x.txt").exists() and not (tmp_path / "new.txt").exists()


# --- what do you find lying about ---

CONFIG_KEY = "planted-provider-key-0123456789"
FILE_KEY = "sk-ant-api03-PlantedInAFileAAAABBBBCCCCDDDDEEEE"


async def test_secrets_stay_where_they_were_put(tmp_path: Path) -> None:
    """A key of the config and one in a file that a tool reads, looked for in every byte of the state directory."""
    state_dir = tmp_path / "s"
    async with FakeModelServer() as model:
        config = provider(model.openai_url, CONFIG_KEY, logging={"level": "debug"})
        async with running(state_dir, config) as live, client(live.ws, live.token, caps=["tool-events"]) as peer:
            notes = state_dir / "workspace" / "notes.txt"
            notes.write_text(f"The key is {FILE_KEY}, and the other one {CONFIG_KEY}, and the gateway's {live.token}.\n")
            final = await peer.final(await peer.say(f"{tool('read', path='notes.txt')} [[echo I have read it]]"))
            assert text_of(final) == "I have read it"
            failed = await peer.final(await peer.say("[[fail 400]] say the key", "agent:main:other"))
            assert failed["state"] == "error"
            seen = [
                await peer.call("config.get"),
                await peer.call("logs.tail"),
                await peer.call("status"),
                peer.hello["snapshot"],
            ]
            seen += [await peer.call("chat.history", {"sessionKey": "main"}), peer.events, await peer.call("models.list")]
            for text in (json.dumps(row) for row in seen):
                assert not [key for key in (CONFIG_KEY, FILE_KEY, live.token) if key in text]
            assert "__OPENCLAW_REDACTED__" in json.dumps(seen[0])
            assert len(seen[1]["lines"]) > 3
            assert FILE_KEY not in json.dumps([request.body for request in model.requests]), "nor does the provider hear it"
            token = live.token
    allowed = {
        CONFIG_KEY: {"openclaw.json", "openclaw.json.last-good", "notes.txt"},
        FILE_KEY: {"notes.txt"},
        token: {"gateway-token", "notes.txt"},
    }
    for path in (path for path in state_dir.rglob("*") if path.is_file()):
        data = await asyncio.to_thread(path.read_bytes)
        for key, names in allowed.items():
            assert key.encode() not in data or path.name in names, f"{key} is in {path}"
    private = [path for path in state_dir.iterdir() if path.is_file() and path.name != "openclaw.json"]
    assert not [path.name for path in private if path.stat().st_mode & 0o077]
    assert not [key for key in allowed if key in live.said]
