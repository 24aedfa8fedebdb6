"""The browser of one gateway: started on first use, closed when nobody uses it, started anew after a crash (TOL-08)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openclaw_kernel.config.schema.browser import Browser as BrowserSettings
from openclaw_kernel.safety import ssrf
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.tools.api import ToolError
from openclaw_kernel.tools.browser import program
from openclaw_kernel.tools.browser.door import Door
from openclaw_kernel.tools.browser.tab import Tab
from openclaw_kernel.values.clock import Clock, system_clock

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Playwright

log = logging.getLogger(__name__)

WIDTH, HEIGHT = 1_200, 800
"""The window; a picture of it needs no scaling for the context (TOL-21)."""
ACTION_MS = 10_000
NAVIGATION_MS = 30_000
START_MS = 30_000
STOP_S = 10.0
STALE_MS = 180_000
NO_WEBRTC = "for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) delete globalThis[name];"
"""For a browser that was started without the flag that keeps its datagrams in."""
LOOK_S = 15.0
"""How often it is looked whether the browser is idle."""


@dataclass(eq=False, slots=True)
class Live:
    """A browser that runs. `how` says which one and how it is held, for people."""

    profile: str
    how: str
    playwright: Playwright
    context: BrowserContext
    door: Door
    tabs: dict[str, Tab] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    opening: set[str] = field(default_factory=set)
    ended: bool = False
    attached: Any = None
    made: int = 0


class Browser:
    """`settings` is `browser` as it is now; profiles live in `folder`. `allowed_now` of the door follows the settings too."""

    def __init__(
        self,
        settings: Callable[[], BrowserSettings],
        folder: Path,
        *,
        env: Mapping[str, str],
        clock: Clock = system_clock,
        lookup: ssrf.Lookup = ssrf.resolve,
    ) -> None:
        self.settings = settings
        self._folder = folder
        self._env = env
        self.clock = clock
        self._lookup = lookup
        self._lock = asyncio.Lock()
        self._live: Live | None = None
        self._busy = 0
        self._used = 0
        self._watcher: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def live(self) -> Live | None:
        """The browser, if it runs now."""
        return self._live if self._live is not None and not self._live.ended else None

    @asynccontextmanager
    async def use(self, profile: str | None = None, session_key: str = "") -> AsyncIterator[Live]:
        """The running browser; it is not closed for idleness meanwhile. Raises `ToolError` when it cannot run."""
        self._busy += 1
        try:
            yield await self._running(profile, session_key)
        finally:
            self._busy -= 1
            self._used = self.clock()

    async def stop(self) -> None:
        async with self._lock:
            await self._end()

    async def close(self) -> None:
        """For good: also what looks after idleness ends."""
        await self.stop()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)

    def lost(self) -> None:
        """Nothing can be said to the browser any more: the next use starts another."""
        if self._live is not None:
            self._live.ended = True

    async def close_if_idle(self) -> bool:
        """Whether it was closed now."""
        limit_ms = self.settings().idle_minutes * 60_000
        if self._live is None or self._busy or self.clock() - self._used < limit_ms:
            return False
        async with self._lock:
            if self._busy:
                return False
            await self._end()
        return True

    def profiles(self) -> dict[str, str]:
        """Name → what it is."""
        settings = self.settings()
        rows = {settings.default_profile: settings.cdp_url or "own browser"}
        return rows | {name: row.cdp_url or "own browser" for name, row in settings.profiles.items()}

    async def new_tab(self, live: Live, owner: str) -> Tab:
        """Raises `ToolError` when there are too many."""
        await self._make_room(live)
        page = await live.context.new_page()
        return next((tab for tab in live.tabs.values() if tab.page is page), None) or self._adopt(live, page, owner)

    def tab(self, live: Live, owner: str, tab_id: str | None) -> Tab:
        """The session's tab of that id, or its last used one. Raises `ToolError`."""
        wanted = tab_id or live.last.get(owner, "")
        tab = live.tabs.get(wanted)
        if tab is None or tab.owner != owner:
            if tab_id:
                raise ToolError(f"There is no tab {tab_id[:20]!r} here; see the action tabs.")
            own = [one for one in live.tabs.values() if one.owner == owner]
            if not own:
                raise ToolError("No page is open here; use the action open with a url.")
            tab = own[-1]
        if tab.crashed:
            raise ToolError(f"The page in tab {tab.id} has crashed; close it and open it anew.")
        live.last[owner] = tab.id
        tab.used = self.clock()
        return tab

    async def _running(self, profile: str | None, session_key: str) -> Live:
        settings = self.settings()
        if not settings.enabled:
            raise ToolError("The browser is switched off: browser.enabled is false.")
        async with self._lock:
            live = self.live
            name = profile or (live.profile if live is not None else settings.default_profile)
            if name not in self.profiles():
                raise ToolError(f"There is no browser profile {name[:40]!r}; add it under browser.profiles.")
            if live is not None and live.profile == name:
                return live
            if live is not None and any(tab.owner != session_key for tab in live.tabs.values()):
                raise ToolError(
                    f"Another conversation uses the browser with profile {live.profile}; it has to close its tabs first."
                )
            await self._end()
            self._live = await self._start(name, settings)
            self._used = self.clock()
            if self._watcher is None:
                self._watcher = asyncio.ensure_future(self._watch())
            return self._live

    async def _start(self, name: str, settings: BrowserSettings) -> Live:
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError:
            raise ToolError(program.NO_PLAYWRIGHT) from None
        row = settings.profiles.get(name)
        cdp_url = (row.cdp_url if row is not None else None) or (settings.cdp_url if name == settings.default_profile else None)
        if cdp_url:
            check_cdp(cdp_url)
        elif settings.attach_only:
            raise ToolError("browser.attachOnly is true, and no browser.cdpUrl says which browser to attach to.")
        door = Door(lambda: self.settings().ssrf_policy.allowed_hostnames, self._lookup)
        await door.open()
        playwright: Playwright | None = None
        try:
            playwright = await async_playwright().start()
            live = await (
                self._attach(name, cdp_url, playwright, door) if cdp_url else self._launch(name, settings, playwright, door)
            )
        except BaseException as error:
            if playwright is not None:
                await playwright.stop()
            await door.close()
            if isinstance(error, Error):
                raise ToolError(_why_not(error.message, cdp_url)) from None
            raise
        live.context.set_default_timeout(ACTION_MS)
        live.context.set_default_navigation_timeout(NAVIGATION_MS)
        live.context.on("close", lambda _context: _ended(live))
        live.context.on("page", lambda page: self._do(self._opened(live, page)))
        log.info("browser started: %s", live.how)
        return live

    async def _launch(self, name: str, settings: BrowserSettings, playwright: Playwright, door: Door) -> Live:
        executable = program.find(settings, self._env, playwright.chromium.executable_path)
        home = self._folder / name
        await asyncio.to_thread(ensure_private_dir, home / "data")
        sandboxed = program.sandboxed(settings)
        context = await playwright.chromium.launch_persistent_context(
            home / "data",
            executable_path=executable,
            headless=settings.headless,
            chromium_sandbox=sandboxed,
            accept_downloads=False,
            args=program.arguments(door.url),
            env=program.environment(self._env, home),
            viewport={"width": WIDTH, "height": HEIGHT},
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=START_MS,
        )
        how = f"{executable}, {'headless' if settings.headless else 'with a window'}, "
        how += "Chromium's sandbox is on" if sandboxed else "Chromium's own sandbox is OFF (root, or browser.noSandbox)"
        for page in context.pages[1:]:
            await page.close()
        return Live(name, how, playwright, context, door)

    async def _attach(self, name: str, url: str, playwright: Playwright, door: Door) -> Live:
        """A window of its own, with cookies of its own, in a browser that runs: only so everything goes through the door."""
        browser = await playwright.chromium.connect_over_cdp(url, timeout=START_MS)
        context = await browser.new_context(
            proxy={"server": door.url, "bypass": "<-loopback>"},
            accept_downloads=False,
            viewport={"width": WIDTH, "height": HEIGHT},
        )
        await context.add_init_script(NO_WEBRTC)
        return Live(name, f"attached to {url}, in a window of its own", playwright, context, door, attached=browser)

    async def _end(self) -> None:
        live, self._live = self._live, None
        if live is None:
            return
        from playwright.async_api import Error

        for step in (live.context.close, *((live.attached.close,) if live.attached is not None else ()), live.playwright.stop):
            try:
                async with asyncio.timeout(STOP_S):
                    await step()
            except (Error, TimeoutError, OSError) as error:
                log.info("the browser did not end cleanly: %s", str(error).partition("\n")[0][:200])
        live.ended = True
        await live.door.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if await self.close_if_idle():
                log.info("the browser was closed: nobody used it for %d minutes", self.settings().idle_minutes)

    async def _opened(self, live: Live, page: Page) -> None:
        """A page that a page opened belongs to the same session; what nobody of ours opened is closed."""
        from playwright.async_api import Error

        with suppress(Error):  # it may be gone already
            opener = await page.opener()
            above = next((tab for tab in live.tabs.values() if tab.page is opener), None) if opener is not None else None
            if above is None:
                return
            if len(live.tabs) >= self.settings().max_tabs:
                above.notes.append("the page opened another tab, which was closed: there are too many")
                await page.close()
                return
            tab = self._adopt(live, page, above.owner)
            above.notes.append(f"the page opened tab {tab.id}")

    async def _make_room(self, live: Live) -> None:
        """A tab that nobody asked for in a while makes place for a new one."""
        limit = self.settings().max_tabs
        if len(live.tabs) < limit:
            return
        oldest = min(live.tabs.values(), key=lambda tab: tab.used)
        if self.clock() - oldest.used < STALE_MS:
            raise ToolError(f"There are {limit} tabs open already (browser.maxTabs); close one first.")
        await oldest.page.close()

    def _adopt(self, live: Live, page: Page, owner: str) -> Tab:
        live.made += 1
        tab = Tab(f"t{live.made}", owner, page, used=self.clock())
        live.tabs[tab.id] = tab
        live.last[owner] = tab.id
        tab.listen(lambda gone: _forget(live, gone))
        return tab

    def _do(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def check_cdp(url: str) -> None:
    """A browser on this machine only: the control of another one's browser is not spoken over a network. Raises `ToolError`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local or parts.scheme not in ("http", "https", "ws", "wss"):
        raise ToolError("browser.cdpUrl has to be a browser on this machine, such as http://127.0.0.1:9222.")


def _ended(live: Live) -> None:
    live.ended = True


def _forget(live: Live, tab: Tab) -> None:
    live.tabs.pop(tab.id, None)
    if live.last.get(tab.owner) == tab.id:
        live.last.pop(tab.owner)


def _why_not(message: str, cdp_url: str | None) -> str:
    first = message.partition("\n")[0].strip()[:200]
    if cdp_url:
        return f"No browser answers at browser.cdpUrl ({cdp_url}): {first}"
    if "sandbox" in message.lower() and "No usable sandbox" in message:
        return "Chromium has no usable sandbox on this machine; allow user namespaces, or set browser.noSandbox to true."
    return f"Chromium did not start: {first}"
