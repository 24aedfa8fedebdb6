"""Finding files and lines: bounded, inside the workspace, without what belongs to others."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.tools import files, search
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "work"
    (workspace / "src/deep").mkdir(parents=True)
    (workspace / ".git").mkdir()
    (workspace / "node_modules/x").mkdir(parents=True)
    (tmp_path / "secret.py").write_text("needle outside\n")
    (workspace / "out").symlink_to(tmp_path)
    (workspace / "leak.py").symlink_to(tmp_path / "secret.py")
    for name in ("src/a.py", "src/deep/b.py", ".git/c.py", "node_modules/x/d.py", "top.md"):
        (workspace / name).write_text(f"first\nneedle in {name}\nlast\n")
    (workspace / "blob.py").write_bytes(b"needle\0")
    return ToolContext("r", "agent:main:main", "main", workspace, AbortSignal(), lambda *_: None, {})


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


async def call(name: str, ctx: ToolContext, **arguments: Any) -> ToolResult:
    tool = next(tool for tool in search.TOOLS if tool.name == name)
    return await tool.run(tool.parameters.model_validate(arguments), ctx)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*.py", {"src/a.py", "src/deep/b.py", "blob.py"}),
        ("src/*.py", {"src/a.py"}),
        ("**/deep/*", {"src/deep/b.py"}),
        ("src/**", {"src/a.py", "src/deep/b.py"}),
        ("*.{md,txt}", {"top.md"}),
        ("[ab].py", {"src/a.py", "src/deep/b.py"}),
        ("[!a].py", {"src/deep/b.py"}),
        ("?op.md", {"top.md"}),
        ("[.py", set()),
    ],
)
async def test_files_are_found_by_name(ctx: ToolContext, pattern: str, wanted: set[str]) -> None:
    assert set((await call("glob", ctx, pattern=pattern)).details["files"]) == wanted


@pytest.mark.parametrize("pattern", ["../*", "/etc/*", "~/x", "a/../../*"])
async def test_a_pattern_does_not_leave(ctx: ToolContext, pattern: str) -> None:
    with pytest.raises(ToolError, match="leaves the folder"):
        await call("glob", ctx, pattern=pattern)


async def test_lines_are_found(ctx: ToolContext) -> None:
    assert text(await call("grep", ctx, pattern="need.e")) == (
        "top.md:2: needle in top.md\nsrc/a.py:2: needle in src/a.py\nsrc/deep/b.py:2: needle in src/deep/b.py"
    )
    assert text(await call("grep", ctx, pattern="NEEDLE", ignore_case=True, glob="*.md", context=1)) == (
        "top.md:1- first\ntop.md:2: needle in top.md\ntop.md:3- last"
    )
    assert text(await call("grep", ctx, pattern="absent")) == "Nothing matches in 3 files."
    assert text(await call("grep", ctx, pattern="needle", path="src/a.py")) == "src/a.py:2: needle in src/a.py"
    assert "more than 1 hits" in text(await call("grep", ctx, pattern="needle", limit=1))


@pytest.mark.parametrize("path", ["..", "out", "leak.py", "/etc"])
async def test_nothing_outside_is_searched(ctx: ToolContext, path: str) -> None:
    for name in ("grep", "glob"):
        with pytest.raises(ToolError, match="outside the workspace"):
            await call(name, ctx, pattern="needle", path=path)


async def test_a_wrong_pattern_is_one_sentence(ctx: ToolContext) -> None:
    with pytest.raises(ToolError, match="no regular expression"):
        await call("grep", ctx, pattern="(")


async def test_a_pattern_that_never_ends_is_ended(ctx: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SECONDS", 1.0)
    (ctx.workspace / "bait.txt").write_text("a" * 60 + "!\n")
    began = time.monotonic()
    with pytest.raises(ToolError, match="more than 1 seconds"):
        await call("grep", ctx, pattern="(a+)+$")
    assert time.monotonic() - began < 10


async def test_a_pattern_made_to_take_for_ever_is_ended_and_holds_nobody_up(
    ctx: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process it would hold the whole gateway, and no time limit would reach it."""
    (ctx.workspace / ("a" * 200)).touch()
    monkeypatch.setattr("openclaw_kernel.tools.search.SECONDS", 1.0)
    began = time.monotonic()
    with pytest.raises(ToolError, match="took more than 1 seconds"):
        await search.glob(search.GlobArgs(pattern="*a" * 40 + "b"), ctx)
    assert time.monotonic() - began < 10
    with pytest.raises(ToolError, match="cannot be read"):
        await search.glob(search.GlobArgs(pattern="[z-a]"), ctx)


async def test_a_list_does_not_wander_for_ever(ctx: ToolContext) -> None:
    with pytest.raises(ToolError, match="more than 2 times"):
        await files.list_files(files.ListArgs(pattern="**/" * 12 + "*"), ctx)
