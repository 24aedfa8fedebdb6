"""The same gateway under Jupyter's own server: whoever Jupyter lets in is an operator with all scopes (jupyter.md section 3).

Every handler authenticates and authorises explicitly; a test walks all routes without a token.
"""

# mypy: disable-error-code="misc,untyped-decorator"
# jupyter_server has no types: its classes and decorators are Any to the checker.

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Protocol

import orjson
from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.httpclient import HTTPError as ClientHTTPError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketHandler, websocket_connect

from openclaw_gateway.http.headers import add_security_headers
from openclaw_gateway.http.probes import health_body, ready_body, startup_body
from openclaw_gateway.http.ws import HubSocket
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.protocol.hub import Hub
from openclaw_gateway.protocol.policy import Policy
from openclaw_gateway.protocol.scopes import OPERATOR_SCOPES
from openclaw_kernel.client.device import DeviceIdentity

RESOURCE = "openclaw"
DEVICE_FILE = "window-device.json"
"""The device of all windows that a relay brings to the gateway of another process; each is a node of its own."""


class Door(Protocol):
    """What the extension knows of the gateway: its own, another process's, or none yet."""

    state_dir: Path

    @property
    def hub(self) -> Hub | None: ...

    @property
    def services(self) -> GatewayServices | None: ...

    async def ensure(self) -> None:
        """Takes the place of a gateway that has ended."""

    def remote(self) -> tuple[str, str] | None:
        """WebSocket URL and token of the gateway in another process."""

    def state(self) -> dict[str, Any]: ...


class _Base(APIHandler):
    auth_resource = RESOURCE

    @property
    def door(self) -> Door:
        door: Door = self.settings["openclaw_door"]
        return door

    def set_default_headers(self) -> None:
        super().set_default_headers()
        add_security_headers(self)


class State(_Base):
    """Where the gateway is: `{mode: "owner"|"client"|"none", url, version, problem?}`; never its token."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        self.finish(self.door.state())


class _Probe(_Base):
    def body(self, services: GatewayServices) -> tuple[int, dict[str, Any]]:
        raise NotImplementedError

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        services = self.door.services
        status, body = self.body(services) if services is not None else (503, {"ok": False, "status": "starting"})
        if services is None and self.door.remote() is not None:
            status, body = 200, {"ok": True, "status": "client"}
        self.set_status(status)
        self.finish(body)

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def head(self) -> None:
        self.finish()


class Health(_Probe):
    def body(self, services: GatewayServices) -> tuple[int, dict[str, Any]]:
        return 200, health_body()


class Ready(_Probe):
    def body(self, services: GatewayServices) -> tuple[int, dict[str, Any]]:
        return ready_body(services)


class Startup(_Probe):
    def body(self, services: GatewayServices) -> tuple[int, dict[str, Any]]:
        return startup_body(services)


class JupyterSocket(WebSocketMixin, HubSocket, JupyterHandler):
    """`{base_url}openclaw/ws`: our own hub, or a relay to the gateway of another process."""

    auth_resource = RESOURCE
    preauthenticated = True
    _relay: Relay | None = None

    @property
    def door(self) -> Door:
        door: Door = self.settings["openclaw_door"]
        return door

    @property
    def hub(self) -> Hub:
        hub = self.door.hub
        if hub is None:
            raise web.HTTPError(503, "The OpenClaw gateway is not running.")
        return hub

    @property
    def max_message_size(self) -> int:
        return Policy().max_payload

    def set_default_headers(self) -> None:
        super().set_default_headers()
        add_security_headers(self)

    def check_origin(self, origin: str | None = None) -> bool:
        """Jupyter's own check: pages of other hosts are refused unless a token came with the request."""
        return bool(WebSocketMixin.check_origin(self, origin))

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        if not self.authorizer.is_authorized(self, self.current_user, "execute", RESOURCE):
            raise web.HTTPError(403)
        await self.door.ensure()
        if self.door.hub is None and self.door.remote() is None:
            raise web.HTTPError(503, "The OpenClaw gateway is not running.")
        result = WebSocketHandler.get(self, *args, **kwargs)
        if result is not None:
            await result

    def begin(self) -> Awaitable[None] | None:
        """Jupyter's mixin has started its pings; now our hub, or the gateway of another process."""
        if self.door.hub is not None:
            HubSocket.begin(self)
            return None
        remote = self.door.remote()
        if remote is None:
            self.close(1012, "service restart")
            return None
        self._relay = Relay(self, *remote, self.door.state_dir)
        return self._relay.open()

    async def on_message(self, message: str | bytes) -> None:
        if self._relay is not None:
            await self._relay.to_gateway(message)
        else:
            await HubSocket.on_message(self, message)

    def on_close(self) -> None:
        if self._relay is not None:
            self._relay.close()
        HubSocket.on_close(self)


