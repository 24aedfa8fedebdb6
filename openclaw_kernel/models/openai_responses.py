"""The OpenAI Responses format (https://platform.openai.com/docs/api-reference/responses), through the `openai` SDK.

Nothing is stored at the vendor (`store: false`); reasoning comes encrypted, rides on `Thinking.provider` and goes back
unchanged to the model that wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from openclaw_kernel.values.messages import (
    AssistantMessage,
    FileRef,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResultMessage,
)

Json = dict[str, Any]

MAX_CACHE_KEY = 64  # characters of `prompt_cache_key`
MIN_OUTPUT_TOKENS = 16  # the least `max_output_tokens` the API takes


class OpenAIResponses:
    """Encodes calls; keeps the encoded form of messages and tools."""

    sdk: Name = "openai"
    path = "/responses"

    def __init__(self) -> None:
        self._messages: Fragments[Message, bytes] = Fragments(len)
        self._tools: Fragments[tuple[ToolSpec, ...], bytes] = Fragments(len)
        self._sessions = Conversations()

    def headers(self, call: ModelCall) -> Mapping[str, str]:
        return {}

    def decoder(self, call: ModelCall, answer: Answer) -> ResponsesDecoder:
        return ResponsesDecoder(call.model, answer)

    def encode(self, call: ModelCall) -> bytes:
        model = call.model
        variant = (model.ref, "image" in model.input)

        def encode(messages: Sequence[Message]) -> list[bytes]:
            items = (self._messages.get(m, variant, lambda m: _encode_message(m, model)) for m in paired(messages))
            return [item for item in items if item]

        head, rest = self._sessions.split(call.session_key, variant, call.messages, encode)
        body = [orjson.dumps(_head(call))[:-1], b',"input":[', b",".join(head + encode(rest)), b"]"]
        if call.tools:
            body += [b',"tools":', self._tools.get(call.tools, None, _encode_tools)]
        body.append(b"}")
        return b"".join(body)


class ResponsesDecoder:
    """Reads `response.*` events. An item is known by its output index, a reasoning summary's parts are joined."""

    def __init__(self, model: Model, answer: Answer) -> None:
        self.complete = False
        self._model = model
        self._answer = answer

    def feed(self, event: Mapping[str, Any]) -> None:
        answer = self._answer
        match event["type"]:
            case "response.output_text.delta" | "response.refusal.delta":
                answer.text(event["delta"], event["output_index"])
            case "response.function_call_arguments.delta":
                answer.tool(event["output_index"], delta=event["delta"])
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                answer.thinking(event["delta"], event["output_index"])
            case "response.reasoning_summary_part.added":
                if event.get("summary_index"):
                    answer.thinking("\n\n", event["output_index"])
            case "response.output_item.added":
                self._item_added(event["output_index"], event["item"])
            case "response.output_item.done":
                self._item_done(event["output_index"], event["item"])
            case "response.created":
                answer.response_id = event["response"].get("id")
            case "response.completed" | "response.incomplete":
                self._ended(event["response"])
            case "response.failed":
                error = event["response"].get("error")
                raise failures.ProviderError(failures.from_event(self._model, error))
            case "error":
                raise failures.ProviderError(failures.from_event(self._model, event.get("error") or event))

    def end(self) -> None:
        pass

    def _item_added(self, index: int, item: Mapping[str, Any]) -> None:
        match item["type"]:
            case "function_call":
                call_id = item.get("call_id") or item.get("id") or ""
                self._answer.tool(index, id=call_id, name=item["name"], provider={"itemId": item.get("id")})
            case "reasoning":
                self._answer.thinking("", index)
            case "message":
                self._answer.text("", index)

    def _item_done(self, index: int, item: Mapping[str, Any]) -> None:
        """The whole item: what a server sent here only, and not as deltas, is taken from it."""
        answer = self._answer
        match item["type"]:
            case "function_call":
                if not answer.tool_arguments(index) and item.get("arguments"):
                    answer.tool(index, delta=item["arguments"])
            case "reasoning":
                answer.thinking("", index, {"item": {**item, "status": None}})
        answer.close(index)

    def _ended(self, response: Mapping[str, Any]) -> None:
        self.complete = True
        self._count(response.get("usage") or {})
        if response.get("status") != "incomplete":
            return
        if (response.get("incomplete_details") or {}).get("reason") == "content_filter":
            self._answer.failure = failures.refusal(self._model)
        else:
            self._answer.stop_reason = "length"

    def _count(self, usage: Mapping[str, Any]) -> None:
        details = usage.get("input_tokens_details") or {}
        cached, written = int(details.get("cached_tokens") or 0), int(details.get("cache_write_tokens") or 0)
        self._answer.count(
            input=max(0, int(usage.get("input_tokens") or 0) - cached - written),
            output=int(usage.get("output_tokens") or 0),
            cache_read=cached,
            cache_write=written,
        )


def _head(call: ModelCall) -> Json:
    model = call.model
    limit = min(call.max_output_tokens or model.max_output_tokens, model.max_output_tokens)
    head: Json = {"model": model.id, "stream": True, "store": False, "max_output_tokens": max(limit, MIN_OUTPUT_TOKENS)}
    if call.prompt.text:
        head["instructions"] = call.prompt.text
    if call.session_key:
        head["prompt_cache_key"] = call.session_key[-MAX_CACHE_KEY:]
    if model.reasoning:
        head["include"] = ["reasoning.encrypted_content"]
        if effort := reasoning_effort(model, call.thinking):
            head["reasoning"] = {"effort": effort, **({} if call.thinking == "off" else {"summary": "auto"})}
    return head


def _encode_tools(tools: tuple[ToolSpec, ...]) -> bytes:
    return orjson.dumps(
        [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,
            }
            for tool in tools
        ]
    )


def _encode_message(message: Message, model: Model) -> bytes:
    """The input items of one message, joined by commas."""
    if isinstance(message, AssistantMessage):
        own = (message.provider, message.model) == (model.provider, model.id)
        items = [item for part in message.content if (item := _assistant_item(part, own))]
        return b",".join(orjson.dumps(item) for item in items)
    content = [_input_block(part, model) for part in message.content]
    if isinstance(message, ToolResultMessage):
        only_text = all(block["type"] == "input_text" for block in content)
        output: object = "\n".join(block["text"] for block in content) or "(nothing)" if only_text else content
        return orjson.dumps({"type": "function_call_output", "call_id": safe_id(message.tool_call_id), "output": output})
    return orjson.dumps({"role": "user", "content": content})


def _assistant_item(part: Part, own: bool) -> Json | None:
    match part:
        case Text():
            return {"role": "assistant", "content": [{"type": "output_text", "text": part.text}]} if part.text else None
        case Thinking():
            item = (part.provider or {}).get("item") if own else None
            if not item or not item.get("encrypted_content"):
                return None
            return {name: value for name, value in item.items() if value is not None}
        case ToolCall():
            arguments = orjson.dumps(dict(part.arguments)).decode()
            return {"type": "function_call", "call_id": safe_id(part.id), "name": part.name, "arguments": arguments}
        case Image() | FileRef():
            return None


def _input_block(part: Part, model: Model) -> Json:
    match part:
        case Text() | Thinking():
            return {"type": "input_text", "text": part.text}
        case Image():
            if "image" not in model.input:
                return {"type": "input_text", "text": image_note(part.media_type)}
            return {"type": "input_image", "detail": "auto", "image_url": f"data:{part.media_type};base64,{part.data}"}
        case FileRef():
            return {"type": "input_text", "text": file_note(part)}
        case ToolCall():
            return {"type": "input_text", "text": ""}
