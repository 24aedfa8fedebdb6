"""Pins: kept outside every history, and always in the prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_kernel.agent.pins import MAX_CHARS, MAX_PINS, Pins, always_lines
from tests.unit.agent.conftest import Bench


def pins(path: Path) -> Pins:
    ids = iter(range(1_000))
    return Pins(path, lambda: 7, lambda: f"p{next(ids)}")


def test_pins_survive_a_restart_and_belong_to_one_agent(tmp_path: Path) -> None:
    first = pins(tmp_path)
    assert first.of("main") == [] and not (tmp_path / "pins.jsonl").exists()
    first.add("main", "Never  mail\nmy boss.")
    first.add("work", "Only in office hours.")
    first.close()
    again = pins(tmp_path)
    assert again.texts("main") == ("Never mail my boss.",) and again.texts("work") == ("Only in office hours.",)
    assert again.remove("main", 1).text == "Never mail my boss." and again.texts("main") == ()
    with pytest.raises(ValueError, match="no pin 1"):
        again.remove("main", 1)
    again.close()


def test_pins_are_bounded(tmp_path: Path) -> None:
    book = pins(tmp_path)
    for text in ("", "x" * (MAX_CHARS + 1)):
        with pytest.raises(ValueError, match="characters"):
            book.add("main", text)
    for number in range(MAX_PINS):
        book.add("main", f"rule {number}")
    with pytest.raises(ValueError, match="already"):
        book.add("main", "one more")
    book.close()


def test_always_lines_of_agents_md() -> None:
    text = "# AGENTS\n## Always\n- Ask before buying.\n1. Speak French.\nPlain line.\n### Sub\nmore\n## Other\n- no\n"
    assert always_lines(text) == ("Ask before buying.", "Speak French.", "Plain line.", "more")
    assert always_lines("no such heading") == ()


async def test_a_pin_is_in_the_very_next_prompt_above_the_cache_boundary(bench: Bench) -> None:
    await bench.run("r1")
    (bench.state / "workspace" / "AGENTS.md").write_text("## Always\n- Ask before buying.\n" + "filler\n" * 9_000)
    bench.runtime.upkeep.pins.add("main", "Never mail my boss.")
    await bench.run("r2", key="another")
    prompt = bench.models.calls[-1].prompt
    assert "- Never mail my boss." in prompt.stable and "- Ask before buying." in prompt.stable
    assert "boss" not in bench.models.calls[0].prompt.stable


async def test_a_pin_that_would_be_missing_stops_the_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_kernel.agent.prompt.words.PINNED", "")
    bench.runtime.upkeep.pins.add("main", "Never mail my boss.")
    build = bench.runtime._house.prompts.build

    async def forgetful(facts: object) -> object:
        prompt = await build(facts)  # type: ignore[arg-type]
        return type(prompt)(prompt.stable.replace("boss", "friend"), prompt.volatile)

    monkeypatch.setattr(bench.runtime._house.prompts, "build", forgetful)
    outcome = await bench.run()
    assert outcome.status == "error" and "pinned" in outcome.error.message and bench.models.calls == []
