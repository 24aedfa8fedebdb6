"""A form in the conversation of a real JupyterLab: the model shows it, a person fills it in, the agent hears of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, CHROMIUM_FLAGS, PICTURES, ROOT, Lab, wait_until_up
from tests.flow.processes import provider
from tests.processes import free_port, stop

pytestmark = pytest.mark.e2e

WAIT_MS = 30_000
FORM = {"kind": "form", "title": "Who", "fields": [{"name": "name", "label": "Your name"}], "submit": "Send it"}


@pytest.fixture(scope="module")
def page(lab: Lab) -> Iterator[Page]:
    port = free_port()
    log = lab.state.parent / "model.log"
    command = [sys.executable, "-m", "tests.fakes.model_server", "--port", str(port)]
    with log.open("wb") as sink:
        model = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/healthz", model, log)
        config = {"gateway": {"port": lab.gateway_port}, **provider(f"http://127.0.0.1:{port}/v1")}
        (lab.state / "openclaw.json").write_text(json.dumps(config))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{lab.url}/lab?token={lab.token}", wait_until="domcontentloaded")
            page.wait_for_selector("#jp-main-dock-panel", timeout=60_000)
            page.wait_for_function("!document.querySelector('#jupyterlab-splash')", timeout=60_000)
            yield page
            browser.close()
    finally:
        stop(model)


def test_a_form_is_shown_filled_in_and_heard(page: Page, lab: Lab) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.locator(".oc-input").fill(f"[[tool canvas {json.dumps(FORM)}]] [[echo Please fill it in]]")
    page.keyboard.press("Enter")
    form = page.get_by_role("region", name="Canvas: Who")
    form.get_by_label("Your name").fill("Ada", timeout=WAIT_MS)
    expect(page.locator(".oc-log")).to_contain_text("Please fill it in", timeout=WAIT_MS)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / "sidebar-form.png"))
    form.get_by_role("button", name="Send it").click()
    expect(page.locator(".oc-log")).to_contain_text("You pressed submit in Who", timeout=WAIT_MS)
    expect(form.get_by_label("Your name")).to_have_value("Ada")
    page.screenshot(path=str(PICTURES / "sidebar-form-sent.png"))
    told = "".join(path.read_text() for path in lab.state.rglob("*.jsonl"))
    assert "Canvas action" in told and "Ada" in told
    assert problems == []


def test_the_form_is_there_after_a_reload(page: Page) -> None:
    page.reload(wait_until="domcontentloaded")
    expect(page.get_by_role("region", name="Canvas: Who").get_by_label("Your name")).to_be_visible(timeout=60_000)
