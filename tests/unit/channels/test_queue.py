"""Messages that come from a chat while its run is under way: handed on at once, answered once, taken back by /stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from openclaw_gateway.channels.conversation import WAITS
from openclaw_kernel.agent.api import Outcome, Receipt, RunRequest
from openclaw_kernel.values.errors import unavailable
from openclaw_kernel.values.messages import Text
from tests.unit.channels.world import FakeRuntime, FakeTime, World, message, outcome, settle, until, world

OPEN = {"dmPolicy": "open", "allowFrom": ["*", "ann"]}


class Queue(FakeRuntime):
    """Every run ends when it is told how; all but the first are queued."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[str, asyncio.Future[Outcome]] = {}
        self.refusals: list[Exception] = []

    async def submit(self, request: RunRequest) -> Receipt:
        if self.refusals:
            raise self.refusals.pop(0)
        receipt = await super().submit(request)
        self.ends[request.run_id] = asyncio.get_running_loop().create_future()
        return Receipt(receipt.run_id, receipt.session_key, "s", "started" if len(self.requests) == 1 else "queued")

    async def wait(self, run_id: str, timeout_s: float | None = None) -> Outcome | None:
        if timeout_s == 0:
            return await super().wait(run_id, 0)
        return await asyncio.shield(self.ends[run_id])

    def end(self, number: int, text: str = "", **how: Any) -> None:
        request = self.requests[number]
        self.done[request.run_id] = found = outcome(request, text, **how)
        self.ends[request.run_id].set_result(found)


def words(request: RunRequest) -> str:
    return "".join(part.text for part in request.message.content if isinstance(part, Text))


def is_open(found: World) -> list[str]:
    assert found.room.inbox is not None
    return [row.state for row in found.room.inbox.pending()]


async def test_a_message_does_not_wait_in_the_inbox_for_the_run_before_it(tmp_path: Path) -> None:
    runtime = Queue()
    async with world(tmp_path, OPEN, runtime=runtime) as found:
        for number, text in enumerate(("one", "two", "three")):
            await found.says(message(text, id=str(number)))
        await until(lambda: len(runtime.requests) == 3)
        assert [words(request) for request in runtime.requests] == ["one", "two", "three"]
        assert {request.queue for request in runtime.requests} == {"session"}
        assert is_open(found) == ["attempting"] * 3
        runtime.end(1, "to two")
        await until(lambda: found.sent == ["to two"])
        runtime.end(0, "to one")
        runtime.end(2, "to three")
        await until(lambda: len(found.sent) == 3 and not is_open(found))


async def test_what_joined_another_run_is_settled_and_answered_by_it_alone(tmp_path: Path) -> None:
    runtime = Queue()
    async with world(tmp_path, OPEN, runtime=runtime) as found:
        picture = tmp_path / "chart.png"
        picture.write_bytes(b"\x89PNG")
        found.details.append({"media": [{"path": str(picture), "mediaType": "image/png"}]})
        await found.says(message("one", id="1"))
        await found.says(message("two", id="2"))
        await until(lambda: len(runtime.requests) == 2)
        runtime.end(1, "", status="ok", stop_reason="steered")
        runtime.end(0, "to both")
        await until(lambda: not is_open(found) and len(found.sent) == 2)
        await settle()
        assert [(sent.text, len(sent.media)) for sent in found.platform.sent] == [("to both", 0), ("", 1)]


async def test_a_joined_message_says_nothing_of_the_failure_of_the_other(tmp_path: Path) -> None:
    runtime = Queue()
    async with world(tmp_path, OPEN, runtime=runtime) as found:
        await found.says(message("one", id="1"))
        await found.says(message("two", id="2"))
        await until(lambda: len(runtime.requests) == 2)
        runtime.end(1, "", status="error", stop_reason="steered")
        runtime.end(0, "", status="error")
        await until(lambda: not is_open(found) and found.sent)
        await settle()
        assert len(found.sent) == 1


async def test_stop_takes_back_what_has_not_begun(tmp_path: Path, time: FakeTime) -> None:
    messages = {"inbound": {"debounceMs": 2_000}}
    async with world(tmp_path, OPEN, time=time, messages=messages) as found:
        await found.says(message("do it", id="1"))
        await found.says(message("/stop", id="2"))
        await until(lambda: found.sent)
        assert found.sent == ["done /stop\n1 not yet begun: taken back."]
        await found.says(message("rather this", id="3"))
        await time.advance(5)
        await until(lambda: len(found.sent) == 2 and not is_open(found))
        assert [words(request) for request in found.runtime.requests] == ["rather this"]


async def test_stop_is_not_held_up_by_what_runs(tmp_path: Path) -> None:
    runtime = Queue()
    async with world(tmp_path, OPEN, runtime=runtime) as found:
        await found.says(message("one", id="1"))
        await until(lambda: runtime.requests)
        await found.says(message("/stop", id="2"))
        await until(lambda: found.sent == ["done /stop"])
        runtime.end(0, "", status="aborted", stop_reason="stop")
        await until(lambda: not is_open(found))
        assert len(found.sent) == 1


async def test_a_full_queue_is_tried_again_in_order(tmp_path: Path, time: FakeTime) -> None:
    runtime = Queue()
    runtime.refusals = [unavailable("20 messages are waiting")]
    async with world(tmp_path, OPEN, time=time, runtime=runtime) as found:
        await found.says(message("one", id="1"))
        await found.says(message("two", "ann", id="2"))
        await time.advance(5)
        await until(lambda: runtime.requests)
        assert [words(request) for request in runtime.requests] == ["one", "two"]
        runtime.end(0, "a")
        runtime.end(1, "b")
        await until(lambda: not is_open(found))


async def test_an_answer_that_cannot_be_written_down_is_tried_again(tmp_path: Path, time: FakeTime) -> None:
    runtime = Queue()
    async with world(tmp_path, OPEN, time=time, runtime=runtime) as found:
        await found.says(message("one", id="1"))
        await until(lambda: runtime.requests)
        assert found.room.outbox is not None
        real, refused = found.room.outbox.post, [OSError("disk full")]

        def post(*arguments: Any, **more: Any) -> Any:
            if refused:
                raise refused.pop()
            return real(*arguments, **more)

        found.room.outbox.post = post  # type: ignore[method-assign]
        runtime.end(0, "at last")
        await until(lambda: not refused)
        await time.advance(5)
        await until(lambda: found.sent == ["at last"] and not is_open(found))
        assert len(runtime.requests) == 1


async def test_who_waits_is_told_only_when_he_wants_to_hear_of_it(tmp_path: Path, time: FakeTime) -> None:
    for verbose in (False, True):
        runtime = Queue()
        async with world(tmp_path / str(verbose), OPEN, time=time, runtime=runtime, verbose=verbose) as found:
            runtime.queued = lambda _key=None: [request.run_id for request in found.runtime.requests[1:]]  # type: ignore[method-assign]
            await found.says(message("one", id="1"))
            await found.says(message("two", id="2"))
            await until(lambda: len(found.runtime.requests) == 2)
            await time.advance(1.9)
            assert found.sent == []
            await time.advance(0.2)
            await time.advance(0)
            await settle()
            assert found.sent == ([WAITS] if verbose else [])
            runtime.end(0)
            runtime.end(1)
            await until(lambda: not is_open(found))
