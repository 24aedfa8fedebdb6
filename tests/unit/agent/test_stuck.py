"""Runs that give no sign of life: warned of, aborted, put out of their lane (AGT-13)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from openclaw_kernel.agent.stuck import ABORT_MS, FREE_MS, WARN_MS
from openclaw_kernel.tools.api import ToolResult, text_result
from openclaw_kernel.values.messages import ToolCall
from tests.unit.agent.conftest import Bench, Held, say


@pytest.fixture
def time(bench: Bench) -> Any:
    """A clock that stands until it is moved."""
    now = [1_795_000_000_000]
    bench.runtime._clock = bench.runtime._watch.clock = lambda: now[0]

    def later(milliseconds: int) -> None:
        now[0] += milliseconds
        bench.runtime._watch.look()

    return later


async def test_a_silent_run_is_warned_of_then_aborted_and_the_next_one_runs(
    bench: Bench, time: Any, caplog: pytest.LogCaptureFixture
) -> None:
    held = Held(text="")
    bench.models.script = [held]
    await bench.runtime.submit(bench.request("r1", "one"))
    await held.reached.wait()
    await bench.runtime.submit(bench.request("r2", "two"))
    time(WARN_MS - 1)
    assert "stalled" not in caplog.text
    time(1)
    time(WARN_MS)
    assert caplog.text.count("r1 of agent:main:main is stalled") == 1
    assert bench.runtime.active("main")
    time(ABORT_MS)
    first, second = await bench.runtime.wait("r1", 5), await bench.runtime.wait("r2", 5)
    assert first is not None and (first.status, first.stop_reason) == ("aborted", "stuck")
    assert second is not None and second.status == "ok"


async def test_a_tool_under_way_is_long_running_and_not_aborted(
    bench: Bench, time: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(_arguments: Any, _context: Any) -> ToolResult:
        started.set()
        await go.wait()
        return text_result("done")

    bench.tool("slow", slow)
    bench.models.script = [say("", ToolCall("c1", "slow", {}))]
    await bench.runtime.submit(bench.request("r1", "one"))
    await started.wait()
    time(2 * ABORT_MS)
    time(2 * ABORT_MS)
    assert caplog.text.count("long-running") == 1
    go.set()
    outcome = await bench.runtime.wait("r1", 5)
    assert outcome is not None and outcome.status == "ok"


async def test_a_run_that_does_not_react_loses_its_lane(bench: Bench, time: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf, reached = asyncio.Event(), asyncio.Event()

    async def hang(_turn: Any) -> None:
        reached.set()
        while not deaf.is_set():
            try:
                await deaf.wait()
            except asyncio.CancelledError:
                continue

    monkeypatch.setattr("openclaw_kernel.agent.runtime.run_turn", hang)
    await bench.runtime.submit(bench.request("r1", "one"))
    await reached.wait()
    monkeypatch.undo()
    await bench.runtime.submit(bench.request("r2", "two"))
    bench.runtime.abort("main", "r1", "stop")
    time(1)
    time(FREE_MS - 1)
    assert bench.runtime.active("main") and bench.runtime.queued("main") == ["r2"]
    time(1)
    first, second = await bench.runtime.wait("r1", 5), await bench.runtime.wait("r2", 5)
    assert first is not None and (first.status, first.stop_reason) == ("aborted", "stuck")
    assert second is not None and second.status == "ok"
    roles = [message["role"] for message in bench.history()]
    assert roles == ["user", "assistant", "user", "assistant"]
    deaf.set()


async def test_the_watch_ends_with_the_last_run(bench: Bench) -> None:
    sleeping: list[asyncio.Event] = []

    async def sleep(_seconds: float) -> None:
        sleeping.append(asyncio.Event())
        await sleeping[-1].wait()

    bench.runtime._watch.sleep = sleep
    await bench.run("r1", "one")
    watching = bench.runtime._watch._task
    assert watching is not None and len(sleeping) == 1
    sleeping[0].set()
    await asyncio.wait_for(watching, 5)
    await bench.run("r2", "two")
    assert bench.runtime._watch._task is not watching
