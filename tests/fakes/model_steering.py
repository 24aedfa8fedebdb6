"""Directives in a user message that tell the fake model server what to answer.

[[echo some text]]              answer with that text
[[tool NAME {"json": "args"}]]  call that tool first; several make parallel calls. After the results: text
[[again]]                       call the tools again after every result, without end
[[think some text]]             think that first
[[sleep 0.5]]                   wait that many seconds before the first event
[[fail 503]] [[fail 503 once]]  answer with that HTTP status, always or the first time this text is seen
[[retry-after 2]]               answer 429 and ask to wait that many seconds
[[error overloaded_error]]      an error event in the middle of the stream
[[drop]]                        cut the connection in the middle of the stream
[[hang]]                        go silent in the middle of the stream
[[garbage]]                     send something that is no JSON in the middle of the stream
[[stop length]]                 end for that reason: length or refusal
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Breakage = Literal["", "drop", "hang", "garbage", "error"]

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_HEAD = re.compile(r"\[\[([a-z-]+)\s*")


@dataclass
class Plan:
    """What one answer will be."""

    text: str
    tools: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    thinking: str = ""
    sleep_s: float = 0.0
    status: int = 0
    once: bool = False
    retry_after: str = ""
    breakage: Breakage = ""
    error_type: str = ""
    stop: Literal["", "length", "refusal"] = ""
    asked: str = ""
    again: bool = False

    @property
    def words(self) -> list[str]:
        """The text cut before each space, so that the pieces join to the text."""
        return re.findall(r"\s*\S+|\s+", self.text)


@dataclass(frozen=True)
class Turn:
    """One message of a request, whatever the format: who, the text in it, whether it calls tools or brings results."""

    role: Literal["user", "assistant", "result"]
    text: str
    calls: bool = False


def plan(turns: Sequence[Turn], tokens: int) -> Plan:
    """The answer to a conversation: directives since the last plain answer count."""
    asked, answered_tool = _asked(turns)
    result = Plan(text=" ".join(WORDS[index % len(WORDS)] for index in range(tokens)), asked=asked)
    for verb, argument in directives(asked):
        _apply(result, verb, argument)
    if answered_tool and not result.again:
        result.tools = []
    return result


def directives(text: str) -> Iterator[tuple[str, str]]:
    """Verb and argument of each directive; JSON arguments may hold brackets themselves."""
    position = 0
    while match := _HEAD.search(text, position):
        end = _end(text, match.end()) if match[1] == "tool" else text.find("]]", match.end())
        if end < 0:
            return
        yield match[1], text[match.end() : end].strip()
        position = end + 2


def _end(text: str, start: int) -> int:
    brace = text.find("{", start)
    close = text.find("]]", start)
    if brace < 0 or 0 <= close < brace:
        return close
    try:
        _, end = json.JSONDecoder().raw_decode(text, brace)
    except ValueError:
        return close
    return text.find("]]", end)


def _asked(turns: Sequence[Turn]) -> tuple[str, bool]:
    texts: list[str] = []
    answered_tool = False
    for turn in reversed(turns):
        if turn.role == "result":
            answered_tool = True
        elif turn.role == "assistant":
            if not turn.calls:
                break
        else:
            texts.append(turn.text)
    return "\n".join(reversed(texts)), answered_tool


def _apply(plan: Plan, verb: str, argument: str) -> None:
    match verb:
        case "echo":
            plan.text = argument
        case "again":
            plan.again = True
        case "think":
            plan.thinking = argument
        case "sleep":
            plan.sleep_s = float(argument)
        case "tool":
            name, _, raw = argument.partition(" ")
            plan.tools.append((name, json.loads(raw or "{}")))
        case "fail":
            status, _, rest = argument.partition(" ")
            plan.status, plan.once = int(status), rest.strip() == "once"
        case "retry-after":
            plan.status, plan.retry_after = 429, argument or "1"
        case "drop" | "hang" | "garbage":
            plan.breakage = verb  # type: ignore[assignment]
        case "error":
            plan.breakage, plan.error_type = "error", argument or "overloaded_error"
        case "stop":
            plan.stop = argument  # type: ignore[assignment]


def text_of(content: object) -> str:
    """The text in a message's content of any format."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""
