"""A form in the conversation of a real JupyterLab: the model shows it, a person fills it in, the agent hears of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chat import say
from tests.e2e.conftest import Lab, picture, running_lab, settled
from tests.flow.processes import provider
from tests.processes import program

pytestmark = pytest.mark.e2e

WAIT_MS = 30_000
FORM = {"kind": "form", "title": "Who", "fields": [{"name": "name", "label": "Your name"}], "submit": "Send it"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Its assistant gets another model."""
    with running_lab(tmp_path_factory.mktemp("form")) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    with program("tests.fakes.model_server") as model:
        config = {"gateway": {"port": lab.gateway_port}, **provider(f"http://127.0.0.1:{model['listening']}/v1")}
        (lab.state / "openclaw.json").write_text(json.dumps(config))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{lab.url}/lab?token={lab.token}", wait_until="domcontentloaded")
        settled(page)
        yield page
        page.close()


def test_a_form_is_shown_filled_in_and_heard(page: Page, lab: Lab) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    say(page, f"[[tool canvas {json.dumps(FORM)}]] [[echo Please fill it in]]")
    form = page.get_by_role("region", name="Canvas: Who")
    form.get_by_label("Your name").fill("Ada", timeout=WAIT_MS)
    expect(page.locator(".oc-log")).to_contain_text("Please fill it in", timeout=WAIT_MS)
    picture(page, "sidebar-form")
    form.get_by_role("button", name="Send it").click()
    expect(page.locator(".oc-log")).to_contain_text("You pressed submit in Who", timeout=WAIT_MS)
    expect(form.get_by_label("Your name")).to_have_value("Ada")
    picture(page, "sidebar-form-sent")
    told = "".join(path.read_text() for path in lab.state.rglob("*.jsonl"))
    assert "Canvas action" in told and "Ada" in told
    assert problems == []


def test_the_form_is_there_after_a_reload(page: Page) -> None:
    page.reload(wait_until="domcontentloaded")
    expect(page.get_by_role("region", name="Canvas: Who").get_by_label("Your name")).to_be_visible(timeout=60_000)
