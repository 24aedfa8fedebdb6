"""The models of a gateway with one scripted provider, `paid`, under a clock of the test's own. US dollars a million tokens:
100 in, 1,000 out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Account, Model, ModelCall, ModelCost, ModelStream, Prompt
from openclaw_kernel.models.budget import Reached
from openclaw_kernel.models.catalogue import Vendor
from openclaw_kernel.models.service import Models
from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import AssistantMessage, Text, UserMessage
from openclaw_kernel.values.stream import AbortSignal, EventStream

NOON_MS = 1_795_003_200_000
PAID = Model("m", "paid", "openai-completions", max_output_tokens=100_000, cost=ModelCost(100, 1_000))
CHEAP = replace(PAID, id="free", cost=ModelCost())


@dataclass
class Scripted:
    """`tool` makes every answer a call of that tool. Every answer uses `used` tokens, however long it is."""

    state_dir: Path | None = None
    config: dict[str, Any] = field(default_factory=dict)
    used: tuple[int, int] = (1_000, 100)
    tool: str = ""
    now: int = NOON_MS
    sent: list[ModelCall] = field(default_factory=list)
    reached: list[Reached] = field(default_factory=list)
    arrivals: asyncio.Queue[ModelCall] = field(default_factory=asyncio.Queue)
    during: Callable[[], Any] = lambda: None

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """A new process on the same state."""
        self.settings = OpenClawConfig.model_validate(self.config)
        self.models = Models(
            self.settings, Secrets(self.settings, {}), env={}, clock=lambda: self.now, state_dir=self.state_dir
        )
        self.models.extend(Vendor("paid", "openai-completions", "http://paid.test"), (PAID, CHEAP), lambda: self)
        self.models.on_budget.append(self.reached.append)

    def stream(self, call: ModelCall) -> ModelStream:
        async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
            self.sent.append(call)
            self.arrivals.put_nowait(call)
            waited = self.during()
            if waited is not None:
                await waited
            answer = Answer(call.model, emit, lambda: self.now)
            answer.start()
            answer.count(input=self.used[0], output=self.used[1])
            if self.tool:
                answer.tool("t", id=f"call_{len(self.sent)}", name=self.tool, delta=f'{{"text": "{len(self.sent)}"}}')
            else:
                answer.text("an answer")
            return answer.done()

        return EventStream(produce)

    async def ask(self, model: Model = PAID, words: str = "hi", **account: Any) -> AssistantMessage:
        who = Account(**({"session_key": "s", "session_id": "s1", "run_id": "r"} | account))
        said = (UserMessage((Text(words),), 0),)
        return await self.models.stream(ModelCall(self.models.resolve(model.ref), Prompt(), said, account=who)).result()
