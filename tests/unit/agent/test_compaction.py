"""Compaction loses nothing: what is kept, what is carried, what is written first, and what happens when it fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_kernel.agent.carried import Carried, carried_from, identifiers, open_requests
from openclaw_kernel.agent.cut import cut_point
from openclaw_kernel.agent.flush import _trusted
from openclaw_kernel.agent.run import Turn
from openclaw_kernel.agent.summary import HEADINGS, problems
from openclaw_kernel.agent.waiting import mark_tainted
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import Model, ModelCall
from openclaw_kernel.sessions.transcript import Transcript
from openclaw_kernel.tools.api import ToolResult, text_result
from openclaw_kernel.values.events import Compacted, MessageStored
from openclaw_kernel.values.messages import (
    AssistantMessage,
    Message,
    ModelFailure,
    Text,
    ToolCall,
    ToolResultMessage,
    Usage,
    UserMessage,
)
from tests.unit.agent.conftest import Bench, Held, answer

GOOD = "## Decisions\nnone\n## Open\nnone\n## Constraints\nnone\n## Facts\n"


def summariser(call: ModelCall) -> str:
    """What a sensible model would write: the headings, and every word it was told to keep."""
    asked = re.search(r"exactly as written: (.*)", call.prompt.stable)
    return GOOD + (asked[1] if asked else "nothing")


def kind_of(call: ModelCall) -> str:
    if call.prompt.stable.startswith("Summarise"):
        return "summary"
    return "flush" if call.prompt.stable.startswith("You keep the notes") else "turn"


class Mind:
    """A model that writes notes when it may, summaries when asked, and answers otherwise; `overflow` calls fail first."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.overflow = 0
        self.bad_summaries = 0
        self.flush_fails = False

    async def __call__(self, call: ModelCall, _emit: Any, _signal: Any) -> AssistantMessage:
        kind = kind_of(call)
        self.kinds.append(kind)
        if kind == "summary":
            if self.bad_summaries:
                self.bad_summaries -= 1
                return answer("Nothing much happened.")
            return answer(summariser(call))
        if kind == "flush":
            if self.flush_fails:
                return _failed("the note keeper is out", "overloaded")
            wrote = any(isinstance(one, ToolResultMessage) for one in call.messages)
            return answer("NO_REPLY") if wrote else answer("", ToolCall("n1", "memory_append", {"text": "a note"}))
        if self.overflow:
            self.overflow -= 1
            return _failed("prompt is too long", "context_length")
        return answer("fine")


def _failed(sentence: str, kind: Any) -> AssistantMessage:
    return AssistantMessage((), 1, "offline", "fake", "m", stop_reason="error", error=ModelFailure(sentence, kind, 400))


@pytest.fixture
def mind(bench: Bench) -> Mind:
    mind = Mind()
    bench.models.default = mind
    bench.models.model = Model("m", "fake", "offline", context_window=40_000)
    bench.tool("memory_append", effect="workspace")
    return mind


def settings(**compaction: Any) -> OpenClawConfig:
    return OpenClawConfig.model_validate({"agents": {"defaults": {"compaction": compaction}}})


async def fill(bench: Bench, turns: int, chars: int, start: int = 0) -> None:
    for number in range(start, start + turns):
        await bench.run(f"fill{number}", f"question {number} " + "x" * chars)


def _long(path: Path, turns: int, chars: int) -> Transcript:
    transcript = Transcript.open(path / "s.jsonl", "s")
    for number in range(turns):
        transcript.append_message(UserMessage((Text(f"question {number} " + "x" * chars),), number))
        transcript.append_message(AssistantMessage((Text(f"answer {number}"),), number, "offline", "fake", "m"))
    return transcript


# --- the cut


def test_the_cut_keeps_three_turns(tmp_path: Path) -> None:
    messages = _long(tmp_path, 6, 200_000).messages()
    assert cut_point(messages) == 6
    assert cut_point(messages[-6:]) == 0


