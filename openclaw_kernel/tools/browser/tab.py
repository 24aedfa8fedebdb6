"""One page of the browser, and what happened in it since it was last told."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openclaw_kernel.tools.browser.snapshot import Snapshot

if TYPE_CHECKING:
    from playwright.async_api import ConsoleMessage, Dialog, Download, Frame, Page

log = logging.getLogger(__name__)

CONSOLE_LINES = 200
NOTES = 20
WORDS = 500
TITLE_S = 5.0
FLOOD = 1_000
"""Events of a page between two calls, each of which costs this process time; one that makes more is closed."""
_TOP_LEVEL = ("http", "https", "blob", "chrome-error", "")
"""What a tab may show; `about:` only as the blank page."""


@dataclass(frozen=True, slots=True)
class Armed:
    """How the next dialog is answered."""

    accept: bool
    text: str | None = None


@dataclass(eq=False)  # without slots: the driver keeps its own attributes on who listens
class Tab:
    """`owner` is the session that opened it: no other sees it. `notes` are words of the page, so they are fenced;
    `used` is when it was last asked for."""

    id: str
    owner: str
    page: Page
    snapshot: Snapshot | None = None
    armed: Armed | None = None
    crashed: bool = False
    used: int = 0
    events: int = 0
    console: deque[str] = field(default_factory=lambda: deque(maxlen=CONSOLE_LINES))
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=NOTES))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def listen(self, gone: Callable[[Tab], None]) -> None:
        """From now on dialogs are answered, console lines kept, downloads told of, and forbidden places left."""
        page = self.page
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("download", self._download)
        page.on("framenavigated", self._moved)
        page.on("crash", lambda _page: self._crash())
        page.on("close", lambda _page: gone(self))

    async def title(self) -> str:
        """Empty for a page that is too busy to say."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TITLE_S):
                return (await self.page.title())[:300]
        return ""

    def told(self) -> list[str]:
        """The notes since the last call."""
        notes = list(self.notes)
        self.notes.clear()
        self.events = 0
        return notes

    def _counted(self) -> bool:
        """Whether an event is still worth looking at; with the first that is not, the page is closed."""
        self.events += 1
        if self.events == FLOOD:
            log.info("a page made %d events without a pause, so its tab is closed", FLOOD)
            self._do(self._end())
        return self.events < FLOOD

    async def _end(self) -> None:
        from playwright.async_api import Error

        with suppress(Error):  # it may be gone already
            await self.page.close()

    async def _dialog(self, dialog: Dialog) -> None:
        if not self._counted():
            return
        armed, self.armed = self.armed, None
        words = f"{dialog.type} dialog {dialog.message[:WORDS]!r}"
        accept = armed.accept if armed is not None else dialog.type in ("alert", "beforeunload")
        if accept:
            text = armed.text if armed is not None else None
            await (dialog.accept(text) if text is not None and dialog.type == "prompt" else dialog.accept())
        else:
            await dialog.dismiss()
        self.notes.append(f"{words} was {'accepted' if accept else 'dismissed'}")

    def _console(self, message: ConsoleMessage) -> None:
        if self._counted():
            self.console.append(f"{message.type}: {message.text[:WORDS]}")

    def _error(self, error: object) -> None:
        if self._counted():
            self.console.append(f"error: {str(error)[:WORDS]}")

    def _download(self, download: Download) -> None:
        self.notes.append(f"the download of {download.suggested_filename[:200]!r} was refused; files are not downloaded")

    def _moved(self, frame: Frame) -> None:
        if not self._counted() or frame != self.page.main_frame:
            return
        self.snapshot = None
        if not may_show(frame.url):
            self.notes.append(f"the page went to {frame.url[:100]!r}, which is not shown")
            self._do(self._leave())

    async def _leave(self) -> None:
        from playwright.async_api import Error

        try:
            await self.page.goto("about:blank")
        except Error as error:
            log.info("a tab could not be emptied, so it is closed: %s", error.message.partition("\n")[0])
            await self.page.close()

    def _crash(self) -> None:
        self.crashed = True

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def may_show(url: str) -> bool:
    return url == "about:blank" or urlsplit(url).scheme in _TOP_LEVEL
