"""The chat page of `jupyter openclaw serve`, in a real browser: let in by the link, by a device token, by its owner."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from openclaw_gateway.http.web import FOLDER
from openclaw_gateway.serve import chat_link
from openclaw_kernel.client.blocking import BlockingGateway
from tests.e2e.chat import say
from tests.e2e.conftest import picture, watched
from tests.processes import program

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Served:
    url: str
    token: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    assert (FOLDER / "main.js").is_file(), "the page was not built: jlpm build:web"
    env = {**os.environ, "OPENCLAW_STATE_DIR": str(tmp_path_factory.mktemp("served") / "state")}
    with program("openclaw_gateway", "serve", "--json", "--port", "0", env=env) as ready:
        yield Served(ready["url"], ready["token"])


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


def test_the_link_lets_in_once_and_leaves_no_token(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    errors = watched(page)
    page.goto(chat_link(served.url, served.token))
    say(page, "hello")
    expect(page.locator(".oc-answer").last).to_contain_text("Hello", timeout=15_000)
    assert served.token not in page.url and page.url == f"{served.url}/"
    stored = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.length])")
    assert served.token not in stored
    picture(page, "web-wide-light")
    page.emulate_media(color_scheme="dark")
    picture(page, "web-wide-dark")
    page.set_viewport_size({"width": 390, "height": 800})
    picture(page, "web-phone-dark")
    page.emulate_media(color_scheme="light")
    picture(page, "web-phone-light")
    page.reload()  # no token any more: the browser's own device token lets it in
    expect(page.locator(".oc-answer").last).to_contain_text("Hello", timeout=15_000)
    assert errors == []


def test_a_stranger_asks_and_the_owner_lets_him_in(served: Served, context: BrowserContext, browser: Browser) -> None:
    stranger = context.new_page()
    stranger.goto(served.url)
    expect(stranger.get_by_text("This browser is not known")).to_be_visible()
    picture(stranger, "web-locked")
    stranger.get_by_label("Token of the gateway").fill("a wrong token")
    stranger.get_by_role("button", name="Connect").click()
    expect(stranger.get_by_text("did not accept this token")).to_be_visible()
    stranger.get_by_role("button", name="Ask to be let in").click()
    expect(stranger.get_by_text("waits to be let in")).to_be_visible()
    picture(stranger, "web-waiting")

    owner = browser.new_context(viewport={"width": 900, "height": 800})
    page = owner.new_page()
    page.goto(chat_link(served.url, served.token))
    card = page.locator("[data-request]")
    expect(card).to_contain_text("wants to connect")
    picture(page, "web-request")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator(".oc-note")).to_contain_text("was let in.")
    owner.close()

    stranger.get_by_role("button", name="Try now").click()
    expect(stranger.get_by_label("Message", exact=True)).to_be_visible()


def test_what_a_model_writes_runs_nothing(served: Served, context: BrowserContext) -> None:
    """An answer with markup shows it as text: no script runs, no picture is fetched, no `javascript:` link is made."""
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url))
    page = context.new_page()
    page.goto(chat_link(served.url, served.token))
    say(page, "hello")  # makes the session that the markup goes into
    expect(page.locator(".oc-answer").last).to_contain_text("Hello", timeout=15_000)
    hostile = (
        "<script>window.hit = 1</script> <img src=x onerror='window.hit = 2'> [click](javascript:window.hit=3) "
        "![](https://example.org/pixel.png)"
    )
    with BlockingGateway(served.url, token=served.token, client_id="cli", mode="cli", scopes=("operator.admin",)) as gateway:
        gateway.request("chat.inject", {"sessionKey": "main", "message": hostile, "label": "test"})
    page.reload()
    expect(page.get_by_text("window.hit = 1").first).to_be_visible(timeout=15_000)
    assert page.evaluate("() => window.hit") is None
    assert page.locator("a[href^='javascript']").count() == 0
    assert [url for url in fetched if not url.startswith(served.url)] == []


def test_the_document_allows_nothing_else(served: Served) -> None:
    with urllib.request.urlopen(served.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert served.token not in answer.read().decode()
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    for path in ("assets/../page.py", "assets/%2e%2e/page.py", "assets/page.py", "assets/"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{served.url}/{path}")


def test_bundle_is_small() -> None:
    assert Path(FOLDER / "main.js").stat().st_size < 700_000
