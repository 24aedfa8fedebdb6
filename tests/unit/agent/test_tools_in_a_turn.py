"""Tools in a turn: one result per call, in source order, and policy in front of each."""

from __future__ import annotations

import asyncio
from typing import Any

from openclaw_kernel.agent.toolrun import result_cap
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import Model
from openclaw_kernel.safety.approvals import Approval
from openclaw_kernel.tools.api import ToolError, text_result
from openclaw_kernel.values.events import RunEnded, ToolEnded, ToolStarted, ToolUpdated
from openclaw_kernel.values.messages import Text, ToolCall, UserMessage
from tests.unit.agent.conftest import Bench, Command, Words, say


def call(name: str, identity: str = "c1", **arguments: Any) -> ToolCall:
    return ToolCall(identity, name, arguments)


def results(bench: Bench) -> list[dict[str, Any]]:
    return [message for message in bench.history() if message["role"] == "toolResult"]


async def test_a_tool_runs_and_the_model_sees_its_result(bench: Bench) -> None:
    bench.models.script = [say("let me see", call("look", text="x")), say("seen")]
    outcome = await bench.run()
    assert outcome.message.text == "seen" and outcome.usage.input == 20
    assert [message["role"] for message in bench.history()] == ["user", "assistant", "toolResult", "assistant"]
    assert results(bench)[0]["content"] == [{"type": "text", "text": "look: x"}]
    assert results(bench)[0]["__openclaw"]["runId"] == "r1"
    assert [event.state for event in bench.told(ToolEnded)] == ["completed"]
    assert bench.models.calls[1].messages[-1].content == (Text("look: x"),)


async def test_an_unknown_tool_and_wrong_arguments_are_results(bench: Bench) -> None:
    bench.tool("exec", parameters=Command, effect="host", exclusive=True)
    bench.models.script = [say("", call("nope"), call("exec", "c2", wrong=1)), say("sorry")]
    outcome = await bench.run()
    texts = [result["content"][0]["text"] for result in results(bench)]
    assert texts == ["Tool nope not found", "Invalid arguments for exec: command: Field required."]
    assert outcome.status == "ok" and [event.state for event in bench.told(ToolEnded)] == ["failed", "failed"]


async def test_a_tool_that_raises_is_a_result(bench: Bench) -> None:
    async def sorry(_arguments: Any, _context: Any) -> Any:
        raise ToolError("The file is gone.")

    async def broken(_arguments: Any, _context: Any) -> Any:
        raise ZeroDivisionError("oops")

    bench.tool("sorry", sorry)
    bench.tool("broken", broken)
    bench.models.script = [say("", call("sorry"), call("broken", "c2")), say("ok")]
    await bench.run()
    texts = [result["content"][0]["text"] for result in results(bench)]
    assert texts == ["The file is gone.", "broken failed: ZeroDivisionError: oops"]


async def test_read_only_calls_run_together_and_report_in_order(bench: Bench) -> None:
    order: list[str] = []
    second_done = asyncio.Event()

    async def slow(arguments: Words, _context: Any) -> Any:
        order.append(f"start {arguments.text}")
        if arguments.text == "a":
            await second_done.wait()
        else:
            second_done.set()
        order.append(f"end {arguments.text}")
        return text_result(arguments.text)

    bench.tool("slow", slow, read_only=True)
    calls = (call("slow", "c1", text="a"), call("slow", "c2", text="b"), call("touch", "c3"))
    bench.models.script = [say("", *calls), say("ok")]
    await bench.run()
    assert order == ["start a", "start b", "end b", "end a"]
    assert [result["toolCallId"] for result in results(bench)] == ["c1", "c2", "c3"]
    assert [event.call.id for event in bench.told(ToolStarted)] == ["c1", "c2", "c3"]


async def test_abort_in_the_middle_of_a_tool(bench: Bench) -> None:
    reached = asyncio.Event()

    async def wait(_arguments: Any, context: Any) -> Any:
        reached.set()
        await context.signal.wait()
        return text_result("stopped by itself")

    bench.tool("wait", wait)
    bench.models.script = [say("", call("wait"), call("touch", "c2"))]
    await bench.runtime.submit(bench.request())
    await reached.wait()
    bench.runtime.abort("main")
    outcome = await bench.runtime.wait("r1", 5)
    assert outcome is not None and outcome.status == "aborted"
    assert [result["toolCallId"] for result in results(bench)] == ["c1", "c2"]
    assert bench.told(ToolEnded)[1].state == "aborted" and bench.ran == []
    assert bench.history()[-1]["stopReason"] == "aborted" and len(bench.models.calls) == 1


