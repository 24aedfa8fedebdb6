"""A runtime with subagents and a desk, whose time is moved by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from openclaw_kernel.agent.runtime import AgentRuntime
from openclaw_kernel.agent.subagents import Parts, Subagents
from openclaw_kernel.agent.subagents_desk import Desk
from openclaw_kernel.agent.subagents_rows import SubagentRow
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import ModelCall
from openclaw_kernel.tools.sessions_api import Caller, Task
from openclaw_kernel.values.messages import AssistantMessage, Text, UserMessage
from tests.unit.agent.conftest import Bench, Held, say

MAIN = "agent:main:main"
HURRY: dict[str, Any] = {"messages": {"queue": {"debounceMs": 0}}}


class House:
    """A bench with subagents on it; `naps` are the pauses that were asked for, each over when the test says so."""

    def __init__(self, bench: Bench, **config: Any) -> None:
        self.bench = bench
        self.bench.config = OpenClawConfig.model_validate({**HURRY, **config})
        self.now = 1_795_000_000_000
        self.naps: list[float] = []
        self._wake = asyncio.Event()
        self.agents = ["main", "other"]
        self.left: list[AgentRuntime] = []
        self.told: list[tuple[str, str]] = []
        self.open()

    def open(self) -> None:
        parts = Parts(
            config=lambda: self.bench.config,
            runtime=self.bench.runtime,
            sessions=self.bench.sessions,
            resolve=self.bench.models.resolve,
            agents=lambda: self.agents,
            clock=lambda: self.now,
            new_id=iter(f"id-{number}-{len(self.told)}-{id(self)}" for number in range(10_000)).__next__,
            tell=lambda key, reason: self.told.append((key, reason)),
            sleep=self._nap,
        )
        self.subagents = Subagents(self.bench.state / "subagents.jsonl", parts)
        self.desk = Desk(parts, self.subagents)
        self.bench.runtime.on_abort.append(self.subagents.stopped)
        self.bench.runtime.also_ends.append(self.subagents.clients)
        self.bench.sessions.open(MAIN)

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self._wake.clear()
        await self._wake.wait()

    def pass_time(self, seconds: float) -> None:
        self.now += round(seconds * 1000)
        self._wake.set()

    async def restart(self) -> None:
        """As after a crash: what was in memory is gone, what was on disk is read again."""
        await self.subagents.close()
        self.left.append(self.bench.runtime)
        self.bench.open()
        self.open()
        await self.bench.runtime.recover()
        self.subagents.start()

    # --- short words

    def rows(self) -> list[SubagentRow]:
        return self.subagents._rows.rows()

    async def spawn(self, text: str = "count", key: str = MAIN, run: str = "r0", guest: bool = False, **more: Any) -> Any:
        return await self.desk.spawn(Caller(key, more.pop("agent", "main"), run, guest), Task(text, **more))

    async def until(self, ready: Any) -> None:
        async with asyncio.timeout(10):
            while not ready():  # noqa: ASYNC110
                await asyncio.sleep(0)

    def said(self, key: str = MAIN) -> list[str]:
        """What users and the house said in a session."""
        stored = self.bench.sessions.open(key).transcript.messages()
        return ["".join(p.text for p in it.message.content if isinstance(p, Text)) for it in stored if _is_user(it.message)]

    def results(self, key: str = MAIN) -> list[str]:
        return [text for text in self.said(key) if text.startswith("[Subagent ")]


def _is_user(message: object) -> bool:
    return isinstance(message, UserMessage)


@asynccontextmanager
async def house(path: Path, **config: Any) -> AsyncIterator[House]:
    this = House(Bench(path), **config)
    try:
        yield this
    finally:
        await this.subagents.close()
        for runtime in (*this.left, this.bench.runtime):
            await runtime.close(grace_s=0)


class Minds:
    """A model that answers each session by itself: subagents with `child`, everybody else with `parent`."""

    def __init__(self, bench: Bench) -> None:
        self.held: dict[str, Held] = {}
        self.parent: list[Any] = []
        self.child: Any = say("42")
        bench.models.default = self

    async def __call__(self, call: ModelCall, emit: Any, signal: Any) -> AssistantMessage:
        key = call.session_key
        if key in self.held:
            return await self.held[key](call, emit, signal)
        if ":subagent:" in key:
            step = self.child.pop(0) if isinstance(self.child, list) else self.child
            return await step(call, emit, signal)
        step = self.parent.pop(0) if self.parent else say("noted")
        return await step(call, emit, signal)
