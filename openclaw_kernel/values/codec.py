"""Messages to and from the wire shape that transcripts, `chat.history` and `session.message` share.

The shape is OpenClaw's own (protocol section 7): camel-case keys, `__openclaw` for our metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from openclaw_kernel.values.messages import (
    AssistantMessage,
    Cost,
    FileRef,
    Image,
    Message,
    ModelFailure,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResultMessage,
    Usage,
    UserMessage,
)

Wire = dict[str, Any]


def part_to_wire(part: Part) -> Wire:
    """One content part as a JSON object; `provider` is left out when empty."""
    wire: Wire
    match part:
        case Text():
            wire = {"type": "text", "text": part.text}
        case Thinking():
            wire = {"type": "thinking", "thinking": part.text}
        case ToolCall():
            wire = {"type": "toolCall", "id": part.id, "name": part.name, "arguments": dict(part.arguments)}
        case Image():
            wire = {"type": "image", "data": part.data, "mimeType": part.media_type}
        case FileRef():
            wire = {"type": "file", "path": part.path, "mimeType": part.media_type, "name": part.name}
        case _:
            assert_never(part)
    if part.provider:
        wire["provider"] = dict(part.provider)
    return wire


def part_from_wire(wire: Mapping[str, Any]) -> Part:
    """The inverse of `part_to_wire`; an unknown type becomes its text, so nothing said is lost."""
    provider = wire.get("provider")
    match wire.get("type"):
        case "thinking":
            return Thinking(str(wire.get("thinking", "")), provider)
        case "toolCall":
            return ToolCall(str(wire["id"]), str(wire["name"]), wire.get("arguments") or {}, provider)
        case "image":
            return Image(str(wire.get("data", "")), str(wire.get("mimeType", "image/png")), provider)
        case "file":
            media_type = str(wire.get("mimeType", "application/octet-stream"))
            return FileRef(str(wire.get("path", "")), media_type, str(wire.get("name", "")), provider)
        case _:
            return Text(str(wire.get("text", "")), provider)


def usage_to_wire(usage: Usage) -> Wire:
    """Token counts and cost as `usage` of an assistant message."""
    cost = usage.cost
    return {
        "input": usage.input,
        "output": usage.output,
        "cacheRead": usage.cache_read,
        "cacheWrite": usage.cache_write,
        "totalTokens": usage.total,
        "cost": {
            "input": cost.input,
            "output": cost.output,
            "cacheRead": cost.cache_read,
            "cacheWrite": cost.cache_write,
            "total": cost.total,
        },
    }


def usage_from_wire(wire: Mapping[str, Any]) -> Usage:
    cost = wire.get("cost") or {}
    return Usage(
        input=int(wire.get("input", 0)),
        output=int(wire.get("output", 0)),
        cache_read=int(wire.get("cacheRead", 0)),
        cache_write=int(wire.get("cacheWrite", 0)),
        cost=Cost(
            float(cost.get("input", 0)),
            float(cost.get("output", 0)),
            float(cost.get("cacheRead", 0)),
            float(cost.get("cacheWrite", 0)),
        ),
    )


def _content_to_wire(content: tuple[Part, ...]) -> list[Wire]:
    return [part_to_wire(part) for part in content]


def _content_from_wire(content: object) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),)
    if isinstance(content, list):
        return tuple(part_from_wire(part) for part in content)
    return ()


def message_to_wire(message: Message) -> Wire:
    """One message as a JSON object. A user message of one text part is written as a plain string, as OpenClaw does."""
    match message:
        case UserMessage():
            return _user_to_wire(message)
        case AssistantMessage():
            return _assistant_to_wire(message)
        case ToolResultMessage():
            return {
                "role": "toolResult",
                "toolCallId": message.tool_call_id,
                "toolName": message.tool_name,
                "content": _content_to_wire(message.content),
                "details": dict(message.details),
                "isError": message.is_error,
                "timestamp": message.timestamp,
                **_meta(message.meta),
            }
        case _:
            assert_never(message)


def message_from_wire(wire: Mapping[str, Any]) -> Message:
    """The inverse of `message_to_wire`. Raises `ValueError` for an unknown role."""
    role = wire.get("role")
    content = _content_from_wire(wire.get("content"))
    timestamp = int(wire.get("timestamp", 0))
    meta = wire.get("__openclaw") or {}
    match role:
        case "user":
            return UserMessage(content, timestamp, wire.get("idempotencyKey"), meta)
        case "assistant":
            return AssistantMessage(
                content=content,
                timestamp=timestamp,
                api=str(wire.get("api", "")),
                provider=str(wire.get("provider", "")),
                model=str(wire.get("model", "")),
                usage=usage_from_wire(wire.get("usage") or {}),
                stop_reason=wire.get("stopReason", "stop"),
                response_id=wire.get("responseId"),
                error=_failure_from_wire(wire),
                idempotency_key=wire.get("idempotencyKey"),
                meta=meta,
            )
        case "toolResult":
            return ToolResultMessage(
                tool_call_id=str(wire.get("toolCallId", "")),
                tool_name=str(wire.get("toolName", "")),
                content=content,
                timestamp=timestamp,
                is_error=bool(wire.get("isError")),
                details=wire.get("details") or {},
                meta=meta,
            )
        case _:
            raise ValueError(f"unknown message role {role!r}; expected user, assistant or toolResult")


def _user_to_wire(message: UserMessage) -> Wire:
    parts = message.content
    plain = len(parts) == 1 and isinstance(parts[0], Text) and not parts[0].provider
    wire: Wire = {
        "role": "user",
        "content": parts[0].text if plain and isinstance(parts[0], Text) else _content_to_wire(parts),
        "timestamp": message.timestamp,
    }
    if message.idempotency_key:
        wire["idempotencyKey"] = message.idempotency_key
    return wire | _meta(message.meta)


def _assistant_to_wire(message: AssistantMessage) -> Wire:
    wire: Wire = {
        "role": "assistant",
        "content": _content_to_wire(message.content),
        "api": message.api,
        "provider": message.provider,
        "model": message.model,
        "usage": usage_to_wire(message.usage),
        "stopReason": message.stop_reason,
        "timestamp": message.timestamp,
    }
    if message.response_id:
        wire["responseId"] = message.response_id
    if message.error is not None:
        wire |= _failure_to_wire(message.error)
    if message.idempotency_key:
        wire["idempotencyKey"] = message.idempotency_key
    return wire | _meta(message.meta)


def _failure_to_wire(failure: ModelFailure) -> Wire:
    wire: Wire = {"errorMessage": failure.message, "errorKind": failure.kind}
    if failure.status is not None:
        wire["errorCode"] = str(failure.status)
    if failure.body:
        wire["errorBody"] = failure.body
    return wire


def _failure_from_wire(wire: Mapping[str, Any]) -> ModelFailure | None:
    message = wire.get("errorMessage")
    if message is None:
        return None
    code = str(wire.get("errorCode", ""))
    return ModelFailure(
        message=str(message),
        kind=wire.get("errorKind", "unknown"),
        status=int(code) if code.isdigit() else None,
        body=str(wire.get("errorBody", "")),
    )


def _meta(meta: Mapping[str, Any]) -> Wire:
    return {"__openclaw": dict(meta)} if meta else {}
