"""Reading SKILL.md folders (SKL-01 to SKL-06)."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_kernel.skills import loader
from openclaw_kernel.skills.loader import Skills, bundled_root, prompt_list, read_skill, skill_roots


def put(root: Path, folder: str, header: str, body: str = "Do it.") -> Path:
    path = root / folder / "SKILL.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{header}\n---\n{body}\n")
    return path


def test_the_bundled_skills_are_whole() -> None:
    skills = Skills([("bundled", bundled_root())]).list()
    assert {"git-summary", "notebook-tidy"} <= {skill.name for skill in skills}
    for skill in skills:
        assert skill.name == skill.path.parent.name
        assert len(skill.body().splitlines()) < 500


def test_the_workspace_wins(tmp_path: Path) -> None:
    put(tmp_path / "w/skills", "a", "name: a\ndescription: mine")
    put(tmp_path / "s/skills", "a", "name: a\ndescription: theirs")
    put(tmp_path / "s/skills", "b", "name: b\ndescription: other")
    found = {skill.name: skill for skill in Skills(skill_roots(tmp_path / "w", tmp_path / "s")).list()}
    assert (found["a"].description, found["a"].source) == ("mine", "workspace")
    assert found["b"].source == "managed"


def test_a_colon_is_forgiven_and_a_name_is_mended(tmp_path: Path) -> None:
    skill = read_skill(put(tmp_path, "x", "name: My Skill!\ndescription: Use this: it's good"), "workspace")
    assert (skill.name, skill.description, skill.body()) == ("my-skill", "Use this: it's good", "Do it.")


@pytest.mark.parametrize("header", ["name: x", "name: [", "- a", "description:", ""])
def test_broken_skills_are_left_out_and_named(tmp_path: Path, header: str, caplog: pytest.LogCaptureFixture) -> None:
    path = put(tmp_path, "x", header)
    assert Skills([("workspace", tmp_path)]).list() == []
    assert str(path) in caplog.text


def test_a_skill_is_parsed_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "x", "name: x\ndescription: one")
    skills = Skills([("workspace", tmp_path)])
    assert skills.list()[0].description == "one"
    with monkeypatch.context() as patch:
        patch.setattr(loader, "read_skill", None)
        assert skills.list()[0].description == "one"
    put(tmp_path, "x", "name: x\ndescription: changed")
    assert skills.list()[0].description == "changed"


def test_depth_links_and_hidden_folders(tmp_path: Path) -> None:
    put(tmp_path, "r/1/2/3/4/5/six", "description: deep")
    put(tmp_path, "r/1/2/3/4/5/6/seven", "description: too deep")
    put(tmp_path, "r/.hidden", "description: hidden")
    put(tmp_path, "outside", "description: outside")
    (tmp_path / "r/link").symlink_to(tmp_path / "outside")
    assert [skill.name for skill in Skills([("workspace", tmp_path / "r")]).list()] == ["six"]


def test_the_prompt_list_is_short_and_leaves_out_private_skills(tmp_path: Path) -> None:
    put(tmp_path, "a", "description: first")
    put(tmp_path, "b", "description: second\ndisable-model-invocation: true")
    put(tmp_path, "c", "description: third")
    skills = Skills([("workspace", tmp_path)]).list()
    assert [line.split(":")[0] for line in prompt_list(skills).splitlines()] == ["- a", "- c"]
    assert len(prompt_list(skills, 120).splitlines()) <= 1
    assert prompt_list([]) == ""
