"""How many tokens a message and a history are, by estimate, and how many there is room for.

An estimate looks only at the newest messages: the last call's own count, and characters for what was said since.
"""

from __future__ import annotations

from openclaw_kernel.config.schema.agents import Compaction
from openclaw_kernel.models.api import Model
from openclaw_kernel.sessions.transcript import Transcript
from openclaw_kernel.values.messages import AssistantMessage, FileRef, Image, Message, Part, Text, Thinking, ToolCall

CHARS_PER_TOKEN = 4
MARK = "compaction-mark"
"""Transcript entry behind a compaction: the last message then, and the tokens of what the model sees since."""


def estimate(message: Message) -> int:
    """Tokens of one message, by its characters."""
    return sum(_chars(part) for part in message.content) // CHARS_PER_TOKEN + 4


def reserve(model: Model, settings: Compaction) -> int:
    """Tokens kept free for the answer (AGT-30); at most a quarter of the window."""
    return min(settings.reserve_tokens_floor, model.context_window // 4)


def room(model: Model, settings: Compaction) -> int:
    """Tokens a history may have before it is compacted."""
    return model.context_window - reserve(model, settings)


def context_tokens(transcript: Transcript) -> int:
    """Tokens of the next call: what the newest call counted, and an estimate of what came after it."""
    total = 0
    mark = transcript.latest(MARK)
    last = mark.get("entryId") if isinstance(mark, dict) else mark
    for stored in reversed(transcript.messages()):
        message = stored.message
        if stored.entry_id == last:
            return total + (int(mark.get("tokens", 0)) if isinstance(mark, dict) else 0)
        if isinstance(message, AssistantMessage) and message.usage.total:
            return total + message.usage.total
        total += estimate(message)
    return total


def _chars(part: Part) -> int:
    match part:
        case Text(text=text) | Thinking(text=text):
            return len(text)
        case ToolCall(arguments=arguments):
            return len(str(arguments))
        case Image():
            return 4_800
        case FileRef(path=path):
            return len(path) + 20
