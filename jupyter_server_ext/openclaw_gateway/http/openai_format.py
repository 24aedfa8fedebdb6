"""OpenAI's Chat Completions, read and written (protocol section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.agent.api import Outcome
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.messages import Image, Part, Text, Usage

MAX_IMAGES = 8
_FINISH = {"stop": "stop", "length": "length", "toolUse": "stop"}


class ChatMessage(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: str
    content: Any = None
    name: str | None = None


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


class ChatCompletionRequest(BaseModel):
    """What we read of a request; sampling parameters are the model's own business and are passed over."""

    model_config = ConfigDict(extra="ignore")
    model: str = "openclaw"
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class Prompted:
    """One turn made of a list of messages: the last user message, what was said before it, and the system text."""

    content: tuple[Part, ...]
    system: str | None


def prompted(messages: list[ChatMessage]) -> Prompted:
    """Raises `INVALID_REQUEST` without a user message."""
    system = [_plain(message) for message in messages if message.role in ("system", "developer")]
    talk = [message for message in messages if message.role in ("user", "assistant", "tool")]
    last = next((at for at in range(len(talk) - 1, -1, -1) if talk[at].role == "user"), None)
    if last is None:
        raise invalid("Missing user message in `messages`.")
    parts = _content(talk[last].content)
    if not parts:
        raise invalid("The last user message is empty.")
    before = [f"{message.role}: {_plain(message)}" for message in talk[:last] if _plain(message)]
    if before:
        system.append("The conversation so far:\n" + "\n".join(before))
    return Prompted(tuple(parts), "\n\n".join(text for text in system if text) or None)


def _plain(message: ChatMessage) -> str:
    return "\n".join(part.text for part in _content(message.content) if isinstance(part, Text))


def _content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)] if content else []
    parts: list[Part] = []
    for row in content if isinstance(content, list) else []:
        if not isinstance(row, dict):
            continue
        if row.get("type") in ("text", "input_text") and row.get("text"):
            parts.append(Text(str(row["text"])))
        elif row.get("type") == "image_url":
            parts.append(_image(row.get("image_url")))
    if sum(isinstance(part, Image) for part in parts) > MAX_IMAGES:
        raise invalid(f"Too many images; the limit is {MAX_IMAGES}.")
    return parts


def _image(value: Any) -> Image:
    url = value.get("url", "") if isinstance(value, dict) else str(value)
    head, comma, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise invalid("image_url must be a base64 data URL; the gateway fetches nothing.")
    return Image(data, head[5:].removesuffix(";base64"))


def usage_body(usage: Usage) -> dict[str, int]:
    prompt = usage.input + usage.cache_read + usage.cache_write
    return {"prompt_tokens": prompt, "completion_tokens": usage.output, "total_tokens": prompt + usage.output}


def completion(request_id: str, created: int, model: str, outcome: Outcome) -> dict[str, Any]:
    """The whole answer, not streamed."""
    text = outcome.message.text if outcome.message is not None else ""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": _FINISH.get(outcome.stop_reason, "stop"),
    }
    return {
        "id": request_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": usage_body(outcome.usage),
    }


def chunk(request_id: str, created: int, model: str, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """One streamed piece."""
    return {
        "id": request_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def finish_reason(outcome: Outcome) -> str:
    return _FINISH.get(outcome.stop_reason, "stop")
