"""The built-in stand-in: real tool calls from a fixed set of phrases, and honesty about itself."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_kernel.models.api import ModelCall, Prompt, ToolSpec
from openclaw_kernel.models.offline import OFFLINE, Offline
from openclaw_kernel.values.events import Done, Error, TextDelta
from openclaw_kernel.values.messages import Message, Text, ToolCall, ToolResultMessage, UserMessage

NAMES = (
    "memory_append",
    "memory_search",
    "exec",
    "read",
    "list",
    "python",
    "canvas",
    "remind",
    "skills_list",
    "skill",
    "skill_run",
)
TOOLS = tuple(ToolSpec(name, "", {}) for name in NAMES)


def call(*messages: Message | str, tools: tuple[ToolSpec, ...] = TOOLS) -> ModelCall:
    said = tuple(UserMessage((Text(m),), 0) if isinstance(m, str) else m for m in messages)
    return ModelCall(OFFLINE, Prompt("be kind"), said, tools)


async def answer(*messages: Message | str, tools: tuple[ToolSpec, ...] = TOOLS) -> Any:
    return await Offline(lambda: 7).stream(call(*messages, tools=tools)).result()


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("remember that my cat is called Miso", "memory_append", {"text": "my cat is called Miso"}),
        ("Please remember: buy milk", "memory_append", {"text": "buy milk"}),
        ("what do you remember about my cat?", "memory_search", {"query": "my cat"}),
        ("recall the budget", "memory_search", {"query": "the budget"}),
        ("What is my cat called?", "memory_search", {"query": "my cat called"}),
        ("run `ls -la`", "exec", {"command": "ls -la"}),
        ("run ```\necho hi\n```", "exec", {"command": "echo hi"}),
        ("read notes/TODO.md", "read", {"path": "notes/TODO.md"}),
        ("list files", "list", {"path": "."}),
        ("list the files in src", "list", {"path": "src"}),
        ("python `print(6 * 7)`", "python", {"code": "print(6 * 7)"}),
        ("remind me to stretch in 10 minutes", "remind", {"when": "in 10 minutes", "text": "stretch"}),
        ("remind me to call Ann at 17:30", "remind", {"when": "at 17:30", "text": "call Ann"}),
        ("remind me at 9 to water the plants", "remind", {"when": "at 9", "text": "water the plants"}),
        ("list skills", "skills_list", {}),
        ("run the skill system-report", "skill_run", {"name": "system-report"}),
        ("please run skill csv-report on `data.csv`.", "skill_run", {"name": "csv-report", "on": "data.csv"}),
        (
            "run the skill csv-report on data.csv with chart=line, rows=5",
            "skill_run",
            {"name": "csv-report", "parameters": {"chart": "line", "rows": "5"}, "on": "data.csv"},
        ),
        ("load the skill git-summary", "skill", {"name": "git-summary"}),
    ],
)
async def test_phrases_become_tool_calls(text: str, tool: str, arguments: dict[str, Any]) -> None:
    message = await answer(text)
    assert message.stop_reason == "toolUse"
    assert [(c.name, dict(c.arguments)) for c in message.tool_calls] == [(tool, arguments)]


async def test_a_skill_called_by_name_is_run_when_it_is_a_notebook() -> None:
    told = '<skill name="csv-report" version="1" folder="/s">\nRun it with the tool skill_run, name \'csv-report\'</skill>'
    [used] = (await answer(told, "/csv_report data.csv")).tool_calls
    assert (used.name, dict(used.arguments)) == ("skill_run", {"name": "csv-report", "on": "data.csv"})
    said = await answer('<skill name="tidy" version="1" folder="/s">\nSweep.</skill>', "/tidy the kitchen")
    assert "takes a language model to follow it" in said.text
    assert "do not understand" in (await answer("/nothing here")).text


@pytest.mark.parametrize(("kind", "holds"), [("form", "fields"), ("table", "rows"), ("chart", "series")])
async def test_surfaces_come_with_sample_content(kind: str, holds: str) -> None:
    arguments = (await answer(f"show me a {kind}")).tool_calls[0].arguments
    assert arguments["kind"] == kind
    assert arguments["title"].startswith("Sample")
    assert arguments[holds]


@pytest.mark.parametrize("text", ["hello", "help", "what is the capital of France?"])
async def test_it_says_what_it_is_and_how_to_add_a_key(text: str) -> None:
    message = await answer(text)
    assert "not a language model" in message.text
    assert "ANTHROPIC_API_KEY" in message.text
    assert message.stop_reason == "stop"


async def test_a_missing_tool_is_named() -> None:
    message = await answer("run `date`", tools=())
    assert "`exec`" in message.text
    assert not message.tool_calls


@pytest.mark.parametrize(
    ("name", "text", "is_error", "expected"),
    [
        ("memory_append", "Saved.", False, "Noted. Saved."),
        ("exec", "Denied by the user", True, "That did not work: `exec` said: Denied by the user"),
        ("exec", "hi", False, "It ran. Output:\n\n```\nhi\n```"),
        ("memory_search", "", False, "I found nothing about that in memory."),
    ],
)
async def test_results_are_summed_up(name: str, text: str, is_error: bool, expected: str) -> None:
    asked = await answer("run `date`")
    result = ToolResultMessage(asked.tool_calls[0].id, name, (Text(text),), 0, is_error)
    assert (await answer("run `date`", asked, result)).text == expected


async def test_it_streams_words_and_is_deterministic() -> None:
    events = [event async for event in Offline(lambda: 7).stream(call("help"))]
    again = [event async for event in Offline(lambda: 7).stream(call("help"))]
    assert events == again
    assert len([event for event in events if isinstance(event, TextDelta)]) > 20
    assert isinstance(events[-1], Done)
    usage = events[-1].message.usage
    assert usage.input == 3
    assert usage.output > 50


async def test_abort() -> None:
    stream = Offline(lambda: 7).stream(call("help"))
    async for event in stream:
        if isinstance(event, TextDelta):
            stream.abort("enough")
    message = await stream.result()
    assert message.stop_reason == "aborted"
    assert 0 < len(message.text) < 50


async def test_call_ids_differ_within_a_conversation() -> None:
    first = await answer("list files")
    call_made: ToolCall = first.tool_calls[0]
    result = ToolResultMessage(call_made.id, "list", (Text("a"),), 0)
    second = await answer("list files", first, result, "list skills")
    assert second.tool_calls[0].id != call_made.id


async def test_the_last_event_is_an_error_when_aborted_at_once() -> None:
    stream = Offline(lambda: 7).stream(call("help"))
    stream.abort("no")
    assert isinstance([event async for event in stream][-1], Error)
