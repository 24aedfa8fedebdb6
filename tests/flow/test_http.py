"""The HTTP face of a running gateway (protocol section 6)."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from pathlib import Path

import httpx
import pytest

from openclaw_gateway.serve import serve
from tests.flow.wire import Served, client, served

CHAT = {"gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": True}}}}}


@pytest.mark.parametrize("path", ["/health", "/healthz", "/ready", "/readyz", "/startup", "/startupz"])
async def test_probes_need_no_token(gateway: Served, path: str) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        answer = await http.get(path)
        head = await http.head(path)
    assert answer.status_code == 200 and (answer.json().get("ok") or answer.json().get("ready"))
    assert head.status_code == 200 and head.content == b""
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_at_the_root(gateway: Served) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        page = await http.get("/")
        lost = await http.get("/nothing/here")
    assert page.status_code == 200 and "<title>OpenClaw</title>" in page.text and gateway.token not in page.text
    assert lost.status_code == 404


async def test_the_page_can_be_switched_off(tmp_path: Path) -> None:
    async with served(tmp_path, {"gateway": {"controlUi": {"enabled": False}}}) as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
            assert (await http.get("/")).status_code == 404 and (await http.get("/healthz")).status_code == 200
        async with client(gateway.ws, gateway.token) as peer:
            assert await peer.call("health")


async def test_the_api_refuses_a_body_that_is_too_large(tmp_path: Path) -> None:
    small = {"gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": True, "maxBodyBytes": 100}}}}}
    async with served(tmp_path, small) as gateway, httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {gateway.token}"}
        answer = await http.post("/v1/chat/completions", json={"messages": "x" * 200}, headers=headers)
    assert answer.status_code == 413 and "100 bytes" in answer.json()["error"]["message"]


async def test_chat_completions_is_off_by_default(gateway: Served) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {gateway.token}"}
        assert (await http.post("/v1/chat/completions", json={}, headers=headers)).status_code == 404


async def test_chat_completions(tmp_path: Path) -> None:
    async with served(tmp_path / "s", CHAT) as running:
        headers = {"Authorization": f"Bearer {running.token}"}
        body = {"model": "openclaw", "user": "ann", "messages": [{"role": "user", "content": "hello"}]}
        async with httpx.AsyncClient(base_url=running.url, trust_env=False, headers=headers) as http:
            answer = (await http.post("/v1/chat/completions", json=body)).json()
            assert answer["object"] == "chat.completion" and answer["choices"][0]["message"]["content"]
            assert answer["choices"][0]["finish_reason"] == "stop"
            assert next(row["id"] for row in (await http.get("/v1/models")).json()["data"]) == "openclaw"
            assert (await http.get("/v1/models/openclaw/main")).json()["id"] == "openclaw/main"
            assert (await http.get("/v1/models/openclaw/nobody")).status_code == 404
            assert (await http.get("/v1/chat/completions")).status_code == 405
            wrong = await http.post("/v1/chat/completions", json={**body, "messages": []})
            assert wrong.status_code == 400 and wrong.json()["error"]["type"] == "invalid_request_error"
            unknown = await http.post("/v1/chat/completions", json={**body, "model": "gpt-9"})
            assert unknown.status_code == 400 and "gpt-9" in unknown.json()["error"]["message"]
        async with client(running.ws, running.token) as peer:
            page = await peer.call("chat.history", {"sessionKey": "agent:main:openai-user:ann"})
            assert page["totalMessages"] == 2


async def test_chat_completions_streamed(tmp_path: Path) -> None:
    async with served(tmp_path / "s", CHAT) as running:
        body = {"messages": [{"role": "user", "content": "hello"}], "stream": True, "stream_options": {"include_usage": True}}
        headers = {"Authorization": f"Bearer {running.token}"}
        async with (
            httpx.AsyncClient(base_url=running.url, trust_env=False) as http,
            http.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer,
        ):
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            lines = [line[6:] async for line in answer.aiter_lines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1])
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop" and chunks[-1]["usage"]["total_tokens"] >= 0


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
async def test_v1_without_the_token(tmp_path: Path, header: dict[str, str]) -> None:
    async with served(tmp_path / "s", CHAT) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
        for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
            answer = await http.request(method, path, headers=header)
            assert answer.status_code == 401
            assert answer.json() == {"error": {"message": "Unauthorized", "type": "unauthorized"}}


async def test_token_file_is_private(gateway: Served) -> None:
    path = gateway.state_dir / "gateway-token"
    assert path.read_text().strip() == gateway.token and stat.S_IMODE(path.stat().st_mode) == 0o600


async def refused(state_dir: Path, capsys: pytest.CaptureFixture[str], port: int = 0, host: str = "127.0.0.1") -> str:
    code = await asyncio.wait_for(serve(state_dir, port, host, True, env={}, lock_wait_s=0.0), 30)
    shown = capsys.readouterr()
    assert code == 1 and shown.out == "" and "Traceback" not in shown.err
    return shown.err


async def test_two_gateways_on_one_directory(gateway: Served, capsys: pytest.CaptureFixture[str]) -> None:
    said = await refused(gateway.state_dir, capsys)
    assert str(os.getpid()) in said and said.count("\n") == 1


async def test_port_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = await refused(tmp_path / "s", capsys, port)
    assert f"Port {port}" in said and said.count("\n") == 1
    assert not (tmp_path / "s" / "gateway.json").exists()


async def test_broken_config_names_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "openclaw.json").write_text('{\n  "gatway": {},\n  "gateway": { "port": "many" }\n}')
    said = await refused(tmp_path, capsys)
    assert "gatway" in said and "gateway.port" in said


async def test_no_authentication_only_on_loopback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "openclaw.json").write_text('{"gateway": {"auth": {"mode": "none"}}}')
    said = await refused(tmp_path, capsys, host="0.0.0.0")
    assert "mode is none" in said


async def test_unwritable_state_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("not a directory")
    said = await refused(tmp_path / "file" / "state", capsys)
    assert str(tmp_path / "file") in said


async def test_guessing_the_token_over_http_locks_the_address_out(tmp_path: Path) -> None:
    limit = {"auth": {"rateLimit": {"maxAttempts": 3, "exemptLoopback": False}}}
    config = {"gateway": {**CHAT["gateway"], **limit}}
    async with served(tmp_path / "s", config) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
        for guess in ("one", "two", "three"):
            assert (await http.get("/v1/models", headers={"Authorization": f"Bearer {guess}"})).status_code == 401
        right = await http.get("/v1/models", headers={"Authorization": f"Bearer {running.token}"})
    assert right.status_code == 401


async def test_mode_none_is_for_this_machine_even_behind_a_proxy(tmp_path: Path) -> None:
    config = {"gateway": {**CHAT["gateway"], "auth": {"mode": "none"}}}
    async with served(tmp_path / "s", config) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
        assert (await http.get("/v1/models")).status_code == 200
        forwarded = await http.get("/v1/models", headers={"X-Forwarded-For": "127.0.0.1"})
    assert forwarded.status_code == 401


async def test_the_owner_can_promise_tls(tmp_path: Path) -> None:
    promise = "max-age=31536000; includeSubDomains"
    config = {"gateway": {"http": {"securityHeaders": {"strictTransportSecurity": promise}}}}
    async with served(tmp_path / "s", config) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
        assert (await http.get("/health")).headers["Strict-Transport-Security"] == promise
