"""A stream can be iterated, awaited, or both, and an aborted one still has a result."""

from collections.abc import Callable

from openclaw_kernel.values.stream import AbortSignal, EventStream


async def count(emit: Callable[[int], None], signal: AbortSignal) -> str:
    for number in range(3):
        emit(number)
    return "done"


async def until_aborted(emit: Callable[[int], None], signal: AbortSignal) -> str:
    emit(1)
    return await signal.wait()


async def test_iterate_then_await() -> None:
    stream = EventStream[int, str](count)
    assert [event async for event in stream] == [0, 1, 2]
    assert await stream.result() == "done"


async def test_await_without_iterating() -> None:
    assert await EventStream[int, str](count).result() == "done"


async def test_abort_is_a_result() -> None:
    stream = EventStream[int, str](until_aborted)
    seen = []
    async for event in stream:
        seen.append(event)
        stream.abort("enough")
        stream.abort("again")
    assert seen == [1]
    assert await stream.result() == "enough"
