"""The sidebar in a real JupyterLab: what a newcomer without a key types, sees and has on disk afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chat import INPUT, WAIT_MS, say
from tests.e2e.conftest import Lab, picture, reload_dark, running_lab, settled, watched

pytestmark = pytest.mark.e2e

PANEL = ".oc-chat"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A first start."""
    with running_lab(tmp_path_factory.mktemp("sidebar")) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """JupyterLab in one window for the whole file; an error on its console fails the test that follows."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    problems = watched(page, "openclaw")
    page.goto(f"{lab.url}/lab?token={lab.token}", wait_until="domcontentloaded")
    settled(page)
    yield page
    assert problems == []
    page.close()


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
    settled(page)
    expect(page.locator(f"{PANEL} .oc-log")).to_contain_text("my cat is called Miso", timeout=60_000)
    expect(page.locator(f"{PANEL} .oc-log")).to_contain_text("touch proof.txt", timeout=WAIT_MS)
    picture(page, "reloaded")


def test_dark_and_narrow(page: Page, lab: Lab) -> None:
    reload_dark(page, lab)
    page.set_viewport_size({"width": 900, "height": 700})
    expect(page.locator(INPUT)).to_be_visible(timeout=WAIT_MS)
    overflow = page.locator(PANEL).evaluate("node => node.scrollWidth - node.clientWidth")
    assert overflow <= 0
    picture(page, "dark-narrow")
