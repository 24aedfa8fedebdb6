"""What a person would read of a web page, as Markdown (TOL-09).

The main part is taken where a page names one; navigation, scripts and what is not shown are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

MAX_DEPTH = 200
"""Deeper elements are joined to the last level: no page that a person reads is nested like that."""
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"
})  # fmt: skip
_UNREAD = frozenset({
    "script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "video", "audio", "nav", "aside",
    "button", "select", "textarea", "dialog", "head"
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "hr", "html", "li", "main", "ol", "p", "pre", "section", "summary", "table",
    "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul", "h1", "h2", "h3", "h4", "h5", "h6"
})  # fmt: skip
_CLOSED_BY = {
    "p": _BLOCKS - {"html", "body"}, "li": frozenset({"li"}), "dt": frozenset({"dt", "dd"}), "dd": frozenset({"dt", "dd"}),
    "td": frozenset({"td", "th", "tr"}), "th": frozenset({"td", "th", "tr"}), "tr": frozenset({"tr", "tbody"}),
}  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CHROME = frozenset({
    "nav", "navbar", "navigation", "menu", "sidebar", "breadcrumb", "breadcrumbs", "cookie-banner", "cookie-notice",
    "newsletter", "skip-link", "advertisement", "share-buttons"
})  # fmt: skip
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_MAIN_SHARE = 0.25
"""A part that calls itself the main one and holds less of the text than this is a wrong mark."""


@dataclass(slots=True)
class Element:
    """A tag with what is in it, texts and elements."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in the order of the page."""
        stack: list[Element] = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(child for child in reversed(element.children) if isinstance(child, Element))

    def text(self) -> str:
        """Its words, with single spaces."""
        return _SPACE.sub(" ", "".join(self._texts())).strip()

    def _texts(self) -> Iterator[str]:
        stack: list[Element | str] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                yield item
            elif item is self or item.tag not in ("script", "style", "template"):
                if item is not self and (item.tag in _BLOCKS or item.tag == "br"):
                    yield " "
                stack.extend(reversed(item.children))

    def has_class(self, name: str) -> bool:
        return name in self.attrs.get("class", "").split()


