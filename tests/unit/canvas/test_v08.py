"""Version 0.8: what its messages come to, and that versions are never mixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.canvas.read import check_file
from openclaw_kernel.canvas.resolve import resolve, texts
from openclaw_kernel.canvas.stage import Stage
from openclaw_kernel.canvas.text import render_text

COMPONENTS: dict[str, dict[str, Any]] = {
    "main": {"Column": {"children": {"explicitList": ["title", "name", "pick", "tabs", "list", "go"]},
                        "distribution": "center"}},
    "title": {"Text": {"text": {"literalString": "Sign up"}, "usageHint": "h2"}},
    "name": {"TextField": {"label": {"literalString": "Name"}, "text": {"path": "/name", "literalString": "Ada"},
                           "textFieldType": "shortText"}},
    "pick": {"MultipleChoice": {"selections": {"path": "/plan"}, "maxAllowedSelections": 1,
                                "options": [{"label": {"literalString": "Free"}, "value": "free"}]}},
    "tabs": {"Tabs": {"tabItems": [{"title": {"literalString": "One"}, "child": "one"}]}},
    "one": {"Image": {"url": {"literalString": "https://example.org/a.png"}, "altText": {"literalString": "A"},
                      "fit": "scale-down"}},
    "list": {"List": {"children": {"template": {"componentId": "row", "dataBinding": "/rows"}}, "alignment": "start"}},
    "row": {"Text": {"text": {"path": "label"}}},
    "go": {"Button": {"child": "goText", "primary": True, "action": {"name": "go", "context": [
        {"key": "who", "value": {"path": "/name"}}, {"key": "n", "value": {"literalNumber": 3}}]}}},
    "goText": {"Text": {"text": {"literalString": "Go"}}},
}  # fmt: skip
CONTENTS = [
    {"key": "plan", "valueMap": [{"key": "0", "valueString": "free"}]},
    {"key": "rows", "valueMap": [{"key": "0", "valueMap": [{"key": "label", "valueString": "first"}]}]},
]
UPDATE = {"surfaceUpdate": {"surfaceId": "s", "components": [
    {"id": name, "component": component} for name, component in COMPONENTS.items()]}}  # fmt: skip
DATA = {"dataModelUpdate": {"surfaceId": "s", "contents": CONTENTS}}
BEGIN = {"beginRendering": {"surfaceId": "s", "root": "main", "styles": {"primaryColor": "#112233"}}}


def test_components_wait_for_their_root() -> None:
    stage = Stage()
    assert stage.take_all([UPDATE, DATA]) == ([], [])
    accepted, problems = stage.take(BEGIN)
    assert problems == []
    assert [next(key for key in message if key != "version") for message in accepted][:1] == ["createSurface"]
    (surface,) = stage.surfaces
    view = resolve(surface)
    assert view is not None
    assert surface.theme == {"primaryColor": "#112233"}
    assert {"Sign up", "Name", "Ada", "Free", "One", "A", "Go"} <= set(texts(view))
    button = surface.components["go"]
    assert button["variant"] == "primary"
    assert button["action"] == {"event": {"name": "go", "context": {"who": {"path": "/name"}, "n": 3}}}
    assert surface.components["pick"]["variant"] == "mutuallyExclusive"
    assert surface.components["one"]["fit"] == "scaleDown"
    assert stage.old is not None


def test_what_comes_later_is_drawn_at_once() -> None:
    stage = Stage()
    stage.take_all([UPDATE, DATA, BEGIN])
    stage.take({"dataModelUpdate": {"surfaceId": "s", "path": "name", "contents": []}})
    stage.take({"dataModelUpdate": {"surfaceId": "s", "contents": [{"key": "name", "valueString": "Bo"}]}})
    stage.take({"surfaceUpdate": {"surfaceId": "s", "components": [
        {"id": "main", "component": {"Text": {"text": {"path": "/name"}}}}]}})  # fmt: skip
    assert render_text(stage.replay()) == "Bo"
    assert stage.take({"deleteSurface": {"surfaceId": "s"}})[1] == []
    assert list(stage.surfaces) == []


@pytest.mark.parametrize(
    "messages",
    [
        [UPDATE, {"version": "v0.9", "deleteSurface": {"surfaceId": "s"}}],
        [
            {"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": "urn:openclaw-jupyter:catalog:notebook:v1"}},
            UPDATE,
        ],
    ],
)
def test_versions_are_not_mixed(messages: list[Any], tmp_path: Path) -> None:
    _, problems = Stage().take_all(messages)
    assert [problem.code for problem in problems] == ["MIXED_VERSIONS"]
    file = tmp_path / "mixed.json"
    file.write_text(json.dumps(messages))
    assert "MIXED_VERSIONS" in {problem.code for problem in check_file(file)}


def test_files_are_checked_under_the_place_of_their_message(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.json"
    rows = [{"key": "rows", "valueString": "none"}]
    good.write_text("\n".join(json.dumps(message) for message in (UPDATE, DATA, BEGIN)))
    assert check_file(good) == []
    wrong = [{"dataModelUpdate": {"surfaceId": "s", "contents": rows}}, {"surfaceUpdate": {"surfaceId": "s", "components": [
        {"id": "x", "component": {"Nothing": {}}}]}}, {"beginRendering": {"surfaceId": "s", "root": "x"}}]  # fmt: skip
    bad.write_text(json.dumps(wrong))
    assert [(problem.code, problem.path.split("/")[1]) for problem in check_file(bad)] == [("UNKNOWN_COMPONENT", "2")]


@pytest.mark.parametrize(
    "message",
    [
        {"surfaceUpdate": 1}, {"surfaceUpdate": {"surfaceId": "s"}}, {"surfaceUpdate": {"surfaceId": "s", "components": [1]}},
        {"surfaceUpdate": {"surfaceId": "s", "components": [{"id": "a", "component": {"Text": 1}}]}},
        {"dataModelUpdate": {"surfaceId": "s", "contents": [{"key": "a"}]}}, {"beginRendering": {"surfaceId": "s"}},
        {"dataModelUpdate": {"surfaceId": "s", "contents": {}}}, {**BEGIN, **DATA},
    ],
)  # fmt: skip
def test_what_has_no_form_is_refused(message: Any) -> None:
    accepted, problems = Stage().take(message)
    assert (accepted, [problem.code for problem in problems]) == ([], ["INVALID"])
