"""The `web_search` tool: a few results of whichever search service is set up (TOL-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.envelope import fence

if TYPE_CHECKING:
    from openclaw_kernel.tools.search_services import Found

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
        from openclaw_kernel.tools.search_services import search  # not before the first search

        count = args.count or min(settings.max_results, MAX_RESULTS)
        name, found, cached = await search(web, args.query, count)
        for one in found:
            web.found(one.url)
        return _result(name, args.query, found, cached)

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


def _result(service: str, query: str, found: list[Found], cached: bool) -> ToolResult:
    rows: list[Mapping[str, Any]] = [{"title": one.title, "url": one.url, "snippet": one.snippet} for one in found]
    lines = [f"{number}. {one.title}\n   {one.url}\n   {one.snippet}".rstrip() for number, one in enumerate(found, 1)]
    text = fence("search results", "\n".join(lines)) if lines else f"Nothing was found for {query!r}."
    return text_result(text, query=query, provider=service, results=rows, cached=cached)
