"""What can be done in a page: one function that says it, for people, and one that does it."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.safety.paths import ToolPathError, inside, regular_file
from openclaw_kernel.tools.api import ToolError
from openclaw_kernel.tools.browser import snapshot
from openclaw_kernel.tools.browser.arguments import BrowserArgs
from openclaw_kernel.tools.browser.tab import Armed, Tab

if TYPE_CHECKING:
    from playwright.async_api import FilePayload, Locator

MAX_UPLOAD = 10_000_000
"""Bytes of one file."""
MAX_RESULT = 20_000
SETTLE_MS = 5_000
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "click": ("ref",), "type": ("ref", "text"), "press": ("key",), "hover": ("ref",), "drag": ("ref", "to_ref"),
    "select": ("ref", "values"), "fill": ("fields",), "upload": ("ref", "values"), "dialog": (), "wait": (),
    "evaluate": ("code",),
}  # fmt: skip


def complete(args: BrowserArgs) -> None:
    """Raises `ToolError` when an act lacks what it needs."""
    if args.kind is None:
        raise ToolError(f"act needs kind: {', '.join(_NEEDS)}.")
    for name in _NEEDS[args.kind]:
        if not getattr(args, name) and not (name == "text" and args.text is not None):
            raise ToolError(f"act {args.kind} needs {name}.")
    if args.kind == "wait" and not args.text and args.time_ms is None:
        raise ToolError("act wait needs text or time_ms.")
    if args.kind == "dialog" and args.accept is None:
        raise ToolError("act dialog needs accept: true or false, and is said before the step that opens the dialog.")


async def said(args: BrowserArgs, tab: Tab) -> str:
    """The act in words, with the elements as they are on the page now. Raises `ToolError` for a ref that is gone."""
    refs = [ref for ref in (args.ref, args.to_ref, *(row.ref for row in args.fields)) if ref]
    seen = await snapshot.take(tab.page)
    tab.snapshot = seen
    for ref in refs:
        if ref not in seen.lines:
            raise ToolError(f"There is no element {ref!r} on the page now; take a new snapshot.")
    names = {ref: seen.elements[ref].line if ref in seen.elements else seen.lines[ref] for ref in refs}
    lines = [f"{args.kind} on {tab.page.url}"]
    if args.ref:
        lines.append(f"element: {names[args.ref]}")
    if args.to_ref:
        lines.append(f"to: {names[args.to_ref]}")
    lines += [f"{names[row.ref]} ← {json.dumps(row.value, ensure_ascii=False)}" for row in args.fields]
    for name, value in (("text", args.text), ("key", args.key), ("values", args.values or None), ("accept", args.accept)):
        if value is not None:
            lines.append(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    if tab.armed is not None:
        lines.append(f"the next dialog of the page is {'accepted' if tab.armed.accept else 'dismissed'}")
    if args.submit or args.double:
        lines.append("then Enter" if args.submit else "twice")
    if args.code:
        lines += ["JavaScript that runs in the page:", args.code]
    return "\n".join(lines)


async def do(args: BrowserArgs, tab: Tab, workspace: Path) -> str:
    """Words of the page that are the result, empty for most. Raises `ToolError`, Playwright's errors."""
    assert args.kind is not None
    result = await _KINDS[args.kind](args, tab, workspace)
    if args.kind not in ("wait", "dialog"):
        await _settle(tab)
    return result


async def _settle(tab: Tab) -> None:
    """Until a page that was set off has come, within reason."""
    from playwright.async_api import TimeoutError as TooLong

    try:
        await tab.page.wait_for_load_state("load", timeout=SETTLE_MS)
    except TooLong:
        tab.notes.append("the page is still loading")


def _at(tab: Tab, ref: str | None) -> Locator:
    return tab.page.locator(f"aria-ref={ref}")


async def _click(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    await _at(tab, args.ref).click(click_count=2 if args.double else 1)
    return ""


async def _type(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    target = _at(tab, args.ref)
    await target.fill(args.text or "")
    if args.submit:
        await target.press("Enter")
    return ""


async def _press(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    key = args.key or ""
    await (_at(tab, args.ref).press(key) if args.ref else tab.page.keyboard.press(key))
    return ""


async def _hover(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    await _at(tab, args.ref).hover()
    return ""


async def _drag(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    await _at(tab, args.ref).drag_to(_at(tab, args.to_ref))
    return ""


async def _select(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    chosen = await _at(tab, args.ref).select_option(args.values)
    return f"selected: {', '.join(chosen)}"


async def _fill(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    for row in args.fields:
        target = _at(tab, row.ref)
        role = (tab.snapshot.lines.get(row.ref, "") if tab.snapshot else "").partition(" ")[0]
        if isinstance(row.value, bool):
            await target.set_checked(row.value)
        elif role in ("combobox", "listbox") and await target.evaluate("e => e.tagName") == "SELECT":
            await target.select_option(row.value)
        else:
            await target.fill(row.value)
    return ""


async def _upload(args: BrowserArgs, tab: Tab, workspace: Path) -> str:
    files = [await asyncio.to_thread(_file, workspace, name) for name in args.values]
    await _at(tab, args.ref).set_input_files(files)
    return ""


def _file(workspace: Path, name: str) -> FilePayload:
    """The file's content as it is now: the browser itself opens nothing of this machine."""
    try:
        path = inside(workspace, name)
        size = regular_file(path, name).st_size
    except ToolPathError as error:
        raise ToolError(str(error)) from error
    if size > MAX_UPLOAD:
        raise ToolError(f"{name} has {size} bytes; at most {MAX_UPLOAD} are uploaded.")
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(handle, "rb") as file:
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return {"name": path.name, "mimeType": media_type, "buffer": file.read(MAX_UPLOAD)}


async def _dialog(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    tab.armed = Armed(bool(args.accept), args.text)
    return ""


async def _wait(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    if args.text:
        await tab.page.get_by_text(args.text).first.wait_for(timeout=args.time_ms or None)
    else:
        await tab.page.wait_for_timeout(args.time_ms or 0)
    return ""


async def _evaluate(args: BrowserArgs, tab: Tab, _workspace: Path) -> str:
    code = args.code or ""
    value: Any = await (_at(tab, args.ref).evaluate(code) if args.ref else tab.page.evaluate(code))
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_RESULT else f"{text[:MAX_RESULT]}… (cut, {len(text)} characters)"


_KINDS: Mapping[str, Callable[[BrowserArgs, Tab, Path], Awaitable[str]]] = {
    "click": _click, "type": _type, "press": _press, "hover": _hover, "drag": _drag, "select": _select, "fill": _fill,
    "upload": _upload, "dialog": _dialog, "wait": _wait, "evaluate": _evaluate,
}  # fmt: skip