class Relay:
    """Frames both ways between a browser that Jupyter let in and the gateway that owns the state directory.

    The browser has no token of that gateway: the relay puts it into the `connect` frame, which also
    names it for what it is, a back end on this machine. A window that comes as a node needs a device; the relay signs for it.
    """

    def __init__(self, socket: WebSocketHandler, url: str, token: str, state_dir: Path) -> None:
        self._socket = socket
        self._url = url
        self._token = token
        self._state_dir = state_dir
        self._challenge: str | bytes = b""
        self._upstream: WebSocketClientConnection | None = None
        self._greeted = False

    async def open(self) -> None:
        try:
            self._upstream = await websocket_connect(
                self._url, on_message_callback=self._to_browser, max_message_size=Policy().max_payload
            )
        except (OSError, ClientHTTPError, WebSocketClosedError):
            self._socket.close(1012, "service restart")

    def _to_browser(self, message: str | bytes | None) -> None:
        if message is None:
            upstream = self._upstream
            self._socket.close(upstream.close_code if upstream else None, upstream.close_reason if upstream else None)
            return
        self._challenge = self._challenge or message
        try:
            self._socket.write_message(message)
        except WebSocketClosedError:
            self.close()

    async def to_gateway(self, message: str | bytes) -> None:
        if self._upstream is None:
            return
        if not self._greeted:
            self._greeted = True
            device = await asyncio.to_thread(DeviceIdentity.load, self._state_dir / DEVICE_FILE) if is_node(message) else None
            message = introduce(message, self._token, device, self._challenge)
        await self._upstream.write_message(message)

    def close(self) -> None:
        if self._upstream is not None:
            self._upstream.close()


def introduce(
    message: str | bytes, token: str, device: DeviceIdentity | None = None, challenge: str | bytes = b"{}"
) -> str | bytes:
    """The `connect` frame with the gateway's token in it; anything else unchanged, for the gateway to refuse.

    With `device` it stays a node, signed over `challenge`, the gateway's first frame; without, it is an operator.
    """
    frame = _connect_frame(message)
    if frame is None:
        return message
    params = frame["params"]
    client = params.get("client") if isinstance(params.get("client"), dict) else {}
    params["auth"] = {"token": token, "password": token}
    params.pop("device", None)
    if device is None:
        params["client"] = {**client, "id": "gateway-client", "mode": "backend"}
        params["role"] = "operator"
        params["scopes"] = list(OPERATOR_SCOPES)
    else:
        params["client"] = {**client, "id": "node-host", "mode": "node"}
        params["scopes"] = []
        told = orjson.loads(challenge)["payload"]
        params["device"] = device.claim(params["client"], role="node", scopes=(), token=token, challenge=told)
    return orjson.dumps(frame).decode()


def is_node(message: str | bytes) -> bool:
    """Whether a browser introduces itself as a node."""
    frame = _connect_frame(message)
    return frame is not None and frame["params"].get("role") == "node"


def _connect_frame(message: str | bytes) -> dict[str, Any] | None:
    try:
        frame = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    sound = isinstance(frame, dict) and frame.get("method") == "connect" and isinstance(frame.get("params"), dict)
    return frame if sound else None


def jupyter_routes() -> list[tuple[str, Any]]:
    """Paths below the server's base URL."""
    return [
        (r"/openclaw/ws", JupyterSocket),
        (r"/openclaw/api/state", State),
        (r"/openclaw/healthz?", Health),
        (r"/openclaw/readyz?", Ready),
        (r"/openclaw/startupz?", Startup),
    ]
