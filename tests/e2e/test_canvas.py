"""The Canvas in Chromium: published examples against the reference engine, hostile surfaces, several views, pictures."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, expect
from referencing import Registry, Resource

from openclaw_kernel.canvas.catalog import BASIC, NOTEBOOK
from tests.e2e.canvas_page import ESM, CanvasPage, new_context
from tests.e2e.canvas_scenes import SCENES
from tests.e2e.conftest import PICTURES
from tests.needs import need

pytestmark = pytest.mark.e2e

PACKAGE = "@a2ui/web_core@0.11.0"
SCHEMAS = Path("node_modules/@a2ui/web_core/src/v0_9/schemas")
STANDING_IN = {"Tabs", "Modal", "Video", "AudioPlayer"}
Message = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    assert ESM.exists(), "the Canvas is not built: cd labextension && jlpm build:canvas"


@pytest.fixture
def canvas(browser: Browser) -> Iterator[CanvasPage]:
    context = new_context(browser)
    page = CanvasPage(context.new_page())
    yield page
    context.close()
    assert page.problems == []


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("npm", shutil.which("npm"), "npm is not installed")
    home = tmp_path_factory.mktemp("web_core")
    (home / "package.json").write_text("{}")
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", PACKAGE], cwd=home, check=True, capture_output=True, timeout=110
    )
    return home


def examples(home: Path) -> dict[str, list[Message]]:
    files = sorted((home / SCHEMAS / "catalogs" / "basic" / "examples").glob("*.json"))
    return {file.stem: json.loads(file.read_text())["messages"] for file in files}


def action_schema(home: Path) -> Draft202012Validator:
    schema = json.loads((home / SCHEMAS / "client_to_server.json").read_text())
    parts = [json.loads(file.read_text()) for file in (home / SCHEMAS).glob("*.json")]
    registry: Registry[Any] = Registry().with_resources(
        (part["$id"], Resource.from_contents(part)) for part in parts if "$id" in part
    )
    return Draft202012Validator(schema, registry=registry)


def surface(*components: Any, data: Any = None, catalog: str = BASIC, surface_id: str = "s") -> list[Message]:
    filled = [{"version": "v0.9", "updateDataModel": {"surfaceId": surface_id, "value": data}}] if data is not None else []
    return [
        {"version": "v0.9", "createSurface": {"surfaceId": surface_id, "catalogId": catalog}},
        *filled,
        {"version": "v0.9", "updateComponents": {"surfaceId": surface_id, "components": list(components)}},
    ]


def letters(text: str) -> str:
    """Without the signs of Markdown and its addresses, which are drawn and not shown."""
    return re.sub(r"[\W_]+", "", re.sub(r"\]\([^)]*\)", "", text))


@pytest.mark.npm
def test_published_examples_show_what_the_reference_engine_resolves(canvas: CanvasPage, published: Path) -> None:
    given = examples(published)
    assert len(given) == 43
    command = ["node", str(Path(__file__).with_name("canvas_oracle.mjs")), str(published)]
    env = {**os.environ, "TZ": "UTC", "LANG": "en_US.UTF-8"}
    answer = subprocess.run(command, input=json.dumps(given), env=env, capture_output=True, text=True, check=True, timeout=60)
    told: dict[str, list[list[str]]] = json.loads(answer.stdout)
    missing: dict[str, list[str]] = {}
    drawn = """() => Object.fromEntries([...document.querySelectorAll('[data-id]')].map(each => [each.dataset.id, ''])
        .map(([id]) => [id, [...document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)].map(each => each.textContent)]))"""
    for name, messages in given.items():
        canvas.open(messages)
        shown: dict[str, list[str]] = canvas.page.evaluate(drawn)
        wanted = Counter((identity, letters(text)) for identity, text in told[name] if letters(text))
        for (identity, text), count in wanted.items():
            found = sum(text in letters(each) for each in shown.get(identity, []))
            if found < count and identity != "" and not _is_a_tab(messages, identity):
                missing.setdefault(name, []).append(f"{identity}: {text!r} {found} of {count}")
        canvas.clear()
    assert missing == {}
    assert canvas.asked == []  # pictures from elsewhere wait for a click


def _is_a_tab(messages: list[Message], identity: str) -> bool:
    """Titles of tabs belong to the tabs, which stand in."""
    parts = [part for message in messages for part in message.get("updateComponents", {}).get("components", [])]
    return any(part["id"] == identity and part["component"] in STANDING_IN for part in parts)


@pytest.mark.npm
def test_published_examples_send_valid_actions(canvas: CanvasPage, published: Path) -> None:
    schema = action_schema(published)
    pressed = 0
    for name, messages in examples(published).items():
        model = canvas.open(messages)
        buttons = canvas.page.locator("#out button.ocv-btn:not([disabled])")
        for index in range(buttons.count()):
            buttons.nth(index).click()
        pressed += buttons.count()
        for content in canvas.sent(model):
            assert content["type"] == "action", (name, content)
            schema.validate({"version": "v0.9", "action": content["action"]})
        canvas.clear()
    assert pressed >= 20


def _doubling() -> list[Message]:
    rows = [{"id": "root" if n == 0 else f"c{n}", "component": "Row", "children": [f"c{n + 1}"] * 2} for n in range(18)]
    return surface(*rows, {"id": "c18", "component": "Text", "text": "x"})


def _deep_data(depth: int) -> list[Message]:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return surface({"id": "root", "component": "Text", "text": {"path": "/"}}, data=value)


def _regex(pattern: str) -> list[Message]:
    check = {"condition": {"call": "regex", "args": {"value": {"path": "/v"}, "pattern": pattern}}, "message": "no"}
    return surface(
        {"id": "root", "component": "TextField", "label": "L", "value": {"path": "/v"}, "checks": [check]},
        data={"v": "a" * 499},
    )


TEXT = {"id": "root", "component": "Text", "text": "still here"}
CHAIN = [{"id": "root" if n == 0 else f"c{n}", "component": "Card", "child": f"c{n + 1}"} for n in range(1_999)]
HOSTILE: dict[str, list[Any]] = {
    "cycle": surface(
        {"id": "root", "component": "Column", "children": ["a"]}, {"id": "a", "component": "Card", "child": "root"}
    ),
    "doubling tree": _doubling(),
    "deep components": surface(*CHAIN, {"id": "c1999", "component": "Text", "text": "x"}),
    "ReDoS": _regex("^(a+)+$"),
    "polynomial ReDoS": _regex("a*a*a*a*a*a*a*a*a*a*a*a*b"),
    "exponential alternatives": _regex("(a|a)" * 30 + "c"),
    "__proto__ path": [
        *surface(TEXT),
        {"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/__proto__/polluted", "value": 1}},
    ],
    "javascript: picture": surface({"id": "root", "component": "Image", "url": "javascript:document.title='run'"}),
    "javascript: button": surface(
        {
            "id": "root",
            "component": "Button",
            "child": "t",
            "action": {"functionCall": {"call": "openUrl", "args": {"url": "javascript:document.title='run'"}}},
        },
        {"id": "t", "component": "Text", "text": "press"},
    ),
    "markup": surface(
        {
            "id": "root",
            "component": "Text",
            "text": "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>",
        }
    ),
    "svg path": surface(
        {"id": "root", "component": "Icon", "name": {"svgPath": "M0 0\"><script>document.title='run'</script>"}}
    ),
    "5 MB": surface(TEXT, data="x" * 5_000_000),
    "long text": surface({"id": "root", "component": "Text", "text": "[*_`~#" * 150_000}),
    "expression bomb": surface(
        {"id": "root", "component": "List", "children": {"path": "/rows", "componentId": "t"}},
        {"id": "t", "component": "Text", "text": {"call": "formatString", "args": {"value": "${/rows}" * 900}}},
        data={"rows": ["y" * 100] * 1_000},
    ),
    "array hole": [
        *surface(TEXT, data={"a": []}),
        {"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/a/5000000", "value": 1}},
    ],
    "many rows": surface(
        {"id": "root", "component": "DataTable", "columns": [{"key": "a"}], "rows": {"path": "/r"}},
        data={"r": [{"a": n} for n in range(60_000)]},
        catalog=NOTEBOOK,
    ),
    "many points": surface(
        {"id": "root", "component": "Chart", "type": "scatter", "series": [{"name": "s", "points": list(range(100_000))}]},
        catalog=NOTEBOOK,
    ),
    "not messages": [None, 5, "text", [], {"version": "v0.9"}, {"version": "v1.0", "createSurface": {}}],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_surface_is_bounded(canvas: CanvasPage, name: str) -> None:
    """Within a second, no script run, nothing loaded, and a second canvas on the page still lives."""
    canvas.open(surface({"id": "root", "component": "Text", "text": "neighbour"}))
    source = json.dumps(HOSTILE[name])
    canvas.page.evaluate("source => { window.source = source; }", source)
    before = canvas.busy()
    canvas.page.evaluate("() => window.open_(JSON.parse(window.source)).then(() => { document.body.offsetHeight; })")
    canvas.settle()
    took = canvas.busy() - before
    print(f"{name}: {took:.2f} s")
    assert took < 1
    if name == "javascript: button":
        canvas.page.get_by_role("button", name="press").click()
    assert "neighbour" in canvas.text()
    assert canvas.page.title() == "Canvas"
    assert canvas.page.evaluate("({}).polluted === undefined && Object.keys(Object.prototype).length === 0")
    assert canvas.asked == []
    assert canvas.page.locator("#out script, #out img").count() == 0


def test_ten_thousand_deep(canvas: CanvasPage) -> None:
    """Built in the page: neither Python's nor Chromium's JSON writer goes so deep."""
    canvas.page.evaluate("""() => {
        let value = 1;
        for (let depth = 0; depth < 10_000; depth++) value = [value];
        window.deep = [{version: 'v0.9', updateDataModel: {surfaceId: 's', value}}];
    }""")
    model = canvas.open(surface(TEXT))
    before = canvas.busy()
    canvas.page.evaluate("at => window.models[at].fire('msg:custom', {type: 'messages', messages: window.deep})", model)
    canvas.settle()
    assert canvas.busy() - before < 1
    assert "100 deep" in canvas.text()
    assert "still here" in canvas.text()


FORM = [
    {"id": "root", "component": "Column", "children": ["name", "shown", "go"]},
    {"id": "name", "component": "TextField", "label": "Name", "value": {"path": "/name"}},
    {"id": "shown", "component": "Text", "text": {"path": "/name"}},
    {
        "id": "go",
        "component": "Button",
        "child": "label",
        "action": {"event": {"name": "go", "context": {"name": {"path": "/name"}}}},
    },
    {"id": "label", "component": "Text", "text": "Go"},
]


def test_two_canvases_and_two_views_of_one(canvas: CanvasPage) -> None:
    first = canvas.open(surface(*FORM, data={"name": "Ada"}), views=2)
    second = canvas.open(surface(*FORM, data={"name": "Grace"}))
    fields = canvas.page.get_by_label("Name")
    expect(fields).to_have_count(3)
    fields.nth(0).fill("Edith")
    canvas.settle()
    assert [fields.nth(at).input_value() for at in range(3)] == ["Edith", "Edith", "Grace"]
    canvas.page.get_by_role("button", name="Go").nth(1).click()
    assert [each["action"]["context"] for each in canvas.sent(first)] == [{"name": "Edith"}]
    assert canvas.sent(second) == []


def test_a_kernel_update_keeps_focus_and_what_was_typed(canvas: CanvasPage) -> None:
    messages = surface(*FORM, data={"name": "", "other": 1})
    model = canvas.open(messages)
    canvas.page.get_by_label("Name").press_sequentially("Ad")
    added = {"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/other", "value": 2}}
    canvas.send(model, [added])
    # The trait then brings the same list; what was applied is not applied again.
    canvas.page.evaluate("([at, all]) => window.models[at].set('messages', all)", [model, [*messages, added]])
    canvas.settle()
    canvas.page.keyboard.type("a")
    assert canvas.page.get_by_label("Name").input_value() == "Ada"
    assert canvas.sent(model) == []


def test_saved_state_is_not_trusted(canvas: CanvasPage) -> None:
    saved = [
        *surface(
            {"id": "root", "component": "Column", "children": ["a", "b"]},
            {"id": "a", "component": "Text", "text": "drawn"},
            {"id": "b", "component": "Hologram"},
        ),
        {"version": "v9", "updateDataModel": {"surfaceId": "s", "value": {}}},
    ]
    model = canvas.open(saved)
    assert "drawn" in canvas.text()
    assert "“Hologram” is not a known component." in canvas.text()
    assert {each["type"] for each in canvas.sent(model)} == {"error"}


def test_by_keyboard_alone(canvas: CanvasPage) -> None:
    model = canvas.open(surface(*FORM, data={"name": ""}))
    canvas.page.keyboard.press("Tab")
    canvas.page.keyboard.type("Ada")
    canvas.page.keyboard.press("Tab")
    canvas.page.keyboard.press("Enter")
    canvas.settle()
    assert [each["action"]["context"] for each in canvas.sent(model)] == [{"name": "Ada"}]


def test_the_module_is_small() -> None:
    """It is saved once for every widget of a notebook; 250 kB at most, and less than 100 kB wished for."""
    assert ESM.stat().st_size < 100_000


@pytest.mark.parametrize("width", [900, 300])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pictures_of_every_view(browser: Browser, dark: bool, width: int) -> None:
    """One picture a scene, looked at by people; nothing may stick out of its frame."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    context = new_context(browser, width)
    canvas = CanvasPage(context.new_page(), dark)
    for name, messages in SCENES.items():
        canvas.open(messages)
        canvas.page.wait_for_timeout(120)  # the width is measured, then charts are drawn for it
        frame = canvas.page.locator("#out")
        frame.screenshot(path=str(PICTURES / f"canvas-{name}-{'dark' if dark else 'light'}-{width}.png"))
        assert canvas.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        canvas.clear()
    context.close()
    assert canvas.problems == []
