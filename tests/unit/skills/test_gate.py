"""May a skill be used here (SKL-05), and what it is called (SKL-08)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.skills.gate import Facts, gate
from openclaw_kernel.skills.names import command_names, command_word
from openclaw_kernel.skills.shelf import Shelf, setting
from openclaw_kernel.skills.skill import Skill, SkillProblem
from tests.unit.skills.put import markdown

FACTS = Facts(
    which=lambda name: f"/bin/{name}" if name in ("git", "sh") else None,
    env={"TOKEN": "x", "EMPTY": ""},
    config=lambda path: path == "channels.telegram.enabled",
    platform="linux",
)


def skill(**openclaw: object) -> Skill:
    return Skill("s", "d", Path("/s/SKILL.md"), "bundled", {"metadata": {"openclaw": openclaw}})


@pytest.mark.parametrize(
    ("openclaw", "reason"),
    [
        ({}, ""),
        ({"requires": {"bins": ["git", "sh"]}}, ""),
        ({"requires": {"bins": ["git", "op"]}}, "it needs the program op"),
        ({"requires": {"anyBins": ["op", "git"]}}, ""),
        ({"requires": {"anyBins": ["op", "pass"]}}, "it needs one of the programs op, pass"),
        ({"requires": {"env": ["TOKEN"]}}, ""),
        ({"requires": {"env": ["EMPTY", "NONE"]}}, "it needs the environment variable EMPTY and the environment variable NONE"),
        ({"requires": {"config": ["channels.telegram.enabled"]}}, ""),
        ({"requires": {"config": ["browser.enabled"]}}, "it needs the setting browser.enabled"),
        ({"os": ["linux", "darwin"]}, ""),
        ({"os": ["macos"]}, "it is for macos"),
        ({"always": True, "requires": {"bins": ["op"]}}, ""),
        ({"always": True, "os": ["darwin"]}, "it is for darwin"),
        ({"requires": "nonsense", "os": 5}, ""),
    ],
)
def test_requirements(openclaw: dict[str, object], reason: str) -> None:
    assert gate(skill(**openclaw), FACTS).reason == reason


def test_what_the_person_decided_is_stronger_than_always() -> None:
    one = skill(always=True)
    assert gate(one, replace(FACTS, disabled=lambda skill: True)).reason == "it is switched off in skills.entries"
    assert gate(one, replace(FACTS, bundled_only=frozenset({"other"}))).reason == "it is not in skills.allowBundled"
    assert gate(replace(one, source="workspace"), replace(FACTS, bundled_only=frozenset())).open
    assert gate(one, replace(FACTS, agent_only=frozenset({"other"}))).reason == "it is not in the skills of this agent"


def test_variables_of_its_entry_count() -> None:
    needs = skill(requires={"env": ["API_URL"]})
    assert not gate(needs, FACTS).open
    assert gate(needs, replace(FACTS, entry_env=lambda skill: {"API_URL": "http://x"})).open


def shelf(tmp_path: Path, **config: object) -> Shelf:
    settings = OpenClawConfig.model_validate(config)
    return Shelf(lambda: settings, lambda agent_id: tmp_path / agent_id, tmp_path / "state", {"HOME": str(tmp_path / "home")})


def test_the_shelf_reads_the_config(tmp_path: Path) -> None:
    markdown(tmp_path / "main/skills", "on", "description: d")
    markdown(tmp_path / "main/skills", "off", "description: d")
    markdown(tmp_path / "more", "far", "description: d")
    markdown(tmp_path / "home/.agents/skills", "mine", "description: d\ndisable-model-invocation: true")
    it = shelf(
        tmp_path,
        skills={"entries": {"off": {"enabled": False}}, "allowBundled": [], "load": {"extraDirs": [str(tmp_path / "more")]}},
    )
    assert [found.name for found in it.listed("main")] == ["far", "on"]
    assert [one.skill.name for one in it.all("main") if one.callable] == ["far", "mine", "on"]
    assert it.find("main", "Mine").source == "personal"
    with pytest.raises(SkillProblem, match="off cannot be used here: it is switched off"):
        it.find("main", "off")
    with pytest.raises(SkillProblem, match="no skill 'none'; usable here: far, mine, on"):
        it.find("main", "none")


def test_an_agent_may_have_a_list_of_its_own(tmp_path: Path) -> None:
    it = shelf(tmp_path, agents={"list": [{"id": "main"}, {"id": "small", "skills": ["git-summary"]}]})
    assert [found.name for found in it.listed("small")] == ["git-summary"]
    assert len(it.listed("main")) > 1


def test_a_projects_skills_wait_for_trust(tmp_path: Path) -> None:
    markdown(tmp_path / "repo/.agents/skills", "theirs", "description: d")
    agents = {"defaults": {"repoRoot": str(tmp_path / "repo")}}
    assert "theirs" not in [one.name for one in shelf(tmp_path, agents=agents).listed("main")]
    trusting = shelf(tmp_path, agents=agents, skills={"load": {"trustedProjects": [str(tmp_path / "repo")]}})
    assert "theirs" in [one.name for one in trusting.listed("main")]


def test_settings_by_path() -> None:
    config = OpenClawConfig.model_validate({"agents": {"defaults": {"repoRoot": "/r"}}, "skills": {"own": {"x": 1}}})
    assert setting(config, "agents.defaults.repoRoot") == "/r"
    assert setting(config, "skills.own.x") == 1
    assert setting(config, "agents.none.at.all") is None


def test_slash_names() -> None:
    assert command_word("CSV report!") == "csv_report" and len(command_word("x" * 99)) == 32
    names = ["csv-report", "csv_report", "status", "x" * 40, "x" * 41, "技能"]
    commands = command_names(names, taken=["status"])
    assert list(commands) == ["csv_report", "csv_report_2", "status_2", "x" * 32, "x" * 30 + "_2", "skill"]
    assert [*commands.values()] == names
