"""`skills check`: lenient as the loader is, strict as the Agent Skills specification (SKL-01, SKL-02)."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_kernel.skills.check import check_paths
from openclaw_kernel.skills.loader import Skills
from openclaw_kernel.skills.skill import SkillProblem
from openclaw_kernel.skills.template import new_skill
from tests.unit.skills.put import code, header, markdown, notebook, text

GOOD = "name: good\ndescription: d"


def problems(tmp_path: Path, written: str, folder: str = "good", *, strict: bool = True) -> list[str]:
    markdown(tmp_path, folder, written)
    [found] = check_paths([tmp_path / folder], strict)
    assert found.path == tmp_path / folder and found.valid is (found.problems == [])
    return found.problems


@pytest.mark.parametrize(
    "written",
    [
        GOOD,
        f"{GOOD}\nlicense: MIT\ncompatibility: Needs git\nallowed-tools: Bash(git:*) Read",
        f"{GOOD}\nmetadata:\n  author: me\n  version: '1.0'",
        f"{GOOD}\nallowed-tools: [Read, 'Bash(git:*)']\nmetadata: {{openclaw: {{emoji: 'x', requires: {{bins: [git]}}}}}}",
        f"name: good\ndescription: {'d' * 1024}\ncompatibility: {'c' * 500}",
        f"{GOOD}\nlicense: 2026-01-01\ncompatibility: 3.14\nallowed-tools: 5\nmetadata: {{version: 1.0, old: false}}",
        "name: 'good'\ndescription: |\n  two\n  lines: with a colon",
    ],
)
def test_what_the_specification_allows(tmp_path: Path, written: str) -> None:
    assert problems(tmp_path, written) == []


@pytest.mark.parametrize(
    ("written", "folder", "said"),
    [
        ("description: d", "good", "name is missing"),
        ("name: good", "good", "description is missing"),
        ("name: good\ndescription: ''", "good", "description must be text that is not empty"),
        ("name: good\ndescription: [a]", "good", "description must be text that is not empty"),
        (f"name: good\ndescription: {'d' * 1025}", "good", "description has 1025 characters; 1024 are allowed"),
        ("name: [a]\ndescription: d", "a", "name must be text"),
        ("name: Good\ndescription: d", "Good", "name must be lower case"),
        ("name: -good\ndescription: d", "-good", "name must not begin or end with a hyphen"),
        ("name: good-\ndescription: d", "good-", "name must not begin or end with a hyphen"),
        ("name: go--od\ndescription: d", "go--od", "name must not have two hyphens in a row"),
        ("name: go_od\ndescription: d", "go_od", "name may have letters, digits and hyphens only"),
        (f"name: {'x' * 65}\ndescription: d", "x" * 65, "name has 65 characters; 64 are allowed"),
        ("name: other\ndescription: d", "good", "name is 'other' but the folder is 'good'; they must be equal"),
        (f"{GOOD}\nhomepage: https://x", "good", "the field homepage is not in the specification"),
        (f"{GOOD}\ncompatibility: {'c' * 501}", "good", "compatibility must be text of 1 to 500 characters"),
        (f"{GOOD}\ncompatibility: ''", "good", "compatibility must be text of 1 to 500 characters"),
        (f"{GOOD}\nmetadata: text", "good", "metadata must be a mapping with text as keys"),
        (f"{GOOD}\nallowed-tools: {{a: b}}", "good", "allowed-tools must be text, or a list of texts"),
        (f"{GOOD}\nallowed-tools: [[a]]", "good", "allowed-tools must be text, or a list of texts"),
        (f"{GOOD}\nlicense: [MIT]", "good", "license must be text"),
        (f"{GOOD}\nname: good", "good", "the field name stands twice in the header"),
    ],
)
def test_what_the_specification_forbids(tmp_path: Path, written: str, folder: str, said: str) -> None:
    assert problems(tmp_path, written, folder) == [said]


def test_lenient_forgives_what_the_loader_forgives(tmp_path: Path) -> None:
    forgiven = "name: Some Name\ndescription: Use this: always\nhomepage: https://x"
    assert problems(tmp_path, forgiven, strict=False) == []
    assert problems(tmp_path, forgiven) == [
        f"{tmp_path / 'good' / 'SKILL.md'} has a header that is not YAML; check quotes and indentation"
    ]
    assert "has no description" in problems(tmp_path, "name: x", strict=False)[0]
    assert "is not YAML" in problems(tmp_path, "name: [", strict=False)[0]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "name: Wrong_\nextra: 1\nlicense: [2]")) == 6


def test_files_that_are_no_skill(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "headless").mkdir()
    (tmp_path / "headless/SKILL.md").write_text("# No header")
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin/SKILL.md").write_bytes(b"---\nname: latin\ndescription: caf\xe9\n---\n")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/SKILL.md").symlink_to(markdown(tmp_path, "real", "name: linked\ndescription: d"))
    for name, said in (
        ("none", "does not exist"),
        ("empty", "has no SKILL.md"),
        ("headless", "does not begin with a header"),
        ("latin", "is not UTF-8 text"),
        ("linked", "is a symbolic link"),
    ):
        [found] = check_paths([tmp_path / name], True)
        assert len(found.problems) == 1 and said in found.problems[0]


def test_the_first_line_is_the_header(tmp_path: Path) -> None:
    path = markdown(tmp_path, "good", GOOD)
    path.write_text("\n" + path.read_text())
    assert check_paths([path.parent], False)[0].valid
    assert check_paths([path.parent], True)[0].problems == [f"{path} does not begin with ---"]


def test_a_name_in_small_letters_will_do(tmp_path: Path) -> None:
    path = markdown(tmp_path, "good", GOOD)
    path.rename(path.with_name("skill.md"))
    assert check_paths([tmp_path / "good"], True)[0].to_dict() == {
        "path": str(tmp_path / "good"),
        "valid": True,
        "problems": [],
    }
    assert [skill.name for skill in Skills([("workspace", tmp_path)]).list()] == ["good"]


def test_a_folder_of_skills_is_checked_one_by_one(tmp_path: Path) -> None:
    markdown(tmp_path, "one", "name: one\ndescription: d")
    markdown(tmp_path, "sub/two", "name: 2\ndescription: d")
    notebook(tmp_path, "three", header("three"), code("1"))
    notebook(tmp_path, "ordinary.ipynb", text("# Not a skill"))
    found = check_paths([tmp_path], True)
    assert {one.path.name: one.valid for one in found} == {"one": True, "two": False, "three": True}


def test_notebooks_are_held_to_the_same_rules(tmp_path: Path) -> None:
    for name, cells, said in (
        ("wrong-name", [header("other"), code("1")], "name is 'other' but the folder is 'wrong-name'"),
        ("no-code", [header("no-code")], "has no code cell to run"),
        ("bad-cell", [header("bad-cell"), code("%x", "parameters")], "cell 2: the parameters cell is not plain Python"),
        ("code-head", [code("1", "skill")], "is tagged skill but is code"),
    ):
        notebook(tmp_path, name, *cells)
        [found] = check_paths([tmp_path / name], True)
        assert len(found.problems) == 1 and said in found.problems[0]
    single = notebook(tmp_path, "single.ipynb", header("single"), code("1"))
    assert check_paths([single], True)[0].to_dict() == {"path": str(single), "valid": True, "problems": []}


@pytest.mark.parametrize("as_notebook", [False, True])
def test_a_new_skill_is_valid_and_never_replaces_another(tmp_path: Path, as_notebook: bool) -> None:
    path = new_skill(tmp_path, "my-report", notebook=as_notebook)
    assert check_paths([path.parent], True)[0].problems == []
    with pytest.raises(SkillProblem, match="exists already"):
        new_skill(tmp_path, "my-report", notebook=as_notebook)
    for name in ("My Report", "../up", "", "a--b"):
        with pytest.raises(SkillProblem, match="is no name for a skill"):
            new_skill(tmp_path, name, notebook=as_notebook)
