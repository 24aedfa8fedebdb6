"""`browser`: the browser that the assistant may drive (TOL-08, SAF-25)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from openclaw_kernel.config.schema.base import OpenSection, Positive
from openclaw_kernel.config.schema.tools import SsrfPolicy

ProfileName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""Becomes the name of a folder."""


class BrowserProfile(OpenSection):
    """One set of cookies and storage. With `cdpUrl` it is a window of its own in a browser that runs already."""

    cdp_url: str | None = None


class Browser(OpenSection):
    """`executablePath` is the Chromium to start, otherwise the one on PATH. `cdpUrl` attaches to a browser that runs on this
    machine instead. `ssrfPolicy.allowedHostnames` are the only private hosts a page may reach. `noSandbox` switches Chromium's
    own sandbox off, which it is for root in any case. `idleMinutes` without a call, and the browser is closed."""

    enabled: bool = True
    headless: bool = True
    executable_path: str | None = None
    no_sandbox: bool = False
    cdp_url: str | None = None
    attach_only: bool = False
    default_profile: ProfileName = "openclaw"
    profiles: dict[ProfileName, BrowserProfile] = Field(default_factory=dict)
    evaluate_enabled: bool = True
    ssrf_policy: SsrfPolicy = Field(default_factory=SsrfPolicy)
    idle_minutes: Positive = 10
    max_tabs: Positive = 12
