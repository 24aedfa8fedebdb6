"""A command's connection to the gateway, and the options that say which one."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_kernel.client.blocking import BlockingGateway
from openclaw_kernel.client.connection import GatewayEvent
from openclaw_kernel.client.find import ensure_gateway, find_gateway
from openclaw_kernel.values.errors import OpenClawError, UserError

F = TypeVar("F", bound=Callable[..., Any])

SCOPES = ("operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.questions")
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
    """One open connection. `request` blocks; `events` is a queue of `(event, payload)`, `None` when the socket ended.

    The socket lives on the thread of `BlockingGateway`, so that the main thread is free to sit in `input()` and to receive
    Ctrl-C while ticks and events keep flowing.
    """

    def __init__(self, target: Target, *, start: bool = False) -> None:
        self._target = target
        self.url, token = find(target, start=start)
        self._gateway = BlockingGateway(self.url, token=token, client_id="cli", mode="cli", scopes=SCOPES, caps=CAPS)
        self.events: queue.SimpleQueue[tuple[str, Mapping[str, Any]] | None] = queue.SimpleQueue()

    def __enter__(self) -> Wire:
        with show.working("Connecting"):
            self._gateway.__enter__()
        _background(self._forward, self._gateway.listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._gateway.__exit__(kind, error, trace)

    def request(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result of one method; raises `OpenClawError` as the gateway put it."""
        with show.working(f"Waiting for {method}"):
            return self._gateway.request(method, params or {}, timeout=self._target.timeout_s)

    def request_two_step(self, method: str, params: dict[str, Any], *, timeout_s: float) -> Future[Any]:
        """A method that answers twice; the future is its second answer."""
        answer: Future[Any] = Future()

        def wait() -> None:
            try:
                answer.set_result(self._gateway.request_two_step(method, params, timeout=timeout_s)[1])
            except OpenClawError as error:
                answer.set_exception(error)

        _background(wait)
        return answer

    def _forward(self, source: Iterator[GatewayEvent]) -> None:
        for event in source:
            self.events.put((event.event, event.payload))
        self.events.put(None)


def _background(work: Callable[..., None], *args: object) -> None:
    threading.Thread(target=work, args=args, daemon=True).start()


def find(target: Target, *, start: bool) -> tuple[str, str | None]:
    """Address and token; starts a gateway when `start` says so, else raises `UserError` when none runs."""
    if target.url is not None:
        return target.url, target.token
    info = find_gateway(target.state_dir)
    if info is None and start:
        with show.working("Starting the gateway"):
            info = asyncio.run(ensure_gateway(target.state_dir))
    if info is None:
        raise UserError(f"No gateway is running for {target.state_dir}; start one with `jupyter openclaw serve`.")
    return info.url, info.token


def call(target: Target, method: str, params: dict[str, Any] | None = None) -> Any:
    """Connect, ask once, leave."""
    with Wire(target) as wire:
        return wire.request(method, params)
