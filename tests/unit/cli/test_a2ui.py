"""`a2ui check`: its list, its lines, its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_gateway.cli import main

GOOD = {"version": "v0.9", "deleteSurface": {"surfaceId": "s"}}


def test_json_lists_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.jsonl"
    good.write_text(json.dumps({"messages": [GOOD]}))
    bad.write_text(json.dumps(GOOD) + "\n" + json.dumps({"version": "v0.9", "deleteSurface": {}}) + "\n")
    assert main(["a2ui", "check", "--json", str(good), str(bad), str(tmp_path / "none")]) == 1
    first, second, third = json.loads(capsys.readouterr().out)
    assert first == {"file": str(good), "valid": True, "problems": []}
    assert second["problems"][0].keys() == {"code", "path", "message"}
    assert (second["valid"], second["problems"][0]["path"]) == (False, "/1/deleteSurface/surfaceId")
    assert third["problems"][0]["code"] == "UNREADABLE"


def test_valid_file_is_status_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(GOOD))
    assert main(["a2ui", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: valid\n"
