"""The Anthropic Messages format (https://docs.anthropic.com/en/api/messages), through the `anthropic` SDK.

Prompt caching marks three places: the end of the stable prompt, the last tool and the last user message (MOD-16).
Thinking goes back with its signature, unchanged, and only to the model that wrote it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import orjson

from openclaw_kernel.models import failures
from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Model, ModelCall, ThinkingLevel, ToolSpec
from openclaw_kernel.models.conversation import Conversations
from openclaw_kernel.models.fragments import Fragments
from openclaw_kernel.models.history import file_note, image_note, paired, safe_id
from openclaw_kernel.models.sdk import Name
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

BUDGETS: Mapping[ThinkingLevel, int] = {
    "minimal": 1_024,
    "low": 4_096,
    "medium": 10_240,
    "high": 20_480,
    "adaptive": 10_240,
    "xhigh": 32_768,
    "max": 49_152,
    "ultra": 49_152,
}
"""Thinking tokens per level; 1,024 is the least the API takes."""
EFFORTS: Mapping[ThinkingLevel, str] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
    "ultra": "max",
}
"""`output_config.effort` per level for models that choose their own budget; `adaptive` leaves it to the model."""
STOP_REASONS: Mapping[str, StopReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "toolUse",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
OPENING = b'{"role":"user","content":[{"type":"text","text":"(The earlier part of this conversation is not shown.)"}]}'
"""The API wants a user message first; a shortened history may begin with an answer."""


class AnthropicMessages:
    """Encodes calls; keeps the encoded form of messages and tools."""

    sdk: Name = "anthropic"
    path = "/v1/messages"

    def __init__(self) -> None:
        self._messages: Fragments[Message, bytes] = Fragments(len)
        self._tools: Fragments[tuple[ToolSpec, ...], bytes] = Fragments(len)
        self._sessions = Conversations()

    def headers(self, call: ModelCall) -> Mapping[str, str]:
        if call.credential.startswith("sk-ant-oat"):
            return {"anthropic-beta": "oauth-2025-04-20"}
        return {}

    def decoder(self, call: ModelCall, answer: Answer) -> AnthropicDecoder:
        return AnthropicDecoder(call.model, answer)

    def encode(self, call: ModelCall) -> bytes:
        mark = _cache_mark(call.model)
        head: Json = {"model": call.model.id, "stream": True, **_limits(call)}
        if system := _system(call, mark):
            head["system"] = system
        body = [orjson.dumps(head)[:-1], b',"messages":[', self._conversation(call, mark), b"]"]
        if call.tools:
            tools = self._tools.get(call.tools, bool(mark), lambda specs: _encode_tools(specs, mark))
            body += [b',"tools":', tools]
        body.append(b"}")
        return b"".join(body)

    def _conversation(self, call: ModelCall, mark: Json | None) -> bytes:
        """The turns. The cache mark is in what follows the last cut, so what is kept never holds one."""
        model = call.model
        variant = (model.ref, "image" in model.input)

        def encode(messages: Sequence[Message]) -> list[bytes]:
            return self._turns(messages, model, variant, None)

        head, rest = self._sessions.split(call.session_key, variant, call.messages, encode)
        turns = head + self._turns(rest, model, variant, mark)
        if turns and turns[0].startswith(b'{"role":"assistant"'):
            turns.insert(0, OPENING)
        return b",".join(turns)

    def _turns(self, messages: Sequence[Message], model: Model, variant: Hashable, mark: Json | None) -> list[bytes]:
        """Messages of one role in a row become one: all results of a batch must stand in one user message."""
        runs: list[tuple[bytes, list[bytes]]] = []
        for message in paired(messages):
            blocks = self._messages.get(message, variant, lambda m: _encode_message(m, model))
            if not blocks:
                continue
            role = b"assistant" if isinstance(message, AssistantMessage) else b"user"
            if runs and runs[-1][0] == role:
                runs[-1][1].append(blocks)
            else:
                runs.append((role, [blocks]))
        if mark and runs and runs[-1][0] == b"user":
            last = runs[-1][1]
            last[-1] = last[-1][:-1] + b',"cache_control":' + orjson.dumps(mark) + b"}"
        return [b'{"role":"%b","content":[%b]}' % (role, b",".join(blocks)) for role, blocks in runs]


class AnthropicDecoder:
    """Reads `message_start` … `message_stop`."""

    def __init__(self, model: Model, answer: Answer) -> None:
        self.complete = False
        self._model = model
        self._answer = answer
        self._usage: Json = {}

    def feed(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "content_block_delta":
                self._delta(event["index"], event["delta"])
            case "content_block_start":
                self._block(event["index"], event["content_block"])
            case "content_block_stop":
                self._answer.close(event["index"])
            case "message_start":
                self._answer.response_id = event["message"].get("id")
                self._count(event["message"].get("usage"))
            case "message_delta":
                self._stopped(event.get("delta") or {})
                self._count(event.get("usage"))
            case "message_stop":
                self.complete = True
            case "error":
                raise failures.ProviderError(failures.from_event(self._model, event.get("error")))

    def end(self) -> None:
        pass

    def _block(self, index: int, block: Mapping[str, Any]) -> None:
        match block["type"]:
            case "text":
                self._answer.text(block.get("text", ""), index)
            case "thinking":
                self._answer.thinking(block.get("thinking", ""), index)
            case "redacted_thinking":
                self._answer.thinking("", index, {"redacted": block["data"]})
            case "tool_use":
                arguments = block.get("input")
                first = orjson.dumps(arguments).decode() if arguments else ""
                self._answer.tool(index, id=block["id"], name=block["name"], delta=first)

    def _delta(self, index: int, delta: Mapping[str, Any]) -> None:
        match delta["type"]:
            case "text_delta":
                self._answer.text(delta["text"], index)
            case "input_json_delta":
                self._answer.tool(index, delta=delta["partial_json"])
            case "thinking_delta":
                self._answer.thinking(delta["thinking"], index)
            case "signature_delta":
                self._answer.thinking("", index, {"signature": delta["signature"]})

    def _stopped(self, delta: Mapping[str, Any]) -> None:
        reason = delta.get("stop_reason")
        if reason == "refusal":
            self._answer.failure = failures.refusal(self._model)
        elif reason:
            self._answer.stop_reason = STOP_REASONS.get(reason, "stop")

    def _count(self, usage: Mapping[str, Any] | None) -> None:
        """Counts are cumulative, so a later one replaces an earlier one."""
        if not usage:
            return
        self._usage |= {name: value for name, value in usage.items() if isinstance(value, int)}
        self._answer.count(
            input=self._usage.get("input_tokens", 0),
            output=self._usage.get("output_tokens", 0),
            cache_read=self._usage.get("cache_read_input_tokens", 0),
            cache_write=self._usage.get("cache_creation_input_tokens", 0),
        )


def _cache_mark(model: Model) -> Json | None:
    """`cache_control` by `compat.cacheRetention`: none, short (5 minutes, the default) or long (an hour)."""
    match model.compat.get("cacheRetention", "short"):
        case "none":
            return None
        case "long":
            return {"type": "ephemeral", "ttl": "1h"}
        case _:
            return {"type": "ephemeral"}


def _limits(call: ModelCall) -> Json:
    """`max_tokens` and thinking. A thinking budget counts against `max_tokens`, so it leaves room for the answer."""
    model = call.model
    limit = min(call.max_output_tokens or model.max_output_tokens, model.max_output_tokens)
    style = model.compat.get("thinking", "budget")
    if not model.reasoning or (call.thinking == "off" and style != "adaptive"):
        return {"max_tokens": limit}
    if call.thinking == "off":  # newer models think unless told not to
        return {"max_tokens": limit, "thinking": {"type": "disabled"}}
    if style in ("adaptive", "always"):
        fields: Json = {"max_tokens": limit, "thinking": {"type": "adaptive"}}
        if effort := EFFORTS.get(call.thinking):
            fields["output_config"] = {"effort": effort}
        return fields
    budget = min(BUDGETS.get(call.thinking, 1_024), limit - 1_024)
    if budget < 1_024:
        return {"max_tokens": limit}
    return {"max_tokens": limit, "thinking": {"type": "enabled", "budget_tokens": budget}}


def _system(call: ModelCall, mark: Json | None) -> list[Json]:
    blocks: list[Json] = []
    if call.prompt.stable:
        blocks.append({"type": "text", "text": call.prompt.stable, **({"cache_control": mark} if mark else {})})
    if call.prompt.volatile:
        blocks.append({"type": "text", "text": call.prompt.volatile})
    return blocks


def _encode_tools(tools: tuple[ToolSpec, ...], mark: Json | None) -> bytes:
    entries: list[Json] = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in tools
    ]
    if mark:
        entries[-1]["cache_control"] = mark
    return orjson.dumps(entries)


def _encode_message(message: Message, model: Model) -> bytes:
    """The content blocks of one message, joined by commas; empty when nothing of it can be sent."""
    if isinstance(message, ToolResultMessage):
        content = [block for part in message.content if (block := _block(part, model, own=False))]
        result: Json = {"type": "tool_result", "tool_use_id": safe_id(message.tool_call_id), "content": content}
        if message.is_error:
            result["is_error"] = True
        return orjson.dumps(result)
    own = isinstance(message, AssistantMessage) and (message.provider, message.model) == (model.provider, model.id)
    blocks = [block for part in message.content if (block := _block(part, model, own))]
    return b",".join(orjson.dumps(block) for block in blocks)


def _block(part: Part, model: Model, own: bool) -> Json | None:
    """One content block; `own` says the part was written by the very model it goes to."""
    match part:
        case Text():
            return {"type": "text", "text": part.text} if part.text.strip() else None
        case Thinking():
            return _thinking(part) if own else None
        case ToolCall():
            return {"type": "tool_use", "id": safe_id(part.id), "name": part.name, "input": dict(part.arguments)}
        case Image():
            if "image" not in model.input:
                return {"type": "text", "text": image_note(part.media_type)}
            return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}
        case FileRef():
            return {"type": "text", "text": file_note(part)}


def _thinking(part: Thinking) -> Json | None:
    provider = part.provider or {}
    if "redacted" in provider:
        return {"type": "redacted_thinking", "data": provider["redacted"]}
    if "signature" in provider:
        return {"type": "thinking", "thinking": part.text, "signature": provider["signature"]}
    return None
