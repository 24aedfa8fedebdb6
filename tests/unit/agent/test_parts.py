"""Lanes, prompt and workspace by themselves."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.agent.lanes import Lanes, default_limit
from openclaw_kernel.agent.prompt import PromptBuilder, PromptFacts
from openclaw_kernel.agent.workspace import FILES, ensure_workspace, workspace_path
from tests.needs import need

DAY = 1_795_203_480_000


async def test_lanes_keep_order_and_limit() -> None:
    lanes = Lanes(lambda: 2)
    log: list[str] = []
    gates = {name: asyncio.Event() for name in ("a1", "a2", "b1", "c1")}

    def work(name: str) -> Any:
        async def run() -> None:
            log.append(name)
            await gates[name].wait()

        return run

    for name in gates:
        lanes.submit(name[0], name, work(name))
    await asyncio.sleep(0)
    assert log == ["a1", "b1"] and lanes.busy("a") and lanes.waiting("a") == ["a2"] and lanes.waiting("c") == ["c1"]
    assert lanes.cancel("a", "a2") and not lanes.cancel("a", "a2")
    gates["a1"].set()
    gates["b1"].set()
    gates["c1"].set()
    await lanes.drain()
    assert log == ["a1", "b1", "c1"] and not lanes.busy("a")


def test_the_machines_limit() -> None:
    assert 8 <= default_limit() <= 16


def facts(workspace: Path, **more: Any) -> PromptFacts:
    return PromptFacts(workspace, "agent:main:main", "fake/m", ("read", "exec"), **more)


async def test_the_stable_part_is_built_once_and_again_when_a_file_changes(tmp_path: Path) -> None:
    ensure_workspace(tmp_path)
    builder = PromptBuilder(lambda: DAY)
    first = await builder.build(facts(tmp_path))
    assert (await builder.build(facts(tmp_path))).stable is first.stable and builder.builds == 1
    (tmp_path / "SOUL.md").write_text("Speak like a pirate, always and everywhere.")
    assert "pirate" in (await builder.build(facts(tmp_path))).stable and builder.builds == 2


async def test_the_volatile_part_holds_a_date_and_no_time(tmp_path: Path) -> None:
    one = await PromptBuilder(lambda: DAY).build(facts(tmp_path))
    later = await PromptBuilder(lambda: DAY + 61_000).build(facts(tmp_path))
    assert "2026-11-20" in one.volatile and one.volatile == later.volatile and "2026" not in one.stable


async def test_the_default_prompt_is_small(tmp_path: Path) -> None:
    ensure_workspace(tmp_path)
    prompt = await PromptBuilder(lambda: DAY).build(facts(tmp_path))
    assert len(prompt.text) < 6_000


async def test_long_files_are_cut_with_a_notice(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_text(name[0] * 50_000)
    builder = PromptBuilder(lambda: DAY)
    prompt = await builder.build(facts(tmp_path))
    assert len(prompt.stable) < 60_000 + 4_000 and "[AGENTS.md is cut here: 20000 of 50000 characters" in prompt.stable
    sizes = {section.name: section for section in await builder.report(facts(tmp_path))}
    assert sizes["USER.md"].raw_chars == 50_000 and sizes["USER.md"].injected_chars < 4_200


async def test_subagents_see_agents_md_only(tmp_path: Path) -> None:
    ensure_workspace(tmp_path)
    prompt = await PromptBuilder(lambda: DAY).build(facts(tmp_path, mode="minimal"))
    assert "AGENTS.md: how we work" in prompt.stable and "SOUL.md: who you are" not in prompt.stable


async def test_skills_stay_in_their_budget(tmp_path: Path) -> None:
    skills = tuple((f"skill-{number}", "d" * 300, f"/s/{number}/SKILL.md") for number in range(100))
    prompt = await PromptBuilder(lambda: DAY).build(facts(tmp_path, skills=skills))
    assert "skill-0:" in prompt.stable and "more; skills_list" in prompt.stable and len(prompt.stable) < 20_500


def test_a_deleted_file_stays_deleted(tmp_path: Path) -> None:
    assert ensure_workspace(tmp_path / "w")
    assert {path.name for path in (tmp_path / "w").iterdir()} - {".git"} == set(FILES)
    (tmp_path / "w/BOOTSTRAP.md").unlink()
    assert not ensure_workspace(tmp_path / "w") and not (tmp_path / "w/BOOTSTRAP.md").exists()


def test_a_new_workspace_becomes_a_repository_and_no_other_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("git", shutil.which("git"), "git is not installed")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    ensure_workspace(tmp_path / "new")
    assert (tmp_path / "new/.git/HEAD").read_text() == "ref: refs/heads/main\n" and not (tmp_path / "elsewhere").exists()
    assert (
        not list((tmp_path / "new/.git").glob("hooks/*")) and ".openclaw/" in (tmp_path / "new/.git/info/exclude").read_text()
    )
    (tmp_path / "old").mkdir()
    (tmp_path / "old/notes.md").write_text("mine")
    ensure_workspace(tmp_path / "old")
    assert not (tmp_path / "old/.git").exists() and (tmp_path / "old/AGENTS.md").exists()


@pytest.mark.parametrize("script", ["", "#!/bin/sh\nexit 1\n"])
def test_a_workspace_needs_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if script:
        (programs / "git").write_text(script)
        (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    assert ensure_workspace(tmp_path / "w") and not (tmp_path / "w/.git").exists()


def test_workspace_paths(tmp_path: Path) -> None:
    assert workspace_path(None, tmp_path, "main") == tmp_path / "workspace"
    assert workspace_path(None, tmp_path, "work") == tmp_path / "workspace-work"
    assert workspace_path("/srv/w", tmp_path, "main") == Path("/srv/w")
