"""The meeting point: connections come in, shake hands, send requests, hear events, and leave.

Knows no web framework. A transport calls `connect`, then `Connection.receive` for each frame, `Connection.closed` at the end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from openclaw_gateway.protocol import frames, presence
from openclaw_gateway.protocol.auth import GatewayAuth
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.connection import Close, Connection, Peer, SendText
from openclaw_gateway.protocol.device_rows import PairRequest
from openclaw_gateway.protocol.devices import Devices
from openclaw_gateway.protocol.dispatch import Dispatcher
from openclaw_gateway.protocol.events import CAPABILITIES, EVENTS
from openclaw_gateway.protocol.handshake import Accepted, Handshake, close_code
from openclaw_gateway.protocol.policy import PROTOCOL, Policy
from openclaw_kernel._version import __version__
from openclaw_kernel.values.clock import Clock, NewId, new_id, system_clock
from openclaw_kernel.values.errors import OpenClawError, invalid

log = logging.getLogger(__name__)


class Timer(Protocol):
    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Timer]
"""Seconds and what to do then."""


def _loop_call_later(seconds: float, action: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, action)


class Hub:
    """All connections of one gateway.

    `snapshot` gives `hello-ok.snapshot` but for presence and versions, which the hub keeps; `extras` gives further keys of
    `hello-ok` (`pluginSurfaceUrls`). `start` begins the ticks, `stop` says goodbye and waits for requests under way.
    """

    def __init__(
        self,
        auth: GatewayAuth,
        devices: Devices,
        dispatcher: Dispatcher,
        broadcaster: Broadcaster,
        snapshot: Callable[[], dict[str, Any]],
        policy: Policy | None = None,
        *,
        clock: Clock = system_clock,
        new_id: NewId = new_id,
        call_later: CallLater = _loop_call_later,
        extras: Callable[[], dict[str, Any]] = dict,
        events: Sequence[str] = EVENTS,
        capabilities: Sequence[str] = CAPABILITIES,
        version: str = __version__,
        silent_nodes: Callable[[], bool] = lambda: True,
    ) -> None:
        self.auth = auth
        self.devices = devices
        self.dispatcher = dispatcher
        self.broadcaster = broadcaster
        self.policy = policy or Policy()
        self.boot_id = new_id()
        self.state_version = {"presence": 1, "health": 1}
        self.on_open: list[Callable[[Connection], None]] = []
        self.on_closed: list[Callable[[Connection], None]] = []
        self._handshake = Handshake(auth, devices, silent_nodes)
        self._snapshot = snapshot
        self._extras = extras
        self._clock = clock
        self._new_id = new_id
        self._call_later = call_later
        self._events = list(events)
        self._capabilities = list(capabilities)
        self._version = version
        self._started_at = clock()
        self._waiting: dict[str, tuple[Connection, Timer]] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._ticks: asyncio.Task[None] | None = None
        self._stopping = False
        devices.on_requested.append(self._pair_requested)
        devices.on_resolved.append(self._pair_resolved)
        devices.on_revoked.append(self._device_revoked)

    # --- a connection's life ---

    def connect(
        self,
        send_text: SendText,
        close: Close,
        *,
        remote_ip: str = "127.0.0.1",
        origin: str | None = None,
        host: str = "",
        preauthenticated: bool = False,
        buffered: Callable[[], int] | None = None,
    ) -> Connection:
        """A new socket. Sends `connect.challenge` at once and gives the client 15 s for its `connect`.

        `buffered` tells the bytes the transport has not flushed; without it futures returned by `send_text` are counted.
        """
        connection = Connection(
            self._new_id(),
            Peer(remote_ip, origin, host, preauthenticated),
            send_text,
            close,
            policy=self.policy,
            nonce=self._new_id(),
            opened_at=self._clock(),
            buffered=buffered,
            on_receive=self._receive,
            on_closed=self._closed,
        )
        if self._stopping:
            connection.close(1012, "service restart")
            return connection
        timer = self._call_later(self.policy.handshake_timeout_ms / 1000, lambda: connection.close(1008, "handshake timeout"))
        self._waiting[connection.conn_id] = (connection, timer)
        payload = {"nonce": connection.nonce, "ts": connection.opened_at, "capabilities": self._capabilities}
        connection.send_challenge(payload)
        return connection

    async def _receive(self, connection: Connection, data: str | bytes) -> None:
        limit = self.policy.max_payload if connection.state == "open" else self.policy.preauth_bytes
        if _is_longer(data, limit):
            log.warning("closing %r: a frame of more than %d bytes", connection, limit)
            connection.close(1009, "message too big")
        elif connection.state == "open":
            self._request(connection, data)
        else:
            self._first_frame(connection, data)

    def _first_frame(self, connection: Connection, data: str | bytes) -> None:
        try:
            request = frames.decode_request(data)
        except frames.NotJson:
            connection.close(1000)
            return
        except OpenClawError as error:
            self._refuse(connection, frames.INVALID_ID, error)
            return
        if request.method != "connect":
            self._refuse(connection, request.id, invalid("invalid handshake: first request must be connect"))
            return
        try:
            accepted = self._handshake.judge(request.params, connection.peer, nonce=connection.nonce, now=self._clock())
        except OpenClawError as error:
            self._refuse(connection, request.id, error)
        else:
            self._admit(connection, request.id, accepted)

    def _refuse(self, connection: Connection, request_id: str, error: OpenClawError) -> None:
        log.warning("handshake refused from %s: %s", connection.peer.remote_ip, error.message)
        connection.fail(request_id, error)
        connection.close(close_code(error), error.message)

    def _admit(self, connection: Connection, request_id: str, accepted: Accepted) -> None:
        _, timer = self._waiting.pop(connection.conn_id)
        timer.cancel()
        connection.open(accepted.grant)
        self.broadcaster.add(connection)
        log.info("%r connected from %s as %s", connection, connection.peer.remote_ip, accepted.grant.role)
        connection.respond(request_id, self._hello(connection, accepted))
        for listener in self.on_open:
            listener(connection)
        self._presence_changed(connection)

    def _hello(self, connection: Connection, accepted: Accepted) -> dict[str, Any]:
        snapshot = self._snapshot()
        snapshot["presence"] = self.presence()
        snapshot["stateVersion"] = dict(self.state_version)
        snapshot.setdefault("uptimeMs", self.uptime_ms)
        snapshot.setdefault("health", {})
        snapshot.setdefault("authMode", self.auth.mode)
        return {
            "type": "hello-ok",
            "protocol": PROTOCOL,
            "server": {"version": self._version, "connId": connection.conn_id, "bootId": self.boot_id},
            "features": {"methods": self.dispatcher.names(), "events": self._events, "capabilities": self._capabilities},
            "snapshot": snapshot,
            "auth": accepted.auth,
            "policy": self.policy.to_wire(),
            **self._extras(),
        }

    def _closed(self, connection: Connection) -> None:
        waiting = self._waiting.pop(connection.conn_id, None)
        if waiting is not None:
            waiting[1].cancel()
        if self.broadcaster.get(connection.conn_id) is None:
            return
        self.broadcaster.remove(connection)
        log.info("%s (%s) disconnected", connection.conn_id, connection.client.id)
        for listener in self.on_closed:
            listener(connection)
        self._presence_changed(connection)

    # --- requests ---

    def _request(self, connection: Connection, data: str | bytes) -> None:
        try:
            request = frames.decode_request(data)
        except frames.NotJson:
            connection.fail(frames.INVALID_ID, invalid("invalid request frame: must be JSON"))
            return
        except OpenClawError as error:
            connection.fail(frames.INVALID_ID, error)
            return
        connection.last_request_at = self._clock()
        task = asyncio.get_running_loop().create_task(self.dispatcher.dispatch(connection, request))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def idle(self) -> None:
        """Waits until no request is under way."""
        while self._requests:
            await asyncio.wait(set(self._requests))

    # --- presence, devices ---

    @property
    def uptime_ms(self) -> int:
        return self._clock() - self._started_at

    def presence(self) -> list[dict[str, Any]]:
        """The live list, the gateway first."""
        return presence.listing(presence.gateway_entry(self._version, self.boot_id, self._clock()), self.broadcaster)

    def health_changed(self) -> None:
        """Announces the health as it is now under the next version. It is not even looked at when nobody is there to hear."""
        self.state_version["health"] += 1
        if len(self.broadcaster):
            self.broadcaster.send("health", self._snapshot()["health"], state_version=self.state_version)

    def _presence_changed(self, connection: Connection) -> None:
        if connection.client.mode in presence.SILENT_MODES:
            return
        self.state_version["presence"] += 1
        self.broadcaster.send("presence", {"presence": self.presence()}, state_version=self.state_version)

    def _pair_requested(self, request: PairRequest) -> None:
        self.broadcaster.send("device.pair.requested", request.to_wire())

    def _pair_resolved(self, request: PairRequest, decision: str) -> None:
        payload = {
            "requestId": request.request_id,
            "deviceId": request.facts.device_id,
            "decision": decision,
            "ts": self._clock(),
        }
        self.broadcaster.send("device.pair.resolved", payload)

    def _device_revoked(self, device_id: str, role: str | None, keep: str | None) -> None:
        for connection in self.broadcaster:
            if connection.device_id == device_id and role in (None, connection.role) and connection.conn_id != keep:
                connection.close(1008, "device token revoked")

    # --- the hub's own life ---

    def start(self) -> None:
        """Begins the ticks, every `policy.tick_interval_ms`."""
        if self._ticks is None:
            self._ticks = asyncio.get_running_loop().create_task(self._tick_forever())

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(self.policy.tick_interval_ms / 1000)
            self.broadcaster.tick(self._clock())

    async def stop(self, reason: str = "gateway stopping", restart_expected_ms: int | None = None) -> None:
        """Says `shutdown`, lets requests under way finish for up to 5 s, then closes every socket with 1012."""
        self._stopping = True
        if self._ticks is not None:
            self._ticks.cancel()
            self._ticks = None
        payload: dict[str, Any] = {"reason": reason}
        if restart_expected_ms is not None:
            payload["restartExpectedMs"] = restart_expected_ms
        self.broadcaster.send("shutdown", payload)
        if self._requests:
            _, late = await asyncio.wait(set(self._requests), timeout=self.policy.drain_timeout_ms / 1000)
            for task in late:
                task.cancel()
        for connection, _ in list(self._waiting.values()):
            connection.close(1012, "service restart")
        for connection in self.broadcaster:
            connection.close(1012, "service restart")


def _is_longer(data: str | bytes, limit: int) -> bool:
    """Whether the frame has more than `limit` bytes; encodes only when the number of characters leaves it open."""
    if isinstance(data, bytes) or len(data) > limit:
        return len(data) > limit
    return len(data) * 4 > limit and len(data.encode()) > limit
