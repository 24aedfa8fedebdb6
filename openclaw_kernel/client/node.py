"""A node: a process that offers commands to the assistant (protocol section 5, `node.*`).

    node = Node({"camera.snap": snap}, display_name="My phone")
    async with node.joined(url, token=token, device=identity) as connection:
        await node.attach(connection)

Kernels, and the simulated phones of the tests, are the same class. A handler gets an `Invocation` and answers with an object; a
sentence it raises goes back as the failure; when the gateway takes the call back, the handler is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from openclaw_kernel.client.connection import GatewayConnection, GatewayEvent, connect
from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_kernel.client.device import DeviceIdentity

log = logging.getLogger(__name__)

CLIENT_ID = "node-host"
MODE = "node"
CHUNK = 16_384
"""Characters one progress message may have (published schema, `NodeInvokeProgressParams`)."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one command. `timeout_ms` is how long the gateway waits; `progress` tells it how far things are."""

    id: str
    command: str
    params: Mapping[str, Any]
    timeout_ms: int
    progress: Callable[[str], None]


Handler = Callable[[Invocation], Awaitable[Mapping[str, Any]]]


class Node:
    """Commands by name, and what the node says of itself. Serves one connection at a time."""

    def __init__(
        self,
        commands: Mapping[str, Handler],
        *,
        caps: Sequence[str] = (),
        display_name: str = "",
        instance_id: str = "",
        platform: str = "",
    ) -> None:
        self.commands = dict(commands)
        self.caps = tuple(caps)
        self.display_name = display_name
        self.instance_id = instance_id
        self.platform = platform
        self._connection: GatewayConnection | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def joined(
        self, url: str, *, token: str | None = None, device: DeviceIdentity | None = None, device_token: str | None = None
    ) -> AsyncIterator[GatewayConnection]:
        """A connection in the role node. Raises `GatewayUnreachable`, or `OpenClawError` such as `PAIRING_REQUIRED`."""
        async with connect(
            url,
            token=token,
            device=device,
            device_token=device_token,
            client_id=CLIENT_ID,
            mode=MODE,
            role="node",
            scopes=(),
            caps=self.caps,
            commands=tuple(self.commands),
            display_name=self.display_name,
            instance_id=self.instance_id,
            platform_name=self.platform,
        ) as connection:
            yield connection

    async def attach(self, connection: GatewayConnection, *, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        """Answers invocations until the connection ends; `ready` runs once it hears them. Work under way is cancelled then."""
        events = connection.listen()
        self._connection = connection
        try:
            if ready is not None:
                await ready()
            while (event := await events.get()) is not None:
                self._take(connection, event)
        finally:
            connection.unlisten(events)
            self._connection = None
            for task in self._tasks.values():
                task.cancel()

    async def tell(self, event: str, payload: Mapping[str, Any]) -> bool:
        """`node.event`; false when nobody took it, or the node is not connected."""
        connection = self._connection
        if connection is None or connection.closed:
            return False
        answer = await connection.request("node.event", {"event": event, "payload": dict(payload)})
        return bool(answer.get("handled"))

    def _take(self, connection: GatewayConnection, event: GatewayEvent) -> None:
        if event.event == "node.invoke.request":
            invoke_id = str(event.payload.get("id", ""))
            task = asyncio.get_running_loop().create_task(self._answer(connection, event.payload))
            self._tasks[invoke_id] = task
            task.add_done_callback(lambda _done: self._tasks.pop(invoke_id, None))
        elif event.event == "node.invoke.cancel":
            running = self._tasks.get(str(event.payload.get("id", "")))
            if running is not None:
                running.cancel()

    async def _answer(self, connection: GatewayConnection, request: Mapping[str, Any]) -> None:
        result: dict[str, Any] = {"id": request["id"], "nodeId": request.get("nodeId", "")}
        try:
            payload = await self._run(connection, request)
            result |= {"ok": True, "payloadJSON": orjson.dumps(dict(payload), default=str).decode()}
        except (OpenClawError, UserError) as error:
            result |= {"ok": False, "error": {"code": getattr(error, "code", "UNAVAILABLE"), "message": str(error)}}
        except Exception as error:
            log.exception("the command %s of this node failed", request.get("command"))
            result |= {"ok": False, "error": {"code": "FAILED", "message": f"{type(error).__name__}: {error}"}}
        try:
            await connection.request("node.invoke.result", result)
        except OpenClawError as error:
            log.info("the result of %s was not taken: %s", request.get("command"), error)

    async def _run(self, connection: GatewayConnection, request: Mapping[str, Any]) -> Mapping[str, Any]:
        command = str(request.get("command", ""))
        handler = self.commands.get(command)
        if handler is None:
            raise UserError(f"This node does not offer {command}.")
        text = request.get("paramsJSON")
        params = orjson.loads(text) if isinstance(text, str) and text else {}
        invocation = Invocation(
            str(request["id"]),
            command,
            params if isinstance(params, dict) else {},
            int(request.get("timeoutMs") or 0),
            _Progress(connection, request),
        )
        return await handler(invocation)


class _Progress:
    """Sends pieces in order, without making the handler wait."""

    def __init__(self, connection: GatewayConnection, request: Mapping[str, Any]) -> None:
        self._connection = connection
        self._ids = {"invokeId": str(request["id"]), "nodeId": str(request.get("nodeId", ""))}
        self._seq = 0
        self._sending: set[asyncio.Task[None]] = set()

    def __call__(self, text: str) -> None:
        """To be called on the connection's loop."""
        for start in range(0, len(text), CHUNK):
            params = {**self._ids, "seq": self._seq, "chunk": text[start : start + CHUNK]}
            self._seq += 1
            task = asyncio.get_running_loop().create_task(self._send(params))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, params: dict[str, Any]) -> None:
        try:
            await self._connection.request("node.invoke.progress", params)
        except OpenClawError as error:
            log.debug("progress was not taken: %s", error)