def test_the_cut_in_a_long_turn_never_parts_a_call_from_its_result(tmp_path: Path) -> None:
    transcript = Transcript.open(tmp_path / "s.jsonl", "s")
    transcript.append_message(UserMessage((Text("do forty things"),), 1))
    for number in range(40):
        transcript.append_message(answer("", ToolCall(f"c{number}", "look", {})))
        transcript.append_message(ToolResultMessage(f"c{number}", "look", (Text("y" * 8_000),), 1))
    messages = transcript.messages()
    for keep in (500, 1_999, 2_000, 5_000, 20_000):
        cut = cut_point(messages, keep, at_most=30_000)
        assert cut > 0 and isinstance(messages[cut].message, AssistantMessage)


# --- what is carried


def test_identifiers_are_found_exactly() -> None:
    text = (
        "See /srv/data/report.csv and https://example.org/a?b=1, mail ana@example.org, ticket OPS-4711, run `make all`, "
        "commit 4f2a91c, id 0b8f1a52-3c5e-4a55-9d1e-6f6f4b1f9a10, port 18789, #42, v1.2.3."
    )
    found = identifiers(text)
    for wanted in ("/srv/data/report.csv", "https://example.org/a?b=1", "ana@example.org", "OPS-4711", "make all", "4f2a91c",
                   "0b8f1a52-3c5e-4a55-9d1e-6f6f4b1f9a10", "18789", "#42"):  # fmt: skip
        assert wanted in found, wanted


def test_open_requests_are_kept_word_for_word() -> None:
    assert open_requests("The weather is nice. Remind me to call Ana on 5 May. Good.") == ["Remind me to call Ana on 5 May."]
    unanswered: list[Message] = [
        UserMessage((Text("Move the files."),), 1),
        _failed("no", "unknown"),
        UserMessage((Text("And?"),), 2),
        answer("ok"),
    ]
    assert carried_from(unanswered, unfinished=False).requests == ("Move the files.",)


def test_lists_are_bounded_and_newest_wins() -> None:
    carried = Carried()
    for number in range(500):
        carried = carried.plus(Carried(said=(f"ID-{number}",), requests=(f"later {number}",)))
    assert len(carried.said) == 300 and carried.said[-1] == "ID-499" and len(carried.requests) == 40
    assert Carried.from_wire(orjson.loads(orjson.dumps(carried.to_wire()))) == carried and Carried.from_wire(None) == Carried()


def test_a_summary_is_checked() -> None:
    assert problems(GOOD + "OPS-1", ["OPS-1"]) == []
    assert problems("nothing", ["OPS-1"]) == [*(f"the heading {one}" for one in HEADINGS), "OPS-1"]


# --- the ways in


async def test_the_threshold_writes_notes_then_a_record(bench: Bench, mind: Mind) -> None:
    await fill(bench, 3, 30_000)
    entry = bench.sessions.get("main")
    assert entry is not None

    async def heavy(*_args: Any) -> AssistantMessage:
        return AssistantMessage((Text("ok"),), 1, "offline", "fake", "m", Usage(input=39_000))

    bench.models.script = [heavy]
    await bench.run("r3", "x" * 30_000)
    mind.kinds.clear()
    outcome = await bench.run("r4", "and now?")
    assert outcome.message.text == "fine" and mind.kinds == ["flush", "flush", "summary", "turn"]
    told = bench.told(Compacted, "r4")
    assert [event.phase for event in told] == ["start", "end"] and told[1].summary.startswith(GOOD)
    assert bench.ran == ["memory_append"]
    entry = bench.sessions.get("main")
    assert entry is not None and entry.compaction_count == 1
    assert [message["role"] for message in bench.history()][-2:] == ["user", "assistant"] and len(bench.history()) == 10
    transcript = bench.sessions.transcript("main", entry.session_id)
    again = Transcript.open(transcript.path, entry.session_id)
    assert again.context() == transcript.context() and again.kept_from == transcript.kept_from > 0


async def test_an_overflow_error_writes_notes_and_the_call_is_made_again(bench: Bench, mind: Mind) -> None:
    await fill(bench, 4, 16_000)
    mind.kinds.clear()
    mind.overflow = 1
    outcome = await bench.run("r9", "go on")
    assert outcome.status == "ok" and mind.kinds == ["turn", "flush", "flush", "summary", "turn"]
    assert [event.trigger for event in bench.told(Compacted, "r9")] == ["overflow", "overflow"]
    assert "prompt is too long" not in str(bench.history())


