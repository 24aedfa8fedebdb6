"""What is kept of a history between turns must never change what is sent."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from openclaw_kernel.models.anthropic_messages import AnthropicMessages
from openclaw_kernel.models.api import Model, ModelCall, Prompt
from openclaw_kernel.models.conversation import Conversations, last_cut
from openclaw_kernel.models.openai_completions import OpenAICompletions
from openclaw_kernel.models.openai_responses import OpenAIResponses
from openclaw_kernel.values.messages import AssistantMessage, Image, Message, Text, ToolCall, ToolResultMessage, UserMessage

FORMATS = (AnthropicMessages, OpenAICompletions, OpenAIResponses)
MODEL = Model("m", "acme", "openai-completions", input=("text", "image"))


def says(text: str, *calls: ToolCall) -> AssistantMessage:
    return AssistantMessage((Text(text), *calls), 0, "openai-completions", "acme", "m")


def user(text: str) -> UserMessage:
    return UserMessage((Text(text),), 0)


PIECES: tuple[Message, ...] = (
    user("q"),
    user("   "),
    says("a"),
    says(""),
    says("", ToolCall("c", "read", {})),
    ToolResultMessage("c", "read", (Image("image/png", "QUJD"),), 0),
)


def call(messages: tuple[Message, ...], session_key: str = "agent:main:main") -> ModelCall:
    return ModelCall(MODEL, Prompt("stable", "volatile"), messages, session_key=session_key)


@pytest.mark.parametrize("format", FORMATS)
def test_a_growing_history_is_sent_as_if_nothing_were_kept(format: type[AnthropicMessages]) -> None:
    """Every history of four messages out of six kinds, sent again after each message."""
    for history in itertools.product(PIECES, repeat=4):
        messages = tuple(replace(message) for message in history)
        kept = format()
        for count in range(1, len(messages) + 1):
            asked = call(messages[:count])
            assert kept.encode(asked) == _fresh(format).encode(asked)


@pytest.mark.parametrize("format", FORMATS)
def test_a_history_that_changed_is_encoded_again(format: type[AnthropicMessages]) -> None:
    kept = format()
    long = (user("one"), says("1"), user("two"), says("2"), user("three"))
    for messages in (long, (user("other"), says("1"), user("two")), long[:3], long):
        asked = call(messages)
        assert kept.encode(asked) == _fresh(format).encode(asked)


def _fresh(format: type[AnthropicMessages]) -> AnthropicMessages:
    """One that never cuts a history."""
    encoder = format()
    encoder._sessions.split = lambda session, variant, messages, encode: ([], messages)  # type: ignore[method-assign]
    return encoder


def test_a_turn_encodes_only_what_is_new() -> None:
    seen: list[int] = []
    kept = Conversations()

    def encode(messages: object) -> list[bytes]:
        seen.append(len(messages))  # type: ignore[arg-type]
        return [b"1"] * len(messages)  # type: ignore[arg-type]

    history: tuple[Message, ...] = (user("0"),)
    for number in range(100):
        head, rest = kept.split("s", None, history, encode)
        assert len(rest) == 1
        assert b",".join(head).count(b"1") == 2 * number
        history = (*history, says("a"), user(str(number)))
    assert seen == [2] * 99


def test_what_is_kept_is_bounded() -> None:
    kept = Conversations(max_bytes=10)
    history = (user("q"), says("a"), user("r"))
    for session in ("a", "b", "c"):
        kept.split(session, None, history, lambda _: [b"123456"])
    assert len(kept) == 1
    assert kept.split("", None, history, lambda _: [b"x"]) == ([], history)


def test_no_cut_inside_a_batch_of_tools() -> None:
    asks = says("let me look", ToolCall("c", "read", {}))
    assert last_cut((user("q"), asks, user("stop"))) == 0
    assert last_cut((user("q"), says("a"), user("r"), asks, user("stop"))) == 2
