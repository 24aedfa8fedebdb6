"""Remembering and recalling (MEM-01, MEM-08)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.memory.notes import MAX_NOTE_CHARS, Notes
from openclaw_kernel.safety.paths import ToolPathError
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.exec import first_line

Now = Callable[[], datetime]


class AppendArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    text: str = Field(min_length=1, max_length=MAX_NOTE_CHARS, description="What to remember, one fact, in plain words")


class SearchArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    query: str = Field(min_length=1, max_length=500, description="A few words to look for")
    limit: int = Field(6, ge=1, le=50, description="How many notes at most")


def notes_tools(now: Now = lambda: datetime.now().astimezone()) -> tuple[Tool, ...]:
    """`memory_append` and `memory_search`; `now` gives local time, by which daily files are named."""

    async def append(args: AppendArgs, ctx: ToolContext) -> ToolResult:
        if not args.text.strip():
            raise ToolError("There is nothing to remember: the text is empty.")
        try:
            note = await asyncio.to_thread(_notes(ctx.workspace).append, args.text, now())
        except ToolPathError as error:
            raise ToolError(str(error)) from error
        except OSError as error:
            raise ToolError(f"The note could not be written to {ctx.workspace}/memory: {error.strerror or error}.") from error
        return text_result(f"Written to {note.path}: {note.text}", path=note.path, line=note.line, note=note.text)

    async def search(args: SearchArgs, ctx: ToolContext) -> ToolResult:
        try:
            hits = await asyncio.to_thread(_notes(ctx.workspace).search, args.query, args.limit)
        except OSError as error:
            raise ToolError(f"The notes in {ctx.workspace} could not be read: {error.strerror or error}.") from error
        rows = [
            {"path": hit.note.path, "line": hit.note.line, "text": hit.note.text, "score": round(hit.score, 3)} for hit in hits
        ]
        text = "\n".join(f"- {hit.note.text} (Source: {hit.note.path}#{hit.note.line})" for hit in hits)
        return text_result(text or "No note matches.", query=args.query, hits=rows)

    group = frozenset({"memory"})
    return (
        Tool(
            "memory_append",
            "Write one fact to today's memory note, so that it is known in later conversations.",
            AppendArgs,
            append,
            effect="workspace",
            exclusive=True,
            groups=group,
            title=lambda arguments: "Remember: " + first_line(arguments, "text"),
        ),
        Tool(
            "memory_search",
            "Search the memory notes (MEMORY.md and daily notes) by keywords.",
            SearchArgs,
            search,
            effect="workspace",
            read_only=True,
            groups=group,
            title=lambda arguments: "Recall: " + first_line(arguments, "query"),
        ),
    )


@lru_cache(maxsize=16)
def _notes(workspace: Path) -> Notes:
    """One reader a workspace, so that parsed notes are kept between calls."""
    return Notes(workspace)