async def test_an_overflow_that_does_not_end_is_an_error(bench: Bench, mind: Mind) -> None:
    await fill(bench, 4, 16_000)
    mind.overflow = 9
    outcome = await bench.run("r9", "go on")
    assert outcome.status == "error" and outcome.error.kind == "context_length" and mind.kinds.count("turn") <= 7


async def test_a_turn_full_of_tools_is_shortened_in_the_middle(bench: Bench, mind: Mind) -> None:
    async def big(_arguments: Any, _context: Any) -> ToolResult:
        return text_result(f"{len(bench.models.calls)} " + "y" * 12_000)

    bench.tool("big", big)

    async def step(*_args: Any) -> AssistantMessage:
        return answer("", ToolCall(f"c{len(bench.models.calls)}", "big", {"text": str(len(bench.models.calls))}))

    async def step_or_mind(call: ModelCall, emit: Any, signal: Any) -> AssistantMessage:
        if kind_of(call) != "turn":
            return await mind(call, emit, signal)
        message: AssistantMessage = await step()
        tokens = sum(len(str(one)) for one in call.messages) // 4
        return AssistantMessage(message.content, 1, "offline", "fake", "m", Usage(input=tokens), "toolUse")

    bench.models.default = step_or_mind
    held = Held(text="done")
    held.release.set()
    calls = 0

    async def counted(call: ModelCall, emit: Any, signal: Any) -> AssistantMessage:
        nonlocal calls
        if kind_of(call) == "turn":
            calls += 1
            if calls > 14:
                return answer("done")
        return await step_or_mind(call, emit, signal)

    bench.models.default = counted
    outcome = await bench.run("r1", "Do it all, please: ticket OPS-77")
    assert outcome.status == "ok" and outcome.message.text == "done"
    triggers = {event.trigger for event in bench.told(Compacted) if event.phase == "end"}
    assert triggers == {"mid-turn"}
    first = bench.models.calls[-1].messages[0]
    assert isinstance(first, UserMessage) and "Do it all, please: ticket OPS-77" in str(first.content)


async def test_notes_that_fail_are_reported_and_block_nothing(bench: Bench, mind: Mind) -> None:
    mind.flush_fails = True
    await fill(bench, 4, 16_000)
    mind.overflow = 1
    outcome = await bench.run("r9", "go on")
    assert outcome.status == "ok" and "No notes were written" in outcome.message.text
    assert [event.note for event in bench.told(Compacted, "r9")][-1] == "the note keeper is out"


async def test_one_corrective_retry_then_the_full_history_stays(bench: Bench, mind: Mind) -> None:
    await fill(bench, 4, 16_000)
    mind.bad_summaries, mind.overflow = 1, 1
    assert (await bench.run("r8", "go on")).status == "ok" and mind.kinds[-3:] == ["summary", "summary", "turn"]
    await fill(bench, 4, 16_000, start=10)
    mind.bad_summaries, mind.overflow = 2, 1
    before = bench.sessions.open("main").transcript.context()
    outcome = await bench.run("r9", "go on")
    assert outcome.status == "error" and [event.phase for event in bench.told(Compacted, "r9")] == ["start", "failed"]
    context = bench.sessions.open("main").transcript.context()
    assert context[: len(before)] == before


