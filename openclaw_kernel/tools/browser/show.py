"""What the `browser` tool answers with: where a page is, what is in it, how it looks. Words of a page are fenced (SAF-24)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote, urlsplit

from openclaw_kernel.safety.paths import inside
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.tools.api import ToolError, ToolResult, text_result
from openclaw_kernel.tools.browser.arguments import BrowserArgs
from openclaw_kernel.tools.browser.service import Live
from openclaw_kernel.tools.browser.snapshot import take
from openclaw_kernel.tools.browser.tab import Tab
from openclaw_kernel.values.clock import iso
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.messages import Image, Text

HEAD_CHARS = 2_000
MAX_CHARS = 40_000
PICTURE_PX = 1_200
"""TOL-21."""
PICTURE_TALL = 4
"""How many windows of a long page a picture shows at most."""
PDF_BYTES = 20_000_000
FOLDER = "inbound/browser"
"""Where a page kept as PDF goes: with everything else that came from outside."""


async def state(live: Live, tab: Tab, before: int, sentence: str, result: str = "") -> ToolResult:
    """Where the tab is now, and what happened meanwhile."""
    if tab.page.is_closed():
        return text_result(f"{sentence} The tab is closed now.", tab=tab.id)
    url, title = tab.page.url, await tab.title()
    lines = [f"URL: {url[:1_000]}", f"Title: {title}", *_meanwhile(live, tab, before)]
    if result:
        lines += ["Result:", result]
    return text_result(f"{sentence} Tab {tab.id}:\n{fence('web page', chr(10).join(lines))}", tab=tab.id, url=url, title=title)


def _meanwhile(live: Live, tab: Tab, before: int) -> list[str]:
    refused = list(dict.fromkeys(one.sentence for one in live.door.since(before)))[:5]
    return [*(f"Note: {note}." for note in tab.told()), *(f"Refused: {sentence}" for sentence in refused)]


async def tabs(live: Live, owner: str) -> ToolResult:
    own = [tab for tab in live.tabs.values() if tab.owner == owner]
    rows = []
    for tab in own:
        title = "(crashed)" if tab.crashed else (await tab.title())[:100]
        mark = " *" if live.last.get(owner) == tab.id else ""
        rows.append(f"{tab.id}{mark} {tab.page.url[:300]} {title}")
    text = fence("web page", "\n".join(rows)) if rows else "No page is open here."
    return text_result(text, tabs=[{"id": tab.id, "url": tab.page.url} for tab in own])


def console(tab: Tab, result_chars: int) -> ToolResult:
    """The newest lines that fit."""
    lines = "\n".join(tab.console) or "(empty)"
    return text_result(f"Console of tab {tab.id}:\n{fence('web page', lines[-max(1_000, result_chars - HEAD_CHARS) :])}")


async def snapshot(live: Live, tab: Tab, args: BrowserArgs, result_chars: int, before: int) -> ToolResult:
    taken = tab.snapshot = await take(tab.page)
    whole = taken.text
    room = min(MAX_CHARS, max(1_000, result_chars - HEAD_CHARS))
    text = whole[args.offset : args.offset + room]
    if args.offset and not text:
        raise ToolError(f"The snapshot has {len(whole)} characters; offset {args.offset} is past its end.")
    end = args.offset + len(text)
    head = f"Tab {tab.id}."
    if end < len(whole):
        head += f" Characters {args.offset} to {end} of {len(whole)}; read on with offset {end}."
    title = await tab.title()
    lines = [f"URL: {tab.page.url[:1_000]}", f"Title: {title}", *_meanwhile(live, tab, before), text]
    return text_result(
        f"{head}\n{fence('web page', chr(10).join(lines))}",
        tab=tab.id, url=tab.page.url, title=title, elements=len(taken.elements), chars=len(whole),
    )  # fmt: skip


async def picture(live: Live, tab: Tab, args: BrowserArgs) -> ToolResult:
    """Scaled by the browser itself, so that neither side is longer than the context takes."""
    session = await live.context.new_cdp_session(tab.page)
    try:
        sizes = await session.send("Page.getLayoutMetrics")
        view, whole = sizes["cssVisualViewport"], sizes["cssContentSize"]
        area = {"x": view["pageX"], "y": view["pageY"], "width": view["clientWidth"], "height": view["clientHeight"]}
        if args.ref:
            box = await tab.page.locator(f"aria-ref={args.ref}").bounding_box()
            if box is None:
                raise ToolError(f"{args.ref} is not visible.")
            area = {**box, "x": box["x"] + view["pageX"], "y": box["y"] + view["pageY"]}
        elif args.full_page:
            area = {"x": 0, "y": 0, "width": whole["width"], "height": min(whole["height"], PICTURE_TALL * area["height"])}
        scale = min(1.0, PICTURE_PX / max(area["width"], area["height"], 1))
        clip = {**area, "scale": scale}
        taken = await session.send(
            "Page.captureScreenshot", {"format": "jpeg", "quality": 80, "clip": clip, "captureBeyondViewport": True}
        )
    finally:
        await session.detach()
    size = f"{round(area['width'] * scale)}×{round(area['height'] * scale)}"
    shown = (Text(f"Picture of tab {tab.id}, {size} pixels:"), Image(str(taken["data"]), "image/jpeg"))
    return ToolResult(shown, {"tab": tab.id, "url": tab.page.url})


async def pdf(tab: Tab, workspace: Path, now: int) -> ToolResult:
    data = await tab.page.pdf(print_background=True)
    if len(data) > PDF_BYTES:
        raise ToolError(f"The page makes a PDF of {len(data)} bytes; at most {PDF_BYTES} are kept.")
    host = "".join(char if char.isalnum() or char in ".-" else "-" for char in urlsplit(tab.page.url).hostname or "page")
    stamp = iso(now).replace(":", "").replace("-", "")[:15]
    name = f"{FOLDER}/{host[:80]}-{stamp}.pdf"

    def keep() -> None:
        path = inside(workspace, name)
        ensure_private_dir(path.parent)
        write_atomic(path, data)

    await asyncio.to_thread(keep)
    return text_result(f"Kept as {name} ({len(data)} bytes).", path=name, bytes=len(data))


def tame(words: str) -> str:
    """Words that a page may have had a hand in, so that they say nothing outside a fence."""
    return quote(words, safe=" :/?#[]@!$&'()*+,;=%-._~\"")[:300]
