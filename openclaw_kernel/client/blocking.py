"""The client for code without an event loop: notebooks' helper threads, the CLI, scripts."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, TypeVar

from openclaw_kernel.client.connection import REQUEST_TIMEOUT_S, GatewayConnection, GatewayEvent, connect

T = TypeVar("T")


class BlockingGateway:
    """`with BlockingGateway(url, token=token) as gateway: gateway.request("health")`.

    Runs the asynchronous client on a thread of its own; takes the arguments of `connect` and raises the same errors.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self._context: AbstractAsyncContextManager[GatewayConnection] = connect(url, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openclaw-client", daemon=True)
        self._connection: GatewayConnection | None = None

    def __enter__(self) -> BlockingGateway:
        self._thread.start()
        try:
            self._connection = self._run(self._context.__aenter__())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            self._run(self._context.__aexit__(None, None, None))
        finally:
            self._stop()

    @property
    def connection(self) -> GatewayConnection:
        if self._connection is None:
            raise RuntimeError("use BlockingGateway in a with statement")
        return self._connection

    @property
    def hello(self) -> Mapping[str, Any]:
        return self.connection.hello

    def request(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = REQUEST_TIMEOUT_S
    ) -> Any:
        return self._run(self.connection.request(method, params, timeout=timeout))

    def request_two_step(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> tuple[Any, Any]:
        return self._run(self.connection.request_two_step(method, params, timeout=timeout))

    def listen(self) -> Iterator[GatewayEvent]:
        """Events from this call on, until the connection ends; hears at once, not only when first iterated."""
        events: queue.SimpleQueue[GatewayEvent | None] = queue.SimpleQueue()
        started = threading.Event()

        async def forward() -> None:
            source = self.connection.listen()
            started.set()
            try:
                while (event := await source.get()) is not None:
                    events.put(event)
            finally:
                self.connection.unlisten(source)
                events.put(None)

        asyncio.run_coroutine_threadsafe(forward(), self._loop)
        started.wait()
        return iter(events.get, None)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
