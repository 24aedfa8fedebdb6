"""What every wire format has to do, over a real socket and through the real SDKs."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from openclaw_kernel.values.events import (
    Done,
    Error,
    Start,
    TextDelta,
    TextEnd,
    TextStart,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from openclaw_kernel.values.messages import Image, Text, Thinking, ToolCall, ToolResultMessage

from .conftest import Wire, user


def result(call: ToolCall, *parts: Text | Image, is_error: bool = False) -> ToolResultMessage:
    return ToolResultMessage(call.id, call.name, parts or (Text("contents"),), 0, is_error)


async def test_text_streams_word_by_word(wire: Wire) -> None:
    stream = wire.provider.stream(wire.call("[[echo hello there you]]"))
    events = [event async for event in stream]
    message = await stream.result()
    assert [type(event) for event in events] == [Start, TextStart, TextDelta, TextDelta, TextDelta, TextEnd, Done]
    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["hello", " there", " you"]
    assert events[-1] == Done(message)
    assert (message.text, message.stop_reason, message.error) == ("hello there you", "stop", None)
    assert (message.api, message.provider, message.model, message.timestamp) == (wire.api, "fake", "fake-1", 1_000)
    assert message.response_id


async def test_usage_counts_cached_tokens_apart_and_prices_them(wire: Wire) -> None:
    from openclaw_kernel.models.api import ModelCost

    message = await wire.ask("[[echo a b c]]", model={"cost": ModelCost(1_000_000, 2_000_000, 10, 20)})
    usage = message.usage
    assert usage.output == 3
    assert usage.input > 0
    assert usage.cache_read > 0
    assert usage.cost.input == usage.input
    assert usage.cost.output == 6
    assert bool(usage.cache_write) == (wire.api == "anthropic-messages")


async def test_parallel_tool_calls(wire: Wire) -> None:
    stream = wire.provider.stream(wire.call('[[tool read {"path": "a", "lines": [[1, 2]]}]] [[tool read {"path": "b"}]]'))
    events = [event async for event in stream]
    message = await stream.result()
    assert message.stop_reason == "toolUse"
    assert [dict(call.arguments) for call in message.tool_calls] == [{"path": "a", "lines": [[1, 2]]}, {"path": "b"}]
    assert len({call.id for call in message.tool_calls}) == 2
    assert len([event for event in events if isinstance(event, ToolCallStart)]) == 2
    assert "".join(event.delta for event in events if isinstance(event, ToolCallDelta) and event.index == 1) == '{"path": "b"}'
    assert [event.call for event in events if isinstance(event, ToolCallEnd)] == list(message.tool_calls)


async def test_tool_results_go_back_and_the_answer_follows(wire: Wire) -> None:
    question = user('[[tool read {"path": "a"}]] [[tool read {"path": "b"}]] [[echo both read]]')
    asked = await wire.ask(question)
    first, second = asked.tool_calls
    answer = await wire.ask(question, asked, result(first), result(second, Text("no such file"), is_error=True))
    assert answer.error is None
    assert answer.text == "both read"


async def test_thinking_goes_back_signed_with_the_tool_result(wire: Wire) -> None:
    question = user('[[think let me see]] [[tool read {"path": "a"}]]')
    stream = wire.provider.stream(wire.call(question, thinking="medium"))
    events = [event async for event in stream]
    asked = await stream.result()
    thought = next(part for part in asked.content if isinstance(part, Thinking))
    assert thought.text == "let me see"
    assert "".join(event.delta for event in events if isinstance(event, ThinkingDelta)) == "let me see"
    answer = await wire.ask(question, asked, result(asked.tool_calls[0]), thinking="medium")
    assert answer.error is None, answer.error
    sent = str(wire.sent)
    assert thought.provider is not None
    match wire.api:
        case "anthropic-messages":
            assert thought.provider["signature"] in sent
        case "openai-responses":
            assert thought.provider["item"]["encrypted_content"] in sent
        case _:
            assert "'reasoning_content': 'let me see'" in sent


async def test_thinking_stays_away_from_another_model(wire: Wire) -> None:
    question = user("[[think a secret thought]] [[echo fine]]")
    asked = await wire.ask(question, thinking="medium")
    answer = await wire.ask(question, asked, user("go on [[echo on]]"), model={"id": "fake-2"})
    assert answer.text == "on"
    assert "signature" not in str(wire.sent)
    assert "encrypted_content': 'enc" not in str(wire.sent)
    assert "reasoning_content" not in str(wire.sent)


async def test_images_are_sent(wire: Wire) -> None:
    message = await wire.ask(user("[[echo seen]]", Image("aGVsbG8=", "image/png")))
    assert message.text == "seen"
    assert "aGVsbG8=" in str(wire.sent)


async def test_an_image_in_a_tool_result_is_sent(wire: Wire) -> None:
    question = user("[[tool read {}]] [[echo nice]]")
    asked = await wire.ask(question)
    answer = await wire.ask(question, asked, result(asked.tool_calls[0], Text("a picture"), Image("aGVsbG8=")))
    assert (answer.text, answer.error) == ("nice", None)
    assert "aGVsbG8=" in str(wire.sent)


async def test_a_text_only_model_gets_a_note_instead_of_an_image(wire: Wire) -> None:
    message = await wire.ask(user("[[echo ok]]", Image("aGVsbG8=")), model={"input": ("text",)})
    assert message.text == "ok"
    assert "aGVsbG8=" not in str(wire.sent)
    assert "this model reads text only" in str(wire.sent)


async def test_abort_in_the_middle_keeps_what_arrived(wire: Wire) -> None:
    stream = wire.provider.stream(wire.call("[[hang]]"))
    events = []
    async for event in stream:
        events.append(event)
        if isinstance(event, TextDelta):
            stream.abort("the user pressed stop")
    message = await stream.result()
    assert message.stop_reason == "aborted"
    assert message.text.startswith("one")
    assert message.error is not None
    assert "the user pressed stop" in message.error.message
    assert events[-1] == Error(message)


async def test_abort_before_the_first_event(wire: Wire) -> None:
    stream = wire.provider.stream(wire.call("[[sleep 30]]"))
    stream.abort("changed my mind")
    message = await asyncio.wait_for(stream.result(), 5)
    assert (message.stop_reason, message.content) == ("aborted", ())


async def test_silence_ends_the_stream(wire: Wire) -> None:
    message = await wire.ask("[[hang]]", idle_timeout_s=0.2)
    assert message.stop_reason == "error"
    assert message.error is not None
    assert message.error.kind == "timeout"
    assert message.text.startswith("one")


@pytest.mark.parametrize(
    ("directive", "kind", "status"),
    [
        ("[[fail 429]]", "rate_limit", 429),
        ("[[fail 500]]", "overloaded", 500),
        ("[[fail 529]]", "overloaded", 529),
        ("[[fail 401]]", "auth", 401),
        ("[[fail 404]]", "model_not_found", 404),
        ("[[fail 400]]", "unknown", 400),
        ("[[drop]]", "network", None),
        ("[[garbage]]", "network", None),
        ("[[error overloaded_error]]", "overloaded", None),
        ("[[error rate_limit_error]]", "rate_limit", None),
        ("[[stop refusal]]", "refusal", None),
    ],
)
async def test_failures_are_data(wire: Wire, directive: str, kind: str, status: int | None) -> None:
    stream = wire.provider.stream(wire.call(directive))
    events = [event async for event in stream]
    message = await stream.result()
    assert message.stop_reason == "error"
    assert message.error is not None
    assert (message.error.kind, message.error.status) == (kind, status)
    assert events[-1] == Error(message)
    assert len([event for event in events if isinstance(event, Done | Error)]) == 1


async def test_a_requested_wait_is_reported(wire: Wire) -> None:
    message = await wire.ask("[[retry-after 2]]")
    assert message.error is not None
    assert (message.error.kind, message.error.retry_after_ms) == ("rate_limit", 2_000)


async def test_a_wrong_key_is_named_but_never_shown(wire: Wire) -> None:
    message = await wire.ask("hello", credential="wrong-key")
    assert message.error is not None
    assert (message.error.kind, message.error.status) == ("auth", 401)
    assert "models.providers.fake.apiKey" in message.error.message
    assert "wrong-key" not in message.error.message + message.error.body


async def test_no_server_is_a_network_failure(wire: Wire) -> None:
    message = await wire.ask("hello", model={"base_url": "http://127.0.0.1:9/v1"})
    assert message.error is not None
    assert message.error.kind == "network"


async def test_the_answer_may_be_cut_by_length(wire: Wire) -> None:
    message = await wire.ask("[[stop length]]")
    assert (message.stop_reason, message.error) == ("length", None)


async def test_an_interrupted_tool_call_gets_a_result(wire: Wire) -> None:
    asked = await wire.ask("[[tool read {}]]")
    answer = await wire.ask("[[tool read {}]]", asked, user("never mind [[echo fine]]"))
    assert (answer.error, answer.text) == (None, "fine")


async def test_a_foreign_tool_call_id_is_made_to_fit(wire: Wire) -> None:
    asked = await wire.ask("[[tool read {}]]")
    call = replace(asked.tool_calls[0], id="call|" + "x" * 80)
    asked = replace(asked, content=(call,))
    answer = await wire.ask("[[tool read {}]]", asked, result(call))
    assert answer.error is None
    assert "call|" not in str(wire.sent)


async def test_one_connection_serves_many_calls(wire: Wire) -> None:
    for _ in range(3):
        assert (await wire.ask("[[echo again]]")).text == "again"
    assert wire.server.connections == 1


async def test_the_key_and_extra_headers_are_sent(wire: Wire) -> None:
    await wire.ask("hello", model={"headers": {"X-Team": "blue"}})
    request = wire.server.requests[-1]
    assert request.key == "good-key"
    assert request.headers["x-team"] == "blue"


async def test_prompt_and_tools_are_sent(wire: Wire) -> None:
    await wire.ask("hello", max_output_tokens=77)
    sent = str(wire.sent)
    assert "You are a test." in sent
    assert "Today is a day." in sent
    assert "Reads a file." in sent
    assert "77" in sent


async def test_two_calls_at_once_do_not_mix(wire: Wire) -> None:
    first, second = await asyncio.gather(wire.ask("[[echo first one]]"), wire.ask("[[echo second one]]"))
    assert (first.text, second.text) == ("first one", "second one")
