"""The Jupyter server extension: a gateway inside Jupyter, or a client of the one that already runs.

Jupyter starts whatever happens here: a taken port, a broken config or a locked state directory is one sentence in the log.
"""

# mypy: disable-error-code="misc"
# jupyter_server has no types: its classes and decorators are Any to the checker.

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Int, Unicode

from openclaw_gateway.gateway import Gateway
from openclaw_gateway.http.jupyter_door import jupyter_routes
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.protocol.hub import Hub
from openclaw_gateway.serve import DEFAULT_HOST, Listener
from openclaw_kernel._version import __version__
from openclaw_kernel.store.lock import StateLocked
from openclaw_kernel.store.paths import expand
from openclaw_kernel.store.paths import state_dir as default_state_dir
from openclaw_kernel.store.runtime_file import read_runtime
from openclaw_kernel.values.errors import UserError

STOP_LIMIT_S = 20.0


class GatewayDoor:
    """What handlers ask: our gateway, somebody else's, or why there is none."""

    def __init__(self, state_dir: Path, start: Callable[[], Awaitable[None]]) -> None:
        self.state_dir = state_dir
        self.gateway: Gateway | None = None
        self.problem = ""
        self._start = start

    async def ensure(self) -> None:
        """Somebody wants the gateway. When that of another process has ended, this process takes its place."""
        if self.gateway is None and self.remote() is None:
            await self._start()

    @property
    def hub(self) -> Hub | None:
        return self.gateway.hub if self.gateway is not None else None

    @property
    def services(self) -> GatewayServices | None:
        return self.gateway.services if self.gateway is not None else None

    def remote(self) -> tuple[str, str] | None:
        """Read anew each time: the other gateway may have been restarted."""
        info = read_runtime(self.state_dir) if self.gateway is None else None
        return (info.url.replace("http", "ws", 1) + "/", info.token) if info is not None else None

    def state(self) -> dict[str, Any]:
        info = read_runtime(self.state_dir) if self.gateway is None else None
        url = self.gateway.url if self.gateway is not None else (info.url if info is not None else "")
        mode = "owner" if self.gateway is not None else ("client" if info is not None else "none")
        state: dict[str, Any] = {"mode": mode, "url": url, "version": __version__}
        return state | ({"problem": self.problem} if self.problem and mode != "client" else {})


class OpenClawApp(ExtensionApp):
    """Settings in `jupyter_openclaw_config.py` or on the command line, `--OpenClawApp.port=18790`."""

    name = "openclaw"
    app_name = "OpenClaw"
    extension_url = "/lab"
    load_other_extensions = True
    description = "A personal AI assistant that lives in Jupyter."
    aliases: ClassVar[dict[str, str]] = {}  # type: ignore[misc]  # the base class declares it on the instance

    enabled = Bool(True, config=True, help="Whether this Jupyter server runs (or finds) an OpenClaw gateway.")
    state_dir = Unicode("", config=True, help="Where everything is kept; empty means OPENCLAW_STATE_DIR or ~/.openclaw.")
    port = Int(-1, config=True, help="Port of the gateway's own door; -1 takes gateway.port of openclaw.json, 0 any free one.")
    host = Unicode(DEFAULT_HOST, config=True, help="Address of the gateway's own door; keep it on loopback.")
    listen = Bool(True, config=True, help="Whether to open the gateway's own door besides Jupyter's.")
    lock_wait_s = Float(0.5, config=True, help="Seconds to wait for another gateway to let go of the state directory.")

    door: GatewayDoor
    _stack: AsyncExitStack | None = None
    _starting: asyncio.Task[None] | None = None
    _stopping = False

    def initialize_settings(self) -> None:
        path = expand(self.state_dir) if self.state_dir else default_state_dir()
        self.door = GatewayDoor(path, self._start_once)
        self.settings["openclaw_door"] = self.door

    def initialize_handlers(self) -> None:
        self.handlers.extend(jupyter_routes())

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Starts the gateway beside Jupyter, without making it wait."""
        self._starting = asyncio.ensure_future(self._start()) if self.enabled else None

    async def _start_once(self) -> None:
        """One start at a time, however many ask; none while Jupyter stops."""
        if self._stopping or not self.enabled:
            return
        if self._starting is None or self._starting.done():
            self._starting = asyncio.ensure_future(self._start())
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        stack = AsyncExitStack()
        try:
            gateway = await stack.enter_async_context(
                Gateway.open(self.door.state_dir, os.environ, overrides={"lock_wait_s": self.lock_wait_s})
            )
        except StateLocked as error:
            self._become_client(error)
            return
        except UserError as error:
            if str(error) != self.door.problem:
                self.log.error("OpenClaw: %s", error)
            self.door.problem = str(error)
            return
        self._stack = stack
        self.door.gateway, self.door.problem = gateway, ""
        self._open_own_door(stack, gateway)

    def _become_client(self, error: StateLocked) -> None:
        info = read_runtime(self.door.state_dir)
        if info is not None:
            self.log.info("OpenClaw: using the gateway of process %d at %s", info.pid, info.url)
        else:
            self.door.problem = str(error)
            self.log.warning("OpenClaw: %s", error)

    def _open_own_door(self, stack: AsyncExitStack, gateway: Gateway) -> None:
        """The second listener. When its port is taken, the assistant is still there through Jupyter."""
        if not self.listen:
            return
        port = gateway.settings.gateway.port if self.port < 0 else self.port
        try:
            listener = Listener(gateway, self.host, port)
        except UserError as error:
            self.door.problem = str(error)
            self.log.warning("OpenClaw: %s The assistant still works inside Jupyter.", error)
            return
        stack.callback(listener.stop)
        gateway.publish(listener.url)
        self.log.info("OpenClaw: the gateway is at %s", listener.url)

    def current_activity(self) -> int:
        """Runs under way, so that idle culling leaves the server alone."""
        return len(self.door.gateway.runtime.active()) if self.door.gateway is not None else 0

    async def stop_extension(self) -> None:
        self._stopping = True
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._stack is not None:
            stack, self._stack = self._stack, None
            self.door.gateway = None
            await asyncio.wait_for(stack.aclose(), STOP_LIMIT_S)
