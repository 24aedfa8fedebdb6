"""A command's connection to the gateway: options that say which one, and a blocking face for terminal code.

The socket lives on an event loop in a thread of its own, so that the main thread is free to sit in
`input()` and to receive Ctrl-C while ticks and events keep flowing.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import click

from openclaw_gateway.cli import show
from openclaw_kernel.client.connection import connect
from openclaw_kernel.client.find import ensure_gateway, find_gateway
from openclaw_kernel.store.paths import state_dir as default_state_dir
from openclaw_kernel.values.errors import UserError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

SCOPES = ("operator.admin", "operator.read", "operator.write", "operator.approvals")
CAPS = ("tool-events", "exec-approvals", "approvals")
REQUEST_TIMEOUT_S = 10.0
"""As the official CLI (protocol section 1)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which gateway a command talks to and how it prints."""

    state_dir: Path
    url: str | None
    token: str | None
    as_json: bool
    timeout_s: float = REQUEST_TIMEOUT_S


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def state_dir_option(function: F) -> F:
    return click.option(
        "--state-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=lambda: default_state_dir(os.environ),
        show_default="$OPENCLAW_STATE_DIR or ~/.openclaw",
        help="Directory with the assistant's state.",
    )(function)


def target_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--url --token --state-dir --json`; the command gets them as its first argument, a `Target`."""

    def wrapper(state_dir: Path, url: str | None, token: str | None, as_json: bool, *args: object, **options: object) -> Any:
        return function(Target(state_dir.expanduser(), url, token, as_json), *args, **options)

    wrapper.__name__ = function.__name__
    wrapper.__doc__ = function.__doc__
    wrapper.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    decorated = json_option(wrapper)
    decorated = state_dir_option(decorated)
    decorated = click.option("--token", envvar="OPENCLAW_GATEWAY_TOKEN", help="Token for --url.")(decorated)
    return click.option("--url", envvar="OPENCLAW_GATEWAY_URL", help="A gateway elsewhere, ws://host:port/.")(decorated)


class Wire:
    """One open connection. `request` blocks; `events` is a queue of `(event, payload)`, `None` when the socket ended."""

    def __init__(self, target: Target, *, start: bool = False) -> None:
        self._target = target
        self._start = start
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openclaw-wire", daemon=True)
        self._context: Any = None
        self._gateway: Any = None
        self._pump: Future[None] | None = None
        self.url = ""
        self.events: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()

    def __enter__(self) -> Wire:
        self._thread.start()
        try:
            self.submit(self._open()).result()
        except BaseException:
            self._stop_loop()
            raise
        self._pump = self.submit(self._pump_events())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pump is not None:
            self._pump.cancel()
        try:
            self.submit(self._context.__aexit__(None, None, None)).result(timeout=2)
        except (TimeoutError, OSError):
            pass  # the gateway has gone already; there is nothing left to close
        finally:
            self._stop_loop()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `work` on the connection's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def request(self, method: str, params: dict[str, Any] | None = None, *, timeout_s: float | None = None) -> Any:
        """The result of one method; raises `OpenClawError` as the gateway put it."""
        limit = self._target.timeout_s if timeout_s is None else timeout_s
        with show.working(f"Waiting for {method}"):
            return self.submit(self._gateway.request(method, params or {}, timeout=limit)).result()

    def request_two_step(self, method: str, params: dict[str, Any], *, timeout_s: float) -> Future[Any]:
        """A method that answers twice; the future is its second answer."""
        return self.submit(self._gateway.request_two_step(method, params, timeout=timeout_s))

    async def _open(self) -> None:
        self.url, token = await self._find()
        self._context = connect(self.url, token=token, client_id="cli", mode="cli", scopes=SCOPES, caps=CAPS)
        try:
            self._gateway = await self._context.__aenter__()
        except OSError as error:
            raise UserError(
                f"No gateway answers at {self.url} ({error.strerror or error}); start one with `jupyter openclaw serve`."
            ) from error

    async def _find(self) -> tuple[str, str | None]:
        target = self._target
        if target.url is not None:
            return websocket_url(target.url), target.token
        info = find_gateway(target.state_dir)
        if info is None and self._start:
            with show.working("Starting the gateway"):
                info = await ensure_gateway(target.state_dir)
        if info is None:
            raise UserError(f"No gateway is running for {target.state_dir}; start one with `jupyter openclaw serve`.")
        return websocket_url(info.url), info.token

    async def _pump_events(self) -> None:
        try:
            async for event in self._gateway.events():
                self.events.put((event["event"], event.get("payload") or {}))
        finally:
            self.events.put(None)

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)


def call(target: Target, method: str, params: dict[str, Any] | None = None) -> Any:
    """Connect, ask once, leave."""
    with Wire(target) as wire:
        return wire.request(method, params)


def websocket_url(url: str) -> str:
    """`http://…` and `https://…` as the address of the socket on the same port; `ws…` unchanged."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("ws", "wss", "http", "https"):
        raise UserError(f"The gateway URL {url!r} is not one of ws://, wss://, http:// or https://host:port/.")
    return {"http": "ws", "https": "wss"}.get(scheme, scheme) + separator + rest
