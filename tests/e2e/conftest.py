"""A real JupyterLab with the assistant, a real Chromium, a home of its own for every run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.needs import need
from tests.processes import free_port, stop

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "test-results" / "pictures"
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
BUNDLE = ROOT / "jupyter_server_ext" / "openclaw_gateway" / "labextension" / "package.json"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
UP_MS = 60_000
"""JupyterLab's first drawing, on a machine that does much else."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all of these tests; every page it opens has a window, cookies and storage of its own."""
    need_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def need_chromium() -> None:
    need("chromium", CHROMIUM, "no Chromium on this machine (sh tests/install-system.sh)")


def picture(page: Page, name: str) -> None:
    """A screenshot, kept in `test-results/pictures` to be looked at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def watched(page: Page, word: str = "") -> list[str]:
    """What the page's scripts and console complain about, as it comes; of the console only what has `word` in it."""
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and word in f"{message.text}{message.location}".lower():
            problems.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: problems.append(str(error)))
    return problems


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab. `state` is the assistant's state directory, `notebooks` the server's root."""

    url: str
    token: str
    state: Path
    notebooks: Path
    gateway_port: int


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"JupyterLab ended at start:\n{log.read_text()[-4000:]}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"JupyterLab was not up after 60 s:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for every file that changes nothing in it but notebooks of its own; the others start theirs."""
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@contextmanager
def running_lab(home: Path, config: Mapping[str, Any] | None = None) -> Iterator[Lab]:
    """JupyterLab with a home of its own; `config` is merged into `openclaw.json`."""
    need_chromium()
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    state, notebooks, log = home / "state", home / "notebooks", home / "lab.log"
    state.mkdir(mode=0o700)
    notebooks.mkdir()
    port, gateway_port, token = free_port(), free_port(), "e2e-token"
    (state / "openclaw.json").write_text(json.dumps({"gateway": {"port": gateway_port}, **(config or {})}))
    env = {
        **os.environ,
        "OPENCLAW_STATE_DIR": str(state),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ServerApp.port_retries=0",
    ]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={notebooks}"]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=env, stdout=sink, stderr=subprocess.STDOUT, cwd=notebooks)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/api", process, log)
        yield Lab(f"http://127.0.0.1:{port}", token, state, notebooks, gateway_port)
    finally:
        stop(process)


def settled(page: Page) -> None:
    """Waits until JupyterLab has drawn itself."""
    page.wait_for_selector("#jp-main-dock-panel", timeout=UP_MS)
    page.wait_for_function("!document.querySelector('#jupyterlab-splash')", timeout=UP_MS)


def reload_dark(page: Page, lab: Lab) -> None:
    """The same page once more, in JupyterLab's dark theme."""
    theme = lab.state.parent / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    theme.write_text(json.dumps({"theme": "JupyterLab Dark"}))
    page.reload(wait_until="domcontentloaded")
    settled(page)
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'", timeout=UP_MS)
    theme.unlink()
