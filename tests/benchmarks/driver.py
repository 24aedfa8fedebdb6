"""A small protocol client that only measures: when the acknowledgement, the first delta and the end arrive."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

TURN_WITHIN_S = 60.0
SCOPES = ["operator.admin", "operator.read", "operator.write"]


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """Milliseconds from `chat.send`; `first` is None for an answer without deltas."""

    ack: float
    first: float | None
    final: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile of a series."""

    median: float
    p95: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        ordered = sorted(values)
        return cls(median(ordered), ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))])


@dataclass(slots=True)
class _Turn:
    start: float
    ended: asyncio.Future[TurnTimes]
    ack: float = 0.0
    first: float | None = None


class Driver:
    """One `gateway-client`/`backend` connection, not subscribed: what the original was measured with (protocol section 9)."""

    def __init__(self, url: str, token: str) -> None:
        self._url = "ws://" + url.split("://", 1)[1]
        self._token = token
        self._turns: dict[str, _Turn] = {}
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._socket: ClientConnection
        self._reader: asyncio.Task[None]

    async def __aenter__(self) -> Driver:
        self._socket = await connect(self._url, max_size=None, compression=None, ping_interval=None)
        await self._socket.recv()
        self._reader = asyncio.create_task(self._read())
        client = {"id": "gateway-client", "version": "1", "platform": "linux", "mode": "backend"}
        protocol = {"minProtocol": 4, "maxProtocol": 4, "role": "operator", "scopes": SCOPES}
        await self.request("connect", {**protocol, "client": client, "auth": {"token": self._token}})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._socket.close()

    async def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The payload of the response; raises RuntimeError with the error the gateway gave."""
        request_id = uuid.uuid4().hex
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        await self._socket.send(orjson.dumps({"type": "req", "id": request_id, "method": method, "params": params}).decode())
        frame = await asyncio.wait_for(answer, TURN_WITHIN_S)
        if not frame["ok"]:
            raise RuntimeError(f"{method}: {frame['error']}")
        payload: dict[str, Any] = frame.get("payload") or {}
        return payload

    async def turn(self, session_key: str, message: str) -> TurnTimes:
        """One `chat.send` to its `final`; raises RuntimeError when the turn ends otherwise."""
        run_id = str(uuid.uuid4())
        turn = self._turns[run_id] = _Turn(time.perf_counter(), asyncio.get_running_loop().create_future())
        await self.request("chat.send", {"sessionKey": session_key, "message": message, "idempotencyKey": run_id})
        turn.ack = (time.perf_counter() - turn.start) * 1e3
        try:
            return await asyncio.wait_for(turn.ended, TURN_WITHIN_S)
        finally:
            del self._turns[run_id]

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                frame = orjson.loads(raw)
                if frame["type"] == "res":
                    answer = self._answers.pop(frame["id"], None)
                    if answer is not None and not answer.done():
                        answer.set_result(frame)
                elif frame["event"] == "chat":
                    self._see(frame["payload"])
        except ConnectionClosed as error:
            self._fail(error)

    def _see(self, payload: dict[str, Any]) -> None:
        turn = self._turns.get(payload["runId"])
        if turn is None or turn.ended.done():
            return
        now = (time.perf_counter() - turn.start) * 1e3
        state = payload["state"]
        if state == "delta" and turn.first is None:
            turn.first = now
        elif state == "final":
            turn.ended.set_result(TurnTimes(turn.ack or now, turn.first, now))
        elif state in ("error", "aborted"):
            turn.ended.set_exception(RuntimeError(f"turn {state}: {payload.get('errorMessage')}"))

    def _fail(self, error: Exception) -> None:
        for waiting in (*self._answers.values(), *(turn.ended for turn in self._turns.values())):
            if not waiting.done():
                waiting.set_exception(RuntimeError(f"the gateway closed the connection: {error}"))


async def completion(client: httpx.AsyncClient, user: str, message: str, *, stream: bool) -> float:
    """Milliseconds of one `POST /v1/chat/completions` to its last byte."""
    body = {"model": "openclaw", "stream": stream, "user": user, "messages": [{"role": "user", "content": message}]}
    start = time.perf_counter()
    answer = await client.post("/v1/chat/completions", json=body)
    if answer.status_code != 200:
        raise RuntimeError(f"/v1/chat/completions: {answer.status_code} {answer.text[:300]}")
    return (time.perf_counter() - start) * 1e3
