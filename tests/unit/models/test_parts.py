"""The small parts that every wire format leans on."""

from __future__ import annotations

import pytest

from openclaw_kernel.models import failures
from openclaw_kernel.models.api import Model
from openclaw_kernel.models.fragments import Fragments
from openclaw_kernel.models.history import NO_RESULT, paired, safe_id
from openclaw_kernel.models.sse import SseReader
from openclaw_kernel.values.messages import AssistantMessage, Text, ToolCall, ToolResultMessage, UserMessage

MODEL = Model("m", "acme", "openai-completions")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_sse_does_not_care_how_bytes_are_cut(size: int) -> None:
    data = b": comment\r\nevent: x\r\ndata: one\r\n\r\ndata:two\ndata: three\n\nid: 4\n\ndata: unfinished\n"
    reader = SseReader()
    payloads = [payload for start in range(0, len(data), size) for payload in reader.feed(data[start : start + size])]
    assert payloads == [b"one", b"two\nthree"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}', "context_length"),
        (400, '{"error":{"message":"x","code":"context_length_exceeded"}}', "context_length"),
        (429, '{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}', "billing"),
        (400, '{"error":{"message":"Your credit balance is too low"}}', "billing"),
        (404, '{"error":{"message":"The model `gpt-9` does not exist"}}', "model_not_found"),
        (403, '{"error":{"type":"permission_error","message":"no"}}', "auth"),
        (504, "gateway time-out", "timeout"),
        (503, "<html>busy</html>", "overloaded"),
        (418, '{"error":"a teapot"}', "unknown"),
        (401, '[{"error":{"message":"google wraps it","code":401}}]', "auth"),
    ],
)
def test_status_errors_are_classified(status: int, body: str, kind: str) -> None:
    failure = failures.from_status(MODEL, status, body, {})
    assert failure.kind == kind
    assert failure.status == status
    assert str(status) in failure.message


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"retry-after": "3"}, 3_000), ({"retry-after-ms": "250"}, 250), ({"retry-after": "900"}, 60_000), ({}, None)],
)
def test_requested_waits_are_capped(headers: dict[str, str], expected: int | None) -> None:
    assert failures.retry_after_ms(headers) == expected


def _asks(*ids: str) -> AssistantMessage:
    return AssistantMessage(tuple(ToolCall(id, "read", {}) for id in ids), 0, "", "", "")


def _result(id: str) -> ToolResultMessage:
    return ToolResultMessage(id, "read", (Text("x"),), 0)


def test_history_is_paired() -> None:
    user = UserMessage((Text("q"),), 0)
    asks, one = _asks("a", "b"), _result("a")
    repaired = list(paired((user, _result("orphan"), asks, one, user, _asks("c"))))
    assert repaired[:3] == [user, asks, one]
    assert [message.content for message in (repaired[3], repaired[6])] == [(Text(NO_RESULT),)] * 2
    assert len(repaired) == 7


def test_whole_history_keeps_its_messages() -> None:
    messages = (UserMessage((Text("q"),), 0), _asks("a"), _result("a"))
    assert all(one is other for one, other in zip(paired(messages), messages, strict=True))


def test_ids_that_fit_stay() -> None:
    assert safe_id("toolu_01-A") == "toolu_01-A"
    assert safe_id("call|1") == safe_id("call|1") != safe_id("call|2")


def test_fragments_encode_once_and_stay_bounded() -> None:
    encoded: list[str] = []

    def encode(value: tuple[str]) -> bytes:
        encoded.append(value[0])
        return value[0].encode()

    kept: Fragments[tuple[str], bytes] = Fragments(len, max_bytes=8)
    first = ("aaaa",)
    for _ in range(3):
        assert kept.get(first, 1, encode) == b"aaaa"
    assert encoded == ["aaaa"]
    kept.get(first, 2, encode)
    kept.get(("bbbb",), 1, encode)
    assert len(kept) == 2
    kept.get(first, 1, encode)
    assert encoded == ["aaaa", "aaaa", "bbbb", "aaaa"]
