"""A stream with a result: iterate the events, or await the result, or both.

    stream = EventStream(produce)
    async for event in stream: ...
    message = await stream.result()

The producer runs once, as a task, when the stream is first used. It never raises: its result is the ending.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

E = TypeVar("E")
R = TypeVar("R")


class AbortSignal:
    """Tells a producer to stop. `reason` is empty until then."""

    __slots__ = ("_event", "reason")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.reason = ""

    @property
    def aborted(self) -> bool:
        return self._event.is_set()

    def abort(self, reason: str) -> None:
        """Idempotent: the first reason stays."""
        if not self._event.is_set():
            self.reason = reason or "aborted"
            self._event.set()

    async def wait(self) -> str:
        await self._event.wait()
        return self.reason


class EventStream(Generic[E, R]):
    """Events of one producer, and its result. One reader may iterate; any number may await `result()`."""

    def __init__(self, produce: Callable[[Callable[[E], None], AbortSignal], Awaitable[R]]) -> None:
        self._produce = produce
        self._queue: asyncio.Queue[E | None] = asyncio.Queue()
        self._task: asyncio.Task[R] | None = None
        self.signal = AbortSignal()

    def _start(self) -> asyncio.Task[R]:
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        return self._task

    async def _run(self) -> R:
        try:
            return await self._produce(self._queue.put_nowait, self.signal)
        finally:
            self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[E]:
        self._start()
        while (event := await self._queue.get()) is not None:
            yield event

    async def result(self) -> R:
        """The final value; waits for the end. Abort does not cancel it: an aborted stream has a result too."""
        return await asyncio.shield(self._start())

    async def inside(self, emit: Callable[[E], None], signal: AbortSignal) -> R:
        """The producer's work as a part of another stream's: its events and its signal, no task and queue of its own.

        For a stream nobody has begun to read.
        """
        return await self._produce(emit, signal)

    def abort(self, reason: str = "aborted") -> None:
        self.signal.abort(reason)
