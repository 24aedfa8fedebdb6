"""The rules of hooks: order, what is final, what fails closed, and who pays for a slow function."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from openclaw_gateway.plugins.api import HOOKS, Hook
from openclaw_gateway.plugins.hooks import FAILURES, HookBus

EVENT = {"text": "hi", "tool": "exec"}
FAST = dict.fromkeys(HOOKS, 0.02)


def bus(*hooks: Hook) -> tuple[HookBus, list[tuple[str, str]]]:
    failed: list[tuple[str, str]] = []
    made = HookBus(lambda plugin, why: failed.append((plugin, why)), FAST)
    for hook in hooks:
        made.add(hook)
    return made, failed


def answers(value: Mapping[str, Any] | None, seen: list[str] | None = None, name: str = "") -> Any:
    async def fn(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if seen is not None:
            seen.append(name)
        return value

    return fn


def raises(event: Mapping[str, Any]) -> None:
    raise ValueError("broken")


async def hangs(event: Mapping[str, Any]) -> None:
    await asyncio.Event().wait()


async def test_the_higher_priority_comes_first_and_a_block_is_final() -> None:
    seen: list[str] = []
    made, _ = bus(
        Hook("low", "before_tool_call", answers({"block": False}, seen, "low"), 1),
        Hook("high", "before_tool_call", answers({"block": True, "reason": "no"}, seen, "high"), 9),
    )
    decision = await made.gate("before_tool_call", EVENT)
    assert (decision.blocked, decision.reason, decision.by, seen) == (True, "no", "high", ["high"])


@pytest.mark.parametrize("answer", [None, {}, {"block": False}, {"block": "yes"}, {"block": 1}])
async def test_only_true_blocks(answer: Mapping[str, Any] | None) -> None:
    made, _ = bus(Hook("a", "before_agent_run", answers(answer)))
    assert not (await made.gate("before_agent_run", EVENT)).blocked


@pytest.mark.parametrize(("fn", "why"), [(raises, "ValueError: broken"), (hangs, "took longer than 0.02 s")])
async def test_gates_fail_closed(fn: Any, why: str) -> None:
    made, _ = bus(Hook("a", "before_tool_call", fn))
    decision = await made.gate("before_tool_call", EVENT)
    assert decision.blocked and decision.by == "a" and why in decision.reason


@pytest.mark.parametrize("fn", [raises, hangs])
async def test_modifiers_that_fail_are_passed_over(fn: Any) -> None:
    made, _ = bus(Hook("a", "message_sending", fn, 5), Hook("b", "message_sending", answers({"text": "new", "other": 1})))
    decision = await made.modify("message_sending", EVENT)
    assert not decision.blocked and decision.event == EVENT | {"text": "new"}, "and nothing new is smuggled in"


async def test_a_cancel_is_final() -> None:
    seen: list[str] = []
    made, _ = bus(
        Hook("a", "message_sending", answers({"cancel": True, "text": "x"}), 5),
        Hook("b", "message_sending", answers({"text": "y"}, seen, "b")),
    )
    decision = await made.modify("message_sending", EVENT)
    assert decision.blocked and decision.event == EVENT and seen == []


async def test_one_bad_observer_disturbs_nobody() -> None:
    seen: list[str] = []
    made, _ = bus(
        Hook("a", "agent_end", raises), Hook("b", "agent_end", hangs), Hook("c", "agent_end", answers(None, seen, "c"))
    )
    await made.tell("agent_end", EVENT)
    assert seen == ["c"]


async def test_a_plugin_that_keeps_failing_is_switched_off() -> None:
    made, failed = bus(Hook("a", "agent_end", raises))
    for _ in range(FAILURES):
        assert failed == []
        await made.tell("agent_end", EVENT)
    assert [plugin for plugin, _ in failed] == ["a"]
    made.remove("a")
    assert not made.has("agent_end")


async def test_tool_hooks_may_be_narrowed() -> None:
    seen: list[str] = []
    made, _ = bus(Hook("a", "before_tool_call", answers(None, seen, "a"), tools=frozenset({"read"})))
    await made.gate("before_tool_call", EVENT)
    await made.gate("before_tool_call", {**EVENT, "tool": "read"})
    assert seen == ["a"]


async def test_a_function_cannot_change_the_event_of_others() -> None:
    def spoil(event: Any) -> None:
        event["text"] = "spoilt"

    made, _ = bus(Hook("a", "before_tool_call", spoil, 5))
    assert (await made.gate("before_tool_call", EVENT)).event["text"] == "hi"
