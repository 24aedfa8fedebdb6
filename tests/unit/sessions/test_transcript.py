"""The transcript: a tree of lines that survives everything a file can suffer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from openclaw_kernel.sessions.context import LOST_RESULT, Context
from openclaw_kernel.sessions.transcript import Transcript, with_place
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.messages import AssistantMessage, Text, ToolCall, ToolResultMessage, UserMessage


def user(text: str) -> UserMessage:
    return UserMessage((Text(text),), 1_000)


def assistant(text: str, *calls: ToolCall) -> AssistantMessage:
    return AssistantMessage(((Text(text),) if text else ()) + calls, 1_000, "offline", "fake", "m")


def texts(transcript: Transcript) -> list[str]:
    return ["".join(part.text for part in stored.message.content if isinstance(part, Text)) for stored in transcript.messages()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.jsonl"


def test_the_header_comes_first_and_every_line_names_its_parent(path: Path) -> None:
    transcript = Transcript.open(path, "s", "/w")
    one = transcript.append_message(user("a"))
    two = transcript.append_message(assistant("b"))
    records = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [record["type"] for record in records] == ["session", "message", "message"]
    assert (records[0]["version"], records[0]["id"], records[0]["cwd"]) == (4, "s", "/w")
    assert (records[1]["parentId"], records[2]["parentId"]) == (None, one.id) and (one.seq, two.seq) == (1, 2)


def test_reading_back_gives_the_same(path: Path) -> None:
    transcript = Transcript.open(path, "s")
    transcript.append_message(user("a"))
    transcript.append({"type": "thinking_level_change", "thinkingLevel": "high"})
    transcript.append({"type": "custom", "customType": "model-snapshot", "data": {"modelId": "m"}})
    transcript.append({"type": "custom_message", "customType": "note", "content": "remember", "display": False})
    transcript.append_message(assistant("b"))
    again = Transcript.open(path, "s")
    assert again.messages() == transcript.messages() and again.context() == transcript.context()
    assert len(again.context()) == 3 and again.latest("thinking_level_change") == "high"
    assert again.latest("model-snapshot") == {"modelId": "m"} and again.leaf == transcript.leaf


def test_the_products_own_order_of_lines_is_read(path: Path) -> None:
    lines = [
        {"type": "message", "id": "1", "parentId": None, "timestamp": "2026-11-20T19:38:00.576Z",
         "message": {"role": "user", "content": "hello", "timestamp": 5, "__openclaw": {"senderIsOwner": True}}},
        {"type": "session", "version": 4, "id": "s", "timestamp": "2026-11-20T19:38:00.577Z", "cwd": "/w"},
        {"type": "branch_summary", "id": "1b", "parentId": "1", "timestamp": "2026-11-20T19:38:00.578Z"},
        {"type": "message", "id": "2", "parentId": "not in the file", "timestamp": "2026-11-20T19:38:01.000Z",
         "message": {"role": "assistant", "content": [{"type": "text", "text": "hi"}], "timestamp": 6}},
        {"type": "message", "id": "3", "parentId": "2", "message": {"role": "martian", "content": ""}},
    ]  # fmt: skip
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)) + b"\n" + b'{"type":"mess')
    transcript = Transcript.open(path, "s")
    assert texts(transcript) == ["hello", "hi"] and transcript.cwd == "/w"
    assert with_place(transcript.messages()[0])["__openclaw"] == {"senderIsOwner": True, "id": "1", "seq": 1}
    transcript.append_message(user("more"))
    assert texts(Transcript.open(path, "s")) == ["hello", "hi", "more"]
    assert path.read_bytes().count(b'"type":"session"') == 1


def test_a_branch_starts_at_an_older_line_and_loses_nothing(path: Path) -> None:
    transcript = Transcript.open(path, "s")
    first = transcript.append_message(user("a"))
    transcript.append_message(assistant("b"))
    fork = transcript.append_message(assistant("c"), parent=first.id)
    assert texts(transcript) == ["a", "c"] and fork.seq == 2 and len(path.read_bytes().splitlines()) == 4
    assert texts(Transcript.open(path, "s")) == ["a", "c"]
    with pytest.raises(OpenClawError, match="no entry"):
        transcript.branch("nowhere")


def test_a_closed_transcript_opens_itself_again(path: Path) -> None:
    transcript = Transcript.open(path, "s")
    transcript.append_message(user("a"))
    transcript.close()
    transcript.append_message(user("b"))
    assert texts(Transcript.open(path, "s")) == ["a", "b"]


def test_flush_before_anything_was_written(path: Path) -> None:
    asyncio.run(Transcript.open(path, "s").flush())
    assert not path.exists()


def test_compaction_replaces_the_older_part_of_the_context_only(path: Path) -> None:
    transcript = Transcript.open(path, "s")
    transcript.append_message(user("old"))
    transcript.append_message(assistant("older answer"))
    kept = transcript.append_message(user("kept"))
    transcript.append({"type": "compaction", "summary": "they met", "firstKeptEntryId": kept.id, "tokensBefore": 9})
    transcript.append_message(assistant("new"))
    shown = [message.content[0].text for message in transcript.context()]  # type: ignore[union-attr]
    assert shown == ["Summary of the earlier conversation:\n\nthey met", "kept", "new"]
    assert texts(transcript) == ["old", "older answer", "kept", "new"]


def test_a_context_can_always_be_sent() -> None:
    context = Context()
    for message in (
        user("a"),
        assistant("", ToolCall("1", "look", {}), ToolCall("2", "touch", {})),
        ToolResultMessage("1", "look", (Text("ok"),), 1),
        ToolResultMessage("9", "ghost", (Text("nobody asked"),), 1),
        assistant(""),
        user("b"),
    ):
        context.add(message)
    shown = context.snapshot()
    assert [type(message).__name__ for message in shown] == [
        "UserMessage", "AssistantMessage", "ToolResultMessage", "ToolResultMessage", "UserMessage"
    ]  # fmt: skip
    assert shown[3].content == (Text(LOST_RESULT),)
