"""A browser tool with a hand of its own, for the tests that drive real Chromium."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openclaw_kernel.config.schema.browser import Browser as BrowserSettings
from openclaw_kernel.safety.ssrf import resolve
from openclaw_kernel.tools.api import Asking, Preview, ToolContext, ToolResult
from openclaw_kernel.tools.browser.program import NAMES
from openclaw_kernel.tools.browser.service import Browser
from openclaw_kernel.tools.browser.tool import browser_tool
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal
from tests.needs import need

CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
SESSION = "agent:main:main"
SECRET = "a-secret-of-the-gateway"


def need_chromium() -> None:
    need("chromium", CHROMIUM, "no Chromium on this machine (sh tests/install-system.sh)")


@dataclass
class Desk:
    """`names` answers look-ups: a list is worked off, its last entry stays."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    now: int = 1_000_000
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.workspace.mkdir(parents=True, exist_ok=True)
        self.browser = Browser(
            lambda: BrowserSettings.model_validate(self.settings), self.folder / "browser",
            env={**os.environ, "A_SECRET": SECRET}, clock=lambda: self.now, lookup=self.lookup,
        )  # fmt: skip
        self.tool = browser_tool(self.browser)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    async def lookup(self, host: str, _port: int) -> list[str]:
        answers = self.names.get(host)
        if answers is None:
            return await resolve(host, 0)  # numbers in all their forms, and this machine
        return [answers.pop(0) if len(answers) > 1 else answers[0]]

    def allow(self, *hosts: str) -> None:
        self.settings["ssrfPolicy"] = {"allowedHostnames": list(hosts)}

    async def run(self, action: str, *, session: str = SESSION, seen: str = "", **more: Any) -> ToolResult:
        args = self.tool.parameters.model_validate({"action": action, **more})
        ctx = ToolContext(
            "r", session, "main", self.workspace, AbortSignal(), lambda _words, _part: None, {}, seen=seen, result_chars=64_000
        )
        return await self.tool.run(args, ctx)

    async def say(self, action: str, **more: Any) -> str:
        return text(await self.run(action, **more))

    async def act(self, kind: str, **more: Any) -> str:
        return await self.say("act", kind=kind, **more)

    async def preview(self, **arguments: Any) -> Preview | None:
        assert self.tool.preview is not None
        return await self.tool.preview(arguments, Asking("main", session_key=SESSION))

    async def refs(self, **more: Any) -> Refs:
        return Refs(await self.say("snapshot", **more))


@dataclass
class Refs:
    """A snapshot as the model gets it; `refs["textbox \\"Name\\""]` is the ref of the element whose line starts so."""

    text: str

    def __getitem__(self, start: str) -> str:
        found = re.search(rf"^(\w+) {re.escape(start)}", self.text, re.MULTILINE)
        assert found, f"{start} is not in\n{self.text}"
        return found[1]


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))
