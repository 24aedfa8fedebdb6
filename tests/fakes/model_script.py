"""A whole task for the fake model server: what it says step by step, and what each request must bring back for it.

server.script = Script(STEPS)        instead of directives in user messages
server.script.problems               what was wrong with the requests; empty when all went as written
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.model_steering import Plan, text_of

Json = dict[str, Any]
Item = tuple[str, ...]
"""`(user, text)`, `(assistant, text)`, `(call, id, name, arguments)` or `(result, id, text)`, whatever the format."""


@dataclass(frozen=True)
class Call:
    """A tool call, and words that its result must hold."""

    name: str
    arguments: Mapping[str, Any]
    gives: str = ""


@dataclass(frozen=True)
class Step:
    """One answer of the model. After its results the next request must bring the words of a person that are in `hears`."""

    calls: tuple[Call, ...] = ()
    text: str = ""
    thinking: str = ""
    hears: str = ""


@dataclass
class Script:
    """Called with each request in order; the conversation may only grow, by what the step before asked for."""

    steps: Sequence[Step]
    at: int = 0
    problems: list[str] = field(default_factory=list)
    conversation: list[Item] = field(default_factory=list)

    def __call__(self, body: Json) -> Plan:
        now = conversation(body)
        if self.at:
            self._check(now, self.steps[self.at - 1])
        self.conversation = now
        if self.at == len(self.steps):
            self.problems.append(f"asked once more after the last of {self.at} steps")
            return Plan("The script is over.")
        step = self.steps[self.at]
        self.at += 1
        tools = [(call.name, dict(call.arguments)) for call in step.calls]
        return Plan(step.text or "Working on it.", tools, step.thinking)

    def _check(self, now: list[Item], step: Step) -> None:
        before = len(self.conversation)
        if now[:before] != self.conversation:
            self.problems.append(f"step {self.at}: what was said before has changed")
        new = now[before:]
        calls = [item for item in new if item[0] == "call"]
        results = [item for item in new if item[0] == "result"]
        wanted = [(call.name, dict(call.arguments)) for call in step.calls]
        if [(name, json.loads(arguments)) for _, _, name, arguments in calls] != wanted:
            self.problems.append(f"step {self.at}: the calls came back as {calls}")
        if [item[1] for item in results] != [item[1] for item in calls]:
            self.problems.append(f"step {self.at}: not one result a call, in order: {results}")
        for call, result in zip(step.calls, results, strict=False):
            if call.gives not in result[2]:
                self.problems.append(f"step {self.at}: {call.name} gave {result[2]!r}, not {call.gives!r}")
        heard = " ".join(item[1] for item in new if item[0] == "user")
        if step.hears not in heard or (heard and not step.hears and step.calls):
            self.problems.append(f"step {self.at}: a person said {heard!r}, not {step.hears!r}")


def messages(body: Json) -> list[Json]:
    """The conversation as it was sent, without the system prompt and the marks for caches."""
    entries = body["messages"] if "messages" in body else body["input"]
    kept = [entry for entry in entries if entry.get("role") not in ("system", "developer")]
    return [_unmarked(entry) for entry in kept]


def conversation(body: Json) -> list[Item]:
    """The same in one form for the three formats."""
    items: list[Item] = []
    for entry in messages(body):
        items += _entry(entry)
    return [item for item in items if len(item) > 2 or item[1]]


def _entry(entry: Json) -> list[Item]:
    match entry.get("type", "message"):
        case "function_call":
            return [("call", entry["call_id"], entry["name"], entry["arguments"])]
        case "function_call_output":
            return [("result", entry["call_id"], text_of(entry["output"]))]
        case "reasoning":
            return []
    if entry["role"] == "tool":
        return [("result", entry["tool_call_id"], entry["content"])]
    content = entry.get("content") or ()
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    items: list[Item] = []
    for block in blocks:
        match block["type"]:
            case "tool_use":
                items.append(("call", block["id"], block["name"], json.dumps(block["input"])))
            case "tool_result":
                items.append(("result", block["tool_use_id"], text_of(block["content"])))
            case "text" | "input_text" | "output_text":
                items.append((entry["role"], block["text"]))
    for call in entry.get("tool_calls") or ():
        items.append(("call", call["id"], call["function"]["name"], call["function"]["arguments"]))
    return items


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unmarked(part) for name, part in value.items() if name != "cache_control"}
    return [_unmarked(part) for part in value] if isinstance(value, list) else value
