"""A notebook on the OpenClaw kernel in a real JupyterLab: a turn, a question answered by a button while its cell runs, a canvas
in the cell, the live panel of a Python kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, CHROMIUM_FLAGS, PICTURES, Lab

pytestmark = pytest.mark.e2e

WAIT_MS = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine and it could not be installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def write(path: Path, kernel: str, *cells: str) -> None:
    spec = {"name": kernel, "display_name": kernel, "language": "markdown" if kernel == "openclaw" else "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": spec}
    )
    nbformat.write(notebook, path)


def opened(browser: Browser, lab: Lab, name: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{lab.url}/lab/workspaces/auto-{name}/tree/{name}.ipynb?token={lab.token}", wait_until="domcontentloaded")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_function("!document.querySelector('#jupyterlab-splash')", timeout=60_000)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=60_000)
    return page


def run(page: Page, number: int) -> Locator:
    """Runs a cell by hand and gives its output."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    return cell.locator(".jp-Cell-outputArea")


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"kernel-{name}.png"))


def reload_dark(page: Page, lab: Lab) -> None:
    """Saves, and opens the same notebook again in the dark theme: what is left must be readable without its kernel's help."""
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    settings = lab.state.parent / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    settings.write_text(json.dumps({"theme": "JupyterLab Dark"}))
    for _ in range(WAIT_MS // 200):
        if "dashboard:notebook-talk-" in (lab.notebooks / "talk.ipynb").read_text():
            break
        page.wait_for_timeout(200)
    page.reload(wait_until="domcontentloaded")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'", timeout=60_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_function("!document.querySelector('#jupyterlab-splash')", timeout=60_000)
    settings.unlink()


def test_a_conversation_with_a_question(browser: Browser, lab: Lab) -> None:
    cells = ("hello", "run `echo pressed-a-button`", "%%python\n6 * 7", "show a chart", "run `echo denied`", "/status")
    write(lab.notebooks / "talk.ipynb", "openclaw", *cells)
    page = opened(browser, lab, "talk")
    expect(run(page, 0)).to_contain_text("built-in stand-in", timeout=WAIT_MS)

    output = run(page, 1)
    allow = output.get_by_role("button", name="Allow once")
    expect(allow).to_be_visible(timeout=WAIT_MS)
    expect(output.locator(".oc-ask")).to_contain_text("echo pressed-a-button")
    picture(page, "question")
    allow.click()
    expect(output).to_contain_text("It ran", timeout=WAIT_MS)
    expect(output.locator("button")).to_have_count(0)
    expect(output.locator(".oc-settled")).to_contain_text("Allowed once")
    expect(output.locator(".oc-tool summary")).to_contain_text("exec")
    output.locator(".oc-tool summary").first.click()
    expect(output.locator(".oc-out").last).to_contain_text("pressed-a-button")

    expect(run(page, 2)).to_contain_text("42", timeout=WAIT_MS)
    canvas = run(page, 3)
    expect(canvas.locator(".jp-OutputArea-child").nth(1)).to_contain_text("Sample chart", timeout=WAIT_MS)
    picture(page, "conversation-light")

    output = run(page, 4)
    output.get_by_role("button", name="Deny").click(timeout=WAIT_MS)
    expect(output.locator(".oc-settled")).to_contain_text("Denied", timeout=WAIT_MS)
    expect(run(page, 5)).to_contain_text("agent:main:dashboard:notebook-talk-", timeout=WAIT_MS)
    reload_dark(page, lab)
    expect(page.locator(".oc-settled").first).to_contain_text("Allowed once", timeout=WAIT_MS)
    picture(page, "conversation-dark")
    page.close()


def test_the_live_panel_of_a_python_kernel(browser: Browser, lab: Lab) -> None:
    code = "from openclaw_kernel import Assistant\nprint(await Assistant().aask('hello'))"
    asking = "print(await Assistant().aask('run `echo in-the-panel`'))"
    form = "await Assistant().aask('show a form')"
    write(lab.notebooks / "panel.ipynb", "python3", "%load_ext openclaw_kernel\n%claw live", code, asking, form)
    page = opened(browser, lab, "panel")
    panel = run(page, 0)
    expect(panel.locator(".oc-now").first).to_contain_text("notebook-panel-", timeout=WAIT_MS)
    run(page, 1)
    expect(panel).to_contain_text("built-in stand-in", timeout=WAIT_MS)
    output = run(page, 2)
    allow = panel.get_by_role("button", name="Allow once")
    expect(allow).to_be_visible(timeout=WAIT_MS)
    picture(page, "panel-question")
    allow.click()
    expect(panel.locator(".oc-tool summary").last).to_contain_text("exec", timeout=WAIT_MS)
    expect(output).to_contain_text("in-the-panel", timeout=WAIT_MS)
    picture(page, "panel")
    run(page, 3)
    expect(panel.get_by_text("Sample form", exact=True)).to_be_visible(timeout=WAIT_MS)
    picture(page, "panel-canvas")
    page.close()
