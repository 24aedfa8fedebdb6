"""Finding and reading skills (SKL-01 to SKL-06)."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_kernel.skills import loader
from openclaw_kernel.skills.listing import MAX_CHARS, prompt_list
from openclaw_kernel.skills.loader import SkillProblem, Skills, body_of, bundled_root, read_skill, skill_roots
from tests.unit.skills.put import code, header, markdown, notebook, text


def names(*roots: tuple[str, Path]) -> list[str]:
    return [skill.name for skill in Skills(roots).list()]  # type: ignore[arg-type]


def test_the_stronger_root_wins(tmp_path: Path) -> None:
    for root in ("w/skills", "p/.agents/skills", "h/.agents/skills", "s/skills", "extra"):
        markdown(tmp_path / root, "same", f"name: same\ndescription: from {root}")
        markdown(tmp_path / root, root.replace("/", "-"), "description: own")
    roots = skill_roots(
        tmp_path / "w", tmp_path / "s", project=tmp_path / "p", home=tmp_path / "h", extra=(tmp_path / "extra",)
    )
    order = [source for source, _ in roots]
    assert order == ["workspace", "project", "personal", "managed", "bundled", "extra"]
    for index, expected in enumerate(("w/skills", "p/.agents/skills", "h/.agents/skills", "s/skills")):
        found = {skill.name: skill for skill in Skills(roots[index:]).list()}
        assert (found["same"].description, found["same"].source) == (f"from {expected}", order[index])
    assert ("project", tmp_path / "p/.agents/skills") not in skill_roots(tmp_path / "w", tmp_path / "s", home=tmp_path / "h")


def test_a_colon_is_forgiven_and_a_name_is_mended(tmp_path: Path) -> None:
    skill = read_skill(markdown(tmp_path, "x", "name: My Skill!\ndescription: Use this: it's good"), "workspace")
    assert (skill.name, skill.description, body_of(skill)) == ("my-skill", "Use this: it's good", "Do it.")
    unnamed = read_skill(markdown(tmp_path, "Some Folder", "description: d"), "workspace")
    assert unnamed.name == "some-folder"
    long = read_skill(markdown(tmp_path, "long", f"name: {'x' * 90}\ndescription: {'d' * 3000}"), "workspace")
    assert (len(long.name), len(long.description)) == (64, 1024)


@pytest.mark.parametrize("header", ["name: x", "name: [", "- a", "description:", "", "a: &a [*a, *a", "description: ''"])
def test_broken_skills_are_left_out_and_named(tmp_path: Path, header: str, caplog: pytest.LogCaptureFixture) -> None:
    path = markdown(tmp_path, "x", header)
    markdown(tmp_path, "good", "description: still here")
    assert names(("workspace", tmp_path)) == ["good"]
    assert str(path) in caplog.text


def test_a_skill_is_parsed_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    markdown(tmp_path, "x", "name: x\ndescription: one")
    skills = Skills([("workspace", tmp_path)])
    assert skills.list()[0].description == "one"
    with monkeypatch.context() as patch:
        patch.setattr(loader, "read_skill", None)
        patch.setattr(loader, "scan", None)
        assert skills.list()[0].description == "one"
    markdown(tmp_path, "x", "name: x\ndescription: changed")
    assert skills.list()[0].description == "changed"
    markdown(tmp_path, "deep/er/y", "description: new folder")
    assert [skill.name for skill in skills.list()] == ["x", "y"]
    (tmp_path / "x/SKILL.md").unlink()
    assert [skill.name for skill in skills.list()] == ["y"]


def test_a_root_that_appears_later_is_seen(tmp_path: Path) -> None:
    skills = Skills([("workspace", tmp_path / "skills")])
    assert skills.list() == []
    markdown(tmp_path / "skills", "x", "description: d")
    assert [skill.name for skill in skills.list()] == ["x"]


def test_depth_links_and_hidden_folders(tmp_path: Path) -> None:
    markdown(tmp_path, "r/1/2/3/4/5/six", "description: deep")
    markdown(tmp_path, "r/1/2/3/4/5/6/seven", "description: too deep")
    markdown(tmp_path, "r/.hidden", "description: hidden")
    outside = markdown(tmp_path, "outside", "description: outside")
    (tmp_path / "r/link").symlink_to(tmp_path / "outside")
    (tmp_path / "r/file").mkdir()
    (tmp_path / "r/file/SKILL.md").symlink_to(outside)
    notebook(tmp_path, "loose.ipynb", header("loose"), code("1"))
    (tmp_path / "r/loose.ipynb").symlink_to(tmp_path / "loose.ipynb")
    assert names(("workspace", tmp_path / "r")) == ["six"]


def test_no_more_than_2000_folders_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_kernel.skills.find.MAX_FOLDERS", 3)
    for number in range(5):
        markdown(tmp_path, f"s{number}", "description: d")
    assert names(("workspace", tmp_path)) == ["s0", "s1"]


def test_notebooks_are_skills_only_when_they_say_so(tmp_path: Path) -> None:
    notebook(tmp_path, "in-a-folder", header("in-a-folder"), code("1"))
    notebook(tmp_path, "single.ipynb", header("single"), code("1"))
    notebook(tmp_path, "headed.ipynb", text("---\nname: headed\ndescription: d\n---\n# More"), code("1"))
    notebook(tmp_path, "ordinary.ipynb", text("# Only a notebook"), code("1"))
    (tmp_path / "broken.ipynb").write_text("{")
    found = {skill.name: skill for skill in Skills([("workspace", tmp_path)]).list()}
    assert sorted(found) == ["headed", "in-a-folder", "single"]
    assert {skill.kind for skill in found.values()} == {"notebook"}
    assert body_of(found["headed"]) == "# More" and body_of(found["single"]) == "How to use it."


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = markdown(tmp_path, "x", "description: d", "y" * 300_000)
    with pytest.raises(SkillProblem, match="larger than 256000 bytes"):
        read_skill(path, "workspace")


def test_the_prompt_list_keeps_to_its_budget() -> None:
    assert prompt_list([], "head") == ""
    assert prompt_list([("a", "first", "/x"), ("b", "second", "")], "head") == "head\n- a: first (/x)\n- b: second"
    long = [(f"s{number}", "d" * 1000, "") for number in range(40)]
    short = prompt_list(long, "head")
    assert short.count("\n") == 40 and "d" * 201 not in short, "descriptions are cut before a skill is left out"
    many = prompt_list([(f"s{number}", "d" * 1000, "") for number in range(500)], "head")
    assert len(many) <= MAX_CHARS and many.endswith("more; skills_list names them all")


def test_the_bundled_skills_are_found_in_the_source_tree() -> None:
    assert bundled_root() == Path(__file__).parents[3] / "skills"
