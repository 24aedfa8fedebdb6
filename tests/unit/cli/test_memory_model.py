"""`memory model`: works on the files, without a gateway."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_gateway.cli.app import run
from tests.fakes.tiny_model import build_tiny


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_add_list_use_remove(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("first", "second"):
        folder = build_tiny(tmp_path / name, manifest=False)
        assert run(["memory", "model", "add", "--path", str(folder), "--state-dir", str(state)]) == 0
    said = capsys.readouterr()
    assert "first is installed (0 MB). It is in use." in said.out and "memory model use second" in said.out
    assert "Trying the model…" in said.err
    assert run(["memory", "model", "use", "second", "--state-dir", str(state)]) == 0
    assert run(["memory", "model", "remove", "first", "--state-dir", str(state)]) == 0
    capsys.readouterr()
    assert run(["memory", "model", "list", "--json", "--state-dir", str(state)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["active"], row["dim"]) for row in rows] == [("second", True, 32)]
    assert run(["memory", "model", "list", "--state-dir", str(state)]) == 0
    assert "* second" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add"], "Give either a name, such as minilm, or --path"),
        (["add", "minilm", "--path", "/x"], "Give either a name"),
        (["add", "nobody/nothing"], "fastembed knows no model 'nobody/nothing'"),
        (["add", "--path", "/nowhere/at/all"], "is not a folder"),
        (["use", "zz"], "There is no embedding model 'zz'"),
        (["remove", "../x"], "There is no embedding model '../x'"),
    ],
)
def test_a_mistake_is_one_sentence(state: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["memory", "model", *arguments, "--state-dir", str(state)]) != 0
    said = capsys.readouterr()
    assert words in said.err and "Traceback" not in said.err and said.err.count("\n") == 1


def test_an_empty_shelf_says_what_to_do(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["memory", "model", "list", "--state-dir", str(state)]) == 0
    assert "add one with `jupyter openclaw memory model add minilm`" in capsys.readouterr().out
