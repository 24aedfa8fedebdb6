"""Payloads made to hang, blow up or break out: each is bounded within a second of CPU in every place that draws."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from openclaw_kernel.canvas.catalog import BASIC, NOTEBOOK
from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.canvas.picture import picture_of
from openclaw_kernel.canvas.static_html import render_html
from openclaw_kernel.canvas.text import render_text

Message = dict[str, Any]


def surface(*components: Any, data: Any = None) -> list[Message]:
    created = {"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": NOTEBOOK}}
    filled = {"version": "v0.9", "updateDataModel": {"surfaceId": "s", "value": data}}
    updated = {"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": list(components)}}
    return [created, *([filled] if data is not None else []), updated]


def text(value: Any, **more: Any) -> Message:
    return {"id": "root", "component": "Text", "text": value} | more


def call(name: str, **args: Any) -> Message:
    return {"call": name, "args": args}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


LEAF = {"id": "t", "component": "Text", "text": "x"}
ROWS = {"id": "root", "component": "Column", "children": {"path": "/rows", "componentId": "t"}}
BIG = "a" * 500_000
SLOW = {"condition": call("regex", value="a" * 500, pattern="a?" * 60 + "a*a*a*b"), "message": "no"}
MANY = [{"id": f"c{n}", "component": "TextField", "label": "L", "value": "a" * 500, "checks": [SLOW]} for n in range(400)]

PAYLOADS: dict[str, Callable[[], list[Any]]] = {
    "self": lambda: surface({"id": "root", "component": "Card", "child": "root"}),
    "cycle": lambda: surface(
        {"id": "root", "component": "Card", "child": "a"},
        {"id": "a", "component": "Row", "children": ["b", "b"]},
        {"id": "b", "component": "Card", "child": "root"},
    ),
    "template cycle": lambda: surface(
        {"id": "root", "component": "List", "children": {"path": "/rows", "componentId": "root"}}, data={"rows": [1, 2]}
    ),
    "doubling tree": lambda: surface(
        {"id": "root", "component": "Row", "children": ["c0", "c0"]},
        *({"id": f"c{n}", "component": "Row", "children": [f"c{n + 1}"] * 2} for n in range(18)),
        {"id": "c18", "component": "Text", "text": {"path": "/big"}},
        data={"big": BIG},
    ),
    "template doubling": lambda: surface(
        {"id": "root", "component": "List", "children": {"path": "/r", "componentId": "a"}},
        {"id": "a", "component": "List", "children": {"path": "/r", "componentId": "b"}},
        {"id": "b", "component": "List", "children": {"path": "/r", "componentId": "t"}},
        LEAF | {"text": call("formatString", value="${/big} ${/big}")},
        data={"r": [0] * 500, "big": "y" * 2000},
    ),
    "ten thousand components deep": lambda: surface(
        {"id": "root", "component": "Card", "child": "c0"},
        *({"id": f"c{n}", "component": "Card", "child": f"c{n + 1}"} for n in range(1_990)),
        {"id": "c1990", "component": "Text", "text": "end"},
    ),
    "ten thousand arrays deep": lambda: surface(text("x"), data=nested(10_000)),
    "ten thousand calls deep": lambda: surface(text(call("formatString", value="${" * 4_000))),
    "deep arguments": lambda: surface(text(call("formatString", value="${" + "f(a:" * 2_000 + "1" + ")" * 2_000 + "}"))),
    "expression that reads itself": lambda: surface(
        text(call("formatString", value={"path": "/t"})), data={"t": "${formatString(value: ${/t})}" * 20}
    ),
    "expressions that double": lambda: surface(
        text(call("formatString", value={"path": "/t0"})),
        data={f"t{n}": f"${{formatString(value: ${{/t{n + 1}}})}}" * 2 for n in range(40)} | {"t40": "x"},
    ),
    "a thousand large parts": lambda: surface(text(call("formatString", value="${/big}" * 999)), data={"big": BIG}),
    "json of large data": lambda: surface(
        *({"id": f"c{n}", "component": "Text", "text": {"path": "/"}} for n in range(1_000)),
        {"id": "root", "component": "Column", "children": [f"c{n}" for n in range(1_000)]},
        data={"rows": list(range(100_000))},
    ),
    "exponential pattern": lambda: surface(
        {"id": "root", "component": "TextField", "label": "L", "checks": [
            {"condition": call("regex", value="a" * 30 + "!", pattern="^(a+)+$"), "message": "no"}]}
    ),
    "pattern that is only optional": lambda: surface(
        {"id": "root", "component": "TextField", "label": "L", "checks": [
            {"condition": call("regex", value="a" * 50, pattern="a?" * 50 + "a" * 50), "message": "no"}]}
    ),
    "pattern from data": lambda: surface(
        text(call("formatString", value="${regex(value: ${/v}, pattern: ${/p})}")), data={"v": "a" * 400, "p": "(a*)*b"}
    ),
    "many different patterns": lambda: surface(
        {"id": "root", "component": "TextField", "label": "L", "checks": [
            {"condition": call("regex", value="a" * 500, pattern=f"{n}" + "[a-z]{1,40}" * 12), "message": "n"}
            for n in range(2500)]}
    ),
    "as many patterns as a message may have": lambda: surface(
        {"id": "root", "component": "TextField", "label": "L", "checks": [
            {"condition": call("regex", value="a" * 500, pattern=f"[{n}a]" + "[a-z]{1,40}" * 12), "message": "n"}
            for n in range(200)]}
    ),
    "many patterns": lambda: surface({"id": "root", "component": "Column", "children": [c["id"] for c in MANY]}, *MANY),
    "proto": lambda: surface(text({"path": "/__proto__/polluted"}), data={"__proto__": {"polluted": 1}}),
    "proto path in data": lambda: surface(text(call("formatString", value="${/constructor/prototype}"))),
    "javascript image": lambda: surface({"id": "root", "component": "Image", "url": "javascript:alert(1)"}),
    "javascript bound": lambda: surface(
        {"id": "root", "component": "Image", "url": {"path": "/u"}}, data={"u": "javascript:alert(1)"}
    ),
    "javascript link": lambda: surface(text("[x](javascript:alert(1)) [y](JaVaScRiPt:alert`1`) ![z](data:text/html,<script>)")),
    "svg path": lambda: surface({"id": "root", "component": "Icon", "name": {"svgPath": "M0\"><script>alert(1)</script>"}}),
    "markup everywhere": lambda: surface(
        {"id": "root", "component": "Column", "children": ["a", "b", "c", "d", "e"], "accessibility": {"label": '"><script>'}},
        {"id": "a", "component": "Text", "text": "<script>alert(1)</script><img src=x onerror=alert(1)>"},
        {"id": "b", "component": "<script>alert(1)</script>"},
        {"id": "c", "component": "Chart", "series": [{"name": "<script>", "points": [{"x": "</text><script>", "y": 1}]}]},
        {"id": "d", "component": "DataTable", "columns": [{"key": "k", "label": "<b>"}], "rows": [{"k": "<img onerror=x>"}]},
        {"id": "e", "component": "TextField", "label": '" onfocus=alert(1) "', "value": "'><svg onload=alert(1)>"},
    ),
    "five megabytes": lambda: surface(text("x"), data="x" * 5_000_000),
    "five megabytes of keys": lambda: surface(text("x"), data={str(n): n for n in range(300_000)}),
    "array holes": lambda: [
        *surface(text("x"), data={"a": []}),
        {"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/a/5000000", "value": 1}},
    ],
    "markdown stars": lambda: surface(text("*a **b _c `d [e](f " * 5_000)),
    "markdown brackets": lambda: surface(text("[" * 50_000 + "]" * 49_000)),
    "markdown ticks": lambda: surface(text("`" * 99_000)),
    "markdown lines": lambda: surface(text("> - # 1. \n" * 9_900)),
    "huge numbers": lambda: surface(
        {"id": "root", "component": "Chart", "type": "histogram", "series": [{"name": "n", "points": [
            [1e308, -1e308], [-1e308, 1e308], [0, 1e-308], ["x", 10**400], [2, 1e249], [3, -1e249]]}]}
    ),
    "many points": lambda: surface(
        {"id": "root", "component": "Chart", "series": {"path": "/s"}},
        data={"s": [{"name": f"n{s}", "points": [[x, x % 7] for x in range(4_000)]} for s in range(15)]},
    ),
    "wide table": lambda: surface(
        {"id": "root", "component": "DataTable", "columns": [{"key": f"k{n}"} for n in range(1_000)], "rows": {"path": "/r"}},
        data={"r": [{"k0": "y" * 2_000}] * 400},
    ),
    "a thousand charts": lambda: surface(
        {"id": "root", "component": "List", "children": {"path": "/r", "componentId": "c"}},
        {"id": "c", "component": "Chart", "series": {"path": "/s"}},
        data={"r": [0] * 500, "s": [{"name": "n", "points": [[x, x % 7] for x in range(5_000)]}]},
    ),
    "a thousand tables": lambda: surface(
        {"id": "root", "component": "List", "children": {"path": "/r", "componentId": "c"}},
        {"id": "c", "component": "DataTable", "columns": [{"key": f"k{n}"} for n in range(60)], "rows": {"path": "/s"}},
        data={"r": [0] * 500, "s": [{f"k{n}": "y" * 20 for n in range(60)}] * 400},
    ),
    "no form": lambda: [None, 5, [], {}, {"version": "v0.9"}, {"version": "v0.9", "createSurface": 1}, {"surfaceUpdate": 1}],
    "old bomb": lambda: [
        {"surfaceUpdate": {"surfaceId": "s", "components": [{"id": "a", "component": {"Text": nested(5_000)}}]}},
        {"dataModelUpdate": {"surfaceId": "s", "contents": [{"key": "__proto__", "valueMap": []}]}},
        {"beginRendering": {"surfaceId": "s", "root": "a"}},
    ],
}  # fmt: skip


@pytest.mark.parametrize("draw", [check_messages, render_html, render_text, picture_of])
@pytest.mark.parametrize("name", PAYLOADS)
def test_bounded(name: str, draw: Callable[[list[Any]], Any]) -> None:
    messages = PAYLOADS[name]()
    started = time.process_time()
    made = draw(messages)
    assert time.process_time() - started < 3
    if isinstance(made, str):
        assert len(made) < 8_100_000
        assert_harmless(made if draw is render_html else "")


def assert_harmless(html: str) -> None:
    """No element and no attribute but those the renderer writes itself."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in (
                "script",
                "iframe",
                "object",
                "embed",
                "form",
                "input",
                "button",
                "base",
                "link",
                "foreignobject",
            )
            for key, value in attrs:
                assert not key.startswith("on")
                if key == "href":
                    assert (value or "").startswith(("http://", "https://"))
                if key == "src":
                    assert (value or "").startswith("data:image/")

    Reader().feed(html)


def test_catalogue_is_the_basic_one_too() -> None:
    messages = surface(text("x"))
    messages[0]["createSurface"]["catalogId"] = BASIC
    assert "x" in render_html(messages)
