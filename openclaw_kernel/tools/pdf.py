"""The `pdf` tool: the text of documents, page by page (TOL-19)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools import media
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.envelope import fence

MAX_FILES = 10
MAX_PAGES = 20
"""Of one call (TOL-19)."""
HEAD_CHARS = 2_000
_RANGE = re.compile(r"^(\d{1,6})(?:-(\d{1,6})?)?$")


class PdfArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    paths: list[str] = Field(min_length=1, max_length=MAX_FILES, description="Files of the workspace, or URLs")
    pages: str = Field("", max_length=200, description="1-5,7 or 20-")
    password: str = Field("", max_length=200)


def pdf_tool(web: Web) -> Tool:
    async def run(args: PdfArgs, ctx: ToolContext) -> ToolResult:
        wanted = pages_of(args.pages)
        texts: list[str] = []
        files: list[dict[str, Any]] = []
        left, room = MAX_PAGES, max(1_000, ctx.result_chars - HEAD_CHARS)
        for path in args.paths:
            if not left or room <= 0:
                texts.append(f"{_tame(path)} was not read: a call reads {MAX_PAGES} pages; ask for it by itself.")
                continue
            name = _tame(path)
            data = await media.load(path, ctx, web)
            if b"%PDF-" not in data[:1024]:
                raise ToolError(f"{name} is no PDF.")
            asked = {"job": "pdf", "password": args.password, "pages": wanted, "room": left}
            answer = await media.opened(name, data, asked)
            text, count = _shown(name, answer, args.pages, room)
            left, room = left - count, room - len(text)
            texts.append(text)
            files.append({"path": path, "pages": answer["total"], "read": count})
        return text_result("\n\n".join(texts), files=files)

    return Tool(
        "pdf",
        f"Read the text of PDF files, at most {MAX_PAGES} pages a call.",
        PdfArgs,
        run,
        effect="outbound",
        effect_of=lambda arguments: media.effect_of(arguments.get("paths")),
        read_only=True,
        untrusted_output=True,
        groups=frozenset({"media"}),
        title=lambda arguments: f"Read {', '.join(map(str, arguments.get('paths') or ['a PDF']))}"[:140],
    )


def pages_of(text: str) -> list[int] | None:
    """The page numbers of a filter such as `1-5,7,30-`, an open end counting as far as a call reads. Raises `ToolError`."""
    if not text.strip():
        return None
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.match(part.strip())
        first = int(match[1]) if match else 0
        if match is None or first < 1:
            raise ToolError(f"The pages {text!r} cannot be read; write them as 1-5,7.")
        last = first if "-" not in part else int(match[2] or first + MAX_PAGES)
        if last < first:
            raise ToolError(f"The pages {part.strip()!r} end before they begin.")
        found += range(first, min(last, first + MAX_PAGES) + 1)
    return list(dict.fromkeys(found))


def _shown(name: str, answer: dict[str, Any], asked: str, room: int) -> tuple[str, int]:
    """The pages that fit, and how many they are."""
    total, pages = answer["total"], answer["pages"]
    if not pages:
        raise ToolError(f"{name} has {total} pages; {asked or 'none'} is not among them.")
    parts: list[str] = []
    for number, text in pages:
        part = f"[page {number}]\n{text.strip() or '(no text on this page; it may be a picture)'}"
        if parts and len(part) > room:
            break
        parts.append(part[:room])
        room -= len(part)
    following = pages[len(parts)][0] if len(parts) < len(pages) else next(iter(answer["more"]), 0)
    head = f"{name}: {total} pages."
    if following:
        head += f" Read on with pages {following}-."
    return f"{head}\n{fence('PDF', chr(10).join(parts))}", len(parts)


def _tame(words: str) -> str:
    """A name that somebody else may have chosen."""
    return quote(words, safe=" :/?#[]@!$&'()*+,;=%-._~äöüÄÖÜß")[:300]