class _Builder(HTMLParser):
    """Forgiving, as browsers are: what is not closed is closed by what follows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("html")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            return
        if tag == "body":
            del self._open[1:]
        top = self._open[-1]
        if len(self._open) > 1 and tag in _CLOSED_BY.get(top.tag, ()):
            self._open.pop()
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID and len(self._open) < MAX_DEPTH:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                del self._open[depth:]
                return
            if self._open[depth].tag in ("table", "td", "th") and tag not in _BLOCKS:
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Element:
    """The tree of a page. Never raises: what is no HTML is text."""
    builder = _Builder()
    builder.feed(_ended(html))
    builder.close()
    return builder.root


def _ended(html: str) -> str:
    """The page without marks that never end: the parser would look for the end of each of them through all the rest, and a
    page of nothing else would keep it busy for hours. A comment without an end hides the rest, as it does in a browser."""
    html = html.replace("<![", "&lt;![")
    if (open_comment := html.find("<!--", html.rfind("-->") + 1)) >= 0:
        html = html[:open_comment]
    end = html.rfind(">") + 1
    return html[:end] + html[end:].replace("<", "&lt;")


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    text: str


def read_page(html: str, url: str) -> Page:
    """Title and Markdown of a page; links are absolute, relative to `url`."""
    root = parse(html)
    title = next((element.text() for element in root.walk() if element.tag == "title"), "")
    base = next((element.attrs.get("href", "") for element in root.walk() if element.tag == "base"), "")
    writer = _Writer(urljoin(url, base) if base else url)
    writer.write(_main(root))
    return Page(title, writer.markdown())


def _main(root: Element) -> Element:
    """The part that holds what the page is about; the whole where none does."""
    whole = len(_seen_text(root))
    best, size = root, 0
    stack = [root]
    while stack:
        element = stack.pop()
        if element.tag in ("main", "article") or element.attrs.get("role") == "main":
            length = len(_seen_text(element))  # one inside it holds no more
            if length > size:
                best, size = element, length
        else:
            stack.extend(child for child in reversed(element.children) if isinstance(child, Element))
    return best if size >= whole * _MAIN_SHARE and size > 0 else root


def _seen_text(element: Element) -> str:
    pieces: list[str] = []
    stack: list[Element | str] = [element]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            pieces.append(item.strip())
        elif item is element or not _unread(item):
            stack.extend(item.children)
    return "".join(pieces)


def _unread(element: Element) -> bool:
    attrs = element.attrs
    if element.tag in _UNREAD or "hidden" in attrs or attrs.get("aria-hidden") == "true":
        return True
    if attrs.get("role") in ("navigation", "search", "banner") or _HIDDEN.search(attrs.get("style", "")):
        return True
    return element.tag in ("div", "ul", "section") and not _CHROME.isdisjoint(
        f"{attrs.get('class', '')} {attrs.get('id', '')}".lower().split()
    )


class _Writer:
    """Markdown, one block after the other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._lists: list[tuple[str, list[int]]] = []
        self._quotes = 0

    def markdown(self) -> str:
        self._end()
        return "\n\n".join(self._blocks).replace("\n\n\x00", "\n").replace("\x00", "").strip()

    def write(self, element: Element) -> None:
        for child in element.children:
            if isinstance(child, str):
                self._line.append(_SPACE.sub(" ", child))
            elif not _unread(child):
                self._element(child)

    def _element(self, element: Element) -> None:
        tag = element.tag
        if tag == "br":
            self._line.append("\n")
        elif tag == "img":
            if alt := _SPACE.sub(" ", element.attrs.get("alt", "")).strip():
                self._line.append(f"[image: {alt}]")
        elif tag == "a":
            self._link(element)
        elif tag in ("code", "kbd", "samp") and (words := element.text()):
            self._line.append(f"`{words}`")
        elif (
            tag in ("b", "strong")
            and not any(c for c in element.children if not isinstance(c, str))
            and (words := element.text())
        ):
            self._line.append(f"**{words}**")
        elif tag in _BLOCKS:
            self._end()
            self._block(element)
            self._end()
        else:
            self.write(element)

    def _block(self, element: Element) -> None:
        tag = element.tag
        if tag == "title":
            return
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            if words := element.text():
                self._put("#" * int(tag[1]) + " " + words)
        elif tag == "pre":
            self._put("```\n" + "".join(element._texts()).strip("\n") + "\n```")
        elif tag == "table":
            self._table(element)
        elif tag in ("ul", "ol"):
            self._lists.append((tag, [0]))
            self.write(element)
            self._end()
            self._lists.pop()
        elif tag == "li":
            self._item(element)
        elif tag == "blockquote":
            self._quotes += 1
            self.write(element)
            self._end()
            self._quotes -= 1
        elif tag == "hr":
            self._put("---")
        else:
            self.write(element)

    def _item(self, element: Element) -> None:
        kind, count = self._lists[-1] if self._lists else ("ul", [0])
        count[0] += 1
        mark = f"{count[0]}. " if kind == "ol" else "- "
        indent = "  " * max(0, len(self._lists) - 1)
        follows = (bool(self._blocks) and count[0] > 1) or len(self._lists) > 1
        before = len(self._blocks)
        self.write(element)
        self._end()
        if len(self._blocks) > before:
            first = self._blocks[before]
            self._blocks[before] = ("\x00" if follows else "") + indent + mark + first.lstrip("\x00 ")

    def _table(self, table: Element) -> None:
        if any(inner.tag == "table" for inner in table.walk() if inner is not table):
            self.write(table)  # a table that only arranges the page
            return
        rows = [
            [cell.text().replace("|", "\\|") for cell in row.children if isinstance(cell, Element) and cell.tag in ("td", "th")]
            for row in table.walk()
            if row.tag == "tr"
        ]
        rows = [row for row in rows if any(row)]
        if max((len(row) for row in rows), default=0) < 2:
            self.write(table)
            return
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|" + " --- |" * len(rows[0]))
        self._put("\n".join(lines))

    def _link(self, element: Element) -> None:
        target = element.attrs.get("href", "").strip()
        words = element.text() or next((e.attrs.get("alt", "") for e in element.walk() if e.tag == "img"), "")
        if any(inner.tag in _BLOCKS for inner in element.walk()):
            self.write(element)
        elif not words or not target or target.startswith(("#", "javascript:", "data:")):
            self._line.append(words)
        else:
            try:
                self._line.append(f"[{words}]({urljoin(self._url, target)})")
            except ValueError:
                self._line.append(words)

    def _end(self) -> None:
        words = "\n".join(line.strip() for line in re.sub(r" +", " ", "".join(self._line)).split("\n")).strip()
        self._line.clear()
        if words:
            self._put(words)

    def _put(self, block: str) -> None:
        self._blocks.append("\n".join("> " * self._quotes + line for line in block.split("\n")) if self._quotes else block)
