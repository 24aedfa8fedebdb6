"""The window a local server really keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from openclaw_kernel.models.api import Model
from openclaw_kernel.models.local import AGAIN_MS, KEPT_MS, Windows
from tests.fakes.model_server import FakeModelServer
from tests.unit.models.test_service import models


@asynccontextmanager
async def server(routes: dict[str, Any], asked: list[str]) -> AsyncIterator[str]:
    """Answers GET by path; anything else is 404. `asked` gets the paths."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        asked.append(path)
        body = orjson.dumps(routes.get(path, {"error": "no"}))
        status = "200 OK" if path in routes else "404 Not Found"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"


def row(provider: str, url: str, id: str = "m") -> Model:
    return Model(id, provider, "openai-completions", base_url=url)


@pytest.mark.parametrize(
    ("provider", "path", "entry", "window"),
    [
        ("vllm", "/v1/models", {"id": "m", "max_model_len": 8_192}, 8_192),
        ("sglang", "/v1/models", {"id": "m", "max_model_len": 4_096}, 4_096),
        ("llamacpp", "/v1/models", {"id": "model.gguf", "meta": {"n_ctx": 2_048, "n_ctx_train": 131_072}}, 2_048),
        ("llamacpp", "/v1/models", {"id": "model.gguf", "meta": {"n_ctx_train": 32_768}}, 32_768),
        ("lmstudio", "/api/v0/models", {"id": "m", "max_context_length": 32_768, "loaded_context_length": 6_000}, 6_000),
        ("lmstudio", "/v1/models", {"id": "m", "max_context_length": 16_000}, 16_000),
        ("vllm", "/v1/models", {"id": "m", "max_model_len": "many"}, 128_000),
        ("vllm", "/v1/models", {"id": "m"}, 128_000),
        ("openai", "/v1/models", {"id": "m", "max_model_len": 9}, 128_000),
    ],
)
async def test_each_server_in_its_own_words(provider: str, path: str, entry: dict[str, Any], window: int) -> None:
    async with server({path: {"data": [entry]}}, []) as url:
        assert (await Windows(lambda: 0).measured(row(provider, url))).context_window == window


async def test_a_server_is_asked_once_and_after_a_failure_a_minute_later() -> None:
    asked: list[str] = []
    now = [1]
    windows = Windows(lambda: now[0])
    routes: dict[str, Any] = {}
    async with server(routes, asked) as url:
        assert (await windows.measured(row("vllm", url))).context_window == 128_000
        await windows.measured(row("vllm", url))
        assert len(asked) == 1
        routes["/v1/models"] = {"data": [{"id": "m", "max_model_len": 8_192}, {"id": "other"}]}
        now[0] += AGAIN_MS
        for _ in range(3):
            assert (await windows.measured(row("vllm", url))).context_window == 8_192
        assert len(asked) == 2
        now[0] += KEPT_MS
        await windows.measured(row("vllm", url))
        assert len(asked) == 3
    assert (await Windows(lambda: 0).measured(row("vllm", url))).context_window == 128_000


async def test_ollama_s_own_window_and_the_user_s_word_before_it() -> None:
    async with FakeModelServer() as live:
        provider: dict[str, Any] = {"baseUrl": live.openai_url}
        service = models({"models": {"providers": {"ollama": provider}}})
        assert (await service.measured(service.resolve("ollama/fake-1"))).context_window == 16_384
        provider["models"] = [{"id": "fake-1", "contextWindow": 9_000}, {"id": "fake-2"}]
        service = models({"models": {"providers": {"ollama": provider}}})
        assert (await service.measured(service.resolve("ollama/fake-1"))).context_window == 9_000
        assert (await service.measured(service.resolve("ollama/fake-2"))).context_window == 40_960
        assert service.resolve("ollama/fake-2").context_window == 40_960
