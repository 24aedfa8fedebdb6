"""The Canvas in a real notebook: real JupyterLab, real anywidget, a Python callback, two views, another canvas beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Lab, picture
from tests.e2e.notebook import opened, write

pytestmark = pytest.mark.e2e

WAIT_MS = 30_000
MAKE = """
from openclaw_kernel.canvas import Canvas

def form(title):
    parts = [
        {"id": "root", "component": "Column", "children": ["name", "said", "go"]},
        {"id": "name", "component": "TextField", "label": title, "value": {"path": "/name"}},
        {"id": "said", "component": "Text", "text": {"path": "/said"}},
        {"id": "go", "component": "Button", "child": "go-label", "variant": "primary",
         "action": {"event": {"name": "greet", "context": {"name": {"path": "/name"}}}}},
        {"id": "go-label", "component": "Text", "text": "Greet"},
    ]
    catalog = "https://a2ui.org/specification/v0_9/catalogs/basic/catalog.json"
    return [
        {"version": "v0.9", "createSurface": {"surfaceId": title, "catalogId": catalog}},
        {"version": "v0.9", "updateDataModel": {"surfaceId": title, "value": {"name": "", "said": ""}}},
        {"version": "v0.9", "updateComponents": {"surfaceId": title, "components": parts}},
    ]

def greet(action):
    first.set_value("/said", f"Python says hello to {action.context['name']}")

first = Canvas(form("First"), on_action=greet)
second = Canvas(form("Second"))
first
"""


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    write(lab.notebooks / "canvas.ipynb", MAKE, "first", "second")
    page = opened(browser, lab, "canvas")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    yield page
    page.close()


def test_a_button_calls_python_and_every_view_follows(page: Page) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    first = page.get_by_label("First")
    expect(first).to_have_count(2, timeout=WAIT_MS)
    expect(page.get_by_label("Second")).to_have_count(1)
    first.first.fill("Ada")
    expect(first.last).to_have_value("Ada")
    page.get_by_role("button", name="Greet").first.click()
    expect(page.get_by_text("Python says hello to Ada")).to_have_count(2, timeout=WAIT_MS)
    expect(first.first).to_have_value("Ada")
    picture(page, "notebook-canvas")
    assert problems == []


def test_typing_on_a_surface_runs_no_shortcut_of_the_notebook(page: Page) -> None:
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    page.get_by_label("Second").click()
    page.keyboard.type("abddxz")
    expect(page.get_by_label("Second")).to_have_value("abddxz")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
