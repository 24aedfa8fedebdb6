"""Surfaces in the conversation: the chat's own components with made-up events in Chromium, in JupyterLab's colours."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.canvas_page import ROOT, THEMES, new_context
from tests.e2e.conftest import picture, watched
from tests.needs import need

pytestmark = pytest.mark.e2e

FRONT = ROOT / "labextension"
ESBUILD = FRONT / "node_modules" / ".bin" / "esbuild"
ORIGIN = "http://chat.test"
HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Chat</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/theme.css"><link rel="stylesheet" href="/base.css">
<style>html, body { margin: 0; height: 100%; } #root { height: 100%; }</style></head>
<body class="jp-OpenClaw" data-jp-theme-light="LIGHT"><div id="root"></div>
<script type="module" src="/main.js"></script></body></html>"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("node", ESBUILD.exists(), "the packages of the front end are not installed: cd labextension && jlpm install")
    out = tmp_path_factory.mktemp("harness") / "main.js"
    flags = ["--bundle", "--format=esm", "--jsx=transform", "--loader:.svg=text", f"--outfile={out}"]
    command = [str(ESBUILD), "harness/main.tsx", *flags, '--define:process.env.NODE_ENV="production"']
    subprocess.run(command, cwd=FRONT, check=True, capture_output=True, timeout=60)
    return out


def show(browser: Browser, bundle: Path, scene: str, *, dark: bool = False, width: int = 360) -> tuple[Page, list[str]]:
    """The chat with one scene, and what its console complains about."""
    page = new_context(browser, width).new_page()
    problems = watched(page)

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).split("?")[0]
        theme = THEMES / f"theme-{'dark' if dark else 'light'}-extension" / "index.css"
        files = {"/main.js": bundle, "/base.css": FRONT / "style" / "base.css", "/theme.css": theme}
        if path == "/":
            route.fulfill(body=HTML.replace("LIGHT", str(not dark).lower()), content_type="text/html")
        elif path in files:
            route.fulfill(path=str(files[path]))
        else:
            problems.append(f"asked for {route.request.url}")
            route.abort()

    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/?scene={scene}")
    page.wait_for_selector(".oc-canvas .ocv-body > *")
    return page, problems


@pytest.mark.parametrize("scene", ["canvas", "checks"])
@pytest.mark.parametrize(("dark", "width"), [(False, 360), (True, 360), (False, 260), (True, 900)])
def test_pictures(browser: Browser, bundle: Path, scene: str, dark: bool, width: int) -> None:
    page, problems = show(browser, bundle, scene, dark=dark, width=width)
    page.wait_for_timeout(150)  # charts are measured, then drawn
    picture(page, f"sidebar-{scene}-{'dark' if dark else 'light'}-{width}")
    assert page.evaluate("document.querySelector('.oc-log').scrollWidth <= document.querySelector('.oc-log').clientWidth")
    assert problems == []
    page.context.close()


def test_a_press_that_cannot_be_sent_is_told_beside_the_surface(browser: Browser, bundle: Path) -> None:
    page, problems = show(browser, bundle, "canvas")
    surface = page.get_by_role("region", name="Canvas: Penguin explorer")
    surface.get_by_role("button", name="Apply").click()
    expect(surface.get_by_role("status")).to_contain_text("This was not sent")
    surface.get_by_label("Smallest sample").fill("30")
    surface.get_by_text("Flipper").click()
    expect(surface.get_by_label("Flipper")).to_be_checked()
    assert problems == []
    page.context.close()
