"""Which Chromium is started, and how."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from openclaw_kernel.config.schema.browser import Browser as BrowserSettings
from openclaw_kernel.tools.api import ToolError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "brave-browser")
NO_PLAYWRIGHT = "The browser tool needs Playwright: pip install 'jupyter-openclaw[browser]'."
NO_CHROMIUM = (
    "No Chromium was found on this machine: install chromium or google-chrome (on Debian: apt-get install chromium), "
    "or name one in browser.executablePath."
)
_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "SYSTEMROOT",
)


def find(settings: BrowserSettings, env: Mapping[str, str], bundled: str = "") -> str:
    """The configured Chromium, else one on PATH, else Playwright's own (`bundled`). Raises `ToolError`."""
    if settings.executable_path:
        found = shutil.which(os.path.expanduser(settings.executable_path), path=env.get("PATH"))
        if found is None:
            raise ToolError(f"browser.executablePath names {settings.executable_path}, which is no program on this machine.")
        return found
    for name in NAMES:
        if found := shutil.which(name, path=env.get("PATH")):
            return found
    if bundled and Path(bundled).exists():
        return bundled
    raise ToolError(NO_CHROMIUM)


def sandboxed(settings: BrowserSettings) -> bool:
    """Whether Chromium's own sandbox is on; it refuses to run as root with it."""
    return not settings.no_sandbox and not (hasattr(os, "geteuid") and os.geteuid() == 0)


def arguments(door_url: str) -> list[str]:
    """What makes the door the only way out: no look-ups of its own, no exception for the loopback, no UDP beside it."""
    return [
        f"--proxy-server={door_url}",
        "--proxy-bypass-list=<-loopback>",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # its name in older versions
        "--disable-quic",
        "--disable-gpu",
        "--disable-sync",
        "--disable-component-update",
        "--disable-background-networking",
        "--disable-domain-reliability",
        "--dns-prefetch-disable",
        "--no-first-run",
        "--no-pings",
    ]


def environment(env: Mapping[str, str], home: Path) -> dict[str, str | float | bool]:
    """Nothing of ours but where programs are: a page gets no secret through its browser."""
    passed: dict[str, str | float | bool] = {name: env[name] for name in _PASSED_ON if name in env}
    passed["HOME"] = str(home)
    return passed
