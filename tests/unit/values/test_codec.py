"""Messages survive the way to the wire and back."""

import pytest

from openclaw_kernel.values.codec import message_from_wire, message_to_wire
from openclaw_kernel.values.messages import (
    AssistantMessage,
    Cost,
    FileRef,
    Image,
    Message,
    ModelFailure,
    Text,
    Thinking,
    ToolCall,
    ToolResultMessage,
    Usage,
    UserMessage,
)

MESSAGES: list[Message] = [
    UserMessage((Text("hello"),), 1, "r1:user", {"senderIsOwner": True}),
    UserMessage((Text("look"), Image("aGk=", "image/jpeg"), FileRef("/a/b.csv", "text/csv", "b.csv")), 2),
    AssistantMessage(
        content=(Thinking("hm", {"signature": "s"}), Text("hi"), ToolCall("c1", "read", {"path": "a"})),
        timestamp=3,
        api="anthropic-messages",
        provider="anthropic",
        model="claude",
        usage=Usage(1, 2, 3, 4, Cost(0.1, 0.2, 0.3, 0.4)),
        stop_reason="toolUse",
        response_id="msg_1",
        meta={"runId": "r1"},
    ),
    AssistantMessage(
        (),
        4,
        "openai-completions",
        "demo",
        "d",
        stop_reason="error",
        error=ModelFailure("429 slow down", "rate_limit", 429, "{}"),
        idempotency_key="r1:terminal-error",
    ),
    ToolResultMessage("c1", "read", (Text("body"),), 5, True, {"path": "a"}),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_round_trip(message: Message) -> None:
    assert message_from_wire(message_to_wire(message)) == message


def test_a_plain_user_message_is_a_string_on_the_wire() -> None:
    assert message_to_wire(MESSAGES[0])["content"] == "hello"


def test_an_unknown_role_is_named() -> None:
    with pytest.raises(ValueError, match="'system'"):
        message_from_wire({"role": "system"})


def test_an_unknown_part_keeps_its_text() -> None:
    message = message_from_wire({"role": "user", "content": [{"type": "hologram", "text": "kept"}]})
    assert message.content == (Text("kept"),)
