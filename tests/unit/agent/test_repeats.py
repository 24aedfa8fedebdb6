"""A call that gives the same result again and again."""

from __future__ import annotations

from typing import Any

from openclaw_kernel.agent.repeats import Repeats
from openclaw_kernel.config.schema.tools import LoopDetection
from openclaw_kernel.tools.api import ToolResult, text_result
from openclaw_kernel.values.events import ToolEnded
from openclaw_kernel.values.messages import AssistantMessage, Text, ToolCall
from tests.unit.agent.conftest import Bench, answer, say

WARN, CRITICAL, BREAKER = 10, 20, 30  # SAF-30


def call(number: int = 0, text: str = "x") -> ToolCall:
    return ToolCall(f"c{number}", "look", {"text": text})


def test_the_ladder() -> None:
    repeats = Repeats()
    told = []
    for number in range(BREAKER):
        refused = repeats.refusal(call(number))
        told.append("refused" if refused else repeats.note(call(number), (Text("same"),)))
    assert told[: WARN - 1] == [""] * (WARN - 1) and "10 times" in told[WARN - 1]
    assert told[CRITICAL - 1] != "refused" and told[CRITICAL] == "refused" and told[-1] == "refused"
    assert "30 times" in repeats.ending


def test_other_results_and_other_arguments_are_no_loop() -> None:
    repeats = Repeats()
    for number in range(60):
        assert repeats.refusal(call(number)) == "" and repeats.note(call(number), (Text(f"line {number}"),)) == ""
    for number in range(60):
        assert repeats.note(call(number, str(number)), (Text("same"),)) == ""
    assert repeats.ending == ""


async def test_a_run_that_goes_round_in_circles_is_stopped(bench: Bench) -> None:
    async def step(*_args: Any) -> AssistantMessage:
        return answer("", ToolCall(f"c{len(bench.models.calls)}", "look", {"text": "again"}))

    bench.models.default = step
    outcome = await bench.run()
    assert outcome.status == "error" and "look was called 30 times" in outcome.error.message
    assert bench.ran == ["look"] * CRITICAL and len(bench.models.calls) == BREAKER
    states = [event.state for event in bench.told(ToolEnded)]
    assert states == ["completed"] * CRITICAL + ["blocked"] * (BREAKER - CRITICAL)
    result = bench.models.calls[WARN].messages[-1]
    assert "same result 10 times" in str(result.content)


async def test_stop_acts_within_one_tool_call(bench: Bench) -> None:
    async def stuck(_arguments: Any, context: Any) -> ToolResult:
        bench.runtime.abort("main", reason="stop")
        await context.signal.wait()
        return text_result("late")

    bench.tool("stuck", stuck)
    bench.models.script = [say("", ToolCall("a", "stuck", {}), ToolCall("b", "touch", {}))]
    outcome = await bench.run()
    assert (outcome.status, outcome.stop_reason) == ("aborted", "stop") and bench.ran == [] and len(bench.models.calls) == 1


def test_the_owner_may_set_the_numbers_or_switch_it_off() -> None:
    wanted = {"warningThreshold": 2, "criticalThreshold": 3, "globalCircuitBreakerThreshold": 4, "historySize": 1}
    repeats = Repeats(LoopDetection.model_validate(wanted))
    told = [repeats.refusal(call()) or repeats.note(call(), (Text("same"),)) for _ in range(4)]
    assert told[0] == "" and "2 times" in told[1] and "3 times" in told[2] and told[3].startswith("Not run")
    assert "4 times" in repeats.ending
    off = Repeats(LoopDetection(enabled=False))
    assert not any(off.refusal(call()) or off.note(call(), (Text("same"),)) for _ in range(50)) and not off.ending
