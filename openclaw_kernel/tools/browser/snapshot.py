"""A page as text: what can be acted on first, with refs, then the page in its order (TOL-08).

The tree comes from Playwright, which reads it in a world of its own that no page can change; a ref there names one element
with one role and one name, and is gone when either changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

TIMEOUT_MS = 10_000
NAME_CHARS = 200
INTERACTIVE = frozenset(
    ("button", "link", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "switch", "slider", "spinbutton")
) | {"menuitem", "menuitemcheckbox", "menuitemradio", "tab", "treeitem"}
_OWN_CHILDREN = ("combobox", "listbox")
"""Roles whose options are told with them."""
_REF = re.compile(r" \[ref=(\w+)\]")
_NOISE = re.compile(r" \[(?:ref=\w+|cursor=pointer|active)\]")


@dataclass(slots=True)
class Element:
    """Something to act on. `line` is what it is: role, name, state; `options` what can be selected, the chosen marked."""

    ref: str
    line: str
    options: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        return f"{self.line} (options: {', '.join(self.options)})" if self.options else self.line


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`elements` by ref, those to act on; `lines` by ref, everything that has one."""

    elements: dict[str, Element]
    lines: dict[str, str]
    outline: tuple[str, ...]

    @property
    def text(self) -> str:
        listed = [f"{ref} {element.shown}" for ref, element in self.elements.items()]
        return "\n".join(["Elements:", *(listed or ["(none)"]), "Page:", *(self.outline or ("(empty)",))])


async def take(page: Page) -> Snapshot:
    """What stands in password fields is left out. Raises Playwright's errors."""
    tree = await page.aria_snapshot(mode="ai", timeout=TIMEOUT_MS)
    hidden = await _passwords(page, parse(tree))
    return parse(tree, hidden)


async def _passwords(page: Page, seen: Snapshot) -> frozenset[str]:
    """The refs of fields that hold a password, or may hold one."""
    from playwright.async_api import Error

    counts = [await frame.locator("input[type=password]").count() for frame in page.frames if not frame.is_detached()]
    if not any(counts):
        return frozenset()
    found = []
    for ref, element in seen.elements.items():
        if element.line.startswith("textbox"):
            try:
                kind = await page.locator(f"aria-ref={ref}").get_attribute("type", timeout=1_000)
            except Error:
                kind = "password"  # gone meanwhile: nothing is told of it
            if (kind or "").lower() == "password":
                found.append(ref)
    return frozenset(found)


def parse(tree: str, hidden: frozenset[str] = frozenset()) -> Snapshot:
    """`hidden` are the refs of fields whose value is not told."""
    elements: dict[str, Element] = {}
    lines: dict[str, str] = {}
    outline: list[str] = []
    open_at: list[tuple[int, Element | None, bool]] = []
    """The lines above: depth in the tree, the element if it is one, whether it is left out of the outline."""
    for depth, body in _rows(tree):
        while open_at and open_at[-1][0] >= depth:
            open_at.pop()
        above = open_at[-1][1] if open_at else None
        found = _REF.search(body)
        ref = found[1] if found else ""
        if found and ref in hidden:
            body = body[: found.end()] + (": (hidden)" if ": " in body[found.end() :] else "")
        line = _short(_NOISE.sub("", body))
        role = body.partition(" ")[0].rstrip(":")
        if ref:
            lines[ref] = line
        if above is not None and body.startswith("/url:"):
            above.line += f" → {body[5:].strip()[:NAME_CHARS]}"
            continue
        if above is not None and role == "option" and above.line.startswith(_OWN_CHILDREN):
            above.options.append(_option(line))
            if not ref or len(above.options) > 1_000:
                continue
        element = None
        if ref and (role in INTERACTIVE or "[cursor=pointer]" in body):
            element = elements[ref] = Element(ref, line)
        dropped = role == "generic" and not _says(line)
        if not dropped and not (role == "option" and above is not None):
            shown_depth = sum(1 for _, _, gone in open_at if not gone)
            outline.append("  " * shown_depth + ("- " + (f"[{ref}]" if element else line)))
        open_at.append((depth, element or (above if role == "option" else None), dropped))
    return Snapshot(elements, lines, tuple(outline))


def _rows(tree: str) -> Iterable[tuple[int, str]]:
    """Depth and content of each line; quotes that the format put around a whole line are taken off."""
    for line in tree.splitlines():
        body = line.lstrip(" ")
        depth = len(line) - len(body)
        if not body.startswith("- "):
            continue
        body = body[2:]
        if body.startswith("'") and (end := body.rfind("'")) > 0:
            body = body[1:end].replace("''", "'") + body[end + 1 :]
        yield depth, body.removesuffix(":") if body.endswith(("]:", '":')) else body


def _says(line: str) -> bool:
    return bool(line.removeprefix("generic").strip(" :"))


def _short(line: str) -> str:
    line = line.removesuffix(":")
    return line if len(line) <= NAME_CHARS * 2 else line[: NAME_CHARS * 2] + "…"


def _option(line: str) -> str:
    chosen = " [selected]" in line
    words = line.removeprefix("option").replace(" [selected]", "").strip()
    return words + ("*" if chosen else "")
