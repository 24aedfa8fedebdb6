"""Every bundled skill, held against the specification and then used: its commands, its scripts or its cells."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.skills.activate import activate, files_of, read_file
from openclaw_kernel.skills.check import check_paths
from openclaw_kernel.skills.loader import Skills, body_of, bundled_root
from openclaw_kernel.skills.runs import Runner, SkillRun
from openclaw_kernel.skills.skill import Skill
from tests.unit.skills.put import code, notebook, text

SKILLS = {skill.name: skill for skill in Skills([("bundled", bundled_root())]).list()}
NOTEBOOKS = sorted(name for name, skill in SKILLS.items() if skill.kind == "notebook")


def script(name: str, file: str) -> Any:
    spec = importlib.util.spec_from_file_location(file, SKILLS[name].folder / "scripts" / f"{file}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def run(skill: Skill, tmp_path: Path, **values: Any) -> SkillRun:
    return await Runner(tmp_path / "runs").run(skill, values, cwd=tmp_path, env=os.environ)


def test_there_are_five_of_text_and_two_notebooks() -> None:
    assert len(SKILLS) == 7 and NOTEBOOKS == ["csv-report", "system-report"]


def test_all_follow_the_specification() -> None:
    checked = check_paths([bundled_root()], strict=True)
    assert len(checked) == len(SKILLS) and {str(one.path): one.problems for one in checked if not one.valid} == {}


@pytest.mark.parametrize("name", sorted(SKILLS))
def test_each_is_short_enough_and_names_only_files_it_has(name: str) -> None:
    skill = SKILLS[name]
    assert len(body_of(skill).splitlines()) < 500 and len(activate(skill).text) < 20_000
    files = files_of(skill)[0]
    named = set(re.findall(r"\b(?:scripts|assets|references)/[\w./-]*\w", body_of(skill)))
    assert named == set(files)
    assert all(read_file(skill, file) for file in files)


def test_git_summary_its_commands_run_in_a_repository(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for number in (1, 2):
        (tmp_path / "file").write_text(f"{number}\n")
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", f"change {number}"], check=True)
    body = body_of(SKILLS["git-summary"])
    commands = re.findall(r"`git (log|diff|show|status)([^`]*)`", body)
    assert {name for name, _ in commands} == {"log", "diff", "show", "status"}
    for name, words in commands:
        arguments = words.replace("HASH", "HEAD").replace(" A B", " HEAD~1 HEAD").split()
        done = subprocess.run([*git, name, *arguments], capture_output=True, text=True, check=True)
        assert name == "status" or done.stdout.strip()
    assert not re.search(r"`git (commit|push|reset|checkout|pull)", body)


def test_notebook_tidy_its_check_finds_broken_json(tmp_path: Path) -> None:
    found = re.search(r"`(import json; json\.load\(open\(\"report\.tidy\.ipynb\"\)\))`", body_of(SKILLS["notebook-tidy"]))
    assert found is not None
    for content, good in (('{"cells": []}', True), ('{"cells": [}', False)):
        (tmp_path / "report.tidy.ipynb").write_text(content)
        done = subprocess.run([sys.executable, "-c", found[1]], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode == 0) is good


def test_data_profile_finds_what_is_odd(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "id;day;price;qty;note\n1;2026-01-02;€ 3;4;a\n1;2026-01-05;€ 5;x;a\n2;;€ 7; 6;a\n3;2026-02-01;€ 9;7\n"
    )
    found = script("data-profile", "profile").profile(tmp_path / "sales.csv")
    assert (found["rows"], found["delimiter"]) == (4, ";")
    types = {one["name"]: (one["type"], one["missing"]) for one in found["columns"]}
    assert types == {"id": ("number", 0), "day": ("date", 1), "price": ("text", 0), "qty": ("number", 0), "note": ("text", 1)}
    assert found["columns"][1]["least"] == "2026-01-02" and found["columns"][0]["most"] == 3
    assert found["oddities"] == [
        "id: looks like an identifier but repeats",
        "price: looks like numbers with units, currency or thousands separators",
        "qty: mixed types: 3 number, 1 text",
        "qty: blanks around values",
        "note: only one value",
        "1 rows of the wrong length, the first in line 5",
    ]
    (tmp_path / "events.jsonl").write_text('{"a": 1}\n{"a": 2, "b": "x"}\n')
    assert [one["name"] for one in script("data-profile", "profile").profile(tmp_path / "events.jsonl")["columns"]] == [
        "a",
        "b",
    ]


def test_notebook_to_module_tells_what_uses_what(tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        "n.ipynb",
        text("# Title"),
        code("import math\nRATE = 2\ndf = [1]"),
        code("%matplotlib inline\ndef area(r):\n    return math.pi * r * RATE + len(df)"),
        code("%%bash\nls"),
        code("broken ("),
    )
    folder = SKILLS["notebook-to-module"].folder
    command = [sys.executable, str(folder / "scripts" / "definitions.py"), str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    area = next(one for one in found["definitions"] if one["name"] == "area")
    assert area == {
        "cell": 3,
        "kind": "function",
        "name": "area",
        "uses": {"RATE": "constant", "df": "variable", "math": "import"},
    }
    assert [one["cell"] for one in found["unread"]] == [5]


def test_experiment_log_its_entry_has_every_part() -> None:
    entry = read_file(SKILLS["experiment-log"], "assets/entry.md")
    assert re.findall(r"\*\*(\w+):", entry) == ["Question", "Setting", "Data", "Code", "Result", "Means"]


async def test_csv_report_draws_a_chart_and_a_table(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("city;visits;score\nRome;3;1.5\nOslo;5;2\nRome;2;\n")
    done = await run(SKILLS["csv-report"], tmp_path, path="data.csv", chart="line", rows=2)
    assert done.ok, done.sentence
    assert "**data.csv**: 3 rows, 3 columns" in done.text and "Drawn: visits by city, 2 points." in done.text
    assert "| score | numbers | 1 | 2 | 1.5 | 1.75 | 2 |" in done.text
    [messages] = done.surfaces
    assert check_messages(messages) == []
    data = messages[1]["updateDataModel"]["value"]
    assert data["series"] == [{"name": "visits", "points": [{"x": "Rome", "y": 5.0}, {"x": "Oslo", "y": 5.0}]}]
    assert [row["c0"] for row in data["rows"]] == ["Rome", "Oslo"]
    kinds = {part["component"]: part for part in messages[2]["updateComponents"]["components"]}
    assert kinds["Chart"]["type"] == "line" and len(kinds["DataTable"]["columns"]) == 3


@pytest.mark.parametrize(
    ("content", "values", "said"),
    [
        ("", {}, "data.csv is empty"),
        ("a,b\n1,2\n", {"y": "c"}, "there is no column 'c'; columns are a, b"),
        (None, {}, "No such file or directory"),
    ],
)
async def test_csv_report_says_what_is_wrong(tmp_path: Path, content: str | None, values: dict[str, str], said: str) -> None:
    if content is not None:
        (tmp_path / "data.csv").write_text(content)
    done = await run(SKILLS["csv-report"], tmp_path, path="data.csv", **values)
    assert done.status == "failed" and said in done.sentence and done.sentence.startswith("Cell ")


async def test_csv_report_without_numbers_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("name,colour\na,red\nb,blue\n")
    done = await run(SKILLS["csv-report"], tmp_path, path="data.csv")
    assert done.ok and check_messages(done.surfaces[0]) == [] and "Drawn" not in done.text


async def test_system_report_tells_of_this_machine(tmp_path: Path) -> None:
    done = await run(SKILLS["system-report"], tmp_path, packages=["jupyter-openclaw", "no-such-package"])
    assert done.ok, done.sentence
    assert f"| processors | {os.cpu_count()} |" in done.text and "| no-such-package | not installed |" in done.text
    assert str(tmp_path) in done.text and check_messages(done.surfaces[0]) == []
