"""`a2ui check`: its list, its lines, its exit status."""

from __future__ import annotations

import json
from io import StringIO
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


SURFACE = [
    {"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": "urn:openclaw-jupyter:catalog:notebook:v1"}},
    {"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": [
        {"id": "root", "component": "Text", "text": "<b>Hello</b> \x1b[31m"}]}},
]  # fmt: skip


def test_render_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, page = tmp_path / "hello.json", tmp_path / "page.html"
    file.write_text(json.dumps(SURFACE))
    assert main(["a2ui", "render", str(file), "-o", str(page)]) == 0
    made = page.read_text()
    assert made.startswith("<!DOCTYPE html>")
    assert "<title>hello</title>" in made
    assert "&lt;b&gt;Hello&lt;/b&gt;" in made
    assert capsys.readouterr().out == ""


def test_render_reads_standard_input_and_writes_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps(SURFACE)))
    assert main(["a2ui", "render", "--text", "-"]) == 0
    assert capsys.readouterr().out == "<b>Hello</b> \\x1b[31m\n"


def test_render_draws_what_it_can_and_tells_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps([*SURFACE, {"version": "v3"}]))
    assert main(["a2ui", "render", str(file)]) == 1
    said = capsys.readouterr()
    assert "Hello" in said.out
    assert said.err.startswith("UNSUPPORTED_VERSION /2")


@pytest.mark.parametrize(("name", "output"), [("none.json", "-"), ("good.json", "none/page.html")])
def test_render_says_in_one_sentence_what_it_cannot_read_or_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, output: str
) -> None:
    (tmp_path / "good.json").write_text(json.dumps(SURFACE))
    target = output if output == "-" else str(tmp_path / output)
    assert main(["a2ui", "render", str(tmp_path / name), "-o", target]) != 0
    said = capsys.readouterr()
    assert (said.out, "cannot be" in said.err, said.err.count("\n")) == ("", True, 1)
