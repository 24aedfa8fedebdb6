"""`jupyter openclaw skills …`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_gateway.cli.app import run
from tests.unit.skills.put import code, header, markdown, notebook


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


def out(capsys: pytest.CaptureFixture[str], *args: str, status: int = 0) -> str:
    assert run(["skills", *args]) == status, capsys.readouterr().err
    return capsys.readouterr().out


def test_list_and_info(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    markdown(state / "workspace/skills", "needy", "description: d\nmetadata: {openclaw: {requires: {env: [NO_SUCH]}}}", "Body.")
    listed = json.loads(out(capsys, "list", "--json"))
    assert listed["workspaceDir"] == str(state / "workspace") and listed["agentId"] == "main"
    rows = {row["name"]: row for row in listed["skills"]}
    assert rows["csv-report"]["kind"] == "notebook" and rows["csv-report"]["eligible"] and rows["csv-report"]["bundled"]
    needy = rows["needy"]
    assert needy["missing"]["env"] == ["NO_SUCH"] and needy["reason"] == "it needs the environment variable NO_SUCH"
    assert not needy["modelVisible"] and needy["source"] == "openclaw-workspace"
    table = out(capsys, "list")
    assert "no: it needs the" in table and "csv-report" in table
    told = json.loads(out(capsys, "info", "csv-report", "--json"))
    assert told["parameters"]["required"] == ["path"] and told["license"] == "MIT"
    assert "Body." in out(capsys, "info", "needy")
    assert run(["skills", "info", "none"]) == 1
    assert "There is no skill 'none'" in capsys.readouterr().err


def test_new_then_check_then_run(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = json.loads(out(capsys, "new", "my-report", "--notebook", "--json"))["path"]
    assert path == str(state / "workspace/skills/my-report/skill.ipynb")
    assert json.loads(out(capsys, "check", "--strict", "--json", str(Path(path).parent)))[0]["valid"] is True
    done = json.loads(out(capsys, "run", "my-report", "-p", "name=Ada", "-p", "times=2", "--json"))
    assert (done["status"], done["text"], done["parameters"]) == ("ok", "Hello, Ada!\nHello, Ada!", {"name": "Ada", "times": 2})
    assert Path(done["notebook"]).parent == state / "skill-runs"
    assert out(capsys, "run", path, "-p", "name=Bo", "-p", "style=loud") == "HELLO, BO!\n"
    assert out(capsys, "new", "plain", "--in", "here") == "here/plain/SKILL.md\n"


def test_run_fails_with_one_sentence(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook(state / "workspace/skills", "bad", header("bad"), code("n: int = 1", "parameters"), code("1 / 0"))
    for args, said in (
        (["bad"], "bad: Cell 3 failed: ZeroDivisionError: division by zero."),
        (["bad", "-p", "n=x"], "bad: n must be a whole number. Parameters are: n."),
        (["bad", "-p", "n"], "'n' is no parameter; write KEY=VALUE."),
        (["git-summary"], "git-summary is no notebook"),
        (["none"], "There is no skill 'none'"),
    ):
        assert run(["skills", "run", *args]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert said in lines[-1] and lines[-1].startswith("jupyter openclaw: ")
    assert json.loads(out(capsys, "run", "bad", "--json", status=1))["error"].startswith("Cell 3 failed")


def test_check_prints_a_list_and_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    markdown(tmp_path, "good", "name: good\ndescription: d")
    markdown(tmp_path, "bad", "name: other\ndescription: d\nextra: 1")
    assert json.loads(out(capsys, "check", "--json", "good", "bad"))[1] == {"path": "bad", "valid": True, "problems": []}
    strict = json.loads(out(capsys, "check", "--strict", "--json", "good", "bad", status=1))
    assert [row["valid"] for row in strict] == [True, False] and len(strict[1]["problems"]) == 2
    assert "bad: not valid\n  the field extra" in out(capsys, "check", "--strict", "bad", status=1)
