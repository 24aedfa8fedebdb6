"""The OpenAI Chat Completions format, through the `openai` SDK and to any address that speaks it (MOD-03).

Vendors differ in small things; `Model.compat` says which: `maxTokensField`, `supportsDeveloperRole`, `supportsReasoningEffort`,
`reasoningEfforts`, `supportsUsageInStreaming`, `replayThinking`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import orjson

from openclaw_kernel.models import failures
from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Model, ModelCall, ToolSpec
from openclaw_kernel.models.conversation import Conversations
from openclaw_kernel.models.effort import reasoning_effort
from openclaw_kernel.models.fragments import Fragments
from openclaw_kernel.models.history import file_note, image_note, paired, safe_id
from openclaw_kernel.models.sdk import Name
from openclaw_kernel.models.spoken_calls import spoken_calls
from openclaw_kernel.values.messages import (
    AssistantMessage,
    FileRef,
    Image,
    Message,
    Part,
    StopReason,
    Text,
    Thinking,
    ToolCall,
    ToolResultMessage,
)

Json = dict[str, Any]

STOP_REASONS: Mapping[str, StopReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "toolUse",
    "function_call": "toolUse",
}
THINKING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text")
"""Where servers put thinking: DeepSeek and vLLM, OpenRouter and Ollama, llama.cpp."""


class OpenAICompletions:
    """Encodes calls; keeps the encoded form of messages and tools."""

    sdk: Name = "openai"
    path = "/chat/completions"

    def __init__(self) -> None:
        self._messages: Fragments[Message, tuple[bytes, tuple[bytes, ...]]] = Fragments(_size)
        self._tools: Fragments[tuple[ToolSpec, ...], bytes] = Fragments(len)
        self._sessions = Conversations()

    def headers(self, call: ModelCall) -> Mapping[str, str]:
        return {}

    def decoder(self, call: ModelCall, answer: Answer) -> CompletionsDecoder:
        return CompletionsDecoder(call, answer)

    def encode(self, call: ModelCall) -> bytes:
        body = [orjson.dumps(_head(call))[:-1], b',"messages":[', self._conversation(call), b"]"]
        if call.tools:
            body += [b',"tools":', self._tools.get(call.tools, None, _encode_tools)]
        body.append(b"}")
        return b"".join(body)

    def _conversation(self, call: ModelCall) -> bytes:
        model = call.model
        variant = (model.ref, "image" in model.input)

        def encode(messages: Sequence[Message]) -> list[bytes]:
            return self._turns(messages, model, variant)

        turns: list[bytes] = []
        if call.prompt.text:
            developer = model.reasoning and model.compat.get("supportsDeveloperRole", True)
            turns.append(orjson.dumps({"role": "developer" if developer else "system", "content": call.prompt.text}))
        head, rest = self._sessions.split(call.session_key, variant, call.messages, encode)
        return b",".join(turns + head + encode(rest))

    def _turns(self, messages: Sequence[Message], model: Model, variant: Hashable) -> list[bytes]:
        """Images of tool results follow their batch in a user message: the tool role takes text only."""
        turns: list[bytes] = []
        pictures: list[bytes] = []
        for message in paired(messages):
            if pictures and not isinstance(message, ToolResultMessage):
                turns.append(_picture_turn(pictures))
                pictures = []
            turn, images = self._messages.get(message, variant, lambda m: _encode_message(m, model))
            if turn:
                turns.append(turn)
            pictures += images
        if pictures:
            turns.append(_picture_turn(pictures))
        return turns


class CompletionsDecoder:
    """Reads `chat.completion.chunk` objects."""

    def __init__(self, call: ModelCall, answer: Answer) -> None:
        self.complete = False
        self._model = call.model
        self._tools = frozenset(tool.name for tool in call.tools)
        self._answer = answer
        self._call_keys: dict[int, tuple[str, int, str]] = {}

    def feed(self, event: Mapping[str, Any]) -> None:
        if event.get("error"):
            raise failures.ProviderError(failures.from_event(self._model, event["error"]))
        if self._answer.response_id is None:
            self._answer.response_id = event.get("id")
        if event.get("usage"):
            self._count(event["usage"])
        for choice in event.get("choices") or ():
            if delta := choice.get("delta"):
                self._delta(delta)
            if reason := choice.get("finish_reason"):
                self._stopped(reason)

    def end(self) -> None:
        """A small model may write its tool call as text (MOD-21)."""
        answer = self._answer
        if answer.has_tool_calls or not self._tools:
            return
        for number, (name, arguments) in enumerate(spoken_calls(answer.whole_text(), self._tools)):
            answer.drop_text()
            key = ("spoken", number)
            answer.tool(key, id=f"{safe_id(answer.response_id or 'call')[:48]}_{number}", name=name, delta=arguments)
            answer.close(key)
            answer.stop_reason = "toolUse"

    def _delta(self, delta: Mapping[str, Any]) -> None:
        answer = self._answer
        for field in THINKING_FIELDS:
            if isinstance(thought := delta.get(field), str) and thought:
                answer.thinking(thought, "thinking", {"field": field})
                break
        if content := delta.get("content") or delta.get("refusal"):
            answer.close("thinking")
            answer.text(content)
        for piece in delta.get("tool_calls") or ():
            self._tool_piece(piece)

    def _tool_piece(self, piece: Mapping[str, Any]) -> None:
        """A call is known by its index; a server that repeats an index with another id begins another call."""
        index = piece.get("index") or 0
        function = piece.get("function") or {}
        id = piece.get("id") or ""
        key = self._call_keys.get(index)
        if key is None or (id and key[2] and id != key[2]):
            key = self._call_keys[index] = ("tool", index, id)
            self._answer.close_others(key)
            self._answer.tool(key, id=id, name=function.get("name") or "")
        if arguments := function.get("arguments"):
            text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
            self._answer.tool(key, delta=text)

    def _stopped(self, reason: str) -> None:
        self.complete = True
        if reason == "content_filter":
            self._answer.failure = failures.refusal(self._model)
        else:
            self._answer.stop_reason = STOP_REASONS.get(reason, "stop")

    def _count(self, usage: Mapping[str, Any]) -> None:
        details = usage.get("prompt_tokens_details") or {}
        cached = int(details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0)
        written = int(details.get("cache_write_tokens") or 0)
        self._answer.count(
            input=max(0, int(usage.get("prompt_tokens") or 0) - cached - written),
            output=int(usage.get("completion_tokens") or 0),
            cache_read=cached,
            cache_write=written,
        )


def _size(form: tuple[bytes, tuple[bytes, ...]]) -> int:
    return len(form[0]) + sum(map(len, form[1]))


def _head(call: ModelCall) -> Json:
    model = call.model
    limit = min(call.max_output_tokens or model.max_output_tokens, model.max_output_tokens)
    head: Json = {
        "model": model.id,
        "stream": True,
        str(model.compat.get("maxTokensField", "max_completion_tokens")): limit,
    }
    if model.compat.get("supportsUsageInStreaming", True):
        head["stream_options"] = {"include_usage": True}
    if effort := reasoning_effort(model, call.thinking):
        head["reasoning_effort"] = effort
    return head


def _encode_tools(tools: tuple[ToolSpec, ...]) -> bytes:
    return orjson.dumps(
        [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in tools
        ]
    )


def _picture_turn(pictures: list[bytes]) -> bytes:
    text = orjson.dumps({"type": "text", "text": "Images from the tool results above:"})
    return b'{"role":"user","content":[' + b",".join([text, *pictures]) + b"]}"


def _encode_message(message: Message, model: Model) -> tuple[bytes, tuple[bytes, ...]]:
    """One turn, and the images of a tool result apart."""
    if isinstance(message, AssistantMessage):
        turn = _assistant(message, model)
        return (orjson.dumps(turn) if turn else b""), ()
    if isinstance(message, ToolResultMessage):
        shown = tuple(part for part in message.content if isinstance(part, Image) and "image" in model.input)
        texts = [_as_text(part) for part in message.content if part not in shown]
        text = "\n".join(text for text in texts if text) or ("(see the image below)" if shown else "(nothing)")
        result = {"role": "tool", "tool_call_id": safe_id(message.tool_call_id), "content": text}
        return orjson.dumps(result), tuple(orjson.dumps(_picture(part)) for part in shown)
    if all(isinstance(part, Text | FileRef) for part in message.content):
        text = "\n".join(_as_text(part) for part in message.content)
        return orjson.dumps({"role": "user", "content": text}), ()
    blocks = [_user_block(part, model) for part in message.content]
    return orjson.dumps({"role": "user", "content": blocks}), ()


def _assistant(message: AssistantMessage, model: Model) -> Json | None:
    turn: Json = {"role": "assistant", "content": message.text or None}
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": safe_id(call.id),
                "type": "function",
                "function": {"name": call.name, "arguments": orjson.dumps(dict(call.arguments)).decode()},
            }
            for call in message.tool_calls
        ]
    own = (message.provider, message.model) == (model.provider, model.id)
    if own and model.compat.get("replayThinking"):
        for part in message.content:
            if isinstance(part, Thinking) and part.provider and "field" in part.provider:
                turn[part.provider["field"]] = turn.get(part.provider["field"], "") + part.text
    return turn if message.text or message.tool_calls else None


def _user_block(part: Part, model: Model) -> Json:
    if isinstance(part, Image) and "image" in model.input:
        return _picture(part)
    return {"type": "text", "text": _as_text(part)}


def _picture(part: Image) -> Json:
    return {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{part.data}"}}


def _as_text(part: Part) -> str:
    match part:
        case Text() | Thinking():
            return part.text
        case Image():
            return image_note(part.media_type)
        case FileRef():
            return file_note(part)
        case ToolCall():
            return ""