async def test_a_tool_that_ignores_the_abort_is_cancelled(bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.setattr("openclaw_kernel.agent.batch.TOOL_GRACE_S", 0.01)
    reached, cancelled = asyncio.Event(), asyncio.Event()

    async def deaf(_arguments: Any, _context: Any) -> Any:
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    bench.tool("deaf", deaf)
    bench.models.script = [say("", call("deaf"))]
    await bench.runtime.submit(bench.request())
    await reached.wait()
    bench.runtime.abort("main")
    assert await bench.runtime.wait("r1", 5) is not None
    assert cancelled.is_set() and bench.told(ToolEnded)[0].state == "aborted"


def answering(bench: Bench, decision: str) -> list[Approval]:
    asked: list[Approval] = []

    def answer(approval: Approval) -> None:
        if approval.state == "pending":
            asked.append(approval)
            asyncio.get_running_loop().call_soon(bench.approvals.resolve, approval.id, decision, "test")

    bench.approvals.on_change.append(answer)
    return asked


async def test_an_approved_call_runs(bench: Bench) -> None:
    bench.tool("send", effect="outbound")
    asked = answering(bench, "allow-once")
    bench.models.script = [say("", call("send", text="hi")), say("sent")]
    await bench.run()
    assert bench.ran == ["send"] and (asked[0].run_id, asked[0].tool_call_id) == ("r1", "c1")
    assert bench.told(ToolEnded)[0].state == "completed"


async def test_a_denied_call_is_blocked_and_says_by_which_rule(bench: Bench) -> None:
    bench.tool("send", effect="outbound")
    answering(bench, "deny")
    bench.models.script = [say("", call("send")), say("fine")]
    outcome = await bench.run()
    ended = bench.told(ToolEnded)[0]
    assert bench.ran == [] and outcome.status == "ok" and ended.state == "blocked"
    assert ended.details["state"] == "blocked" and ended.details["rule"] == "effect=outbound"


async def test_abort_withdraws_an_open_question(bench: Bench) -> None:
    asked = asyncio.Event()
    bench.approvals.on_change.append(lambda _approval: asked.set())
    bench.tool("send", effect="outbound")
    bench.models.script = [say("", call("send"))]
    await bench.runtime.submit(bench.request())
    await asked.wait()
    bench.runtime.abort("main")
    outcome = await bench.runtime.wait("r1", 5)
    assert outcome is not None and outcome.status == "aborted" and bench.approvals.pending() == [] and bench.ran == []


async def test_untrusted_output_taints_what_follows(bench: Bench) -> None:
    bench.tool("web", untrusted_output=True, read_only=True)
    bench.tool("store", effect="workspace")
    asked = answering(bench, "deny")
    bench.models.script = [say("", call("store")), say("", call("web", "c2"), call("store", "c3")), say("ok")]
    await bench.run()
    assert bench.ran == ["store", "web"] and [approval.tool_call_id for approval in asked] == ["c3"]


async def test_the_taint_stays_with_the_session(bench: Bench) -> None:
    bench.tool("web", untrusted_output=True, read_only=True)
    bench.tool("store", effect="workspace")
    asked = answering(bench, "deny")
    bench.models.script = [say("", call("web")), say("ok"), say("", call("store", "c9")), say("ok")]
    await bench.run("r1")
    await bench.run("r2")
    assert [approval.tool_call_id for approval in asked] == ["c9"]


async def test_steering_skips_what_has_not_started(bench: Bench) -> None:
    async def first(_arguments: Any, _context: Any) -> Any:
        bench.runtime.steer("main", UserMessage((Text("wait, look here"),), 2_000))
        return text_result("done")

    bench.tool("first", first)
    bench.models.script = [say("", call("first"), call("touch", "c2")), say("looking")]
    await bench.run()
    assert [event.state for event in bench.told(ToolEnded)] == ["completed", "skipped"] and bench.ran == []
    assert [message["role"] for message in bench.history()] == [
        "user",
        "assistant",
        "toolResult",
        "toolResult",
        "user",
        "assistant",
    ]


async def test_a_model_that_never_stops_is_stopped(bench: Bench, monkeypatch: Any) -> None:
    bench.models.default = say("", call("touch"))
    monkeypatch.setattr("openclaw_kernel.agent.turn.MAX_ITERATIONS", 3)
    outcome = await bench.run()
    assert outcome.status == "error" and "3 model calls" in outcome.error.message and len(bench.told(RunEnded)) == 1


async def test_long_output_is_cut_and_kept(bench: Bench) -> None:
    async def long(_arguments: Any, _context: Any) -> Any:
        return text_result("x" * 100_000)

    bench.tool("long", long)
    bench.models.script = [say("", call("long")), say("ok")]
    await bench.run()
    text = results(bench)[0]["content"][0]["text"]
    kept = list((bench.state / "workspace/.openclaw/results").iterdir())
    assert len(text) < 33_000 and f".openclaw/results/{kept[0].name}" in text and kept[0].stat().st_size == 100_000


async def test_progress_is_told(bench: Bench) -> None:
    async def steps(_arguments: Any, context: Any) -> Any:
        context.progress("half", 0.5)
        return text_result("ok")

    bench.tool("steps", steps)
    bench.models.script = [say("", call("steps")), say("ok")]
    await bench.run()
    assert [(event.text, event.fraction) for event in bench.told(ToolUpdated)] == [("half", 0.5)]


async def test_a_call_without_result_after_a_crash_gets_one(bench: Bench) -> None:
    reached = asyncio.Event()

    async def wait(_arguments: Any, context: Any) -> Any:
        reached.set()
        await context.signal.wait()
        return text_result("late")

    bench.tool("wait", wait)
    bench.models.script = [say("", call("wait"))]
    await bench.runtime.submit(bench.request())
    await reached.wait()
    crashed = bench.runtime
    bench.open()
    await bench.runtime.recover()
    assert [message["role"] for message in bench.history()] == ["user", "assistant", "toolResult", "assistant"]
    await bench.run("r2")
    sent = bench.models.calls[-1].messages
    assert [type(message).__name__ for message in sent] == [
        "UserMessage",
        "AssistantMessage",
        "ToolResultMessage",
        "UserMessage",
    ]
    await crashed.close(grace_s=0)


def test_the_cap_follows_the_window() -> None:
    assert [result_cap(window) for window in (8_000, 128_000, 200_000)] == [16_000, 32_000, 64_000]


async def test_no_more_of_the_window_is_used_than_the_config_says(bench: Bench) -> None:
    bench.config = OpenClawConfig.model_validate({"agents": {"defaults": {"contextTokens": 9_000}}})
    bench.models.model = Model("m", "fake", "offline", context_window=200_000)
    await bench.run()
    assert bench.models.calls[-1].model.context_window == 9_000
