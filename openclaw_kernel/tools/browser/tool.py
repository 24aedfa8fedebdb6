"""The `browser` tool (TOL-08): reading is free, going somewhere is like reading a page, acting in a page is asked about.

Whatever a page says comes fenced, and taints the turn (SAF-23, SAF-24). A person who is asked sees the element as the page
names it, and the act runs only if it is still that (SAF-10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from openclaw_kernel.safety.ssrf import ForbiddenAddress
from openclaw_kernel.tools.api import Asking, Effect, Preview, Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.browser import acts, show
from openclaw_kernel.tools.browser.arguments import SCHEMA, BrowserArgs
from openclaw_kernel.tools.browser.service import HEIGHT, WIDTH, Browser, Live
from openclaw_kernel.tools.browser.tab import Tab
from openclaw_kernel.values.errors import UserError

CALL_S = 90.0
_ENDED = "The browser has ended unexpectedly; the next call starts it anew."
_OWN = ("status", "start", "stop", "profiles", "tabs", "focus", "close", "resize", "snapshot", "screenshot", "console")


def browser_tool(browser: Browser) -> Tool:
    hand = _Hand(browser)
    return Tool(
        "browser",
        "Drive a web browser: open a url, snapshot it (elements with refs), act on a ref, snapshot again when the page has "
        "changed. A dialog is dismissed unless act dialog came before. Only to read, use web_fetch.",
        BrowserArgs,
        hand.run,
        effect="outbound",
        effect_of=effect_of,
        reads=lambda arguments: arguments.get("action") in ("open", "navigate"),
        untrusted_output=True,
        groups=frozenset({"browser", "ui"}),
        title=_title,
        preview=hand.preview,
        json_schema=SCHEMA,
    )


def effect_of(arguments: Mapping[str, Any]) -> Effect:
    action, kind = arguments.get("action"), arguments.get("kind")
    if action in _OWN or (action == "act" and kind in ("wait", "dialog")):
        return "none"
    return "workspace" if action == "pdf" else "outbound"


def _title(arguments: Mapping[str, Any]) -> str:
    words = [str(arguments[name]) for name in ("kind", "url", "ref") if arguments.get(name)]
    return " ".join(["Browser:", str(arguments.get("action", "")), *words])[:140]


class _Hand:
    """The tool's own functions, over the browser of the gateway."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    async def run(self, args: BrowserArgs, ctx: ToolContext) -> ToolResult:
        try:
            async with asyncio.timeout(CALL_S):
                return await self._run(args, ctx)
        except TimeoutError:
            raise ToolError(f"The page did not react within {CALL_S:g} seconds; close its tab.") from None
        except (UserError, OSError) as error:
            raise ToolError(str(error)) from error
        except Exception as error:
            if sentence := self._sentence(error):
                raise ToolError(sentence) from None
            raise

    async def preview(self, arguments: Mapping[str, Any], asking: Asking) -> Preview | None:
        """What a person is asked about: the act with the names of its elements. Raises `UserError`."""
        try:
            args = BrowserArgs.model_validate(arguments)
        except ValidationError:
            return None  # it will not run
        if args.action != "act":
            return None
        if self._browser.live is None:
            raise UserError("no page is open; use the action open with a url")
        try:
            async with asyncio.timeout(CALL_S), self._browser.use(args.profile, asking.session_key) as live:
                acts.complete(args)
                text = await acts.said(args, self._browser.tab(live, asking.session_key, args.tab))
        except TimeoutError:
            raise UserError(f"the page did not react within {CALL_S:g} seconds") from None
        except ToolError as error:
            raise UserError(str(error)) from error
        except Exception as error:
            if sentence := self._sentence(error):
                raise UserError(sentence) from None
            raise
        if args.kind == "evaluate":
            return Preview(text, "Run JavaScript in a web page", "the code acts with everything the page may do")
        return Preview(text, "Act in a web page", "")

    def _sentence(self, error: Exception) -> str:
        """For an error of the driver; empty for any other."""
        if not type(error).__module__.startswith("playwright"):
            return ""
        message = str(error)
        if "Connection closed" in message:
            self._browser.lost()  # the driver itself is gone, and tells nobody
        if self._browser.live is None:
            return _ENDED
        first = message.partition("\n")[0].partition(": ")[2] or message.partition("\n")[0]
        return f"The page did not do that: {show.tame(first)}"

    async def _run(self, args: BrowserArgs, ctx: ToolContext) -> ToolResult:
        browser = self._browser
        match args.action:
            case "status":
                return text_result(self._status(ctx.session_key))
            case "profiles":
                return text_result("\n".join(f"{name}: {what}" for name, what in browser.profiles().items()))
            case "stop":
                return await self._stop(ctx)
            case _:
                if browser.live is None:
                    ctx.progress("Starting the browser…", None)
                async with browser.use(args.profile, ctx.session_key) as live:
                    return await self._with(live, args, ctx)

    async def _with(self, live: Live, args: BrowserArgs, ctx: ToolContext) -> ToolResult:
        browser, owner = self._browser, ctx.session_key
        if args.action == "start":
            return text_result(self._status(owner))
        if args.action == "tabs":
            return await show.tabs(live, owner)
        if args.action == "open":
            return await self._open(live, args, ctx)
        tab = browser.tab(live, owner, args.tab)
        before = live.door.refused
        match args.action:
            case "focus":
                await tab.page.bring_to_front()
            case "close":
                await tab.page.close()
                return text_result(f"Closed tab {tab.id}.", tab=tab.id)
            case "navigate":
                await _go(live, tab, args)
            case "resize":
                await tab.page.set_viewport_size({"width": args.width or WIDTH, "height": args.height or HEIGHT})
            case "snapshot":
                return await show.snapshot(live, tab, args, ctx.result_chars, before)
            case "screenshot":
                return await show.picture(live, tab, args)
            case "console":
                return show.console(tab, ctx.result_chars)
            case "pdf":
                return await show.pdf(tab, ctx.workspace, browser.clock())
            case "act":
                return await self._act(live, tab, args, ctx)
            case _:
                raise ToolError(f"{args.action} is not known.")
        return await show.state(live, tab, before, f"Done: {args.action}.")

    async def _open(self, live: Live, args: BrowserArgs, ctx: ToolContext) -> ToolResult:
        before = live.door.refused
        await _judged(live, args)
        tab = await self._browser.new_tab(live, ctx.session_key)
        try:
            await _go(live, tab, args)
        except BaseException:
            await tab.page.close()
            raise
        return await show.state(live, tab, before, f"Opened tab {tab.id}.")

    async def _act(self, live: Live, tab: Tab, args: BrowserArgs, ctx: ToolContext) -> ToolResult:
        acts.complete(args)
        if args.kind == "evaluate" and not self._browser.settings().evaluate_enabled:
            raise ToolError("Running JavaScript in pages is switched off: browser.evaluateEnabled is false.")
        before = live.door.refused
        if ctx.seen or args.ref or args.fields:
            now = await acts.said(args, tab)
            if ctx.seen and ctx.seen != now:
                raise ToolError("The page has changed between the question and the answer; take a new snapshot.")
        result = await acts.do(args, tab, ctx.workspace)
        return await show.state(live, tab, before, f"Done: {args.kind}.", result)

    async def _stop(self, ctx: ToolContext) -> ToolResult:
        """Another conversation's tabs keep the browser running."""
        live = self._browser.live
        if live is None:
            return text_result("The browser is not running.")
        for tab in [one for one in live.tabs.values() if one.owner == ctx.session_key]:
            await tab.page.close()
        if live.tabs:
            return text_result("Your tabs are closed; another conversation still uses the browser.")
        await self._browser.stop()
        return text_result("The browser is stopped.")

    def _status(self, owner: str) -> str:
        live = self._browser.live
        if live is None:
            return "The browser is not running; open starts it."
        own = sum(1 for tab in live.tabs.values() if tab.owner == owner)
        return (
            f"The browser is running: profile {live.profile}, {live.how}. Tabs here: {own}. "
            f"Addresses refused so far: {live.door.refused}. Downloads are refused."
        )


async def _judged(live: Live, args: BrowserArgs) -> str:
    if not args.url:
        raise ToolError(f"{args.action} needs url.")
    try:
        await live.door.judge(args.url)
    except ForbiddenAddress as error:
        raise ToolError(str(error)) from None
    return args.url


async def _go(live: Live, tab: Tab, args: BrowserArgs) -> None:
    """Raises `ToolError` when the page, or one it redirects to, may not be read."""
    url = await _judged(live, args)
    before = live.door.refused
    try:
        answer = await tab.page.goto(url)
    except Exception as error:
        if refused := live.door.since(before):
            raise ToolError(refused[-1].sentence) from error
        raise
    host = urlsplit(tab.page.url).hostname
    refused = [one for one in live.door.since(before) if one.host == host]
    if refused and answer is not None and answer.status == 403:
        await tab.page.goto("about:blank")
        raise ToolError(refused[-1].sentence)
