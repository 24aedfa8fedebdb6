"""A gateway that answers what a test tells it to, over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Frames = list[dict[str, Any]]
Answer = Callable[[dict[str, Any]], Frames]
"""Request frame → the frames to send, in order."""


def result(request: dict[str, Any], payload: Any) -> dict[str, Any]:
    return {"type": "res", "id": request["id"], "ok": True, "payload": payload}


def failure(request: dict[str, Any], code: str, message: str) -> dict[str, Any]:
    return {"type": "res", "id": request["id"], "ok": False, "error": {"code": code, "message": message}}


def event(name: str, **payload: Any) -> dict[str, Any]:
    return {"type": "event", "event": name, "payload": payload}


class FakeGateway:
    """`answers` by method; `requests` is what came in, `connect` left out."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def reply(self, method: str, payload: Any) -> None:
        self.answers[method] = lambda request: [result(request, payload)]

    def handle(self, socket: ServerConnection) -> None:
        socket.send(json.dumps(event("connect.challenge", nonce="n", ts=1)))
        try:
            for text in socket:
                for frame in self._answer(json.loads(text)):
                    socket.send(json.dumps(frame))
        except ConnectionClosed:
            return

    def _answer(self, request: dict[str, Any]) -> Frames:
        method = request["method"]
        if method == "connect":
            return [result(request, {"type": "hello-ok", "protocol": 4, "auth": {}})]
        self.requests.append((method, request.get("params") or {}))
        answer = self.answers.get(method)
        return answer(request) if answer else [failure(request, "INVALID_REQUEST", f"unknown method {method}")]


@contextmanager
def fake_gateway() -> Iterator[FakeGateway]:
    gateway = FakeGateway()
    with serve(gateway.handle, "127.0.0.1", 0) as server:
        gateway.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()
