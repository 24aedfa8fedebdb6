"""Every frame we send in a turn is one the published schema knows (protocol section 8, test 2)."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft7Validator
from websockets.asyncio.client import ClientConnection, connect

from tests.contract.gateway_process import RunningGateway
from tests.contract.published import Published

pytestmark = [pytest.mark.npm, pytest.mark.timeout(420)]

SESSION = "agent:main:schema"
SCOPES = ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"]
EVENTS = {"chat": "ChatEvent", "agent": "AgentEvent", "tick": "TickEvent", "shutdown": "ShutdownEvent"}
RESULTS = {
    "connect": "HelloOk",
    "agents.list": "AgentsListResult",
    "models.list": "ModelsListResult",
    "commands.list": "CommandsListResult",
    "logs.tail": "LogsTailResult",
    "agent.identity.get": "AgentIdentityResult",
    "config.schema": "ConfigSchemaResponse",
}
"""Methods whose result the schema names; of the others it says only that it is a `ResponseFrame`."""

READS: list[tuple[str, dict[str, Any]]] = [
    ("health", {}),
    ("status", {}),
    ("system-presence", {}),
    ("sessions.subscribe", {}),
    ("sessions.messages.subscribe", {"key": SESSION}),
    ("agents.list", {}),
    ("agent.identity.get", {}),
    ("models.list", {"view": "default", "includeDetails": True}),
    ("commands.list", {}),
    ("logs.tail", {"limit": 5}),
    ("config.get", {}),
    ("config.schema", {}),
    ("sessions.list", {"limit": 5}),
]


class Recorder:
    """A connection that keeps every frame it received, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.frames: list[dict[str, Any]] = []
        self.methods: dict[str, str] = {}

    async def frame(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await asyncio.wait_for(self._socket.recv(), 20))
        self.frames.append(frame)
        return frame

    async def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        request_id = str(uuid.uuid4())
        self.methods[request_id] = method
        await self._socket.send(json.dumps({"type": "req", "id": request_id, "method": method, "params": params}))
        while True:
            frame = await self.frame()
            if frame.get("id") == request_id:
                assert frame["ok"], (method, frame)
                payload: dict[str, Any] = frame["payload"]
                return payload

    async def chat(self, message: str, *, decision: str = "allow-once") -> list[dict[str, Any]]:
        """One turn, approvals answered with `decision`; returns the chat events of the run."""
        run_id = str(uuid.uuid4())
        seen = len(self.frames)
        await self.request("chat.send", {"sessionKey": SESSION, "message": message, "idempotencyKey": run_id})
        answered: set[str] = set()
        while True:
            for frame in self.frames[seen:]:
                if frame.get("event") == "exec.approval.requested" and frame["payload"]["id"] not in answered:
                    answered.add(frame["payload"]["id"])
                    await self.request("exec.approval.resolve", {"id": frame["payload"]["id"], "decision": decision})
            ours = [f["payload"] for f in self.frames[seen:] if f.get("event") == "chat" and f["payload"]["runId"] == run_id]
            if ours and ours[-1]["state"] in ("final", "aborted", "error"):
                return ours
            await self.frame()


@cache
def _schema(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        schema: dict[str, Any] = _tolerant(json.load(file))
    return schema


def _tolerant(node: Any) -> Any:
    """The schema without its bans on keys it has not heard of: newer releases add optional ones."""
    if isinstance(node, dict):
        return {key: _tolerant(value) for key, value in node.items() if (key, value) != ("additionalProperties", False)}
    return [_tolerant(item) for item in node] if isinstance(node, list) else node


def problems(schema: dict[str, Any], definition: str, value: Any) -> Iterator[str]:
    validator = Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": schema["definitions"]})
    for error in validator.iter_errors(value):
        place = "/".join(str(part) for part in error.absolute_path) or "root"
        yield f"{definition} at {place}: {error.message[:300]}"


def frame_problems(schema: dict[str, Any], frame: dict[str, Any], method: str | None) -> Iterator[str]:
    """What the schema has against one frame and against the payload it carries."""
    if frame.get("type") == "event":
        yield from problems(schema, "EventFrame", frame)
        definition = EVENTS.get(frame["event"])
    else:
        yield from problems(schema, "ResponseFrame", frame)
        definition = RESULTS.get(method or "") if frame.get("ok") else None
    if definition is not None:
        yield from problems(schema, definition, frame.get("payload"))


@pytest.fixture(scope="module")
def schema(client_packages: Published) -> dict[str, Any]:
    return _schema(str(client_packages.package("@openclaw/gateway-protocol") / "protocol.schema.json"))


async def _record(gateway: RunningGateway) -> tuple[Recorder, list[dict[str, Any]]]:
    """Connect, read everything once, and take a plain, a tool and an approved turn."""
    async with connect(gateway.url, max_size=None) as socket:
        recorder = Recorder(socket)
        await recorder.frame()
        client = {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"}
        auth = {"token": gateway.token}
        hello = {"minProtocol": 4, "maxProtocol": 4, "client": client, "scopes": SCOPES, "auth": auth}
        await recorder.request("connect", {**hello, "caps": ["tool-events", "exec-approvals"]})
        for method, params in READS:
            await recorder.request(method, params)
        ends = [(await recorder.chat("hello"))[-1]]
        ends.append((await recorder.chat("remember that my cat is called Miso"))[-1])
        ends.append((await recorder.chat("run `echo approved`"))[-1])
        await recorder.request("chat.history", {"sessionKey": SESSION, "limit": 50})
        await recorder.request("sessions.describe", {"key": SESSION})
    return recorder, ends


async def test_every_frame_validates(gateway: RunningGateway, schema: dict[str, Any]) -> None:
    recorder, ends = await _record(gateway)
    assert [end["state"] for end in ends] == ["final", "final", "final"]
    found: set[str] = set()
    for frame in recorder.frames:
        found.update(frame_problems(schema, frame, recorder.methods.get(frame.get("id", ""))))
    assert not found, "\n".join(sorted(found)[:40])


async def test_events_are_numbered_without_gaps(gateway: RunningGateway) -> None:
    recorder, _ = await _record(gateway)
    numbers = [frame["seq"] for frame in recorder.frames if frame["type"] == "event" and "seq" in frame]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    kinds = {frame["event"] for frame in recorder.frames if frame["type"] == "event"}
    assert {"connect.challenge", "chat", "agent", "session.message", "sessions.changed", "exec.approval.requested"} <= kinds


def test_validation_notices_a_wrong_frame(schema: dict[str, Any]) -> None:
    frame = {"type": "event", "event": "chat", "payload": {"runId": "", "state": "delta"}}
    assert list(frame_problems(schema, frame, None))
