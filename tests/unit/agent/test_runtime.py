"""What callers of the agent are promised: stored before acknowledged, answered once, ended once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from openclaw_kernel.agent.workspace import FILES
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.events import MessageDelta, MessageStored, PhaseChanged, RunEnded, ToolEnded
from tests.unit.agent.conftest import SECRET, Bench, Held, fail, say


def lines(path: Path) -> list[dict]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def test_a_turn_is_stored_and_told(bench: Bench) -> None:
    receipt = await bench.runtime.submit(bench.request())
    assert receipt.status == "started"
    stored = lines(bench.state / "agents/main/sessions" / f"{receipt.session_id}.jsonl")
    assert [record["type"] for record in stored] == ["session", "message"]
    assert stored[1]["message"]["idempotencyKey"] == "r1:user"
    assert lines(bench.state / "runs.jsonl")[-1]["state"] == "running"

    outcome = await bench.runtime.wait("r1")
    assert outcome is not None and outcome.status == "ok" and outcome.message is not None
    assert outcome.message.text == "ok" and outcome.message.meta == {"runId": "r1"}
    assert [event.seq for event in bench.events] == list(range(1, len(bench.events) + 1))
    assert len(bench.told(RunEnded)) == 1 and isinstance(bench.events[-1].event, RunEnded)
    assert [event.phase for event in bench.told(PhaseChanged)] == ["preparing_workspace", "preparing_context", "starting_model"]
    assert [(event.message.__class__.__name__, event.seq) for event in bench.told(MessageStored)] == [
        ("UserMessage", 1),
        ("AssistantMessage", 2),
    ]
    assert {path.name for path in (bench.state / "workspace").glob("*.md")} == set(FILES)
    entry = bench.sessions.get("main")
    assert entry is not None and (entry.title, entry.preview, entry.status) == ("hello", "ok", "done")


async def test_a_repeated_run_is_not_run_again(bench: Bench) -> None:
    held = Held()
    bench.models.script = [held]
    await bench.runtime.submit(bench.request())
    await held.reached.wait()
    assert (await bench.runtime.submit(bench.request())).status == "in_flight"
    held.release.set()
    await bench.runtime.wait("r1")
    assert (await bench.runtime.submit(bench.request())).status == "done"
    assert len(bench.models.calls) == 1


async def test_the_same_id_with_another_message_is_a_conflict(bench: Bench) -> None:
    await bench.run()
    with pytest.raises(OpenClawError) as caught:
        await bench.runtime.submit(bench.request(text="something else"))
    assert caught.value.details["reason"] == "chat-request-conflict"


async def test_idempotency_and_outcome_survive_a_restart(bench: Bench) -> None:
    first = await bench.run()
    await bench.runtime.close()
    bench.open()
    assert await bench.runtime.recover() == []
    assert (await bench.runtime.submit(bench.request())).status == "done"
    again = await bench.runtime.wait("r1")
    assert again is not None and again.message is not None and again.message.text == first.message.text
    assert again.usage == first.usage and len(bench.models.calls) == 1


async def test_an_unknown_run_is_an_error(bench: Bench) -> None:
    with pytest.raises(OpenClawError, match="unknown run"):
        await bench.runtime.wait("nobody")


async def test_messages_of_one_session_wait_in_order(bench: Bench) -> None:
    held = Held(text="first")
    bench.models.script = [held, say("second")]
    await bench.runtime.submit(bench.request("r1", "one"))
    await held.reached.wait()
    receipt = await bench.runtime.submit(bench.request("r2", "two"))
    assert receipt.status == "queued" and bench.runtime.queued("main") == ["r2"]
    assert lines(bench.state / "runs.jsonl")[-1]["message"]["content"] == "two"
    assert await bench.runtime.wait("r2", 0) is None
    held.release.set()
    await bench.runtime.wait("r2")
    texts = [message["content"] if message["role"] == "user" else message["content"][0]["text"] for message in bench.history()]
    assert texts == ["one", "first", "two", "second"]


async def test_sessions_run_side_by_side(bench: Bench) -> None:
    held = Held()
    bench.models.script = [held]
    await bench.runtime.submit(bench.request("r1", key="a"))
    await held.reached.wait()
    outcome = await bench.run("r2", key="b")
    assert outcome.status == "ok" and [run.text for run in bench.runtime.active()] == ["half"]


async def test_abort_in_the_middle_of_an_answer(bench: Bench) -> None:
    held = Held()
    bench.models.script = [held]
    await bench.runtime.submit(bench.request())
    await held.reached.wait()
    assert bench.runtime.abort("main") == ["r1"]
    outcome = await bench.runtime.wait("r1", 5)
    assert outcome is not None and (outcome.status, outcome.stop_reason) == ("aborted", "rpc")
    last = bench.history()[-1]
    assert (last["stopReason"], last["content"][0]["text"]) == ("aborted", "half")
    entry = bench.sessions.get("main")
    assert entry is not None and entry.aborted_last_run


async def test_abort_does_not_wait_for_a_deaf_model(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_kernel.agent.loop.STREAM_GRACE_S", 0.01)
    held = Held(deaf=True)
    bench.models.script = [held]
    await bench.runtime.submit(bench.request())
    await held.reached.wait()
    bench.runtime.abort("main")
    outcome = await bench.runtime.wait("r1", 5)
    assert outcome is not None and outcome.status == "aborted" and outcome.message is not None
    assert outcome.message.text == "half"
    held.release.set()


async def test_a_queued_run_can_be_aborted(bench: Bench) -> None:
    held = Held()
    bench.models.script = [held]
    await bench.runtime.submit(bench.request("r1"))
    await held.reached.wait()
    await bench.runtime.submit(bench.request("r2", "two"))
    assert bench.runtime.abort("main", "r2") == ["r2"]
    outcome = await bench.runtime.wait("r2", 1)
    assert outcome is not None and outcome.status == "aborted" and len(bench.told(RunEnded, "r2")) == 1
    held.release.set()
    assert (await bench.runtime.wait("r1")).status == "ok"  # type: ignore[union-attr]


async def test_an_abort_right_after_submit_counts(bench: Bench) -> None:
    await bench.runtime.submit(bench.request())
    assert bench.runtime.abort("main", reason="stop") == ["r1"]
    outcome = await bench.runtime.wait("r1", 5)
    assert outcome is not None and (outcome.status, outcome.stop_reason) == ("aborted", "stop")
    assert bench.models.calls == [] and bench.history()[-1]["stopReason"] == "aborted"


async def test_a_run_ends_after_its_time(bench: Bench) -> None:
    bench.models.script = [Held()]
    outcome = await bench.run(timeout_ms=20)
    assert (outcome.status, outcome.stop_reason) == ("timeout", "timeout")


async def test_a_model_error_is_the_end_and_a_record(bench: Bench) -> None:
    bench.models.script = [fail("429 slow down")]
    outcome = await bench.run()
    assert outcome.status == "error" and outcome.message is None
    assert outcome.error is not None and outcome.error.kind == "rate_limit"
    last = bench.history()[-1]
    assert (last["content"], last["idempotencyKey"], last["errorMessage"]) == ([], "r1:terminal-error", "429 slow down")
    assert last["__openclaw"]["runId"] == "r1"
    await bench.run("r2")
    assert [message.__class__.__name__ for message in bench.models.calls[-1].messages] == ["UserMessage", "UserMessage"]


async def test_what_was_said_before_an_error_is_kept(bench: Bench) -> None:
    bench.models.script = [fail("boom", after="so far")]
    await bench.run()
    assert [message.get("stopReason") for message in bench.history()] == [None, "aborted", "error"]
    assert bench.history()[1]["content"][0]["text"] == "so far"


async def test_an_unknown_model_is_told_in_one_sentence(bench: Bench) -> None:
    outcome = await bench.run(model="fake/typo")
    assert outcome.status == "error" and outcome.error is not None
    assert (outcome.error.kind, outcome.error.message) == ("model_not_found", "Model 'fake/typo' is not known.")


async def test_silence_is_no_message(bench: Bench) -> None:
    bench.models.script = [say("NO_REPLY")]
    outcome = await bench.run()
    assert outcome.status == "ok" and outcome.message is None and bench.told(MessageDelta) == []
    bench.models.script = [say("NO way")]
    await bench.run("r2")
    assert "".join(event.delta for event in bench.told(MessageDelta, "r2")) == "NO way"


async def test_a_run_cut_short_is_marked_and_not_answered(bench: Bench) -> None:
    held = Held()
    bench.models.script = [held]
    await bench.runtime.submit(bench.request("r1", "one"))
    await held.reached.wait()
    await bench.runtime.submit(bench.request("r2", "two"))
    calls = len(bench.models.calls)

    bench.open()
    marked = await bench.runtime.recover()
    assert [row.run_id for row in marked] == ["r1", "r2"]
    assert [(m["role"], m.get("stopReason"), m.get("errorMessage")) for m in bench.history()] == [
        ("user", None, None),
        ("assistant", "aborted", "interrupted by a restart"),
        ("user", None, None),
        ("assistant", "aborted", "interrupted by a restart"),
    ]
    entry = bench.sessions.get("main")
    assert entry is not None and entry.aborted_last_run and len(bench.models.calls) == calls
    outcome = await bench.runtime.wait("r1")
    assert outcome is not None and (outcome.status, outcome.stop_reason) == ("aborted", "restart")
    assert await bench.runtime.recover() == []
    held.release.set()


async def test_a_crash_between_the_row_and_the_message_leaves_the_id_free(bench: Bench) -> None:
    await bench.run("r0")
    await bench.runtime.close()
    entry = bench.sessions.get("main")
    assert entry is not None
    row = {"run_id": "r1", "session_key": entry.key, "session_id": entry.session_id, "agent_id": "main"}
    row |= {"input_hash": "x", "state": "running", "accepted_at": 1}
    with (bench.state / "runs.jsonl").open("ab") as file:
        file.write(orjson.dumps(row) + b"\n")
    bench.open()
    assert await bench.runtime.recover() == []
    assert (await bench.run("r1")).status == "ok"


async def test_torn_lines_do_not_hide_the_rest(bench: Bench) -> None:
    outcome = await bench.run()
    await bench.runtime.close()
    path = bench.state / "agents/main/sessions" / f"{outcome.session_id}.jsonl"
    for torn in (path, bench.state / "runs.jsonl"):
        with torn.open("ab") as file:
            file.write(b'{"type":"message","id":"x')
    bench.open()
    await bench.runtime.recover()
    assert [message["role"] for message in bench.history()] == ["user", "assistant"]
    assert (await bench.run("r2")).status == "ok" and path.with_name(path.name + ".torn-1").exists()


async def test_close_ends_what_runs_and_takes_nothing_new(bench: Bench) -> None:
    held = Held()
    bench.models.script = [held]
    await bench.runtime.submit(bench.request())
    await held.reached.wait()
    waiting = asyncio.ensure_future(bench.runtime.wait("r1"))
    await asyncio.sleep(0)
    await bench.runtime.close(grace_s=0)
    outcome = await waiting
    assert outcome is not None and (outcome.status, outcome.stop_reason) == ("aborted", "shutdown")
    with pytest.raises(OpenClawError, match="shutting down"):
        await bench.runtime.submit(bench.request("r9"))


async def test_a_listener_that_fails_does_not_end_the_run(bench: Bench) -> None:
    def broken(_event: object) -> None:
        raise RuntimeError("listener")

    bench.runtime._sink = broken
    assert (await bench.run()).status == "ok"


async def test_a_secret_in_a_tools_output_is_neither_stored_nor_sent(bench: Bench) -> None:
    from openclaw_kernel.values.messages import ToolCall

    bench.models.script = [say("", ToolCall("c1", "look", {"text": SECRET})), say("done")]
    await bench.run()
    result = next(message for message in bench.history() if message["role"] == "toolResult")
    assert SECRET not in str(result) and SECRET not in str(bench.told(ToolEnded)[0].content)
    assert SECRET not in str(bench.models.calls[-1].messages[-1])


async def test_turn_500_asks_no_more_than_turn_50(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted, not timed: lines written, prompts built, messages encoded."""
    from openclaw_kernel.sessions import transcript as module

    encoded: list[int] = []
    original = module.message_to_wire
    monkeypatch.setattr(module, "message_to_wire", lambda message: encoded.append(1) or original(message))
    costs = []
    for number in range(500):
        before = len(encoded)
        written = bench.state / "agents/main/sessions"
        await bench.run(f"r{number}", "hello")
        costs.append(len(encoded) - before)
    assert costs[499] == costs[49] == 2
    assert bench.runtime._house.prompts.builds == 1
    assert len(bench.models.calls[-1].messages) == 999
    assert bench.models.calls[-1].messages[0] is bench.models.calls[0].messages[0]
    assert len(list(written.glob("*.jsonl"))) == 2
