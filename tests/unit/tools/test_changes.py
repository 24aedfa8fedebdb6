"""Patches: all of them or nothing, inside the workspace, and every change can be taken back (TOL-04, TOL-05)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_kernel.safety.tool_policy import Layer, standings
from openclaw_kernel.store import atomic
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.tools import apply_patch, changes, files
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.changes import Change
from openclaw_kernel.tools.patch import Hunk, Update, parse, updated
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "work"
    workspace.mkdir()
    (tmp_path / "secret.txt").write_text("top secret\n")
    (workspace / "out").symlink_to(tmp_path)
    (workspace / "a.py").write_text("import os\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return 1\n")
    (workspace / "gone.txt").write_text("bye\n")
    return ToolContext("r", "agent:main:main", "main", workspace, AbortSignal(), lambda *_: None, {})


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


async def call(name: str, ctx: ToolContext, **arguments: Any) -> ToolResult:
    tool = next(tool for tool in (*files.TOOLS, *apply_patch.TOOLS) if tool.name == name)
    return await tool.run(tool.parameters.model_validate(arguments), ctx)


async def patch(ctx: ToolContext, *lines: str) -> ToolResult:
    return await call("apply_patch", ctx, patch="\n".join(("*** Begin Patch", *lines, "*** End Patch")))


def held(ctx: ToolContext) -> dict[str, str]:
    return {
        path.relative_to(ctx.workspace).as_posix(): path.read_text()
        for path in sorted(ctx.workspace.rglob("*"))
        if path.is_file() and ".openclaw" not in path.parts and "out" not in path.relative_to(ctx.workspace).parts
    }


SEVERAL = (
    "*** Add File: new/b.py", "+print('b')", "*** Update File: a.py", "@@ def two():", "-    return 1", "+    return 2",
    "*** Delete File: gone.txt",
)  # fmt: skip


async def test_several_files_are_changed_at_once_and_taken_back_at_once(ctx: ToolContext) -> None:
    before = held(ctx)
    result = await patch(ctx, *SEVERAL)
    assert text(result) == "A new/b.py +1 −0\nM a.py +1 −1\nD gone.txt +0 −1"
    assert held(ctx) == {"a.py": before["a.py"][: -len("1\n")] + "2\n", "new/b.py": "print('b')\n"}
    assert "Took back: patch new/b.py, a.py, gone.txt." in text(await call("undo", ctx))
    assert held(ctx) == before
    with pytest.raises(ToolError, match="no change"):
        await call("undo", ctx)


async def test_a_file_is_moved_and_changed(ctx: ToolContext) -> None:
    await patch(ctx, "*** Update File: a.py", "*** Move to: lib/c.py", "@@", "-import os", "+import sys")
    assert set(held(ctx)) == {"lib/c.py", "gone.txt"} and held(ctx)["lib/c.py"].startswith("import sys\n")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("*** Delete File: gone.txt", "*** Update File: a.py", "@@", "-no such line", "+x"), "does not hold these lines"),
        (("*** Delete File: gone.txt", "*** Add File: a.py", "+x"), "exists already"),
        (("*** Delete File: gone.txt", "*** Delete File: missing"), "does not exist"),
        (("*** Delete File: gone.txt", "*** Add File: ../x", "+x"), "outside the workspace"),
        (("*** Delete File: gone.txt", "*** Update File: out/secret.txt", "@@", "-top secret", "+x"), "outside the workspace"),
        (("*** Delete File: gone.txt", "*** Update File: a.py", "*** Move to: out/x", "@@", "-import os"), "outside"),
        (("*** Delete File: gone.txt", "*** Update File: a.py", "nonsense"), "Line 4 of the patch"),
        (("*** Delete File: gone.txt", "*** Update File: a.py"), "nothing of what to change"),
        ((), "changes no file"),
    ],
)
async def test_one_wrong_step_and_nothing_is_changed(ctx: ToolContext, lines: tuple[str, ...], why: str) -> None:
    before = held(ctx)
    with pytest.raises(ToolError, match=why):
        await patch(ctx, *lines)
    assert held(ctx) == before
    assert (ctx.workspace.parent / "secret.txt").read_text() == "top secret\n"


async def test_a_disk_that_refuses_the_second_file_gets_the_first_back(
    ctx: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = held(ctx), atomic.write_atomic

    def failing(path: Path, data: str | bytes, mode: int = 0o600) -> None:
        if path.name == "a.py" and b"return 2" in (data if isinstance(data, bytes) else data.encode()):
            raise StoreError.from_os("write", path, OSError(28, "No space left on device"))
        real(path, data, mode)

    monkeypatch.setattr(changes, "write_atomic", failing)
    with pytest.raises(ToolError, match="space"):
        await patch(ctx, *SEVERAL)
    assert held(ctx) == before


async def test_what_a_crash_left_half_done_can_be_taken_back(ctx: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        """As sudden as a power cut: nothing is tidied up."""

    before, real = held(ctx), atomic.write_atomic

    def crashing(path: Path, data: str | bytes, mode: int = 0o600) -> None:
        if path.name == "a.py":
            raise Crash
        real(path, data, mode)

    monkeypatch.setattr(changes, "write_atomic", crashing)
    wanted = [
        Change(ctx.workspace / "new.txt", "new.txt", None, b"new"),
        Change(ctx.workspace / "a.py", "a.py", before["a.py"].encode(), b"x"),
    ]
    with pytest.raises(Crash):
        changes.apply(ctx.workspace, ctx.session_key, "patch new.txt, a.py", wanted)
    assert "new.txt" in held(ctx)
    monkeypatch.setattr(changes, "write_atomic", real)
    await call("undo", ctx)
    assert held(ctx) == before


async def test_what_somebody_else_changed_since_is_not_taken_back(ctx: ToolContext) -> None:
    await call("edit", ctx, path="a.py", old_text="import os", new_text="import sys")
    (ctx.workspace / "a.py").write_text("mine\n")
    with pytest.raises(ToolError, match=r"a\.py was changed since"):
        await call("undo", ctx)
    assert held(ctx)["a.py"] == "mine\n"


async def test_changes_are_taken_back_newest_first_or_by_file(ctx: ToolContext) -> None:
    await call("write", ctx, path="x.txt", content="1")
    await call("write", ctx, path="x.txt", content="2")
    await call("write", ctx, path="y.txt", content="y")
    assert "write x.txt" in text(await call("undo", ctx, path="x.txt"))
    assert (held(ctx)["x.txt"], held(ctx)["y.txt"]) == ("1", "y")
    await call("undo", ctx)
    assert "y.txt" not in held(ctx)
    await call("undo", ctx)
    assert "x.txt" not in held(ctx)


async def test_another_conversation_takes_nothing_back(ctx: ToolContext) -> None:
    await call("write", ctx, path="x.txt", content="1")
    with pytest.raises(ToolError, match="no change"):
        await call("undo", replace(ctx, session_key="agent:main:other"))


async def test_the_mode_of_a_file_is_kept(ctx: ToolContext) -> None:
    (ctx.workspace / "a.py").chmod(0o755)
    await patch(ctx, "*** Delete File: a.py")
    await call("undo", ctx)
    assert (ctx.workspace / "a.py").stat().st_mode & 0o777 == 0o755


async def test_a_link_instead_of_the_folder_of_changes_is_refused(ctx: ToolContext) -> None:
    (ctx.workspace / ".openclaw").symlink_to(ctx.workspace.parent)
    with pytest.raises(ToolError, match="outside the workspace"):
        await call("write", ctx, path="x.txt", content="1")
    assert "x.txt" not in held(ctx)


async def test_only_so_many_changes_are_kept(ctx: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "KEEP", 3)
    for number in range(6):
        await call("write", ctx, path="x.txt", content=str(number))
    assert len(list((ctx.workspace / changes.FOLDER / "contents").iterdir())) == 3
    for wanted in ("4", "3", "2"):
        await call("undo", ctx)
        assert held(ctx)["x.txt"] == wanted
    with pytest.raises(ToolError, match="no change"):
        await call("undo", ctx)


def test_who_may_write_may_patch() -> None:
    box = Toolbox(builtin_tools())
    assert "apply_patch" in box.filtered(["write"]).names()
    assert "apply_patch" in box.filtered(None, ["write"]).names()
    assert "apply_patch" not in box.filtered(["read"]).names()
    assert "apply_patch" not in box.filtered(["write"], ["apply_patch"]).names()
    for allow, deny, left in ((("write",), (), True), (None, ("write",), True), (("read",), (), False)):
        found = standings([("apply_patch", frozenset({"fs"}))], [Layer("tools", allow, deny)])
        assert found["apply_patch"].callable is left


# --- the format


@pytest.mark.parametrize(
    ("content", "hunk", "wanted"),
    [
        ("a\nb\nc\n", ("@@", " a", "-b", "+B"), "a\nB\nc\n"),
        ("a  \nb\n", ("@@", "-a", "+A"), "A\nb\n"),
        ("  a\nb\n", ("@@", "-a", "+  A"), "  A\nb\n"),
        ("x\ny\nx\n", ("@@", "-x", "+z", "*** End of File"), "x\ny\nz\n"),
        ("a\r\nb\r\n", ("@@", "-b", "+B"), "a\r\nB\r\n"),
        ("a\nb", ("@@", "-b", "+B"), "a\nB"),
        ("", ("@@", "+new"), "new\n"),
        ("a\n", ("@@", "+end", "*** End of File"), "a\nend\n"),
        ("def f():\n  x\ndef g():\n  x\n", ("@@ def g():", "-  x", "+  y"), "def f():\n  x\ndef g():\n  y\n"),
        ("a\n\nb\n", ("@@", " a", "", "-b", "+B"), "a\n\nB\n"),
    ],
)
def test_hunks(content: str, hunk: tuple[str, ...], wanted: str) -> None:
    (step,) = parse("\n".join(("*** Begin Patch", "*** Update File: f", *hunk, "*** End Patch")))
    assert isinstance(step, Update)
    assert updated(content, step) == wanted


lines = st.lists(st.text("ab ", max_size=3), max_size=8)


@given(before=lines, taken=st.integers(0, 8), given=lines)
def test_a_hunk_of_the_first_lines_replaces_exactly_them(before: list[str], taken: int, given: list[str]) -> None:
    old = before[:taken]
    content = "".join(f"{line}\n" for line in before)
    after = updated(content, Update("f", "", [Hunk("", list(old), list(given))] if old else []))
    assert after == ("".join(f"{line}\n" for line in (*given, *before[taken:])) if old else content)
