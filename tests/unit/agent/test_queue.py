"""Messages that come while a run is under way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.agent.queue import HEAD, QueueRules, parse_options, rules_of
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.tools.api import ToolResult, text_result
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.events import RunEnded, ToolEnded
from openclaw_kernel.values.messages import ToolCall
from tests.unit.agent.conftest import Bench, Held, say


def queue(**rules: Any) -> OpenClawConfig:
    return OpenClawConfig.model_validate({"messages": {"queue": {"debounceMs": 0, **rules}}})


def said(bench: Bench) -> list[str]:
    return [
        message["content"] if isinstance(message["content"], str) else message["content"][0]["text"]
        for message in bench.history()
        if message["role"] == "user"
    ]


@pytest.fixture
def busy(bench: Bench) -> Held:
    """A first run that is in its model call."""
    bench.config = queue()
    held = Held(text="first")
    bench.models.script = [held]
    return held


async def start(bench: Bench, held: Held) -> None:
    await bench.runtime.submit(bench.request("r1", "one"))
    await held.reached.wait()


async def test_steering_reaches_the_run_before_its_next_model_call(bench: Bench) -> None:
    bench.config = queue()
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(_arguments: Any, _context: Any) -> ToolResult:
        started.set()
        await go.wait()
        return text_result("done")

    bench.tool("slow", slow)
    bench.models.script = [say("", ToolCall("c1", "slow", {}), ToolCall("c2", "touch", {})), say("steered")]
    await bench.runtime.submit(bench.request("r1", "one"))
    await started.wait()
    receipt = await bench.runtime.submit(bench.request("r2", "rather this", queue="session"))
    assert receipt.status == "queued" and bench.runtime.queued("main") == ["r2"]
    go.set()
    first = await bench.runtime.wait("r1", 5)
    second = await bench.runtime.wait("r2", 5)
    assert first is not None and first.message is not None and first.message.text == "steered"
    assert second is not None and (second.status, second.stop_reason, second.message) == ("ok", "steered", None)
    assert [event.state for event in bench.told(ToolEnded)] == ["completed", "skipped"] and bench.ran == []
    assert [message["role"] for message in bench.history()] == [
        "user",
        "assistant",
        "toolResult",
        "toolResult",
        "user",
        "assistant",
    ]
    assert len(bench.models.calls) == 2 and len(bench.told(RunEnded, "r2")) == 1
    assert "rather this" in str(bench.models.calls[1].messages[-1])


async def test_a_message_to_a_run_without_tools_gets_a_run_of_its_own(bench: Bench, busy: Held) -> None:
    await start(bench, busy)
    await bench.runtime.submit(bench.request("r2", "two", queue="session"))
    busy.release.set()
    second = await bench.runtime.wait("r2", 5)
    assert second is not None and second.message is not None and second.message.text == "ok"


async def test_nobody_steers_somebody_elses_run(bench: Bench) -> None:
    """A guest's words must not run with the owner's rights."""
    bench.config = queue()

    async def slow(_arguments: Any, _context: Any) -> ToolResult:
        guest = bench.request("r2", "delete it all", queue="steer")
        guest.message.meta["senderIsOwner"] = False  # type: ignore[index]
        await bench.runtime.submit(guest)
        await bench.runtime.submit(bench.request("r3", "hi", queue="steer", client_id="another device"))
        return text_result("done")

    bench.tool("slow", slow)
    bench.models.script = [say("", ToolCall("c1", "slow", {}), ToolCall("c2", "touch", {})), say("first")]
    await bench.run("r1", "one")
    assert bench.ran == ["touch"]
    assert (await bench.runtime.wait("r2", 5)).message.text == "ok"  # type: ignore[union-attr]
    assert (await bench.runtime.wait("r3", 5)).message.text == "ok"  # type: ignore[union-attr]


async def test_collect_makes_one_turn_of_many_messages(bench: Bench, busy: Held) -> None:
    bench.config = queue(mode="collect")
    await start(bench, busy)
    for number in (2, 3, 4):
        await bench.runtime.submit(bench.request(f"r{number}", f"word {number}", queue="session"))
    busy.release.set()
    outcomes = [await bench.runtime.wait(f"r{number}", 5) for number in (2, 3, 4)]
    assert [outcome.stop_reason for outcome in outcomes if outcome] == ["stop", "steered", "steered"]
    assert said(bench) == ["one", "word 2", "word 3", "word 4"] and len(bench.models.calls) == 2


async def test_followup_makes_a_turn_of_each(bench: Bench, busy: Held) -> None:
    await start(bench, busy)
    for number in (2, 3):
        await bench.runtime.submit(bench.request(f"r{number}", f"word {number}", queue="followup"))
    busy.release.set()
    await bench.runtime.wait("r3", 5)
    assert len(bench.models.calls) == 3


async def test_interrupt_ends_what_runs(bench: Bench, busy: Held) -> None:
    await start(bench, busy)
    await bench.runtime.submit(bench.request("r2", "two", queue="interrupt"))
    first, second = await bench.runtime.wait("r1", 5), await bench.runtime.wait("r2", 5)
    assert first is not None and (first.status, first.stop_reason) == ("aborted", "interrupt")
    assert second is not None and second.status == "ok"


def guest(bench: Bench, run_id: str, text: str, **more: Any) -> RunRequest:
    request = bench.request(run_id, text, **more)
    request.message.meta["senderIsOwner"] = False  # type: ignore[index]
    return request


async def test_a_guest_does_not_interrupt_the_owner(bench: Bench, busy: Held) -> None:
    await start(bench, busy)
    await bench.runtime.submit(guest(bench, "r2", "two", queue="interrupt"))
    busy.release.set()
    first, second = await bench.runtime.wait("r1", 5), await bench.runtime.wait("r2", 5)
    assert first is not None and first.status == "ok" and second is not None and second.status == "ok"


async def test_a_full_queue_never_puts_one_person_s_words_into_another_s_message(bench: Bench, busy: Held) -> None:
    bench.config = queue(mode="followup", cap=1)
    await start(bench, busy)
    await bench.runtime.submit(guest(bench, "r2", "delete it all", queue="session"))
    await bench.runtime.submit(bench.request("r3", "mine", queue="session"))
    await bench.runtime.submit(guest(bench, "r4", "and this too", queue="session"))
    assert bench.runtime.queued("main") == ["r3", "r4"]
    busy.release.set()
    await bench.runtime.wait("r4", 5)
    assert said(bench)[1] == "mine" and "- delete it all" in said(bench)[2]


async def test_the_queue_is_bounded_and_says_what_it_dropped(bench: Bench, busy: Held) -> None:
    bench.config = queue(mode="followup", cap=2)
    await start(bench, busy)
    for number in range(2, 6):
        await bench.runtime.submit(bench.request(f"r{number}", f"word {number}", queue="session"))
    assert bench.runtime.queued("main") == ["r4", "r5"]
    busy.release.set()
    await bench.runtime.wait("r5", 5)
    kept = said(bench)
    assert kept[1].startswith(HEAD) and "- word 2" in kept[1] and "- word 3" in kept[1] and kept[2] == "word 5"
    dropped = await bench.runtime.wait("r2", 1)
    assert dropped is not None and (dropped.status, dropped.stop_reason) == ("aborted", "summarized")


async def test_drop_new_refuses_and_drop_old_forgets(bench: Bench, busy: Held) -> None:
    bench.config = queue(mode="followup", cap=1, drop="new")
    await start(bench, busy)
    await bench.runtime.submit(bench.request("r2", "two", queue="session"))
    with pytest.raises(OpenClawError, match="waiting"):
        await bench.runtime.submit(bench.request("r3", "three", queue="session"))
    bench.config = queue(mode="followup", cap=1, drop="old")
    await bench.runtime.submit(bench.request("r4", "four", queue="session"))
    dropped = await bench.runtime.wait("r2", 1)
    assert dropped is not None and dropped.stop_reason == "dropped" and bench.runtime.queued("main") == ["r4"]
    busy.release.set()


async def test_a_waiting_message_can_be_taken_back(bench: Bench, busy: Held) -> None:
    await start(bench, busy)
    await bench.runtime.submit(bench.request("r2", "two", queue="session"))
    assert bench.runtime.abort("main", "r2") == ["r2"]
    outcome = await bench.runtime.wait("r2", 1)
    assert outcome is not None and outcome.status == "aborted" and said(bench) == ["one"]
    busy.release.set()


async def test_a_queued_message_waits_for_silence(bench: Bench, busy: Held) -> None:
    bench.config = queue(debounceMs=500)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        for _ in range(int(seconds * 1000)):
            bench.clock()

    bench.runtime._sleep = sleep
    await start(bench, busy)
    await bench.runtime.submit(bench.request("r2", "two", queue="session"))
    busy.release.set()
    await bench.runtime.wait("r2", 5)
    assert slept and 0.3 < slept[0] <= 0.5


def test_queue_options() -> None:
    assert parse_options(["collect", "debounce:2s", "cap:5", "drop:new"]) == {
        "queue_mode": "collect",
        "queue_debounce_ms": 2_000,
        "queue_cap": 5,
        "queue_drop": "new",
    }
    assert parse_options(["debounce:250ms"]) == {"queue_debounce_ms": 250}
    assert set(parse_options(["reset"]).values()) == {None}
    with pytest.raises(ValueError, match="'sideways'"):
        parse_options(["sideways"])


async def test_the_session_wins_over_the_channel_and_the_channel_over_the_config(bench: Bench) -> None:
    assert rules_of(OpenClawConfig(), None) == QueueRules("steer", 500, 20, "summarize")
    config = queue(mode="followup", byChannel={"telegram": "collect"})
    bench.sessions.open("main")
    entry = bench.sessions.update("main", channel="telegram")
    assert rules_of(config, entry).mode == "collect"
    assert rules_of(config, bench.sessions.update("main", queue_mode="interrupt", queue_cap=3)).cap == 3
