"""A gateway on a free port and a bare WebSocket client, for the flow tests."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from openclaw_gateway.serve import serve
from tests.flow.processes import write_config

ALL_SCOPES = [
    "operator.admin",
    "operator.read",
    "operator.write",
    "operator.approvals",
    "operator.questions",
    "operator.pairing",
]
LIMIT_S = 30


@dataclass
class Served:
    """A running gateway: what its ready line said."""

    url: str
    token: str
    state_dir: Path
    stop: asyncio.Event
    task: asyncio.Task[int]

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws", 1) + "/"


@asynccontextmanager
async def served(
    state_dir: Path, config: dict[str, Any] | None = None, env: dict[str, str] | None = None
) -> AsyncIterator[Served]:
    """`serve` in this process; ends by the same path as SIGTERM does."""
    if config is not None:
        await asyncio.to_thread(write_config, state_dir, json.dumps(config))
    ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    write: Callable[[str], Any] = lambda line: ready.set_result(json.loads(line))  # noqa: E731
    task = asyncio.ensure_future(serve(state_dir, 0, "127.0.0.1", True, env=env or {}, stop=stop, write=write))
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED, timeout=LIMIT_S)
    assert ready.done(), f"the gateway did not start: {task}"
    line = ready.result()
    try:
        yield Served(line["url"], line["token"], state_dir, stop, task)
    finally:
        stop.set()
        assert await asyncio.wait_for(task, LIMIT_S) == 0


@dataclass
class Client:
    """Requests by id; every event is kept in order."""

    socket: ClientConnection
    hello: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        async for text in self.socket:
            frame = json.loads(text)
            async with self.changed:
                if frame["type"] == "event":
                    self.events.append(frame)
                else:
                    self.answers.setdefault(frame["id"], []).append(frame)
                self.changed.notify_all()

    async def until(self, ready: Callable[[], Any]) -> Any:
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(ready), LIMIT_S)
        return ready()

    async def send(self, method: str, params: dict[str, Any] | None = None) -> str:
        request_id = str(uuid.uuid4())
        await self.socket.send(json.dumps({"type": "req", "id": request_id, "method": method, "params": params or {}}))
        return request_id

    async def answer(self, request_id: str, number: int = 0) -> dict[str, Any]:
        frames = await self.until(lambda: (rows := self.answers.get(request_id, [])) and len(rows) > number and rows)
        return dict(frames[number])

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        frame = await self.answer(await self.send(method, params))
        assert frame["ok"], frame
        return frame["payload"]

    async def fails(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        frame = await self.answer(await self.send(method, params))
        assert not frame["ok"], frame
        return dict(frame["error"])

    async def event(self, name: str, **wanted: Any) -> dict[str, Any]:
        """The first event of that name whose payload has these values."""

        def found() -> dict[str, Any] | None:
            for frame in self.events:
                payload = frame.get("payload", {})
                if frame["event"] == name and all(payload.get(key) == value for key, value in wanted.items()):
                    return dict(payload)
            return None

        return dict(await self.until(found))

    def chat(self, run_id: str) -> list[dict[str, Any]]:
        return [frame["payload"] for frame in self.events if frame["event"] == "chat" and frame["payload"]["runId"] == run_id]

    async def say(self, text: str, key: str = "main", **more: Any) -> str:
        run_id = str(uuid.uuid4())
        await self.call("chat.send", {"sessionKey": key, "message": text, "idempotencyKey": run_id, **more})
        return run_id

    async def final(self, run_id: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            return next((row for row in self.chat(run_id) if row["state"] in ("final", "error", "aborted")), None)

        return dict(await self.until(ended))


def text_of(payload: dict[str, Any]) -> str:
    return "".join(part["text"] for part in payload["message"]["content"])


@asynccontextmanager
async def client(url: str, token: str, caps: list[str] | None = None, scopes: list[str] | None = None) -> AsyncIterator[Client]:
    """A connection of the kind `gateway-client`/`backend`."""
    async with connect(url, proxy=None, max_size=None) as socket:
        this = Client(socket)
        reader = asyncio.ensure_future(this.read())
        try:
            await this.event("connect.challenge")
            this.events.clear()
            this.hello = await this.call(
                "connect",
                {
                    "minProtocol": 4,
                    "maxProtocol": 4,
                    "client": {"id": "gateway-client", "version": "1", "platform": "test", "mode": "backend"},
                    "role": "operator",
                    "scopes": ALL_SCOPES if scopes is None else scopes,
                    "caps": caps or [],
                    "auth": {"token": token},
                },
            )
            yield this
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
