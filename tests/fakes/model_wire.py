"""The three wire formats from the server's side: reading a request and writing an answer, streamed or whole.

Requests are checked as the vendors check them, so a client that sends what a vendor would refuse fails here too.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson

from tests.fakes.model_steering import Plan, Turn, text_of

Json = dict[str, Any]
_ids = itertools.count(1)


class BadRequest(Exception):
    """What the vendor would answer with 400."""


class Wire(Protocol):
    """One format."""

    def turns(self, body: Json) -> list[Turn]:
        """The conversation of a request. Raises `BadRequest`."""

    def events(self, body: Json, plan: Plan) -> Iterator[Json | str]:
        """The stream's payloads in order; a string is sent as it is."""

    def whole(self, body: Json, plan: Plan) -> Json: ...

    def error_event(self, kind: str) -> Json: ...


def fresh(prefix: str) -> str:
    return f"{prefix}_{next(_ids):08d}"


def size(body: Json) -> int:
    """A stand-in for input tokens: four bytes each."""
    return max(1, len(orjson.dumps(body)) // 4)


def require(condition: object, sentence: str) -> None:
    if not condition:
        raise BadRequest(sentence)


class AnthropicWire:
    def turns(self, body: Json) -> list[Turn]:
        require(isinstance(body.get("max_tokens"), int), "max_tokens: Field required")
        thinking = body.get("thinking") or {}
        if thinking.get("type") == "enabled":
            require(thinking["budget_tokens"] >= 1024, "thinking.budget_tokens: must be at least 1024")
            require(thinking["budget_tokens"] < body["max_tokens"], "max_tokens must be greater than budget_tokens")
        messages = body.get("messages")
        require(isinstance(messages, list) and messages, "messages: at least one message is required")
        assert isinstance(messages, list)
        require(messages[0]["role"] == "user", "messages: first message must use the user role")
        require(orjson.dumps(body).count(b'"cache_control"') <= 4, "A maximum of 4 blocks with cache_control may be provided")
        turns: list[Turn] = []
        waiting: set[str] = set()
        for message in messages:
            blocks = message["content"]
            blocks = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
            require(blocks, "messages: text content blocks must be non-empty")
            results = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
            require(results == waiting, "tool_use ids were found without tool_result blocks immediately after, or the reverse")
            waiting = {block["id"] for block in blocks if block["type"] == "tool_use"}
            for block in blocks:
                self._check_block(block)
            turns += [Turn("result", "")] if results else []
            text = text_of([block for block in blocks if block["type"] == "text"])
            if text or not results:
                turns.append(Turn(message["role"], text, bool(waiting)))
        require(not waiting, "tool_use ids were found without tool_result blocks immediately after")
        return turns

    def _check_block(self, block: Json) -> None:
        match block["type"]:
            case "text":
                require(block["text"].strip(), "messages: text content blocks must contain non-whitespace text")
            case "thinking":
                require(block.get("signature", "").startswith("sig_"), "messages: Invalid `signature` in `thinking` block")
            case "image":
                require(block["source"]["media_type"].startswith("image/"), "messages: image media type")

    def _content(self, plan: Plan) -> list[Json]:
        blocks: list[Json] = []
        if plan.thinking:
            blocks.append({"type": "thinking", "thinking": plan.thinking, "signature": fresh("sig")})
        if not plan.tools or plan.thinking:
            blocks.append({"type": "text", "text": plan.text})
        blocks += [{"type": "tool_use", "id": fresh("toolu"), "name": name, "input": args} for name, args in plan.tools]
        return blocks

    def _stop(self, plan: Plan) -> str:
        if plan.stop:
            return {"length": "max_tokens", "refusal": "refusal"}[plan.stop]
        return "tool_use" if plan.tools else "end_turn"

    def whole(self, body: Json, plan: Plan) -> Json:
        return {
            "id": fresh("msg"),
            "type": "message",
            "role": "assistant",
            "model": body.get("model"),
            "content": self._content(plan),
            "stop_reason": self._stop(plan),
            "stop_sequence": None,
            "usage": self._usage(body, plan),
        }

    def _usage(self, body: Json, plan: Plan) -> Json:
        """Everything up to the last cache mark counts as written the first time; a fake cache is never read."""
        cached = 64 if b"cache_control" in orjson.dumps(body) else 0
        return {
            "input_tokens": size(body),
            "cache_creation_input_tokens": cached,
            "cache_read_input_tokens": 2 * cached,
            "output_tokens": len(plan.words),
        }

    def events(self, body: Json, plan: Plan) -> Iterator[Json | str]:
        message = self.whole(body, plan)
        usage = message["usage"]
        head = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield {"type": "message_start", "message": head}
        yield {"type": "ping"}
        for index, block in enumerate(message["content"]):
            yield from self._block_events(index, block, plan)
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": usage["output_tokens"]},
        }
        yield {"type": "message_stop"}

    def _block_events(self, index: int, block: Json, plan: Plan) -> Iterator[Json]:
        match block["type"]:
            case "text":
                empty = {"type": "text", "text": ""}
                deltas: list[Json] = [{"type": "text_delta", "text": word} for word in plan.words]
            case "thinking":
                empty = {"type": "thinking", "thinking": "", "signature": ""}
                deltas = [{"type": "thinking_delta", "thinking": piece} for piece in halves(block["thinking"])]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            case _:
                empty = {**block, "input": {}}
                pieces = halves(json.dumps(block["input"]))
                deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}

    def error_event(self, kind: str) -> Json:
        return {"type": "error", "error": {"type": kind, "message": f"asked to fail with {kind}"}}


