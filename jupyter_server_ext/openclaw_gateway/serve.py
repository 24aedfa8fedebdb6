"""The headless gateway: plain tornado on one port, no Jupyter server (fast to start, small).

Prints one JSON line when ready. Every reason not to start is one sentence and exit code 1.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from openclaw_gateway.gateway import Gateway
from openclaw_gateway.http.openai import MAX_BODY
from openclaw_gateway.http.routes import build_application
from openclaw_gateway.parts.credentials import check_auth
from openclaw_kernel.values.errors import UserError

DEFAULT_HOST = "127.0.0.1"


class PortTaken(UserError):
    """Another program listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is taken by another program; stop it, or choose another port with --port or gateway.port."
        )
        self.port = port


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets for `host:port`; port 0 takes a free one. Raises `PortTaken`, or `UserError` for an address that is not ours."""
    try:
        return bind_sockets(port, host, reuse_port=False)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise UserError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error


def host_for(bind_mode: str) -> str:
    """The address of `gateway.bind`: `loopback`, `lan`, or an address."""
    return {"loopback": DEFAULT_HOST, "auto": DEFAULT_HOST, "lan": "0.0.0.0"}.get(bind_mode, bind_mode)


class Listener:
    """The gateway's own door: an HTTP server over a `Gateway`."""

    def __init__(self, gateway: Gateway, host: str, port: int) -> None:
        check_auth(gateway.settings, host)
        self._sockets = bind(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        shown = DEFAULT_HOST if host in ("0.0.0.0", "::", "localhost") else host
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"
        application = build_application(gateway.services, gateway.hub)
        self._server = HTTPServer(application, max_buffer_size=gateway.hub.policy.max_buffered_bytes, max_body_size=MAX_BODY)
        self._server.add_sockets(self._sockets)

    def stop(self) -> None:
        """No new connections; those that are open are the hub's to close."""
        self._server.stop()

    async def close(self) -> None:
        """Ends what HTTP requests are left."""
        await self._server.close_all_connections()


async def serve(
    state_dir: Path,
    port: int | None = None,
    host: str | None = None,
    json_line: bool = False,
    *,
    env: Mapping[str, str] | None = None,
    stop: asyncio.Event | None = None,
    write: Callable[[str], Any] | None = None,
    lock_wait_s: float = 0.5,
    on_ready: Callable[[], None] = lambda: None,
) -> int:
    """Runs until SIGTERM, SIGINT or `stop`. `port` and `host` override the config. Returns the exit code.

    `on_ready` is called once, when the gateway takes requests.
    """
    stopping = stop or asyncio.Event()
    say = write or _print
    try:
        overrides = {"lock_wait_s": lock_wait_s}
        async with Gateway.open(state_dir, os.environ if env is None else env, overrides=overrides) as gateway:
            settings = gateway.settings.gateway
            address = host or host_for(settings.bind)
            listener = Listener(gateway, address, settings.port if port is None else port)
            try:
                gateway.publish(listener.url)
                _on_signals(stopping)
                say(_ready_line(gateway, json_line))
                on_ready()
                await stopping.wait()
            finally:
                listener.stop()
        await listener.close()
    except UserError as error:
        print(str(error), file=sys.stderr)
        return 1
    return 0


def _ready_line(gateway: Gateway, json_line: bool) -> str:
    if json_line:
        ready = {"ready": True, "url": gateway.url, "token": gateway.token, "pid": os.getpid()}
        return json.dumps(ready, separators=(",", ":"))
    line = f"OpenClaw gateway is ready at {gateway.url} (process {os.getpid()}). Stop it with Ctrl+C."
    if not sys.stdout.isatty():  # what is kept in a file or a journal holds no token
        return line
    return f"{line}\nChat in your browser: {chat_link(gateway.url, gateway.token)}"


def chat_link(url: str, token: str) -> str:
    """The page that lets a browser in. The token stands in the fragment, which browsers do not send to anybody."""
    page = url.replace("ws://", "http://", 1).replace("wss://", "https://", 1).rstrip("/")
    return f"{page}/#token={token}" if token else f"{page}/"


def _print(line: str) -> None:
    print(line, flush=True)


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stopping.set)
        except (NotImplementedError, RuntimeError, ValueError):
            signal.signal(number, lambda *_args: loop.call_soon_threadsafe(stopping.set))
