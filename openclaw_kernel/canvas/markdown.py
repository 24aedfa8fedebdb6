"""The little Markdown of surfaces: headings, lists, quotes, code, bold, italic, links (a2ui reference, section 7).

Each letter is looked at a bounded number of times, and everything else is text. Pictures become their link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Literal

from openclaw_kernel.canvas.urls import allowed

BlockKind = Literal["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "quote", "pre", "hr"]

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_ITEM = re.compile(r"[ \t]{0,8}(?:([-*+])|(\d{1,9})[.)])[ \t]+(.*)")
_RULE = re.compile(r"[ \t]*(?:-[ \t]*){3,}|[ \t]*(?:\*[ \t]*){3,}")
_INLINE = re.compile(
    r"\\(?P<escaped>[\\`*_\[\]()#!-])"
    r"|`(?P<code>[^`\n]{1,2000})`"
    r"|!?\[(?P<text>[^\[\]\n]{0,500})\]\((?P<url>[^\s()<>]{1,2000})\)"
    r"|\*\*(?P<strong>[^\s*](?:[^*\n]{0,2000}[^\s*])?)\*\*"
    r"|__(?P<strong2>[^\s_](?:[^_\n]{0,2000}[^\s_])?)__(?!\w)"
    r"|\*(?P<em>[^\s*](?:[^*\n]{0,2000}[^\s*])?)\*"
    r"|(?<!\w)_(?P<em2>[^\s_](?:[^_\n]{0,2000}[^\s_])?)_(?!\w)"
)
_MARKS = 2_000
"""Inline marks of one block; the rest of it stays plain."""


@dataclass(frozen=True, slots=True)
class Block:
    """`lines` are the items of a list, else the text as one."""

    kind: BlockKind
    lines: tuple[str, ...]
    start: int = 1
    """Number of a numbered list's first item."""


def blocks(text: str) -> Iterator[Block]:
    """The blocks of `text` in order."""
    waiting: list[str] = []
    kind: BlockKind = "p"
    start = 1
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        if line.lstrip().startswith("```"):
            yield from _made(kind, waiting, start)
            waiting, kind = [], "p"
            yield Block("pre", ("\n".join(_until_fence(lines)),))
            continue
        found, content = _line(line, kind if waiting else "p")
        if not line.strip() or found in ("hr", "h1", "h2", "h3", "h4", "h5", "h6") or (found != kind and waiting):
            yield from _made(kind, waiting, start)
            waiting, kind = [], "p"
        if found == "hr":
            yield Block("hr", ())
        elif found[0] == "h":
            yield Block(found, (content,))
        elif line.strip():
            if found == "ol" and not waiting and (item := _ITEM.fullmatch(line)):
                start = int(item[2])
            kind = found
            waiting.append(content)
    yield from _made(kind, waiting, start)


def inline_html(text: str) -> str:
    """One run of text as HTML: everything escaped, addresses that are not http or https left as text."""
    made: list[str] = []
    at = 0
    for count, found in enumerate(_INLINE.finditer(text)):
        if count >= _MARKS:
            break
        made.append(escape(text[at : found.start()]))
        made.append(_span(found))
        at = found.end()
    made.append(escape(text[at:]))
    return "".join(made)


def html(text: str) -> str:
    """`text` as HTML elements; a single paragraph stays without `<p>`."""
    found = list(blocks(text))
    if len(found) == 1 and found[0].kind == "p":
        return _block(found[0]).removeprefix("<p>").removesuffix("</p>")
    return "".join(_block(block) for block in found)


def plain(text: str) -> str:
    """`text` without its marks, for places that show letters only."""
    made: list[str] = []
    for block in blocks(text):
        lines = [_INLINE.sub(_plain_span, line) if block.kind != "pre" else line for line in block.lines]
        if block.kind == "ul":
            lines = [f"• {line}" for line in lines]
        elif block.kind == "ol":
            lines = [f"{number}. {line}" for number, line in enumerate(lines, block.start)]
        made.append("\n".join(lines) if block.kind != "hr" else "---")
    return "\n".join(made)


def _line(line: str, before: str) -> tuple[BlockKind, str]:
    if heading := _HEADING.fullmatch(line):
        return f"h{len(heading[1])}", heading[2].rstrip("# ")  # type: ignore[return-value]
    if _RULE.fullmatch(line[:200]):
        return "hr", ""
    if item := _ITEM.fullmatch(line):
        return ("ul" if item[1] else "ol"), item[3]
    if line.startswith(">"):
        return "quote", line[1:].strip()
    return ("p", line.strip()) if before not in ("quote",) or not line.strip() else ("quote", line.strip())


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.lstrip().startswith("```"):
            return
        yield line


def _made(kind: BlockKind, lines: list[str], start: int) -> Iterator[Block]:
    if lines:
        yield Block(kind, tuple(lines) if kind in ("ul", "ol") else ("\n".join(lines),), start)


def _block(block: Block) -> str:
    match block.kind:
        case "hr":
            return "<hr>"
        case "pre":
            return f"<pre>{escape(block.lines[0])}</pre>"
        case "ul" | "ol":
            items = "".join(f"<li>{inline_html(line)}</li>" for line in block.lines)
            start = f' start="{block.start}"' if block.kind == "ol" and block.start != 1 else ""
            return f"<{block.kind}{start}>" + items + f"</{block.kind}>"
        case "quote":
            return f"<blockquote>{_broken(block.lines[0])}</blockquote>"
        case _:
            return f"<{block.kind}>{_broken(block.lines[0])}</{block.kind}>"


def _broken(text: str) -> str:
    return inline_html(text).replace("\n", "<br>")


def _span(found: re.Match[str]) -> str:
    if (letter := found["escaped"]) is not None:
        return escape(letter)
    if (code := found["code"]) is not None:
        return f"<code>{escape(code)}</code>"
    if (url := found["url"]) is not None:
        text = escape(found["text"] or url)
        return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{text}</a>' if allowed(url, "link") else text
    if (strong := found["strong"] or found["strong2"]) is not None:
        return f"<strong>{escape(strong)}</strong>"
    return f"<em>{escape(found['em'] or found['em2'] or '')}</em>"


def _plain_span(found: re.Match[str]) -> str:
    if found["url"] is not None:
        text = found["text"]
        return f"{text} ({found['url']})" if text and allowed(found["url"], "link") else text or found["url"]
    return next((part for part in found.groups() if part is not None), "")
