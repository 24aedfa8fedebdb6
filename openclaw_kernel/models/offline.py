"""`builtin/offline`: a small stand-in that needs no key and no network (MOD-05).

It is no language model. It knows a fixed set of phrases, turns some of them into real tool calls and says so when asked.
It is deterministic: the same call gives the same events.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator

import orjson

from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Model, ModelCall, ModelStream
from openclaw_kernel.models.offline_phrases import Say, Use, called_skill, understand
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import AssistantMessage, Message, Text, ToolResultMessage, UserMessage
from openclaw_kernel.values.stream import AbortSignal, EventStream

OFFLINE = Model(
    id="offline",
    provider="builtin",
    api="offline",
    name="Built-in stand-in (no key needed)",
    context_window=32_000,
    max_output_tokens=1_024,
)
RESULT_LIMIT = 1_200  # characters of a tool result that are repeated to the reader
_WORD = re.compile(r"\S+\s*|\s+")
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Offline:
    """The provider. Every word is one delta; between words other tasks get their turn."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock

    def stream(self, call: ModelCall) -> ModelStream:
        async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
            return await self._produce(call, Answer(call.model, emit, self._clock), signal)

        return EventStream(produce)

    async def _produce(self, call: ModelCall, answer: Answer, signal: AbortSignal) -> AssistantMessage:
        answer.start()
        reply = reply_to(call)
        text = orjson.dumps(reply.arguments).decode() if isinstance(reply, Use) else reply.text
        answer.count(input=_input_tokens(call), output=count_tokens(text))
        if isinstance(reply, Use):
            answer.tool("call", id=f"offline_{len(call.messages)}", name=reply.tool, delta=text)
            await asyncio.sleep(0)
        else:
            for word in _WORD.findall(reply.text):
                if signal.aborted:
                    break
                answer.text(word)
                await asyncio.sleep(0)
        return answer.abort(signal.reason) if signal.aborted else answer.done()


def reply_to(call: ModelCall) -> Say | Use:
    """What the stand-in does next: answer a person, or sum up the tool results that came back."""
    results = _trailing_results(call.messages)
    if results:
        return Say("\n\n".join(_summary(result) for result in results))
    text, tools = _last_user_text(call.messages), frozenset(tool.name for tool in call.tools)
    return (called_skill(text, _said(call.messages), tools) if text.startswith("/") else None) or understand(text, tools)


def count_tokens(text: str) -> int:
    """Words and punctuation marks: not a model's tokens, but an honest size."""
    return len(_TOKEN.findall(text))


def _input_tokens(call: ModelCall) -> int:
    texts = [part.text for message in call.messages for part in message.content if isinstance(part, Text)]
    return count_tokens(call.prompt.text) + sum(map(count_tokens, texts))


def _trailing_results(messages: tuple[Message, ...]) -> list[ToolResultMessage]:
    results: list[ToolResultMessage] = []
    for message in reversed(messages):
        if not isinstance(message, ToolResultMessage):
            break
        results.append(message)
    return results[::-1]


def _last_user_text(messages: tuple[Message, ...]) -> str:
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            return "\n".join(part.text for part in message.content if isinstance(part, Text)).strip()
    return ""


def _said(messages: tuple[Message, ...]) -> Iterator[str]:
    """What people and tools said, oldest first."""
    for message in messages:
        if isinstance(message, UserMessage | ToolResultMessage):
            yield from (part.text for part in message.content if isinstance(part, Text))


def _summary(result: ToolResultMessage) -> str:
    text = "".join(part.text for part in result.content if isinstance(part, Text)).strip()
    if len(text) > RESULT_LIMIT:
        text = f"{text[:RESULT_LIMIT]}… ({len(text) - RESULT_LIMIT} more characters)"
    if result.is_error:
        return f"That did not work: `{result.tool_name}` said: {text or 'nothing more'}"
    match result.tool_name:
        case "memory_append":
            return f"Noted. {text}".strip()
        case "memory_search":
            return f"This is what I found in memory:\n\n{text}" if text else "I found nothing about that in memory."
        case "exec" | "python":
            return f"It ran. Output:\n\n```\n{text}\n```" if text else "It ran and printed nothing."
        case _:
            return text or f"`{result.tool_name}` finished and returned nothing."
