"""One streamed call over HTTP, the same for every wire format: send, read events, notice every way it can break.

A format says how a call becomes bytes and what an event means; this module owns the connection, the idle timeout, abort
and failure. Nothing is raised: what goes wrong becomes the answer's failure.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from openclaw_kernel.models import failures
from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import ModelCall, ModelStream
from openclaw_kernel.models.failures import ProviderError
from openclaw_kernel.models.sdk import Name, SdkClients
from openclaw_kernel.models.sse import SseReader
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import AssistantMessage, ModelFailure
from openclaw_kernel.values.stream import AbortSignal, EventStream

log = logging.getLogger(__name__)

LINGER_S = 2.0  # how long a finished answer waits for the server to end the response, so the connection can be used again


_HTTP_PACKAGES = frozenset({"anthropic", "openai", "httpx", "httpx2", "httpcore", "httpcore2", "anyio"})
"""Packages whose errors mean that the way to the provider is broken."""


class Unreadable(Exception):
    """The provider sent what is not of its format."""


class Decoder(Protocol):
    """Understands the events of one answer. `complete` once the format's end mark was seen."""

    complete: bool

    def feed(self, event: Mapping[str, Any]) -> None:
        """One event. Raises `ProviderError` when the provider reports a failure."""

    def end(self) -> None:
        """The response ended in good order."""


class Format(Protocol):
    """A wire format: where requests go, how they are written and how events are read."""

    sdk: Name
    path: str

    def encode(self, call: ModelCall) -> bytes: ...

    def headers(self, call: ModelCall) -> Mapping[str, str]: ...

    def decoder(self, call: ModelCall, answer: Answer) -> Decoder: ...


class HttpProvider:
    """A `Provider` over one format."""

    def __init__(self, format: Format, clock: Clock = system_clock) -> None:
        self._format = format
        self._clients = SdkClients(format.sdk)
        self._clock = clock

    def stream(self, call: ModelCall) -> ModelStream:
        async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
            return await self._produce(call, Answer(call.model, emit, self._clock), signal)

        return EventStream(produce)

    async def warm(self) -> None:
        """Load the SDK before the first call needs it."""
        await self._clients.load()

    async def close(self) -> None:
        await self._clients.close()

    async def _produce(self, call: ModelCall, answer: Answer, signal: AbortSignal) -> AssistantMessage:
        if signal.aborted:
            return answer.abort(signal.reason)
        exchange = asyncio.ensure_future(self._exchange(call, answer))
        aborted = asyncio.ensure_future(signal.wait())
        try:
            await asyncio.wait((exchange, aborted), return_when=asyncio.FIRST_COMPLETED)
            if not exchange.done():
                exchange.cancel()
                await asyncio.wait((exchange,))
                return answer.abort(signal.reason)
            failure = exchange.result()
            return answer.done() if failure is None else answer.fail(failure)
        finally:
            aborted.cancel()
            exchange.cancel()

    async def _exchange(self, call: ModelCall, answer: Answer) -> ModelFailure | None:
        """The whole exchange; returns why it failed, None for a whole answer."""
        decoder = self._format.decoder(call, answer)
        failure = await self._attempt(call, answer, decoder)
        if decoder.complete:  # what breaks after the end mark does no harm
            decoder.end()
            return None
        return failure or failures.network(call.model, "it ended before the answer was whole")

    async def _attempt(self, call: ModelCall, answer: Answer, decoder: Decoder) -> ModelFailure | None:
        try:
            await self._read(call, answer, decoder)
        except TimeoutError:
            return failures.timeout(call.model, call.idle_timeout_s)
        except ProviderError as error:
            return error.failure
        except Unreadable as error:
            log.warning("%s sent what %s cannot read: %s", call.model.ref, call.model.api, error)
            return failures.network(call.model, f"it sent something that is not {call.model.api}: {error}")
        except Exception as error:
            log.info("call to %s failed", call.model.ref, exc_info=True)
            return _classified(call, error)
        return None

    async def _read(self, call: ModelCall, answer: Answer, decoder: Decoder) -> None:
        loop = asyncio.get_running_loop()
        idle = call.idle_timeout_s if call.idle_timeout_s > 0 else float("inf")
        reader = SseReader()
        async with asyncio.timeout_at(_until(loop.time(), idle)) as deadline:
            body = self._format.encode(call)
            response = await self._clients.open(call, self._format.path, body, self._format.headers(call))
            try:
                answer.start()
                async for chunk in response.iter_bytes():
                    for data in reader.feed(chunk):
                        _feed(decoder, data)
                    deadline.reschedule(_until(loop.time(), LINGER_S if decoder.complete else idle))
            finally:
                await response.close()


def _feed(decoder: Decoder, data: bytes) -> None:
    """One payload to the decoder. Raises `Unreadable` for what is not of the format."""
    if data == b"[DONE]":
        decoder.complete = True
        return
    try:
        decoder.feed(orjson.loads(data))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unreadable(repr(error) if isinstance(error, KeyError) else str(error)) from error


def _until(now: float, seconds: float) -> float | None:
    return None if seconds == float("inf") else now + seconds


def _classified(call: ModelCall, error: Exception) -> ModelFailure:
    """An SDK's or HTTP library's error. A status error carries a response; all others broke on the way or in here."""
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if isinstance(status, int) and response is not None:
        return failures.from_status(call.model, status, _without_key(call, response.text), response.headers)
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _HTTP_PACKAGES:
        cause = error.__cause__ or error
        return failures.network(call.model, _without_key(call, str(cause) or type(cause).__name__))
    return ModelFailure(f"The call to {call.model.ref} could not be made: {_without_key(call, str(error))}.", "unknown")


def _without_key(call: ModelCall, text: str) -> str:
    """Some servers repeat the key they refuse."""
    return text.replace(call.credential, "***") if call.credential else text
