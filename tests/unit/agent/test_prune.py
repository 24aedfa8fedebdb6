"""Old results shortened in what the model sees, and nowhere else."""

from __future__ import annotations

from openclaw_kernel.agent.prune import CLEARED, IMAGE_NOTE, Pruner
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.agents import ContextPruning
from openclaw_kernel.models.api import Model
from openclaw_kernel.values.messages import Image, Message, Text, ToolCall, ToolResultMessage, UserMessage
from tests.unit.agent.conftest import Bench, answer, say

ON = ContextPruning(mode="cache-ttl")
MINUTE = 60_000


def history(results: int, chars: int) -> tuple[Message, ...]:
    messages: list[Message] = [UserMessage((Text("go"),), 0)]
    for number in range(results):
        messages.append(answer("", ToolCall(f"c{number}", "look", {})))
        messages.append(ToolResultMessage(f"c{number}", "look", (Text(f"{number}" + "y" * chars),), number))
    return tuple(messages)


def test_off_and_small_histories_are_left_alone() -> None:
    model, messages = Model("m", "p", "openai-completions", context_window=100_000), history(4, 5_000)
    assert Pruner().view(messages, "s", model, ContextPruning(), 10 * MINUTE) is messages
    assert Pruner().view(messages, "s", model, ON, 10 * MINUTE) is messages


def test_long_old_results_keep_head_and_tail_and_the_last_three_answers_are_safe() -> None:
    model, messages = Model("m", "p", "openai-completions", context_window=20_000), history(6, 5_000)
    view = Pruner().view(messages, "s", model, ON, 10 * MINUTE)
    texts = [one.content[0].text for one in view if isinstance(one, ToolResultMessage)]  # type: ignore[union-attr]
    assert [len(text) < 3_100 for text in texts] == [True, True, True, False, False, False]
    assert texts[0].startswith("0y") and "2001 characters cut" in texts[0] and len(view) == len(messages)


def test_a_full_window_clears_the_oldest() -> None:
    model, messages = Model("m", "p", "openai-completions", context_window=40_000), history(40, 3_900)
    view = Pruner().view(messages, "s", model, ON, 10 * MINUTE)
    cleared = [one.content == (Text(CLEARED),) for one in view if isinstance(one, ToolResultMessage)]
    assert cleared[0] and not cleared[-1] and cleared == sorted(cleared, reverse=True)


def test_while_the_cache_lives_the_view_stays_the_same() -> None:
    model, pruner = Model("m", "p", "anthropic-messages", context_window=20_000), Pruner()
    first = pruner.view(history(6, 5_000), "s", model, ON, 100 * MINUTE)
    longer = pruner.view(history(12, 5_000), "s", model, ON, 130 * MINUTE)
    assert longer[: len(first)] == first and all(len(str(one.content)) > 5_000 for one in longer[-1:])
    expired = pruner.view(history(12, 5_000), "s", model, ON, 191 * MINUTE)
    assert len(str(expired)) < len(str(longer))


def test_pictures_leave_after_three_turns() -> None:
    messages = tuple(UserMessage((Text("see"), Image("AAAA")), number) for number in range(5))
    view = Pruner().view(messages, "s", Model("m", "p", "openai-completions"), ON, 10 * MINUTE)
    assert [one.content[1] == Text(IMAGE_NOTE) for one in view] == [True, True, False, False, False]


async def test_a_turn_sends_the_short_view_and_keeps_the_log(bench: Bench) -> None:
    bench.config = OpenClawConfig.model_validate({"agents": {"defaults": {"contextPruning": {"mode": "cache-ttl"}}}})
    bench.models.model = Model("m", "fake", "offline", context_window=34_000)
    for number in range(6):
        bench.models.script += [say("", ToolCall(f"c{number}", "look", {"text": "z" * 9_000})), say("ok")]
        await bench.run(f"r{number}")
    for _ in range(400_000):
        bench.clock()
    await bench.run("r9")
    assert "characters cut" in str(bench.models.calls[-1].messages) and "characters cut" not in str(bench.history())
