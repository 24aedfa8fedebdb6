"""The WebSocket at the gateway's own door: frames in, frames out, nothing else. `jupyter_door.py` has the other one."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from tornado.iostream import IOStream
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from openclaw_gateway.http.headers import add_security_headers
from openclaw_gateway.http.peer import peer_of
from openclaw_gateway.http.web import send_app
from openclaw_gateway.protocol.connection import Connection
from openclaw_gateway.protocol.hub import Hub


class HubSocket(WebSocketHandler):
    """A transport of the hub. `preauthenticated` says whether somebody else has checked who is there."""

    preauthenticated = False
    connection: Connection | None = None

    @property
    def hub(self) -> Hub:
        hub: Hub = self.settings["openclaw_hub"]
        return hub

    def check_origin(self, origin: str) -> bool:
        """The hub judges the origin and answers with a frame that says why (protocol section 2)."""
        return True

    def open(self, *_args: str, **_kwargs: str) -> Any:
        self.set_nodelay(True)
        return self.begin()

    def peer(self) -> str:
        """The address of the client."""
        return self.request.remote_ip or ""

    def begin(self) -> Awaitable[None] | None:
        """The socket is open: meet the hub."""
        self.connection = self.hub.connect(
            self._send,
            self.close,
            remote_ip=self.peer(),
            origin=self.request.headers.get("Origin"),
            host=self.request.host,
            preauthenticated=self.preauthenticated,
            buffered=self._buffered,
        )
        return None

    def _send(self, text: str) -> None:
        """Writes without waiting: what is not flushed is counted by `_buffered`."""
        try:
            self.write_message(text)
        except WebSocketClosedError:
            self.on_close()

    def _buffered(self) -> int:
        connection: Any = self.ws_connection
        stream: IOStream | None = getattr(connection, "stream", None)
        buffer: Any = getattr(stream, "_write_buffer", ())
        return len(buffer)

    async def on_message(self, message: str | bytes) -> None:
        if self.connection is not None:
            await self.connection.receive(message)

    def on_close(self) -> None:
        if self.connection is not None:
            self.connection.closed()


class GatewaySocket(HubSocket):
    """`ws://host:port/`; a plain GET on the same path gets the chat page."""

    async def get(self, *args: Any, **kwargs: Any) -> None:
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await super().get(*args, **kwargs)
        else:
            add_security_headers(self)
            services = self.settings["openclaw_services"]
            if services.settings.gateway.control_ui.enabled:
                send_app(self, services.version)
            else:
                self.send_error(404)

    def peer(self) -> str:
        return peer_of(self.request, self.settings["openclaw_services"])

    def begin(self) -> Awaitable[None] | None:
        self._take_frames_of(self.hub.policy.preauth_bytes)
        return super().begin()

    async def on_message(self, message: str | bytes) -> None:
        """Nobody unknown makes this process hold more than `preauth_bytes`: tornado cuts a longer frame at its header."""
        waiting = self.connection is not None and self.connection.state == "handshake"
        await super().on_message(message)
        if waiting and self.connection is not None and self.connection.state == "open":
            self._take_frames_of(self.hub.policy.max_payload)

    def _take_frames_of(self, size: int) -> None:
        parameters: Any = getattr(self.ws_connection, "params", None)
        if parameters is not None:
            parameters.max_message_size = size
