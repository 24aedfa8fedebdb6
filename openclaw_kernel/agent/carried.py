"""What is carried over a compaction word for word, by code and not by a model: identifiers and requests that are still open.

They are read from what is about to be summarised and added to what earlier compactions carried, so nothing is lost by the
thirtieth. The lists are bounded; what falls off is still in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openclaw_kernel.values.messages import AssistantMessage, Message, Text, ToolCall, ToolResultMessage, UserMessage

MAX_SAID = 300
MAX_SEEN = 100
MAX_REQUESTS = 40
REQUEST_CHARS = 400
LAST_REQUEST_CHARS = 2_000
IDENTIFIER_CHARS = 120
SCAN_CHARS = 20_000
"""How much of one message is searched."""

_IDENTIFIER = re.compile(
    r"https?://[^\s<>\"'`)\]]+"
    r"|`[^`\n]{2,80}`"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,32})+"
    r"|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
    r"|(?:~|\.{1,2})?(?:/[\w.@+-]{1,80}){2,20}/?"
    r"|\b[\w-]{1,80}(?:/[\w.-]{1,80}){0,20}\.[a-z][a-z0-9]{1,5}\b"
    r"|\b[A-Za-z][A-Za-z0-9]{0,40}(?:[-_][A-Za-z0-9]{1,40}){0,5}[-_]\d[\w-]{0,60}"
    r"|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b"
    r"|(?<!\w)#\d+\b"
    r"|\b\d(?:[\d.,:/-]{2,})\d\b"
)
_OPEN = re.compile(
    r"\btodo\b|\blater\b|\bdon'?t forget\b|\bdo not forget\b|\bremember to\b|\bremind me\b|\bstill (?:need|want|open)\b|"
    r"\bfollow up\b|\bopen request\b|\bonce you\b|\bwhen you(?:'re| are| have)\b|\bbefore you finish\b|^\s*[-*] \[ \]",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Carried:
    """`said` are identifiers from a person's own words, `seen` those from answers and calls, `requests` are sentences. Oldest
    first."""

    said: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, list[str]]:
        return {"said": list(self.said), "seen": list(self.seen), "requests": list(self.requests)}

    @staticmethod
    def from_wire(wire: object) -> Carried:
        """What a compaction record holds; an old or foreign record carries nothing."""
        if not isinstance(wire, Mapping):
            return Carried()
        return Carried(_strings(wire.get("said")), _strings(wire.get("seen")), _strings(wire.get("requests")))

    def plus(self, other: Carried) -> Carried:
        """Both together, what was said last at the end, within the bounds."""
        said = _newest((*self.said, *other.said), MAX_SAID)
        seen = [one for one in _newest((*self.seen, *other.seen), MAX_SEEN) if one not in said]
        return Carried(said, tuple(seen), _newest((*self.requests, *other.requests), MAX_REQUESTS))

    def text(self) -> str:
        """The lines under a summary."""
        parts = []
        if self.requests:
            parts.append("## Requests, word for word\n" + "\n".join(f"- {line}" for line in self.requests))
        if self.said or self.seen:
            parts.append("## Identifiers, exactly as written\n" + ", ".join((*self.said, *self.seen)))
        return "\n\n".join(parts)


def carried_from(messages: Sequence[Message], *, unfinished: bool) -> Carried:
    """What the messages hold that must not be lost. `unfinished`: the cut is inside a turn, so its request is still open."""
    said: list[str] = []
    seen: list[str] = []
    requests: list[str] = []
    last: UserMessage | None = None
    answered = True
    for message in messages:
        match message:
            case UserMessage():
                if last is not None and not answered:
                    requests.append(_shortened(_text(last), REQUEST_CHARS))
                last, answered = message, False
                said += identifiers(_text(message))
                requests += open_requests(_text(message))
            case AssistantMessage():
                answered = answered or (message.stop_reason == "stop" and bool(message.text.strip()))
                seen += identifiers(_text(message))
            case ToolResultMessage():
                pass
    if last is not None and (unfinished or not answered):
        requests.append(_shortened(_text(last), LAST_REQUEST_CHARS))
    return Carried(_newest(said, MAX_SAID), _newest(seen, MAX_SEEN), _newest(requests, MAX_REQUESTS))


def identifiers(text: str) -> list[str]:
    """Paths, addresses, ids, versions and quoted code in the order they appear, each once."""
    found = (match.strip("`").rstrip(".,;:!?") for match in _IDENTIFIER.findall(text[:SCAN_CHARS]))
    return list(dict.fromkeys(one for one in found if 2 < len(one) <= IDENTIFIER_CHARS))


def open_requests(text: str) -> list[str]:
    """Sentences that ask for something to be done at another time."""
    sentences = (one.strip() for one in _SENTENCE.split(text[:SCAN_CHARS]))
    return [_shortened(one, REQUEST_CHARS) for one in sentences if one and _OPEN.search(one)]


def _text(message: Message) -> str:
    return "\n".join(
        part.text if isinstance(part, Text) else str(dict(part.arguments))
        for part in message.content
        if isinstance(part, Text | ToolCall)
    )


def _shortened(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _newest(values: Iterable[str], limit: int) -> tuple[str, ...]:
    """Each value once, where it was last; the newest `limit` of them."""
    unique = dict.fromkeys(reversed([value for value in values if value]))
    return tuple(reversed(list(unique)[:limit]))


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
