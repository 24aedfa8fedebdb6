"""A history every provider accepts: each tool call has its result, each result its call, ids fit all vendors.

A run that was stopped between a call and its result leaves a gap in the log. The log keeps the truth; the gap is filled
here, on the way out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from openclaw_kernel.values.messages import AssistantMessage, FileRef, Message, Text, ToolCall, ToolResultMessage

NO_RESULT = "No result: the call was interrupted before it finished."
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")  # Anthropic's alphabet, OpenAI's length


def paired(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages in order, orphan results left out and missing results filled in."""
    waiting: dict[str, ToolCall] = {}
    for message in messages:
        if isinstance(message, ToolResultMessage):
            if waiting.pop(message.tool_call_id, None) is not None:
                yield message
            continue
        yield from map(_missing, waiting.values())
        waiting = {call.id: call for call in message.tool_calls} if isinstance(message, AssistantMessage) else {}
        yield message
    yield from map(_missing, waiting.values())


def safe_id(id: str) -> str:
    """A tool call id all vendors take; one that does not fit becomes a hash of itself, the same each time."""
    if _SAFE_ID.match(id):
        return id
    return "call_" + hashlib.blake2b(id.encode(), digest_size=16).hexdigest()


def file_note(part: FileRef) -> str:
    """How a file that is not inlined is spoken of."""
    return f"[file {part.name or part.path} ({part.media_type}) at {part.path}]"


def image_note(media_type: str) -> str:
    return f"[an image ({media_type}) was here; this model reads text only]"


def _missing(call: ToolCall) -> ToolResultMessage:
    return ToolResultMessage(call.id, call.name, (Text(NO_RESULT),), 0, is_error=True)
