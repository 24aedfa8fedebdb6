"""A skill written as a notebook, made in a terminal and run from the chat page, light and dark (the README's way)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from openclaw_gateway.http.web import FOLDER
from openclaw_gateway.serve import chat_link
from tests.e2e.chat import say
from tests.e2e.conftest import picture, watched
from tests.processes import program

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assert (FOLDER / "main.js").is_file(), "the page was not built: jlpm build:web"
    state = tmp_path_factory.mktemp("skills") / "state"
    openclaw = [sys.executable, "-m", "openclaw_gateway"]
    env = {**os.environ, "OPENCLAW_STATE_DIR": str(state)}
    subprocess.run([*openclaw, "skills", "new", "greeting", "--notebook"], env=env, check=True, timeout=60)
    rows = "".join(f"{city},{visits}\n" for city, visits in (("Oslo", 12), ("Rome", 30), ("Lima", 21), ("Pune", 17)))
    (state / "workspace" / "data.csv").write_text("city,visits\n" + rows)
    with program("openclaw_gateway", "serve", "--json", "--port", "0", env=env) as ready:
        yield chat_link(ready["url"], ready["token"])


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_notebook_skill_runs_from_the_page(link: str, browser: Browser, colours: Literal["light", "dark"]) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=colours)
    page = context.new_page()
    errors = watched(page)
    page.goto(link)
    say(page, "/new")
    expect(page.get_by_text("New session started").last).to_be_visible(timeout=20_000)
    say(page, f"run the skill greeting on Ada-{colours}")
    allow = page.get_by_role("button", name="Allow once").last
    expect(allow).to_be_visible(timeout=20_000)
    picture(page, f"skill-asks-{colours}")
    allow.click()
    expect(page.get_by_text(f"Hello, Ada-{colours}!").last).to_be_visible(timeout=30_000)
    say(page, "/csv_report data.csv")
    allow.click(timeout=20_000)
    expect(page.get_by_text("Drawn: visits by city, 4 points.").last).to_be_visible(timeout=30_000)
    expect(page.get_by_text("data.csv: 4 rows").last).to_be_visible(timeout=10_000)
    picture(page, f"skill-report-{colours}")
    assert errors == []
    context.close()
