"""What is done to a session between its turns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from openclaw_kernel.agent.prompt import PromptBuilder, PromptFacts, is_lean
from openclaw_kernel.agent.sections import LEAN_TOOLS
from openclaw_kernel.agent.workspace import ensure_workspace
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import Model
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.registry import Toolbox
from tests.unit.agent.conftest import Bench, Held
from tests.unit.agent.test_compaction import Mind, fill, kind_of, mind, settings

__all__ = ["mind"]

NOW = 1_795_203_480_000


async def test_compact_by_hand_writes_notes_first_and_can_be_undone(bench: Bench, mind: Mind) -> None:
    bench.config = settings(keepRecentTokens=2_000)
    await fill(bench, 6, 6_000)
    mind.kinds.clear()
    before = bench.sessions.open("main").transcript.context()
    said = (await bench.runtime.upkeep.compact("agent:main:main", "the tickets")).text
    assert said.startswith("Compacted: about") and mind.kinds == ["flush", "flush", "summary"]
    assert "the tickets" in next(call for call in bench.models.calls if kind_of(call) == "summary").prompt.stable
    assert len(bench.sessions.open("main").transcript.context()) < len(before)
    assert bench.runtime.upkeep.undo("agent:main:main") == "The full history is back."
    assert bench.sessions.open("main").transcript.context() == before
    assert "not compacted" in bench.runtime.upkeep.undo("agent:main:main")


async def test_compact_never_runs_beside_a_turn(bench: Bench, mind: Mind) -> None:
    held = Held()
    bench.models.script = [held]
    await bench.runtime.submit(bench.request())
    await held.reached.wait()
    assert "under way" in (await bench.runtime.upkeep.compact("agent:main:main")).text
    held.release.set()
    await bench.runtime.wait("r1", 5)
    assert "nothing old enough" in (await bench.runtime.upkeep.compact("agent:main:main")).text


async def test_a_failed_summary_by_hand_is_said(bench: Bench, mind: Mind) -> None:
    bench.config = settings(keepRecentTokens=2_000)
    await fill(bench, 6, 6_000)
    mind.bad_summaries = 2
    assert "full history is kept" in (await bench.runtime.upkeep.compact("agent:main:main")).text


async def test_the_context_report_accounts_for_every_section(bench: Bench) -> None:
    await bench.run()
    report = await bench.runtime.upkeep.context("agent:main:main")
    names = [one.name for one in report.sections]
    assert names[:2] == ["identity", "tools"] and {"safety", "workspace", "AGENTS.md", "USER.md"} <= set(names)
    assert [name for name, _ in report.tools] == ["look", "touch"] and report.messages == 2 and report.history > 0
    prompt = bench.models.calls[-1].prompt.stable
    assert sum(one.injected_chars for one in report.sections) + 2 * (len(names) - 1) == len(prompt)


async def test_a_stale_session_is_renewed_with_notes_about_the_old_one(bench: Bench, mind: Mind) -> None:
    bench.config = OpenClawConfig.model_validate({"session": {"reset": {"mode": "idle", "idleMinutes": 1}}})
    await bench.run("r1", "the word is kumquat")
    old = bench.sessions.open("main").entry.session_id
    await bench.run("r2", "still here")
    assert bench.sessions.open("main").entry.session_id == old
    for _ in range(70_000):
        bench.clock()
    await bench.run("c1", "tick", client_id="cron")
    assert bench.sessions.open("main").entry.session_id == old
    await bench.run("r3", "good morning")
    entry = bench.sessions.open("main").entry
    assert entry.session_id != old
    if writing := set(bench.runtime.upkeep._farewells):
        await asyncio.wait(writing, timeout=5)
    assert "flush" in mind.kinds
    assert "kumquat" not in str([call for call in bench.models.calls if kind_of(call) == "turn"][-1].messages)
    assert bench.sessions.path("main", old).exists()


def facts(workspace: Path, tools: Toolbox, **more: Any) -> PromptFacts:
    return PromptFacts(workspace, "agent:main:main", "fake/m", tools.names(), **more)


def tokens(prompt: Any, tools: Toolbox) -> int:
    import orjson

    specs = sum(len(one.name) + len(one.description) + len(orjson.dumps(one.parameters)) for one in tools.specs())
    return (len(prompt.text) + specs) // 4


async def test_the_lean_prompt_cuts_long_files(tmp_path: Path) -> None:
    ensure_workspace(tmp_path)
    tools = Toolbox(builtin_tools()).filtered(LEAN_TOOLS)
    prompt = await PromptBuilder(lambda: NOW).build(facts(tmp_path, tools, lean=True))
    assert tokens(prompt, tools) <= 2_000 and "AGENTS.md: how we work" in prompt.stable
    for name in ("AGENTS.md", "USER.md", "MEMORY.md", "IDENTITY.md"):
        (tmp_path / name).write_text("z" * 50_000)
    prompt = await PromptBuilder(lambda: NOW).build(facts(tmp_path, tools, lean=True))
    assert tokens(prompt, tools) <= 2_200


async def test_a_small_model_gets_the_lean_prompt(bench: Bench) -> None:
    bench.models.model = Model("m", "fake", "offline", context_window=16_000)
    bench.tool("read")
    await bench.run()
    call = bench.models.calls[-1]
    assert [spec.name for spec in call.tools] == ["read"] and "## Rules" in call.prompt.stable
    bench.config = OpenClawConfig.model_validate({"agents": {"defaults": {"promptProfile": "full"}}})
    await bench.run("r2")
    assert "## Safety" in bench.models.calls[-1].prompt.stable


def test_the_profile() -> None:
    assert is_lean("auto", 8_000, "ollama") and is_lean("lean", 200_000, "ollama")
    assert not is_lean("auto", 200_000, "ollama") and not is_lean("full", 8_000, "ollama")


async def test_modes_and_missing_files(tmp_path: Path) -> None:
    ensure_workspace(tmp_path)
    (tmp_path / "SOUL.md").unlink()
    builder, tools = PromptBuilder(lambda: NOW), Toolbox(())
    full = await builder.build(facts(tmp_path, tools))
    assert "Missing here: SOUL.md." in full.stable and "## Commands" in full.stable and "### HEARTBEAT.md" not in full.stable
    minimal = await builder.build(facts(tmp_path, tools, mode="minimal", pinned=("Be kind.",)))
    assert "## Commands" not in minimal.stable and "- Be kind." in minimal.stable and "### USER.md" not in minimal.stable
    none = await builder.build(facts(tmp_path, tools, mode="none", pinned=("Be kind.",), extra="only this"))
    assert none.volatile == "only this" and "- Be kind." in none.stable and len(none.stable) < 400


async def test_files_share_one_limit(tmp_path: Path) -> None:
    ensure_workspace(tmp_path)
    for name in ("AGENTS.md", "SOUL.md", "TOOLS.md"):
        (tmp_path / name).write_text("w" * 30_000)
    prompt = await PromptBuilder(lambda: NOW).build(facts(tmp_path, Toolbox(()), total_chars=25_000))
    assert len(prompt.stable) < 30_000 and "SOUL.md is cut here: 5000 of 30000" in prompt.stable


async def test_the_zone_of_the_config(tmp_path: Path) -> None:
    prompt = await PromptBuilder(lambda: NOW).build(facts(tmp_path, Toolbox(()), zone="Pacific/Kiritimati"))
    assert "Time zone: Pacific/Kiritimati" in prompt.volatile and "2026-11-21" in prompt.volatile
