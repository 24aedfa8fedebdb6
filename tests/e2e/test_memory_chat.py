"""While notes are read for search by meaning, the chat says so in one quiet line, which goes when they are read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from openclaw_gateway.http.web import FOLDER
from openclaw_gateway.serve import chat_link
from openclaw_kernel.client.blocking import BlockingGateway
from tests.e2e.conftest import picture, watched
from tests.fakes.tiny_model import build_tiny
from tests.processes import program

pytestmark = pytest.mark.e2e
FILES, NOTES = 4, 900
"""Enough to be seen at work: about 900 chunks of 1,600 characters."""


def notes(folder: Path) -> None:
    folder.mkdir(parents=True)
    line = "the plant by the window wants water on monday and the garden does not, says the invoice from berlin "
    for number in range(FILES):
        rows = (f"- {number} {row} {line}{line}{row * 7919 % 9973}\n" for row in range(NOTES * 2))
        (folder / f"{number}.md").write_text("".join(rows))


def test_the_line_comes_and_goes(browser: Browser, tmp_path: Path) -> None:
    assert (FOLDER / "main.js").is_file(), "the page was not built: jlpm build:web"
    state = tmp_path / "state"
    notes(state / "workspace" / "memory")
    tiny = build_tiny(tmp_path / "tiny", manifest=False)
    env = {**os.environ, "OPENCLAW_STATE_DIR": str(state)}
    with program("openclaw_gateway", "serve", "--json", "--port", "0", env=env) as ready:
        page = browser.new_context(viewport={"width": 360, "height": 640}).new_page()
        errors = watched(page)
        page.goto(chat_link(ready["url"], ready["token"]))
        expect(page.locator(".oc-input")).to_be_visible(timeout=15_000)
        with BlockingGateway(ready["url"], token=ready["token"]) as gateway:
            assert gateway.request("memory.status", {}, timeout=120)["chunks"] > NOTES
        line = page.locator(".oc-reading")
        expect(line).to_have_count(0)
        command = [sys.executable, "-m", "openclaw_gateway", "memory", "model", "add", "--path", str(tiny)]
        with subprocess.Popen(command, env=env) as adding:
            expect(line).to_be_visible(timeout=60_000)
            assert line.text_content() is not None and "Reading" in str(line.text_content())
            picture(page, "memory-reading-light")
            page.emulate_media(color_scheme="dark")
            picture(page, "memory-reading-dark")
            assert adding.wait(120) == 0
        expect(line).to_have_count(0, timeout=120_000)
        picture(page, "memory-read-dark")
        page.close()
    assert errors == []
