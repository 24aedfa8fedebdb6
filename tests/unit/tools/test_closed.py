"""Others than the owner do not hear what is in the notes, whichever file tool is asked (MEM-13)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.tools import files, search
from openclaw_kernel.tools.api import AbortSignal, ToolContext, ToolError, ToolResult
from openclaw_kernel.values.messages import Text

WORD = "4711"


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "w"
    for name in ("MEMORY.md", "USER.md", "memory/2026-11-01.md", ".openclaw/results/otherrun-1.txt", "open.md", "memory.md"):
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"the code is {WORD}\n")
    (workspace / "link.md").symlink_to("MEMORY.md")
    (workspace / "door").symlink_to("memory")
    (workspace / "kept").mkdir()
    os.rename(workspace / "USER.md", workspace / "kept" / "me.md")
    (workspace / "USER.md").symlink_to("kept/me.md")
    (workspace / ".openclaw/results/thisrun1-1.txt").write_text(WORD)
    return ToolContext(
        "thisrun12", "agent:main:telegram:group:1", "main", workspace, AbortSignal(), lambda *_: None, {}, notes_closed=True
    )


def said(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


@pytest.mark.parametrize(
    "path",
    [
        "MEMORY.md",
        "./memory/../MEMORY.md",
        "link.md",
        "USER.md",
        "kept/me.md",
        "memory/2026-11-01.md",
        "door/2026-11-01.md",
        ".openclaw/results/otherrun-1.txt",
    ],
)
async def test_a_note_is_not_read(ctx: ToolContext, path: str) -> None:
    with pytest.raises(ToolError, match=r"was not read\. The owner's notes are not told") as refused:
        await files.read(files.ReadArgs(path=path), ctx)
    assert WORD not in str(refused.value)
    assert WORD in said(await files.read(files.ReadArgs(path=path), replace(ctx, notes_closed=False)))


async def test_what_is_no_note_is_read(ctx: ToolContext) -> None:
    for path in ("open.md", "memory.md", ".openclaw/results/thisrun1-1.txt"):
        assert WORD in said(await files.read(files.ReadArgs(path=path), ctx))


@pytest.mark.parametrize("asked", [{}, {"glob": "*.md"}, {"path": "kept"}, {"ignore_case": True, "context": 3}])
async def test_a_search_passes_notes_over(ctx: ToolContext, asked: dict[str, Any]) -> None:
    found = said(await search.grep(search.GrepArgs(pattern=r"\d+", **asked), ctx))
    for name in ("MEMORY.md", "2026-11-01.md", "me.md", "otherrun"):
        assert name not in found
    assert ("open.md" in found) is ("path" not in asked)


@pytest.mark.parametrize("path", ["MEMORY.md", "memory", "door", "link.md", ".openclaw"])
async def test_a_search_in_the_notes_is_refused(ctx: ToolContext, path: str) -> None:
    with pytest.raises(ToolError, match="was not read"):
        await search.grep(search.GrepArgs(pattern="code", path=path), ctx)
    assert isinstance(
        await search.grep(search.GrepArgs(pattern="code", path=path), replace(ctx, notes_closed=False)), ToolResult
    )
