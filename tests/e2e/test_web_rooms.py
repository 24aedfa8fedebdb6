"""The web page with everything in it: somebody at the door, his messages, a chart, an approval; on a desk and on a phone."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from openclaw_gateway.serve import chat_link
from tests.e2e.chat import say
from tests.e2e.conftest import picture, watched
from tests.flow.processes import provider
from tests.processes import program

pytestmark = pytest.mark.e2e

WAIT_MS = 30_000
ROBIN = 5550112
CHART = {
    "kind": "chart",
    "title": "Sales",
    "chart": "bar",
    "series": [{"name": "Sales", "points": [["Jan", 120], ["Feb", 180], ["Mar", 150]]}],
}
FINGER = 44
"""Pixels a target needs (ui/README, space)."""
SMALL = """least => [...document.querySelectorAll('.oc button, .oc input, .oc select, .oc summary')]
    .filter(node => node.checkVisibility() && node.getBoundingClientRect().height < least)
    .map(node => `${node.className} ${node.textContent}`)"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Desk:
    link: str
    telegram: str

    def robin(self, text: str) -> None:
        body = json.dumps({"text": text, "user": ROBIN, "name": "Robin"}).encode()
        request = urllib.request.Request(f"{self.telegram}/control/say", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    state = tmp_path_factory.mktemp("rooms") / "state"
    state.mkdir(mode=0o700)
    with program("tests.fakes.telegram_server") as phone, program("tests.fakes.model_server") as model:
        channel = {"enabled": True, "botToken": phone["token"], "apiBaseUrl": phone["url"], "filesBaseUrl": phone["url"]}
        config: dict[str, Any] = provider(
            f"http://127.0.0.1:{model['listening']}/v1",
            channels={"telegram": channel},
            messages={"inbound": {"debounceMs": 0}},
        )
        (state / "openclaw.json").write_text(json.dumps(config))
        env = {**os.environ, "OPENCLAW_STATE_DIR": str(state)}
        with program("openclaw_gateway", "serve", "--json", "--port", "0", env=env) as ready:
            yield Desk(chat_link(ready["url"], ready["token"]), phone["url"])


def both(page: Page, name: str) -> None:
    """Pictures in both themes."""
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        picture(page, f"{name}-{colours}")


@pytest.mark.timeout(180)
def test_somebody_is_let_in_shows_a_chart_and_is_asked_about(desk: Desk, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors = watched(page)
    page.goto(desk.link)
    expect(page.get_by_text("Connected")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_role("button", name="All sessions", exact=True)).to_have_count(0)

    desk.robin("hello")
    card = page.locator("[data-request]")
    expect(card).to_contain_text("Robin wants to write to the assistant (Telegram)", timeout=WAIT_MS)
    expect(card).to_contain_text(str(ROBIN))
    both(page, "web-person-wide")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator(".oc-note").get_by_text("Robin was let in.")).to_be_visible(timeout=WAIT_MS)

    desk.robin(f"The sales, please. [[tool canvas {json.dumps(CHART)}]] [[echo February was best.]]")
    expect(page.locator(".oc-said-meta")).to_contain_text("Robin, Telegram", timeout=WAIT_MS)
    expect(page.locator(".oc-note")).to_have_count(0)  # what was answered leaves when the conversation goes on
    chart = page.get_by_role("region", name="Canvas: Sales")
    expect(chart.locator(".ocv-bar")).to_have_count(3, timeout=WAIT_MS)
    expect(page.locator(".oc-log")).to_contain_text("February was best.", timeout=WAIT_MS)
    both(page, "web-canvas-wide")

    say(page, '[[tool exec {"command": "touch proof.txt"}]] [[echo Done.]]')
    expect(page.locator(".oc-ask")).to_contain_text("touch proof.txt", timeout=WAIT_MS)
    both(page, "web-approval-wide")
    assert errors == []
    context.close()


@pytest.mark.timeout(180)
def test_a_phone_shows_the_same_in_sizes_for_fingers(desk: Desk, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    errors = watched(page)
    page.goto(desk.link)
    card = page.locator(".oc-ask")
    expect(card).to_contain_text("touch proof.txt", timeout=WAIT_MS)  # still waiting, whoever looks
    expect(page.get_by_role("region", name="Canvas: Sales").locator(".ocv-bar")).to_have_count(3, timeout=WAIT_MS)
    assert page.evaluate(SMALL, FINGER) == []
    assert page.evaluate(WIDER) <= 0
    both(page, "web-approval-phone")
    card.get_by_role("button", name="Allow once").tap()
    expect(page.locator(".oc-answer").last).to_contain_text("you, once", timeout=WAIT_MS)  # the page goes on with the run
    expect(page.locator(".oc-answer").last).to_contain_text("Done.", timeout=WAIT_MS)
    page.get_by_role("region", name="Canvas: Sales").scroll_into_view_if_needed()
    both(page, "web-canvas-phone")
    page.get_by_role("button", name="All sessions", exact=True).tap()
    expect(page.get_by_role("option").first).to_be_visible()
    assert page.evaluate(SMALL, FINGER) == []
    both(page, "web-sessions-phone")
    assert errors == []
    context.close()
