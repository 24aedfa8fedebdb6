"""What is peculiar to one wire format or to one habit of a vendor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openclaw_kernel.models.answer import INVALID_JSON, Answer, parse_arguments
from openclaw_kernel.models.api import Model, ModelCall, Prompt, ToolSpec, WireFormat
from openclaw_kernel.models.effort import reasoning_effort
from openclaw_kernel.models.openai_completions import CompletionsDecoder
from openclaw_kernel.models.spoken_calls import spoken_calls
from openclaw_kernel.values.messages import AssistantMessage, Text, Thinking, UserMessage

from .conftest import Wire

WireOf = Callable[[WireFormat], Wire]


@pytest.fixture
def anthropic(wire_of: WireOf) -> Wire:
    return wire_of("anthropic-messages")


@pytest.fixture
def completions(wire_of: WireOf) -> Wire:
    return wire_of("openai-completions")


async def test_anthropic_marks_three_places_for_the_cache(anthropic: Wire) -> None:
    await anthropic.ask("first", AssistantMessage((Text("yes"),), 0, "", "fake", "fake-1"), "second")
    sent = anthropic.sent
    mark = {"type": "ephemeral"}
    assert [block.get("cache_control") for block in sent["system"]] == [mark, None]
    assert sent["tools"][-1]["cache_control"] == mark
    assert sent["messages"][-1]["content"][-1]["cache_control"] == mark
    assert "cache_control" not in str(sent["messages"][:-1])


@pytest.mark.parametrize(("retention", "expected"), [("none", None), ("long", {"type": "ephemeral", "ttl": "1h"})])
async def test_anthropic_cache_retention(anthropic: Wire, retention: str, expected: object) -> None:
    await anthropic.ask("hello", model={"compat": {"cacheRetention": retention}})
    assert anthropic.sent["system"][0].get("cache_control") == expected


async def test_anthropic_marks_move_without_spoiling_kept_messages(anthropic: Wire) -> None:
    first, second = UserMessage((Text("first"),), 0), UserMessage((Text("second"),), 0)
    answer = AssistantMessage((Text("yes"),), 0, "", "fake", "fake-1")
    await anthropic.ask(first)
    await anthropic.ask(first, answer, second)
    assert str(anthropic.sent["messages"]).count("cache_control") == 1


async def test_anthropic_thinking_budget_leaves_room(anthropic: Wire) -> None:
    message = await anthropic.ask("hello", thinking="max", max_output_tokens=4_000)
    assert message.error is None
    assert anthropic.sent["thinking"] == {"type": "enabled", "budget_tokens": 2_976}


async def test_anthropic_adaptive_thinking_names_an_effort(anthropic: Wire) -> None:
    await anthropic.ask("hello", thinking="ultra", model={"compat": {"thinking": "adaptive"}})
    assert anthropic.sent["thinking"] == {"type": "adaptive"}
    assert anthropic.sent["output_config"] == {"effort": "max"}


async def test_anthropic_redacted_thinking_goes_back(anthropic: Wire) -> None:
    answer = AssistantMessage((Thinking("", {"redacted": "blob"}), Text("hm")), 0, "", "fake", "fake-1")
    await anthropic.ask("q", answer, "again")
    assert anthropic.sent["messages"][1]["content"][0] == {"type": "redacted_thinking", "data": "blob"}


async def test_anthropic_history_may_begin_with_an_answer(anthropic: Wire) -> None:
    message = await anthropic.ask(AssistantMessage((Text("old"),), 0, "", "fake", "fake-1"), "and now? [[echo ok]]")
    assert message.error is None


async def test_completions_vendor_oddities_are_data(completions: Wire) -> None:
    await completions.ask(
        "hello", model={"compat": {"maxTokensField": "max_tokens", "supportsDeveloperRole": False}}, max_output_tokens=9
    )
    assert completions.sent["max_tokens"] == 9
    assert completions.sent["messages"][0]["role"] == "system"
    await completions.ask("hello")
    assert completions.sent["messages"][0]["role"] == "developer"
    assert "max_completion_tokens" in completions.sent


async def test_completions_recover_a_call_written_as_text(completions: Wire) -> None:
    message = await completions.ask('[[echo <tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>]]')
    assert message.stop_reason == "toolUse"
    assert message.text == ""
    assert dict(message.tool_calls[0].arguments) == {"path": "a"}


async def test_responses_store_nothing(wire_of: WireOf) -> None:
    wire = wire_of("openai-responses")
    await wire.ask("hello", session_key="agent:main:main", thinking="high")
    assert wire.sent["store"] is False
    assert wire.sent["prompt_cache_key"] == "agent:main:main"
    assert wire.sent["reasoning"] == {"effort": "high", "summary": "auto"}


def _decoded(*events: dict[str, Any]) -> AssistantMessage:
    model = Model("m", "p", "openai-completions")
    answer = Answer(model, lambda event: None, lambda: 0)
    decoder = CompletionsDecoder(ModelCall(model, Prompt(), (), (ToolSpec("read", "", {}),)), answer)
    for event in events:
        decoder.feed(event)
    decoder.end()
    return answer.done()


def _piece(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta}]}


def test_completions_calls_that_share_an_index_are_told_apart() -> None:
    message = _decoded(
        _piece(tool_calls=[{"index": 0, "id": "a", "function": {"name": "read", "arguments": '{"n":1}'}}]),
        _piece(tool_calls=[{"index": 0, "id": "b", "function": {"name": "read", "arguments": '{"n":2}'}}]),
    )
    assert [dict(call.arguments) for call in message.tool_calls] == [{"n": 1}, {"n": 2}]


def test_completions_stop_with_calls_is_a_tool_use() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "read", "arguments": {"n": 1}}}
    message = _decoded({"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "stop"}]})
    assert message.stop_reason == "toolUse"
    assert dict(message.tool_calls[0].arguments) == {"n": 1}


@pytest.mark.parametrize("text", ["{not json", "[1, 2]", '"text"'])
def test_arguments_that_are_no_object_are_handed_on(text: str) -> None:
    assert parse_arguments(text) == {INVALID_JSON: text}


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "read", "arguments": {"path": "a"}}',
        '```json\n{"name": "read", "parameters": {"path": "a"}}\n```',
        '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>',
    ],
)
def test_spoken_calls(text: str) -> None:
    assert spoken_calls(text, frozenset({"read"})) == [("read", '{"path":"a"}')]


@pytest.mark.parametrize(
    "text", ["hello", '{"name": "other", "arguments": {}}', 'I will <tool_call>{"name": "read"}</tool_call>', '{"a": 1}', "{"]
)
def test_text_that_is_no_call_stays_text(text: str) -> None:
    assert spoken_calls(text, frozenset({"read"})) == []


@pytest.mark.parametrize(
    ("level", "efforts", "expected"),
    [
        ("off", None, None),
        ("off", ("none", "low"), "none"),
        ("minimal", None, "low"),
        ("ultra", None, "high"),
        ("max", ("high", "max"), "max"),
        ("ultra", ("low", "xhigh"), "xhigh"),
        ("adaptive", None, "medium"),
    ],
)
def test_reasoning_effort_is_the_nearest_a_model_takes(level: Any, efforts: Any, expected: str | None) -> None:
    model = Model("m", "p", "openai-responses", reasoning=True, compat={"reasoningEfforts": efforts} if efforts else {})
    assert reasoning_effort(model, level) == expected
