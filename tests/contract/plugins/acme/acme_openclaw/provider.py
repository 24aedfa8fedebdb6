"""A model that repeats, and calls the weather tool when it hears of weather."""

from __future__ import annotations

from collections.abc import Callable

from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Model, ModelCall, ModelStream
from openclaw_kernel.models.catalogue import Vendor
from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import AssistantMessage, Text, ToolResultMessage
from openclaw_kernel.values.stream import AbortSignal, EventStream

VENDOR = Vendor("acme", "openai-completions", "")
VOICE = Model(id="parrot", provider="acme", api="openai-completions", name="Parrot")


class Parrot:
    def stream(self, call: ModelCall) -> ModelStream:
        async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
            answer = Answer(call.model, emit)
            answer.start()
            last = call.messages[-1]
            heard = "".join(part.text for part in last.content if isinstance(part, Text))
            known = {tool.name for tool in call.tools}
            if isinstance(last, ToolResultMessage):
                answer.text(f"Acme says: {heard}")
            elif "weather" in heard and "acme_weather" in known:
                answer.tool("call", id=f"acme{len(call.messages)}", name="acme_weather", delta='{"city": "Berlin"}')
            else:
                answer.text(f"Acme heard: {heard}")
            return answer.done()

        return EventStream(produce)
