"""Agent events to wire events: order, coalescing and endings (protocol section 4)."""

from __future__ import annotations

from typing import Any

from openclaw_gateway.methods.projection import PACE_MS, Projection, pace
from openclaw_kernel.values.events import (
    AgentEvent,
    Compacted,
    MessageDelta,
    MessageStarted,
    PhaseChanged,
    RunEnded,
    RunEvent,
    RunStarted,
    ToolEnded,
    ToolStarted,
    TurnStarted,
)
from openclaw_kernel.values.messages import AssistantMessage, ModelFailure, Text, ToolCall


class Broadcaster:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def __iter__(self) -> Any:
        return iter(())

    def send(self, event: str, payload: dict[str, Any], **_how: Any) -> int:
        self.sent.append((event, payload))
        return 1

    def chat(self) -> list[dict[str, Any]]:
        return [payload for event, payload in self.sent if event == "chat"]

    def agent(self, stream: str) -> list[dict[str, Any]]:
        return [payload["data"] for event, payload in self.sent if event == "agent" and payload["stream"] == stream]


class Stage:
    """A projection with a clock in our hand."""

    def __init__(self) -> None:
        self.now = 1000
        self.out = Broadcaster()
        self.projection = Projection(self.out, lambda: self.now)  # type: ignore[arg-type]
        self.seq = 0

    def play(self, *events: AgentEvent) -> None:
        for event in events:
            self.seq += 1
            self.projection(RunEvent("run", "agent:main:main", "main", self.seq, event))


def answer(text: str) -> AssistantMessage:
    return AssistantMessage((Text(text),), 0, "offline", "builtin", "offline")


async def test_first_piece_at_once_the_rest_with_the_end() -> None:
    stage = Stage()
    stage.play(PhaseChanged("starting_model"), RunStarted(1000), TurnStarted("p", "m"), MessageStarted("i"))
    stage.play(*(MessageDelta("i", word) for word in ("one", " two", " three")))
    assert [row["deltaText"] for row in stage.out.chat() if row["state"] == "delta"] == ["one"]
    stage.play(RunEnded("ok", 1000, 1001, answer("one two three")))
    chat = stage.out.chat()
    assert [row["state"] for row in chat] == ["status", "delta", "delta", "final"]
    assert chat[2]["deltaText"] == " two three" and chat[3]["message"]["content"][0]["text"] == "one two three"
    assert [data["delta"] for data in stage.out.agent("assistant")] == ["one", " two three"]
    assert [data["phase"] for data in stage.out.agent("lifecycle")] == ["start", "model", "finishing", "model", "end"]


async def test_pieces_are_paced_by_the_clock() -> None:
    stage = Stage()
    stage.play(MessageStarted("i"), MessageDelta("i", "a"), MessageDelta("i", "b"))
    stage.now += PACE_MS
    stage.play(MessageDelta("i", "c"))
    assert [row["deltaText"] for row in stage.out.chat()] == ["a", "bc"]
    stage.play(RunEnded("ok", 0, 1, answer("abc")))


def test_long_answers_are_paced_slower() -> None:
    assert pace(10) == PACE_MS and pace(100_000) == 1000


async def test_a_second_message_replaces_the_first() -> None:
    stage = Stage()
    stage.play(MessageStarted("1"), MessageDelta("1", "let me look"))
    stage.now += 1000
    stage.play(MessageStarted("2"), MessageDelta("2", "found it"))
    deltas = stage.out.chat()
    assert "replace" not in deltas[0] and deltas[1]["replace"] is True and deltas[1]["deltaText"] == "found it"
    stage.play(RunEnded("ok", 0, 1, answer("found it")))


async def test_an_aborted_run_says_so_first() -> None:
    stage = Stage()
    stage.play(MessageStarted("i"), MessageDelta("i", "half"), RunEnded("aborted", 0, 1, None, None, "rpc"))
    last = stage.out.chat()[-1]
    assert (last["state"], last["stopReason"]) == ("aborted", "rpc")
    assert [data["phase"] for data in stage.out.agent("lifecycle")] == ["end", "model", "error"]
    assert stage.out.agent("lifecycle")[0]["status"] == "cancelled"


async def test_failures_keep_to_the_kinds_of_the_protocol() -> None:
    for kind, shown in (("rate_limit", "rate_limit"), ("network", "unknown")):
        stage = Stage()
        failure = ModelFailure("no luck", kind, 429)  # type: ignore[arg-type]
        stage.play(TurnStarted("p", "m"), RunEnded("error", 0, 1, None, failure, "error"))
        last = stage.out.chat()[-1]
        assert last["state"] == "error" and last["errorKind"] == shown and last["errorMessage"] == "no luck"
        assert last["errorDetail"] == {"provider": "p", "model": "m", "failoverReason": kind, "httpStatus": 429}


async def test_a_silent_end_has_no_message() -> None:
    stage = Stage()
    stage.play(RunEnded("ok", 0, 1, None))
    assert "message" not in stage.out.chat()[-1]


async def test_tools_have_an_item_around_them() -> None:
    stage = Stage()
    call = ToolCall("c1", "read", {"path": "x"})
    stage.play(ToolStarted(call, "Read x"), ToolEnded(call, "blocked", (Text("no"),)))
    assert [data["phase"] for data in stage.out.agent("tool")] == ["start", "result"]
    assert [(data["itemId"], data["status"]) for data in stage.out.agent("item")] == [
        ("tool:c1", "running"),
        ("tool:c1", "blocked"),
    ]
    assert stage.out.agent("tool")[1]["isError"] is True


async def test_listeners_hear_one_run_until_they_stop() -> None:
    stage = Stage()
    heard: list[RunEvent] = []
    stop = stage.projection.listen("run", heard.append)
    stage.play(PhaseChanged("starting_model"))
    stop()
    stage.play(PhaseChanged("starting_model"))
    assert len(heard) == 1


async def test_clients_hear_that_a_conversation_is_being_shortened_and_how_it_went() -> None:
    stage = Stage()
    stage.play(Compacted(9_000, "", "threshold", "start"), Compacted(9_000, "", "threshold", "failed", "no words came"))
    assert [(row["state"], row["phase"]) for row in stage.out.chat()] == [
        ("status", "compacting"),
        ("status", "starting_model"),
    ]
    assert [(data["phase"], data.get("note")) for data in stage.out.agent("compaction")] == [
        ("start", None),
        ("failed", "no words came"),
    ]
