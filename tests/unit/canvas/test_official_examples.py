"""Every example A2UI publishes with its basic catalogue passes the guard and is shown with all its texts, and what its buttons
send is what the published schema asks for. The package is fetched, never committed.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from openclaw_kernel.canvas import markdown
from openclaw_kernel.canvas.actions import action_of
from openclaw_kernel.canvas.problems import Problems
from openclaw_kernel.canvas.read import check_file
from openclaw_kernel.canvas.resolve import ViewNode, resolve, texts
from openclaw_kernel.canvas.stage import Stage
from openclaw_kernel.canvas.static_html import render_html
from openclaw_kernel.canvas.text import render_text
from tests.needs import need

PACKAGE = "@a2ui/web_core@0.11.0"
SCHEMAS = "package/src/v0_9/schemas"
EXAMPLES = f"{SCHEMAS}/catalogs/basic/examples/"
ACTION = f"{SCHEMAS}/client_to_server.json"
ORACLE = Path(__file__).parents[2] / "e2e" / "canvas_oracle.mjs"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

pytestmark = pytest.mark.npm


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples as files, and the schema of what clients send as `action.schema`."""
    need("npm", shutil.which("npm"), "npm is not installed")
    folder = tmp_path_factory.mktemp("examples")
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, timeout=100)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        for member in archive:
            wanted = member.name.startswith(EXAMPLES) or member.name == ACTION
            source = archive.extractfile(member) if wanted else None
            if source is not None:
                name = "action.schema" if member.name == ACTION else Path(member.name).name
                (folder / name).write_bytes(source.read())
    return folder


def examples(folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for file in sorted(folder.glob("*.json")):
        yield file.name, json.loads(file.read_text(encoding="utf-8"))["messages"]


def views(messages: list[dict[str, Any]]) -> Iterator[tuple[Any, ViewNode]]:
    stage = Stage()
    _, problems = stage.take_all(messages)
    assert problems == []
    for surface in stage.surfaces:
        found = Problems()
        view = resolve(surface, found)
        assert view is not None
        assert found.found == []
        yield surface, view


def test_every_example_is_valid(published: Path) -> None:
    files = sorted(published.glob("*.json"))
    assert len(files) == 43
    assert {file.name: problems for file in files if (problems := check_file(file))} == {}


def test_every_example_is_shown_with_all_its_texts(published: Path) -> None:
    shown = 0
    for name, messages in examples(published):
        page = html.unescape(re.sub(r"<[^>]*>", " ", render_html(messages)))
        page, text = _words(page), _words(render_text(messages))
        for _, view in views(messages):
            for found in texts(view):
                lines = [line for line in markdown.plain(found).split("\n") if line.strip("•-# ")]
                for line in map(_words, lines):
                    said = re.sub(r"\(https?://\S+\)|^• |^\d+\. ", "", line)
                    assert said.strip() in page, (name, said)
                    shown += 1
            for node in view.walk():
                assert node.kind in ("Chart", "DataTable") or _words(node.text("label")) in text, (name, node.component_id)
    assert shown > 300


def test_literal_texts_of_reachable_components_are_all_there(published: Path) -> None:
    """Counted from the messages themselves, not through the view."""
    for name, messages in examples(published):
        found = " ".join(text for _, view in views(messages) for text in texts(view))
        for surface, view in views(messages):
            reached = {node.component_id for node in view.walk()}
            for component in surface.components.values():
                if component["id"] in reached and component["component"] == "Text" and isinstance(component["text"], str):
                    assert component["text"] in found, (name, component["text"])


def test_every_button_sends_what_the_schema_asks_for(published: Path) -> None:
    schema = json.loads((published / "action.schema").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    pressed = 0
    for name, messages in examples(published):
        for surface, view in views(messages):
            for button in (node for node in view.walk() if node.kind == "Button"):
                action = action_of(surface, button, NOW)
                if action is None:
                    assert button.disabled or "functionCall" in surface.components[button.component_id]["action"], name
                    continue
                validator.validate(action.to_message())
                pressed += 1
    assert pressed > 30


def test_the_texts_are_those_of_the_reference_engine(published: Path, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", PACKAGE]
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True, timeout=100)
    given = json.dumps(dict(examples(published)))
    ran = subprocess.run(
        ["node", str(ORACLE), str(tmp_path)], input=given, capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    told = json.loads(ran.stdout)
    compared = 0
    for name, messages in examples(published):
        mine = {(node.component_id, text) for _, view in views(messages) for node in view.walk() for text in _told(node)}
        wanted = {(component, text) for component, text in told[name] if text}
        assert mine == wanted, name
        compared += len(wanted)
    assert compared > 250


def _told(node: ViewNode) -> list[str]:
    found = [node.text("text"), node.text("label"), *(option["label"] for option in node.props.get("options", ()))]
    return [text for text in found if text]


def _words(text: str) -> str:
    return " ".join(text.split())
