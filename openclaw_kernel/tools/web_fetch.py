"""The `web_fetch` tool: one page, as text (TOL-09, SAF-25)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.safety.ssrf import Answer
from openclaw_kernel.tools.api import Effect, Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.errors import UserError

PROGRESS_AFTER_S = 5.0
HEAD_CHARS = 2_000
"""Room for address and title beside the text of a page."""
_TEXT = re.compile(r"^(?:text/[\w.+-]+|application/(?:[\w.-]+\+)?(?:json|xml|javascript|yaml|x-yaml|toml|x-ndjson|ld\+json))$")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


class FetchArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    url: str = Field(min_length=1, max_length=4_000, description="https://…")
    offset: int = Field(0, ge=0, description="Characters to skip, to read on in a long page")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as text. `url` is the one that answered; `cut` when there was more than is read of one page."""

    url: str
    title: str
    media_type: str
    text: str
    cut: bool


def fetch_tool(web: Web) -> Tool:
    async def run(args: FetchArgs, ctx: ToolContext) -> ToolResult:
        settings = web.settings().fetch
        if not settings.enabled:
            raise ToolError("Reading web pages is switched off: tools.web.fetch.enabled is false.")
        key = (args.url, *settings.ssrf_policy.allowed_hostnames)
        page = web.pages.get(key, settings.cache_ttl_minutes * 60_000)
        cached = page is not None
        if page is None:
            note = f"Waiting for {urlsplit(args.url).netloc or args.url}…"
            timer = asyncio.get_running_loop().call_later(PROGRESS_AFTER_S, ctx.progress, note, None)
            try:
                page = await _fetch(web, args.url)
            finally:
                timer.cancel()
            web.pages.put(key, page)
        return _result(page, args, min(settings.max_chars, ctx.result_chars - HEAD_CHARS), cached)

    def effect(arguments: Mapping[str, Any]) -> Effect:
        return "none" if web.was_found(str(arguments.get("url"))) else "outbound"

    return Tool(
        "web_fetch",
        "Read a web page or a text file by its URL; pages come as Markdown.",
        FetchArgs,
        run,
        effect="outbound",
        effect_of=effect,
        read_only=True,
        untrusted_output=True,
        groups=frozenset({"web"}),
        title=lambda arguments: f"Read {str(arguments.get('url', 'a page'))[:120]}",
    )


async def _fetch(web: Web, url: str) -> Fetched:
    settings = web.settings().fetch
    try:
        answer = await web.request(
            "GET",
            url,
            allowed=settings.ssrf_policy.allowed_hostnames,
            headers={"Accept": "text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.9,*/*;q=0.5"},
            timeout_s=settings.timeout_seconds,
            max_bytes=settings.max_response_bytes,
            max_redirects=settings.max_redirects,
        )
    except UserError as error:
        raise ToolError(str(error)) from error
    if answer.status >= 400:
        raise ToolError(f"The answer is status {answer.status}: {_tame(answer.url)}.")
    return await asyncio.to_thread(_read, answer)


def _read(answer: Answer) -> Fetched:
    header = answer.headers.get("content-type", "")
    media_type = header.partition(";")[0].strip().lower()
    body = answer.body
    if not media_type:
        media_type = "text/html" if body.lstrip()[:1] == b"<" else "text/plain"
    if media_type in ("text/html", "application/xhtml+xml"):
        from openclaw_kernel.tools.readable import read_page  # only a page needs it

        page = read_page(_decoded(body, header), answer.url)
        return Fetched(_tame(answer.url), page.title[:300], media_type, page.text, answer.cut)
    if not _TEXT.match(media_type) or b"\x00" in body[:8192]:
        raise ToolError(f"{_tame(answer.url)} is {_tame(media_type)} ({len(body)} bytes), not text; it is not shown.")
    text = _decoded(body, header)
    if media_type.endswith("json") and not answer.cut:
        text = _pretty(text)
    return Fetched(_tame(answer.url), "", media_type, text, answer.cut)


def _tame(words: str) -> str:
    """An address or a type that the other side chose, so that it can say nothing outside the fence."""
    return quote(words, safe=":/?#[]@!$&'()*+,;=%-._~")[:500]


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        return text


def _decoded(body: bytes, header: str) -> str:
    named = re.search(r"charset=[\"']?([A-Za-z0-9_.:-]{1,40})", header, re.IGNORECASE)
    in_page = _META_CHARSET.search(body[:4096])
    charset = named[1] if named else in_page[1].decode("ascii") if in_page else "utf-8"
    try:
        return body.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")


def _result(page: Fetched, args: FetchArgs, room: int, cached: bool) -> ToolResult:
    text = page.text[args.offset : args.offset + room]
    if args.offset and not text:
        raise ToolError(f"{page.url} has {len(page.text)} characters; offset {args.offset} is past its end.")
    end = args.offset + len(text)
    head = [f"URL: {page.url}", f"Type: {page.media_type}"]
    if end < len(page.text):
        head.append(f"Characters {args.offset} to {end} of {len(page.text)}; read on with offset {end}.")
    elif page.cut:
        head.append("The page is longer than what is read of one page; its end is missing.")
    shown = f"{page.title}\n\n{text}" if page.title and not args.offset else text
    return text_result(
        "\n".join(head) + "\n" + fence("web page", shown or "(empty)"),
        url=page.url, title=page.title, contentType=page.media_type, chars=len(page.text), cached=cached,
    )  # fmt: skip
