"""When a model fails before it has said anything, the next one on the list is asked (MOD-10).

A model that has begun to answer is never replaced: nobody should read two beginnings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from openclaw_kernel.models.api import Model, ModelStream
from openclaw_kernel.values.events import Done, Error, ModelEvent, Start
from openclaw_kernel.values.messages import AssistantMessage, ErrorKind
from openclaw_kernel.values.stream import AbortSignal, EventStream

TRY_NEXT: frozenset[ErrorKind] = frozenset(
    ("rate_limit", "overloaded", "network", "timeout", "auth", "model_not_found", "unknown")
)
"""A refusal or a too long context would meet the same end elsewhere."""


def first_that_answers(models: Sequence[Model], stream: Callable[[Model], ModelStream]) -> ModelStream:
    """A stream from the first of `models`, or from the next ones when it fails at once. `models` is not empty."""
    if len(models) == 1:
        return stream(models[0])

    async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
        for model in models:
            message, spoke = await _relay(stream(model), emit, signal)
            failed = message.stop_reason == "error" and message.error is not None and message.error.kind in TRY_NEXT
            if spoke or signal.aborted or not failed or model is models[-1]:
                break
        emit(Error(message) if message.stop_reason in ("error", "aborted") else Done(message))
        return message

    return EventStream(produce)


async def _relay(inner: ModelStream, emit: Callable[[ModelEvent], None], signal: AbortSignal) -> tuple[AssistantMessage, bool]:
    """Passes events on; the final message, and whether anything but the start came through."""
    stop = asyncio.ensure_future(signal.wait())
    stop.add_done_callback(lambda done: None if done.cancelled() else inner.abort(signal.reason))
    spoke = False
    try:
        async for event in inner:
            if not isinstance(event, Start | Done | Error):
                spoke = True
            if not isinstance(event, Done | Error):
                emit(event)
        return await inner.result(), spoke
    finally:
        stop.cancel()
