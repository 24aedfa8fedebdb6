"""The guard: what passes, what is refused and under which code, each hostile payload within a second."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.canvas import pointer
from openclaw_kernel.canvas.catalog import BASIC
from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.canvas.problems import CanvasError
from openclaw_kernel.canvas.read import check_file
from openclaw_kernel.canvas.store import Surfaces

Message = dict[str, Any]
TEXT = {"id": "root", "component": "Text", "text": "hi"}
LABEL = {"id": "t", "component": "Text", "text": "x"}


def surface(*components: Any, data: Any = None, catalog: str = BASIC) -> list[Message]:
    created = {"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": catalog}}
    updated = {"version": "v0.9.1", "updateComponents": {"surfaceId": "s", "components": list(components)}}
    filled = {"version": "v0.9", "updateDataModel": {"surfaceId": "s", "value": data}}
    return [created, *([filled] if data is not None else []), updated]


def codes(messages: list[Any]) -> set[str]:
    started = time.monotonic()
    found = {problem.code for problem in check_messages(messages)}
    assert time.monotonic() - started < 1
    return found


def field(**more: Any) -> Message:
    return {"id": "root", "component": "TextField", "label": "L"} | more


def button(action: Any) -> list[Message]:
    return surface({"id": "root", "component": "Button", "child": "t", "action": action}, LABEL)


def check(condition: Any) -> Message:
    return field(checks=[{"condition": condition, "message": "no"}])


def image(url: Any) -> Message:
    return {"id": "root", "component": "Image", "url": url}


@pytest.mark.parametrize(
    "messages",
    [
        surface(TEXT),
        surface(TEXT | {"weight": 1.5, "accessibility": {"label": {"path": "/a"}}}),
        surface(check({"call": "regex", "args": {"value": {"path": "/v"}, "pattern": "^[a-z]+$"}, "returnType": "boolean"})),
        surface(
            {"id": "root", "component": "List", "children": {"path": "/rows", "componentId": "t"}}, LABEL, data={"rows": [1]}
        ),
        surface(image("https://example.com/a.png")),
        button({"event": {"name": "go", "context": {"a": {"path": "/x"}, "b": [1]}}}),
        button({"functionCall": {"call": "openUrl", "args": {"url": "https://example.com"}}}),
        [{"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": [LABEL]}}],
        [{"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/a~1b", "value": None}}],
        [*surface(TEXT), {"version": "v0.9", "deleteSurface": {"surfaceId": "s"}}, *surface(TEXT)],
    ],
)
def test_valid(messages: list[Message]) -> None:
    assert check_messages(messages) == []


@pytest.mark.parametrize(
    ("code", "messages"),
    [
        ("INVALID", ["text"]),
        ("UNSUPPORTED_VERSION", [{"deleteSurface": {"surfaceId": "s"}}]),
        ("UNSUPPORTED_VERSION", [{"version": "v1.0", "deleteSurface": {"surfaceId": "s"}}]),
        ("INVALID", [{"version": "v0.9"}]),
        ("INVALID", [surface(TEXT)[0] | surface(TEXT)[1]]),
        ("UNKNOWN_PROPERTY", [{"version": "v0.9", "deleteSurface": {"surfaceId": "s", "x": 1}}]),
        ("UNKNOWN_CATALOG", surface(TEXT, catalog="urn:other")),
        ("UNKNOWN_SURFACE", [*surface(TEXT), {"version": "v0.9", "deleteSurface": {"surfaceId": "other"}}]),
        ("DUPLICATE_SURFACE", [*surface(TEXT), *surface(TEXT)]),
        ("DUPLICATE_ID", surface(TEXT, TEXT)),
        ("UNKNOWN_COMPONENT", surface({"id": "root", "component": "Script"})),
        ("UNKNOWN_COMPONENT", surface({"id": "root", "component": "Chart", "series": []})),
        ("UNKNOWN_PROPERTY", surface(TEXT | {"onclick": "x"})),
        ("MISSING", surface({"id": "root", "component": "Text"})),
        ("INVALID", surface(TEXT | {"text": 5})),
        ("INVALID", surface(TEXT | {"variant": "h6"})),
        ("INVALID", surface({"id": "root", "component": "Slider", "value": True, "max": 3})),
        ("INVALID", surface({"id": "root", "component": "Icon", "name": "nonsense"})),
        ("UNSAFE_SVG", surface({"id": "root", "component": "Icon", "name": {"svgPath": "M0 0\"><script>"}})),
        ("UNKNOWN_FUNCTION", surface(TEXT | {"text": {"call": "eval", "args": {}}})),
        ("MISSING", surface(check({"call": "length", "args": {"value": "a"}}))),
        ("INVALID", surface(check({"call": "and", "args": {"values": [True]}}))),
        ("INVALID", surface(check({"call": "email", "args": {"value": "a"}, "returnType": "string"}))),
        ("NO_ROOT", surface(LABEL)),
        ("DANGLING", surface({"id": "root", "component": "Card", "child": "gone"})),
        ("CYCLE", surface({"id": "root", "component": "Card", "child": "root"})),
        ("UNSAFE_URL", surface(image("javascript:alert(1)"))),
        ("UNSAFE_URL", surface(image(" https://example.com"))),
        ("UNSAFE_URL", surface(image("data:image/svg+xml,<svg onload=x>"))),
        ("UNSAFE_URL", surface(image({"path": "/u"}), data={"u": "javascript:alert(1)"})),
        ("UNSAFE_URL", button({"functionCall": {"call": "openUrl", "args": {"url": "java\tscript:alert(1)"}}})),
        ("UNSAFE_PATTERN", surface(check({"call": "regex", "args": {"value": "a", "pattern": "^(a+)+$"}}))),
        ("UNSAFE_PATTERN", surface(field(validationRegexp="(a|aa)*b"))),
        ("UNSAFE_PATTERN", surface(field(validationRegexp="x" * 201))),
        ("UNSAFE_KEY", [{"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/__proto__/x", "value": 1}}]),
        ("UNSAFE_KEY", surface(TEXT, data={"a": [{"constructor": 1}]})),
        ("BAD_PATH", [*surface(TEXT, data={"a": []}), {"version": "v0.9", "updateDataModel": {
            "surfaceId": "s", "path": "/a/5000000", "value": 1}}]),
        ("TOO_LARGE", surface(TEXT, data="x" * 5_000_000)),
        ("TOO_MANY", surface(*({"id": f"c{n}", "component": "Divider"} for n in range(2_001)))),
        ("TOO_DEEP", surface(
            {"id": "root", "component": "Card", "child": "c0"},
            *({"id": f"c{n}", "component": "Card", "child": f"c{n + 1}"} for n in range(60)),
            {"id": "c60", "component": "Divider"})),
        ("TOO_MANY", surface(
            {"id": "root", "component": "Row", "children": ["c0", "c0"]},
            *({"id": f"c{n}", "component": "Row", "children": [f"c{n + 1}"] * 2} for n in range(18)),
            {"id": "c18", "component": "Divider"})),
    ],
)  # fmt: skip
def test_refused(code: str, messages: list[Any]) -> None:
    assert code in codes(messages)


def test_ten_thousand_deep() -> None:
    value: Any = 1
    for _ in range(10_000):
        value = [value]
    assert codes(surface(TEXT, data=value)) == {"TOO_DEEP"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "PARSE"),
        ("{", "PARSE"),
        ("[" * 100_000, "TOO_DEEP"),
        ('{"version": NaN}', "PARSE"),
        ('{"a": ' + "9" * 5_000 + "}", "PARSE"),
        ("[]", "INVALID"),
    ],
)
def test_unreadable_files(tmp_path: Path, text: str, code: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text)
    assert [problem.code for problem in check_file(file)] == [code]


def test_store_folds_messages() -> None:
    surfaces = Surfaces()
    for message in surface(TEXT, LABEL, data={"a": [1, {"b": 2}]}):
        surfaces.apply(message)
    surfaces.apply({"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": [LABEL | {"text": "y"}]}})
    surfaces.apply({"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/a/1/b"}})
    found = surfaces.get("s")
    assert found is not None
    assert found.components["t"]["text"] == "y"
    assert found.data == {"a": [1, {}]}


def test_pointer() -> None:
    data = pointer.put({}, "/a/0/x~1y", 1)
    assert data == {"a": [{"x/y": 1}]}
    assert pointer.get(data, "/a/0/x~1y") == 1
    assert pointer.get(data, "/a/7") is pointer.MISSING
    assert pointer.absolute("name", "/rows/3") == "/rows/3/name"
    with pytest.raises(CanvasError):
        pointer.put(data, "/a/name", 1)
