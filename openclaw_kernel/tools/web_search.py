"""The `web_search` tool: a few results of whichever search service is set up (TOL-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.search_services import SERVICES, Found, Service, Setup
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.errors import UserError

MAX_RESULTS = 20


class SearchArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    query: str = Field(min_length=1, max_length=500)
    count: int | None = Field(None, ge=1, le=MAX_RESULTS, description="How many results; 5 if left out")


def search_tool(web: Web) -> Tool:
    async def run(args: SearchArgs, ctx: ToolContext) -> ToolResult:
        settings = web.settings().search
        if not settings.enabled:
            raise ToolError("Searching the web is switched off: tools.web.search.enabled is false.")
        service, setup = chosen(web)
        count = args.count or min(settings.max_results, MAX_RESULTS)
        key = (service.name, setup.base_url, args.query, count)
        found = web.searches.get(key, settings.cache_ttl_minutes * 60_000)
        cached = found is not None
        if found is None:
            try:
                found = (await service.search(web, setup, args.query, count))[:count]
            except UserError as error:
                raise ToolError(f"The search with {service.name} failed: {error}") from error
            web.searches.put(key, found)
        for one in found:
            web.found(one.url)
        return _result(service.name, args.query, found, cached)

    return Tool(
        "web_search",
        "Search the web; returns titles, addresses and short texts. Read a result with web_fetch.",
        SearchArgs,
        run,
        effect="outbound",
        read_only=True,
        untrusted_output=True,
        groups=frozenset({"web"}),
        title=lambda arguments: f"Search: {str(arguments.get('query', ''))[:120]}",
    )


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


def _result(service: str, query: str, found: list[Found], cached: bool) -> ToolResult:
    rows: list[Mapping[str, Any]] = [{"title": one.title, "url": one.url, "snippet": one.snippet} for one in found]
    lines = [f"{number}. {one.title}\n   {one.url}\n   {one.snippet}".rstrip() for number, one in enumerate(found, 1)]
    text = fence("search results", "\n".join(lines)) if lines else f"Nothing was found for {query!r}."
    return text_result(text, query=query, provider=service, results=rows, cached=cached)
