"""File tools: what they do inside the workspace, and that they do nothing outside it (TOL-04)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.tools import files
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult
from openclaw_kernel.values.messages import Image, Text
from openclaw_kernel.values.stream import AbortSignal


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "work"
    workspace.mkdir()
    (tmp_path / "secret.txt").write_text("top secret")
    (workspace / "out").symlink_to(tmp_path)
    (workspace / "leak.txt").symlink_to(tmp_path / "secret.txt")
    return ToolContext("r", "agent:main:main", "main", workspace, AbortSignal(), lambda text, fraction: None, {})


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


async def call(name: str, ctx: ToolContext, **arguments: Any) -> ToolResult:
    tool = next(tool for tool in files.TOOLS if tool.name == name)
    return await tool.run(tool.parameters.model_validate(arguments), ctx)


@pytest.mark.parametrize("path", ["../secret.txt", "leak.txt", "out/secret.txt", "/etc/passwd", "~/x"])
@pytest.mark.parametrize(
    ("name", "more"), [("read", {}), ("write", {"content": "x"}), ("edit", {"old_text": "t", "new_text": "x"})]
)
async def test_nothing_outside_is_touched(ctx: ToolContext, path: str, name: str, more: dict[str, str]) -> None:
    with pytest.raises(ToolError, match="outside the workspace") as caught:
        await call(name, ctx, path=path, **more)
    assert "\n" not in str(caught.value)
    assert (ctx.workspace.parent / "secret.txt").read_text() == "top secret"


@pytest.mark.parametrize(
    "arguments", [{"path": ".."}, {"path": "out"}, {"pattern": "../*"}, {"pattern": "/etc/*"}, {"pattern": "a/../../*"}]
)
async def test_lists_stay_inside(ctx: ToolContext, arguments: dict[str, str]) -> None:
    with pytest.raises(ToolError):
        await call("list", ctx, **arguments)


async def test_lists_leave_out_links_that_lead_away(ctx: ToolContext) -> None:
    (ctx.workspace / "sub").mkdir()
    (ctx.workspace / "sub/a.py").write_text("x = 1\n")
    assert text(await call("list", ctx)) == "sub/"
    assert text(await call("list", ctx, pattern="**/*.py")) == "sub/a.py  6 bytes"
    assert "Nothing" in text(await call("list", ctx, pattern="*.md"))


async def test_lines_are_numbered_and_paged(ctx: ToolContext) -> None:
    (ctx.workspace / "a.txt").write_text("\n".join(f"line {n}" for n in range(1, 11)))
    result = await call("read", ctx, path="a.txt", offset=3, limit=2)
    assert text(result) == "    3\tline 3\n    4\tline 4\n… 6 more lines; continue with offset 5."
    assert result.details == {"path": "a.txt", "lines": 10, "first": 3, "last": 4}
    with pytest.raises(ToolError, match="past its end"):
        await call("read", ctx, path="a.txt", offset=11)


async def test_long_files_are_cut_by_characters(ctx: ToolContext) -> None:
    (ctx.workspace / "a.txt").write_text("\n".join("x" * 5_000 for _ in range(100)))
    shown = text(await call("read", ctx, path="a.txt"))
    assert len(shown) < files.MAX_CHARS + 100
    assert "continue with offset" in shown


async def test_images_are_shown_as_images(ctx: ToolContext) -> None:
    data = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
    (ctx.workspace / "a.png").write_bytes(data)
    assert Image(base64.b64encode(data).decode(), "image/png") in (await call("read", ctx, path="a.png")).content


@pytest.mark.parametrize(("data", "word"), [(b"a\x00b", "binary"), (b"\xff\xfe\xfa", "UTF-8")])
async def test_what_is_not_text_is_said(ctx: ToolContext, data: bytes, word: str) -> None:
    (ctx.workspace / "a").write_bytes(data)
    with pytest.raises(ToolError, match=word):
        await call("read", ctx, path="a")


async def test_write_creates_folders_and_tells_the_difference(ctx: ToolContext) -> None:
    assert (await call("write", ctx, path="n/a.txt", content="one\ntwo\n")).details["added"] == 2
    details = (await call("write", ctx, path="n/a.txt", content="one\n2\n3\n")).details
    assert (details["path"], details["added"], details["removed"]) == ("n/a.txt", 2, 1)
    assert details["diff"].startswith("--- a/n/a.txt\n+++ b/n/a.txt\n@@")
    assert (ctx.workspace / "n/a.txt").read_text() == "one\n2\n3\n"


async def test_edit_needs_one_exact_match(ctx: ToolContext) -> None:
    path = ctx.workspace / "a.sh"
    path.write_text("a\na\nb\n")
    path.chmod(0o750)
    with pytest.raises(ToolError, match="2 times"):
        await call("edit", ctx, path="a.sh", old_text="a", new_text="c")
    with pytest.raises(ToolError, match="does not contain"):
        await call("edit", ctx, path="a.sh", old_text="B", new_text="c")
    details = (await call("edit", ctx, path="a.sh", old_text="b", new_text="c")).details
    assert (details["added"], details["removed"]) == (1, 1)
    await call("edit", ctx, path="a.sh", old_text="a", new_text="z", replace_all=True)
    assert path.read_text() == "z\nz\nc\n"
    assert path.stat().st_mode & 0o777 == 0o750
