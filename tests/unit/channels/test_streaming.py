"""A long answer goes out in blocks while it is made; its end says only what is left (AGT-14, AGT-15)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.agent.api import Outcome
from openclaw_kernel.values.events import MessageDelta, MessageEnded, MessageStarted, RunEvent, ToolStarted
from openclaw_kernel.values.messages import AssistantMessage, Text, ToolCall
from tests.unit.channels.test_pipeline import _copy as copy_ledgers
from tests.unit.channels.world import CAPS, FakePlatform, FakeRuntime, FakeTime, World, message, outcome, settle, until, world

OPEN = {"dmPolicy": "open", "allowFrom": ["*"]}
CAN = replace(CAPS, block_streaming=True)
ON: dict[str, Any] = {"defaults": {"blockStreamingDefault": "on", "blockStreamingChunk": {"minChars": 20, "maxChars": 60}}}
ONE = "The first paragraph is here."
TWO = "And the second one follows."


def run_of(runtime: FakeRuntime) -> Callable[[Any], None]:
    """Plays events of the one run."""
    run_id = runtime.requests[0].run_id
    return lambda event: runtime.heard(RunEvent(run_id, "k", "main", 1, event))


class Runtime(FakeRuntime):
    """Several may listen to a run."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.hold: asyncio.Event = asyncio.Event()
        self.all: list[Callable[[RunEvent], None]] = []

    def listen(self, run_id: str, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        self.all.append(listener)
        return lambda: self.all.remove(listener)

    async def wait(self, run_id: str, timeout_s: float | None = None) -> Outcome | None:
        if timeout_s != 0:
            await self.hold.wait()
        return await super().wait(run_id, timeout_s)

    def heard(self, event: RunEvent) -> None:
        for listener in tuple(self.all):
            listener(event)


def ended(text: str, stop_reason: Any = "stop") -> MessageEnded:
    return MessageEnded("i", AssistantMessage((Text(text),), 0, "fake", "fake", "fake", stop_reason=stop_reason))


async def begun(found: World, runtime: Runtime) -> Callable[[Any], None]:
    await found.says(message("tell me"))
    await until(lambda: runtime.requests)
    await settle()
    return run_of(runtime)


async def test_blocks_go_out_at_a_pause_and_the_end_says_the_rest_once(tmp_path: Path, time: FakeTime) -> None:
    runtime = Runtime(lambda _request: f"{ONE}\n\n{TWO}\n\n*A notice.*")
    async with world(tmp_path, OPEN, time=time, runtime=runtime, caps=CAN, agents=ON) as found:
        hear = await begun(found, runtime)
        hear(MessageStarted("i"))
        hear(MessageDelta("i", f"{ONE}\n\nAnd"))
        await time.advance(0.9)
        assert found.sent == []
        await time.advance(0.2)
        assert found.sent == [ONE]
        hear(MessageDelta("i", TWO[3:]))
        hear(ended(f"{ONE}\n\n{TWO}"))
        await time.advance(0.1)
        assert found.sent == [ONE, TWO]
        runtime.hold.set()
        await until(lambda: len(found.sent) == 3)
        await time.advance(5)
        assert found.sent == [ONE, TWO, "A notice."]


async def test_words_before_a_tool_are_messages_too(tmp_path: Path, time: FakeTime) -> None:
    runtime = Runtime(lambda _request: TWO)
    async with world(tmp_path, OPEN, time=time, runtime=runtime, caps=CAN, agents=ON) as found:
        hear = await begun(found, runtime)
        for event in (
            MessageStarted("i"),
            MessageDelta("i", "I look."),
            ended("I look."),
            ToolStarted(ToolCall("c", "t", {}), ""),
        ):
            hear(event)
        for event in (MessageStarted("j"), MessageDelta("j", TWO), ended(TWO)):
            hear(event)
        runtime.hold.set()
        await until(lambda: len(found.sent) == 2)
        await time.advance(5)
        assert found.sent == ["I look.", TWO]


async def test_at_the_end_of_a_message_and_not_before_if_so_wanted(tmp_path: Path, time: FakeTime) -> None:
    runtime = Runtime(lambda _request: f"{ONE}\n\n{TWO}")
    agents = {"defaults": {**ON["defaults"], "blockStreamingBreak": "message_end"}}
    async with world(tmp_path, OPEN, time=time, runtime=runtime, caps=CAN, agents=agents) as found:
        hear = await begun(found, runtime)
        hear(MessageStarted("i"))
        hear(MessageDelta("i", f"{ONE}\n\n{TWO}"))
        await time.advance(5)
        assert found.sent == []
        hear(ended(f"{ONE}\n\n{TWO}"))
        runtime.hold.set()
        await until(lambda: found.sent)
        await time.advance(5)
        assert found.sent == [f"{ONE}\n\n{TWO}"]


@pytest.mark.parametrize("why", ["off", "account", "platform"])
async def test_it_is_off_unless_config_and_platform_have_it(tmp_path: Path, time: FakeTime, why: str) -> None:
    runtime = Runtime(lambda _request: f"{ONE}\n\n{TWO}")
    block = {**OPEN, "blockStreaming": False} if why == "account" else OPEN
    settings: dict[str, Any] = {} if why == "off" else {"agents": ON}
    caps = CAPS if why == "platform" else CAN
    async with world(tmp_path, block, time=time, runtime=runtime, caps=caps, **settings) as found:
        hear = await begun(found, runtime)
        hear(MessageStarted("i"))
        hear(MessageDelta("i", f"{ONE}\n\n{TWO}"))
        await time.advance(5)
        assert found.sent == []
        runtime.hold.set()
        await until(lambda: found.sent == [f"{ONE}\n\n{TWO}"])


async def test_an_aborted_answer_says_nothing_more(tmp_path: Path, time: FakeTime) -> None:
    runtime = Runtime()
    async with world(tmp_path, OPEN, time=time, runtime=runtime, caps=CAN, agents=ON) as found:
        hear = await begun(found, runtime)
        hear(MessageStarted("i"))
        hear(MessageDelta("i", f"{ONE}\n\nAnd the"))
        await time.advance(2)
        hear(ended(f"{ONE}\n\nAnd the", "aborted"))
        runtime.done[runtime.requests[0].run_id] = outcome(runtime.requests[0], "", "aborted", "stop")
        runtime.hold.set()
        await time.advance(5)
        assert found.sent == [ONE]


async def test_after_a_crash_the_rest_is_said_and_nothing_twice(tmp_path: Path, time: FakeTime) -> None:
    runtime, whole = Runtime(), f"{ONE}\n\n{TWO}"
    async with world(tmp_path / "a", OPEN, time=time, runtime=runtime, caps=CAN, agents=ON) as found:
        hear = await begun(found, runtime)
        hear(MessageStarted("i"))
        hear(MessageDelta("i", f"{ONE}\n\nAnd"))
        await time.advance(2)
        assert found.sent == [ONE]
        await asyncio.to_thread(copy_ledgers, tmp_path / "a", tmp_path / "b")
    after, platform = FakeRuntime(), FakePlatform()
    after.done[runtime.requests[0].run_id] = outcome(runtime.requests[0], whole)
    async with world(tmp_path / "b", OPEN, time=time, runtime=after, platform=platform, caps=CAN, agents=ON) as again:
        await until(lambda: again.sent)
        await time.advance(5)
        assert again.sent == [TWO]
