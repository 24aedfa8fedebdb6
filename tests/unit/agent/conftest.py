"""A whole runtime on a temporary folder, with a model that says what the test wrote down."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.agent.runtime import AgentRuntime
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import Model, ModelCall, ModelStream
from openclaw_kernel.models.service import UnknownModel
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.tools.api import Tool, ToolContext, ToolResult, text_result
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.events import AgentEvent, RunEvent, TextDelta
from openclaw_kernel.values.messages import AssistantMessage, ModelFailure, Text, ToolCall, Usage, UserMessage
from openclaw_kernel.values.stream import AbortSignal, EventStream

SECRET = "sk-ant-abcdefghijklmnopqrstuvwx"

Step = Callable[[ModelCall, Callable[[Any], None], AbortSignal], Awaitable[AssistantMessage]]


def answer(text: str, *calls: ToolCall) -> AssistantMessage:
    content = ((Text(text),) if text else ()) + calls
    stop = "toolUse" if calls else "stop"
    return AssistantMessage(content, 1_000, "offline", "fake", "m", Usage(input=10, output=5), stop)  # type: ignore[arg-type]


def say(text: str, *calls: ToolCall) -> Step:
    """Streams `text` word by word, then ends with it and the calls."""

    async def step(_call: ModelCall, emit: Callable[[Any], None], _signal: AbortSignal) -> AssistantMessage:
        for word in text.split(" "):
            emit(TextDelta(0, word if word == text.split(" ")[0] else f" {word}"))
        return answer(text, *calls)

    return step


def fail(sentence: str, *, after: str = "") -> Step:
    async def step(_call: ModelCall, emit: Callable[[Any], None], _signal: AbortSignal) -> AssistantMessage:
        if after:
            emit(TextDelta(0, after))
        content = (Text(after),) if after else ()
        failure = ModelFailure(sentence, "rate_limit", 429)
        return AssistantMessage(content, 1_000, "offline", "fake", "m", stop_reason="error", error=failure)

    return step


@dataclass
class Held:
    """A model call that waits until the test lets it go on, or until it is aborted."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    text: str = "half"
    deaf: bool = False

    async def __call__(self, _call: ModelCall, emit: Callable[[Any], None], signal: AbortSignal) -> AssistantMessage:
        emit(TextDelta(0, self.text))
        self.reached.set()
        waits = [asyncio.ensure_future(self.release.wait())]
        if not self.deaf:
            waits.append(asyncio.ensure_future(signal.wait()))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if signal.aborted:
            return AssistantMessage((Text(self.text),), 1_000, "offline", "fake", "m", stop_reason="aborted")
        return answer(self.text)


class FakeModels:
    """Answers each call with the next step; repeats `default` when the script is over."""

    def __init__(self) -> None:
        self.model = Model("m", "fake", "offline")
        self.script: list[Step] = []
        self.default: Step = say("ok")
        self.calls: list[ModelCall] = []

    def resolve(self, ref: str | None, agent_id: str = "main") -> Model:
        if ref not in (None, "fake/m"):
            raise UnknownModel(str(ref), f"Model {ref!r} is not known.", ())
        return self.model

    async def measured(self, model: Model) -> Model:
        return model

    def fallbacks(self, agent_id: str = "main") -> list[Model]:
        return []

    def stream(self, call: ModelCall) -> ModelStream:
        self.calls.append(call)
        step = self.script.pop(0) if self.script else self.default
        return EventStream(lambda emit, signal: step(call, emit, signal))


class Words(BaseModel):
    text: str = ""


class Command(BaseModel):
    command: str


@dataclass
class Bench:
    """Everything a test touches."""

    state: Path
    config: OpenClawConfig = field(default_factory=OpenClawConfig)
    models: FakeModels = field(default_factory=FakeModels)
    tools: list[Tool] = field(default_factory=list)
    events: list[RunEvent] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ticks = itertools.count(1_795_000_000_000)
        self.tool("look", read_only=True)
        self.tool("touch")
        self.open()

    def tool(self, name: str, run: Any = None, parameters: type[BaseModel] = Words, **declared: Any) -> None:
        async def default(arguments: Any, context: ToolContext) -> ToolResult:
            self.ran.append(name)
            return text_result(f"{name}: {getattr(arguments, 'text', '')}")

        self.tools.append(Tool(name, f"The tool {name}.", parameters, run or default, **declared))

    def open(self) -> None:
        """A new process on the same state directory."""
        self.sessions = Sessions(self.state, self.clock)
        self.approvals = Approvals(self.state / "approvals.jsonl", self.state / "exec-approvals.jsonl")
        self.runtime = AgentRuntime(
            config=lambda: self.config,
            models=self.models,  # type: ignore[arg-type]
            toolbox=lambda _agent: Toolbox(self.tools),
            sessions=self.sessions,
            approvals=self.approvals,
            redactor=Redactor(),
            state_dir=self.state,
            sink=self.events.append,
            clock=self.clock,
        )

    def clock(self) -> int:
        return next(self._ticks)

    def request(self, run_id: str = "r1", text: str = "hello", **more: Any) -> RunRequest:
        return RunRequest(run_id, more.pop("key", "main"), UserMessage((Text(text),), 1_000), **more)

    async def run(self, run_id: str = "r1", text: str = "hello", **more: Any) -> Any:
        await self.runtime.submit(self.request(run_id, text, **more))
        outcome = await self.runtime.wait(run_id, 10)
        assert outcome is not None
        return outcome

    def told(self, kind: type[AgentEvent], run_id: str = "r1") -> list[Any]:
        return [event.event for event in self.events if event.run_id == run_id and isinstance(event.event, kind)]

    def history(self, key: str = "main") -> list[dict[str, Any]]:
        return self.sessions.history(key).messages


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.runtime.close(grace_s=0)
