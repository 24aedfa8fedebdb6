"""A notebook on the OpenClaw kernel in a real JupyterLab: a turn, a question answered by a button while its cell runs, a canvas
in the cell, the live panel of a Python kernel."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Lab, picture, reload_dark
from tests.e2e.notebook import drawn, opened, run, write
from tests.waiting import until

pytestmark = pytest.mark.e2e

WAIT_MS = 30_000


def saved(page: Page, lab: Lab) -> None:
    """Saves the notebook, and waits until the file has its last output."""
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    until(lambda: "dashboard:notebook-talk-" in (lab.notebooks / "talk.ipynb").read_text(), "the notebook on disk")


def test_a_conversation_with_a_question(browser: Browser, lab: Lab) -> None:
    cells = ("hello", "run `echo pressed-a-button`", "%%python\n6 * 7", "show a chart", "run `echo denied`", "/status")
    write(lab.notebooks / "talk.ipynb", *cells, kernel="openclaw")
    page = opened(browser, lab, "talk", height=1000)
    expect(run(page, 0)).to_contain_text("built-in stand-in", timeout=WAIT_MS)

    output = run(page, 1)
    allow = output.get_by_role("button", name="Allow once")
    expect(allow).to_be_visible(timeout=WAIT_MS)
    expect(output.locator(".oc-ask")).to_contain_text("echo pressed-a-button")
    picture(page, "kernel-question")
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
    picture(page, "kernel-conversation-light")

    output = run(page, 4)
    output.get_by_role("button", name="Deny").click(timeout=WAIT_MS)
    expect(output.locator(".oc-settled")).to_contain_text("Denied", timeout=WAIT_MS)
    expect(run(page, 5)).to_contain_text("agent:main:dashboard:notebook-talk-", timeout=WAIT_MS)
    saved(page, lab)
    reload_dark(page, lab)  # what is left must be readable without the kernel's help
    drawn(page)
    expect(page.locator(".oc-settled").first).to_contain_text("Allowed once", timeout=WAIT_MS)
    picture(page, "kernel-conversation-dark")
    page.close()


def test_the_live_panel_of_a_python_kernel(browser: Browser, lab: Lab) -> None:
    code = "from openclaw_kernel import Assistant\nprint(await Assistant().aask('hello'))"
    asking = "print(await Assistant().aask('run `echo in-the-panel`'))"
    form = "await Assistant().aask('show a form')"
    write(lab.notebooks / "panel.ipynb", "%load_ext openclaw_kernel\n%claw live", code, asking, form)
    page = opened(browser, lab, "panel", height=1000)
    panel = run(page, 0)
    expect(panel.locator(".oc-now").first).to_contain_text("notebook panel", timeout=WAIT_MS)
    run(page, 1)
    expect(panel).to_contain_text("built-in stand-in", timeout=WAIT_MS)
    output = run(page, 2)
    allow = panel.get_by_role("button", name="Allow once")
    expect(allow).to_be_visible(timeout=WAIT_MS)
    picture(page, "kernel-panel-question")
    allow.click()
    expect(panel.locator(".oc-tool summary").last).to_contain_text("exec", timeout=WAIT_MS)
    expect(output).to_contain_text("in-the-panel", timeout=WAIT_MS)
    picture(page, "kernel-panel")
    run(page, 3)
    expect(panel.get_by_text("Sample form", exact=True)).to_be_visible(timeout=WAIT_MS)
    picture(page, "kernel-panel-canvas")
    page.close()
