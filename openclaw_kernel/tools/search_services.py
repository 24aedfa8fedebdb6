"""Search services behind one protocol: SearXNG, Brave, Tavily, DuckDuckGo (TOL-10)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from openclaw_kernel.tools.api import ToolError
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.errors import UserError

SNIPPET_CHARS = 500
TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Found:
    title: str
    url: str
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """Where a service is and its key. `own_place`: the owner named the place, so it may be in his own network."""

    base_url: str
    key: str
    own_place: bool
    timeout_s: float

    @property
    def allowed(self) -> tuple[str, ...]:
        parts = urlsplit(self.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return (f"{parts.hostname}:{port}",) if self.own_place and parts.hostname else ()


@dataclass(frozen=True, slots=True)
class Service:
    """One search service; `search` raises `UserError` when it fails. `key_variable` and `base_variable` are looked up in the
    environment when the config says nothing."""

    name: str
    search: Callable[[Web, Setup, str, int], Awaitable[list[Found]]]
    base_url: str = ""
    needs_key: bool = False
    key_variable: str = ""
    base_variable: str = ""


async def _ask(web: Web, setup: Setup, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> bytes:
    answer = await web.request(
        method, url, json=body, headers=headers, allowed=setup.allowed, timeout_s=setup.timeout_s, max_redirects=1
    )
    if answer.status in (401, 403):
        raise UserError(f"{urlsplit(url).netloc} refuses the request (status {answer.status}); check its key and settings.")
    if answer.status == 429:
        raise UserError(f"{urlsplit(url).netloc} is asked too often; try again later or set up another service.")
    if answer.status >= 400:
        raise UserError(f"{urlsplit(url).netloc} answered with status {answer.status}.")
    return answer.body


async def _json(web: Web, setup: Setup, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> Any:
    answer = await _ask(web, setup, method, url, {"Accept": "application/json", **headers}, body)
    try:
        return json.loads(answer)
    except ValueError:
        raise UserError(f"{urlsplit(url).netloc} did not answer with JSON; is it a search service, and JSON on?") from None


def _rows(rows: Any, snippet: str) -> list[Found]:
    """Results from rows of `title`, `url` and a text; whatever is no web address is left out."""
    found = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and str(row.get("url", "")).startswith(("http://", "https://")):
            title, text = str(row.get("title") or ""), str(row.get(snippet) or "")
            found.append(Found(_words(title)[:TITLE_CHARS], str(row["url"]), _words(text)[:SNIPPET_CHARS]))
    return found


def _words(text: str) -> str:
    """Without the marks of highlighting that services put in."""
    if "<" in text or "&" in text:
        from openclaw_kernel.tools.readable import parse  # only where there is markup

        return parse(text).text()
    return " ".join(text.split())


async def searxng(web: Web, setup: Setup, query: str, count: int) -> list[Found]:
    """`GET /search?format=json`, which the instance must have switched on."""
    url = f"{setup.base_url}/search?{urlencode({'q': query, 'format': 'json'})}"
    answer = await _json(web, setup, "GET", url, {})
    return _rows(answer.get("results") if isinstance(answer, Mapping) else None, "content")[:count]


async def brave(web: Web, setup: Setup, query: str, count: int) -> list[Found]:
    url = f"{setup.base_url}/res/v1/web/search?{urlencode({'q': query, 'count': count})}"
    answer = await _json(web, setup, "GET", url, {"X-Subscription-Token": setup.key})
    part = answer.get("web") if isinstance(answer, Mapping) else None
    return _rows(part.get("results") if isinstance(part, Mapping) else None, "description")


async def tavily(web: Web, setup: Setup, query: str, count: int) -> list[Found]:
    body = {"query": query, "max_results": count, "search_depth": "basic"}
    answer = await _json(web, setup, "POST", f"{setup.base_url}/search", {"Authorization": f"Bearer {setup.key}"}, body)
    return _rows(answer.get("results") if isinstance(answer, Mapping) else None, "content")


async def duckduckgo(web: Web, setup: Setup, query: str, count: int) -> list[Found]:
    """The page without scripts; it needs no key and may refuse a machine."""
    url = f"{setup.base_url}/html/?{urlencode({'q': query})}"
    page = (await _ask(web, setup, "GET", url, {"Accept": "text/html"})).decode("utf-8", "replace")
    found = await asyncio.to_thread(_of_page, page, url)
    if not found and "anomaly" in page:
        raise UserError("DuckDuckGo asks for a person; set up another service under tools.web.search.")
    return found[:count]


def _of_page(page: str, url: str) -> list[Found]:
    from openclaw_kernel.tools.readable import parse

    found: list[Found] = []
    for element in parse(page).walk():
        if element.tag == "a" and element.has_class("result__a"):
            target = _target(urljoin(url, element.attrs.get("href", "")))
            if target:
                found.append(Found(element.text()[:TITLE_CHARS], target))
        elif element.has_class("result__snippet") and found and not found[-1].snippet:
            found[-1] = Found(found[-1].title, found[-1].url, element.text()[:SNIPPET_CHARS])
    return found


def _target(link: str) -> str:
    """Where a result leads; advertisements lead nowhere."""
    parts = urlsplit(link)
    if parts.path == "/l/":
        link = (parse_qs(parts.query).get("uddg") or [""])[0]
    return link if link.startswith(("http://", "https://")) and "/y.js?" not in link else ""


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service("searxng", searxng, base_variable="SEARXNG_BASE_URL"),
        Service("brave", brave, "https://api.search.brave.com", needs_key=True, key_variable="BRAVE_API_KEY"),
        Service("tavily", tavily, "https://api.tavily.com", needs_key=True, key_variable="TAVILY_API_KEY"),
        Service("duckduckgo", duckduckgo, "https://html.duckduckgo.com"),
    )
}


async def search(web: Web, query: str, count: int) -> tuple[str, list[Found], bool]:
    """Who was asked, what was found, and whether that was known from a moment ago. Raises `ToolError`."""
    service, setup = chosen(web)
    key = (service.name, setup.base_url, query, count)
    known: list[Found] | None = web.searches.get(key, web.settings().search.cache_ttl_minutes * 60_000)
    if known is not None:
        return service.name, known, True
    try:
        found = (await service.search(web, setup, query, count))[:count]
    except UserError as error:
        raise ToolError(f"The search with {service.name} failed: {error}") from error
    web.searches.put(key, found)
    return service.name, found, False


def chosen(web: Web) -> tuple[Service, Setup]:
    """The service that `tools.web.search.provider` names, or the first that is set up. Raises `ToolError` when it cannot be
    used."""
    wanted = web.settings().search.provider
    if wanted != "auto":
        service = SERVICES.get(wanted)
        if service is None:
            raise ToolError(f"tools.web.search.provider is {wanted!r}; use auto or one of {', '.join(SERVICES)}.")
        return service, _setup(web, service, wanted=True)
    for service in SERVICES.values():
        setup = _setup(web, service, wanted=False)
        if not _lacks(service, setup):
            return service, setup
    raise ToolError("No search service is set up; set tools.web.search.provider.")


def _setup(web: Web, service: Service, *, wanted: bool) -> Setup:
    settings = web.settings().search
    own = getattr(settings, service.name)
    where = f"tools.web.search.{service.name}.apiKey"
    secret = own.api_key or (settings.api_key if wanted else None) or web.env.get(service.key_variable) or None
    try:
        key = web.secret(secret, where) if secret is not None else ""
    except UserError as error:
        if wanted:
            raise ToolError(str(error)) from error
        key = ""
    base = own.base_url or web.env.get(service.base_variable, "") or service.base_url
    setup = Setup(base.rstrip("/"), key, own.base_url is not None or base != service.base_url, settings.timeout_seconds)
    if wanted and (lack := _lacks(service, setup)):
        raise ToolError(f"{service.name} cannot be used: set {lack}.")
    return setup


def _lacks(service: Service, setup: Setup) -> str:
    """The setting that is missing, or nothing."""
    if service.needs_key and not setup.key:
        return f"tools.web.search.{service.name}.apiKey"
    return "" if setup.base_url else f"tools.web.search.{service.name}.baseUrl"
