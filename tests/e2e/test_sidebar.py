"""The sidebar in a real JupyterLab: what a newcomer without a key types, sees and has on disk afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, CHROMIUM_FLAGS, PICTURES, Lab

pytestmark = pytest.mark.e2e

WAIT_MS = 20_000
PANEL = ".oc-chat"
INPUT = f"{PANEL} .oc-input"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine and it could not be installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """JupyterLab in one window for the whole file; an error on its console fails the test that follows."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    problems: list[str] = []

    def on_error(error: Error) -> None:
        problems.append(str(error))

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "openclaw" in (message.text + str(message.location)).lower():
            problems.append(message.text)

    page.on("pageerror", on_error)
    page.on("console", on_console)
    page.goto(f"{lab.url}/lab?token={lab.token}", wait_until="domcontentloaded")
    page.wait_for_selector("#jp-main-dock-panel", timeout=60_000)
    page.wait_for_function("!document.querySelector('#jupyterlab-splash')", timeout=60_000)
    yield page
    assert problems == []


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def say(page: Page, text: str) -> None:
    page.locator(INPUT).fill(text)
    page.keyboard.press("Enter")


def test_the_sidebar_is_open_on_the_first_start(page: Page) -> None:
    expect(page.locator(PANEL)).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(INPUT)).to_be_editable(timeout=WAIT_MS)
    picture(page, "start")


def test_hello_is_answered_without_a_key(page: Page) -> None:
    say(page, "hello")
    expect(page.locator(f"{PANEL} .oc-log")).to_contain_text("built-in stand-in", timeout=WAIT_MS)
    picture(page, "hello")


def test_a_note_is_on_disk(page: Page, lab: Lab) -> None:
    say(page, "remember that my cat is called Miso")
    expect(page.locator(f"{PANEL} .oc-tool-head")).to_contain_text("memory_append", timeout=WAIT_MS)
    expect(page.locator(f"{PANEL} .oc-log")).to_contain_text("Noted", timeout=WAIT_MS)
    notes = "".join(path.read_text() for path in (lab.state / "workspace" / "memory").glob("*.md"))
    assert "my cat is called Miso" in notes
    picture(page, "remember")


def test_a_command_waits_for_its_approval(page: Page, lab: Lab) -> None:
    proof = lab.state / "workspace" / "proof.txt"
    say(page, "run `touch proof.txt`")
    card = page.locator(f"{PANEL} .oc-ask")
    expect(card).to_contain_text("touch proof.txt", timeout=WAIT_MS)
    assert not proof.exists()
    picture(page, "approval")
    card.get_by_role("button", name="Allow once").click()
    expect(card).to_have_count(0, timeout=WAIT_MS)
    expect(page.locator(f"{PANEL} .oc-stop")).to_have_count(0, timeout=WAIT_MS)
    assert proof.exists()
    picture(page, "approved")


def test_a_denied_command_does_not_run(page: Page, lab: Lab) -> None:
    say(page, "run `touch denied.txt`")
    card = page.locator(f"{PANEL} .oc-ask")
    expect(card).to_contain_text("denied.txt", timeout=WAIT_MS)
    card.get_by_role("button", name="Deny").click()
    expect(page.locator(f"{PANEL} .oc-tool-head").last).to_contain_text(re.compile("denied", re.I), timeout=WAIT_MS)
    assert not (lab.state / "workspace" / "denied.txt").exists()
    picture(page, "denied")


def test_stop_ends_a_turn_that_waits(page: Page) -> None:
    say(page, "run `echo waiting`")
    expect(page.locator(f"{PANEL} .oc-ask")).to_be_visible(timeout=WAIT_MS)
    page.locator(f"{PANEL} .oc-stop").click()
    expect(page.locator(f"{PANEL} .oc-ask")).to_have_count(0, timeout=WAIT_MS)
    expect(page.locator(f"{PANEL} .oc-send")).to_be_visible(timeout=WAIT_MS)
    picture(page, "stopped")


def test_the_conversation_is_there_after_a_reload(page: Page) -> None:
    page.reload(wait_until="domcontentloaded")
    expect(page.locator(f"{PANEL} .oc-log")).to_contain_text("my cat is called Miso", timeout=60_000)
    expect(page.locator(f"{PANEL} .oc-log")).to_contain_text("touch proof.txt", timeout=WAIT_MS)
    picture(page, "reloaded")


def test_dark_and_narrow(page: Page) -> None:
    page.keyboard.press("Control+Shift+C")
    page.locator(".lm-CommandPalette-input").fill("JupyterLab Dark")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false", timeout=WAIT_MS)
    page.set_viewport_size({"width": 900, "height": 700})
    expect(page.locator(INPUT)).to_be_visible(timeout=WAIT_MS)
    overflow = page.locator(PANEL).evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 0
    picture(page, "dark-narrow")