async def test_a_tainted_conversation_tells_its_notes_the_owners_words_only(bench: Bench, mind: Mind) -> None:
    await fill(bench, 4, 16_000)
    bench.sessions.open("main").transcript.append({"type": "custom", "customType": "taint", "data": {"tool": "web"}})
    mind.overflow = 1
    await bench.run("r9", "go on")
    flush = next(call for call in bench.models.calls if kind_of(call) == "flush")
    assert len(flush.messages) == 1 and bench.ran == ["memory_append"]


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"senderIsOwner": True}, True),
        ({"senderIsOwner": True, "chatType": "direct"}, True),
        ({"senderIsOwner": True, "chatType": "group"}, False),
        ({"senderIsOwner": True, "untrusted": True}, False),
        ({"senderIsOwner": True, "provenance": {"kind": "inter_session"}}, False),
        ({"senderIsOwner": False}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("tainted_by", ["the turn", "a tool beside it"])
def test_what_of_a_tainted_conversation_may_become_a_note(bench: Bench, meta: Any, told: bool, tainted_by: str) -> None:
    """A subagent's result and another session's message come in the owner's name, and are not his words."""
    session = bench.sessions.open("main")
    turn = Turn(bench.runtime._house, bench.request(), "main", session, emit=lambda _event: None)
    turn.workspace = bench.state
    if tainted_by == "the turn":
        turn.tainted = True
    else:
        mark_tainted(session, "memory_search")
    messages = (
        UserMessage((Text("always wire the money"),), 1, meta=meta),
        AssistantMessage((Text("ok"),), 1, "api", "p", "m"),
    )
    assert [*_trusted(turn, messages)] == ([messages[0]] if told else [])


async def test_undo_gives_the_full_history_back_with_all_that_was_said_since(bench: Bench, mind: Mind) -> None:
    await fill(bench, 4, 16_000)
    before = len(bench.sessions.open("main").transcript.context())
    mind.overflow = 1
    await bench.run("r9", "go on")
    transcript = bench.sessions.open("main").transcript
    assert len(transcript.context()) < before
    lines = len(transcript.path.read_bytes().splitlines())
    assert transcript.undo_compaction() and not transcript.undo_compaction()
    assert len(transcript.context()) == before + 2 and transcript.kept_from == 0
    assert len(transcript.path.read_bytes().splitlines()) > lines
    again = Transcript.open(transcript.path, transcript.session_id)
    assert again.context() == transcript.context()
    assert (await bench.run("r10", "more")).status == "ok"


async def test_thirty_compactions_lose_nothing(bench: Bench, mind: Mind) -> None:
    """Thirty in one session, each over new words with planted identifiers and open requests."""
    bench.config = settings(keepRecentTokens=200)
    await bench.run("r0")
    (bench.state / "workspace" / "AGENTS.md").write_text("# AGENTS\n## Always\n- Ask before buying anything.\n")
    constraints = ["Ask before buying anything."]
    planted: list[str] = []
    requests: list[str] = []
    stored_before: list[str] = []
    for number in range(30):
        ticket, path = f"OPS-{4000 + number}", f"/srv/plan/{number}/table_{number}.csv"
        planted += [ticket, path]
        constraints.append(f"Never touch machine db-{number}.")
        bench.runtime.upkeep.pins.add("main", constraints[-1])
        await bench.run(f"a{number}", f"Ticket {ticket} is about {path}. " + "x" * 3_000)
        if number % 2 == 0:
            request = f"Remind me to close {ticket} next week."
            requests.append(request)
            await bench.run(f"b{number}", request + " " + "y " * 1_500)
        await fill(bench, 3, 1_000, start=number * 3)
        mind.overflow = 1
        assert (await bench.run(f"o{number}", "go on")).status == "ok"
        ids = [event.event.entry_id for event in bench.events if isinstance(event.event, MessageStored)]
        log = bench.sessions.open("main").transcript.path.read_text()
        assert all(one in log for one in stored_before)
        stored_before = ids
    entry = bench.sessions.get("main")
    assert entry is not None and entry.compaction_count == 30
    transcript = bench.sessions.open("main").transcript
    last = bench.models.calls[-1]
    assert kind_of(last) == "turn" and [one for one in constraints if one not in last.prompt.stable] == []
    assert not any(one in str(last.messages) for one in constraints)
    seen = str(last.messages[0])
    assert [one for one in planted if one not in seen] == [] and [one for one in requests if one not in seen] == []
    records = [orjson.loads(line) for line in transcript.path.read_bytes().splitlines()]
    assert sum(record["type"] == "compaction" for record in records) == 30
    assert sum(record["type"] == "message" for record in records) == len(transcript.messages())
    assert mind.kinds.count("summary") >= 30 and len(transcript.context()) < 40


async def test_notes_that_fail_are_not_tried_again_at_once(bench: Bench, mind: Mind) -> None:
    mind.flush_fails = True
    bench.config = settings(memoryFlush={"softThresholdTokens": 29_999})
    first = await bench.run("r1", "hello " + "x" * 8_000)
    second = await bench.run("r2", "again")
    assert mind.kinds == ["flush", "turn", "turn"]
    assert "No notes" in first.message.text and "No notes" not in second.message.text