class CompletionsWire:
    def turns(self, body: Json) -> list[Turn]:
        messages = body.get("messages")
        require(isinstance(messages, list) and messages, "[] is too short - 'messages'")
        assert isinstance(messages, list)
        turns: list[Turn] = []
        waiting: set[str] = set()
        for message in messages:
            role = message["role"]
            if role == "tool":
                require(message["tool_call_id"] in waiting, "messages with role 'tool' must follow 'tool_calls'")
                require(isinstance(message["content"], str), "tool content must be a string")
                waiting.discard(message["tool_call_id"])
                turns.append(Turn("result", ""))
                continue
            require(not waiting, "An assistant message with 'tool_calls' must be followed by tool messages")
            calls = message.get("tool_calls") or []
            waiting = {call["id"] for call in calls}
            for call in calls:
                require(isinstance(json.loads(call["function"]["arguments"]), dict), "arguments must be a JSON object")
            if role in ("user", "assistant"):
                turns.append(Turn(role, text_of(message.get("content")), bool(calls)))
        require(not waiting, "An assistant message with 'tool_calls' must be followed by tool messages")
        return turns

    def _message(self, plan: Plan) -> Json:
        message: Json = {"role": "assistant", "content": None if plan.tools else plan.text}
        if plan.thinking:
            message["reasoning_content"] = plan.thinking
        if plan.tools:
            message["tool_calls"] = [
                {"id": fresh("call"), "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
                for name, args in plan.tools
            ]
        return message

    def _stop(self, plan: Plan) -> str:
        if plan.stop:
            return {"length": "length", "refusal": "content_filter"}[plan.stop]
        return "tool_calls" if plan.tools else "stop"

    def _usage(self, body: Json, plan: Plan) -> Json:
        entry, output = size(body), len(plan.words)
        return {
            "prompt_tokens": entry,
            "completion_tokens": output,
            "total_tokens": entry + output,
            "prompt_tokens_details": {"cached_tokens": 16},
        }

    def whole(self, body: Json, plan: Plan) -> Json:
        choice = {"index": 0, "message": self._message(plan), "finish_reason": self._stop(plan)}
        return {
            "id": fresh("chatcmpl"),
            "object": "chat.completion",
            "created": 1,
            "model": body.get("model"),
            "choices": [choice],
            "usage": self._usage(body, plan),
        }

    def events(self, body: Json, plan: Plan) -> Iterator[Json | str]:
        base = {"id": fresh("chatcmpl"), "object": "chat.completion.chunk", "created": 1, "model": body.get("model")}

        def chunk(delta: Json, finish: str | None = None) -> Json:
            return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        message = self._message(plan)
        yield chunk({"role": "assistant", "content": ""})
        for piece in halves(plan.thinking):
            yield chunk({"reasoning_content": piece})
        if not plan.tools:
            for word in plan.words:
                yield chunk({"content": word})
        for index, call in enumerate(message.get("tool_calls", ())):
            function = {"name": call["function"]["name"], "arguments": ""}
            yield chunk({"tool_calls": [{**call, "index": index, "function": function}]})
            for piece in halves(call["function"]["arguments"]):
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield chunk({}, self._stop(plan))
        if (body.get("stream_options") or {}).get("include_usage"):
            yield {**base, "choices": [], "usage": self._usage(body, plan)}
        yield "[DONE]"

    def error_event(self, kind: str) -> Json:
        return {"error": {"message": f"asked to fail with {kind}", "type": kind, "code": kind}}


class ResponsesWire:
    def turns(self, body: Json) -> list[Turn]:
        entries = body.get("input")
        if isinstance(entries, str):
            return [Turn("user", entries)]
        require(isinstance(entries, list) and entries, "Missing required parameter: 'input'")
        assert isinstance(entries, list)
        turns: list[Turn] = []
        waiting: set[str] = set()
        for item in entries:
            match item.get("type", "message"):
                case "function_call":
                    require(isinstance(json.loads(item["arguments"]), dict), "arguments must be a JSON object")
                    waiting.add(item["call_id"])
                    turns.append(Turn("assistant", "", True))
                case "function_call_output":
                    require(item["call_id"] in waiting, "No tool call found for function call output")
                    waiting.discard(item["call_id"])
                    turns.append(Turn("result", ""))
                case "reasoning":
                    require(str(item.get("encrypted_content", "")).startswith("enc_"), "reasoning could not be verified")
                case _:
                    later_call = any(other.get("type") == "function_call" for other in entries[entries.index(item) + 1 :][:1])
                    turns.append(Turn(item["role"], text_of(item["content"]), later_call))
        require(not waiting, "No tool output found for function call")
        return turns

    def _output(self, body: Json, plan: Plan) -> list[Json]:
        items: list[Json] = []
        if plan.thinking:
            summary = [{"type": "summary_text", "text": plan.thinking}]
            item = {"type": "reasoning", "id": fresh("rs"), "summary": summary}
            items.append(item)
            if "reasoning.encrypted_content" in (body.get("include") or ()):
                item["encrypted_content"] = fresh("enc")
        if not plan.tools:
            content = [{"type": "output_text", "text": plan.text, "annotations": []}]
            message = {"type": "message", "id": fresh("msg"), "role": "assistant", "status": "completed", "content": content}
            items.append(message)
        items += [
            {
                "type": "function_call",
                "id": fresh("fc"),
                "call_id": fresh("call"),
                "name": name,
                "arguments": json.dumps(args),
                "status": "completed",
            }
            for name, args in plan.tools
        ]
        return items

    def whole(self, body: Json, plan: Plan) -> Json:
        entry, output = size(body), len(plan.words)
        response: Json = {
            "id": fresh("resp"),
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "model": body.get("model"),
            "output": self._output(body, plan),
            "usage": {
                "input_tokens": entry,
                "input_tokens_details": {"cached_tokens": 16},
                "output_tokens": output,
                "total_tokens": entry + output,
            },
        }
        if plan.stop:
            reason = {"length": "max_output_tokens", "refusal": "content_filter"}[plan.stop]
            response |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
        return response

    def events(self, body: Json, plan: Plan) -> Iterator[Json | str]:
        response = self.whole(body, plan)
        numbers = itertools.count()
        for event in self._events(response, plan):
            yield {**event, "sequence_number": next(numbers)}

    def _events(self, response: Json, plan: Plan) -> Iterator[Json]:
        yield {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}}
        for index, item in enumerate(response["output"]):
            yield from self._item_events(index, item, plan)
        ending = "response.incomplete" if plan.stop else "response.completed"
        yield {"type": ending, "response": response}

    def _item_events(self, index: int, item: Json, plan: Plan) -> Iterator[Json]:
        at = {"item_id": item["id"], "output_index": index}
        match item["type"]:
            case "reasoning":
                yield {"type": "response.output_item.added", **at, "item": {**item, "summary": []}}
                yield {"type": "response.reasoning_summary_part.added", **at, "summary_index": 0}
                for piece in halves(plan.thinking):
                    yield {"type": "response.reasoning_summary_text.delta", **at, "summary_index": 0, "delta": piece}
            case "message":
                yield {"type": "response.output_item.added", **at, "item": {**item, "content": []}}
                for word in plan.words:
                    yield {"type": "response.output_text.delta", **at, "content_index": 0, "delta": word}
            case _:
                yield {"type": "response.output_item.added", **at, "item": {**item, "arguments": ""}}
                for piece in halves(item["arguments"]):
                    yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
        yield {"type": "response.output_item.done", **at, "item": item}

    def error_event(self, kind: str) -> Json:
        return {"type": "error", "code": kind, "message": f"asked to fail with {kind}"}


def halves(text: str) -> list[str]:
    """Two pieces, so that a client has to join."""
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


def error_body(path: str, status: int, message: str) -> Mapping[str, Any]:
    """An HTTP error in the vendor's shape."""
    kinds = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
    kind = kinds.get(status, "api_error" if status >= 500 else "invalid_request_error")
    if path.endswith("/messages"):
        return {"type": "error", "error": {"type": kind, "message": message}}
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


WIRES: Mapping[str, Wire] = {
    "/v1/messages": AnthropicWire(),
    "/v1/chat/completions": CompletionsWire(),
    "/v1/responses": ResponsesWire(),
}
