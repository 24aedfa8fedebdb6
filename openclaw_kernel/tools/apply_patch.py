"""The `apply_patch` tool: changes to several files of the workspace, all of them or none (TOL-05)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.safety.paths import inside, regular_file, shown_path
from openclaw_kernel.tools import changes
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.changes import Change
from openclaw_kernel.tools.files import MAX_CHARS, MAX_TEXT_BYTES, guarded, read_text


class PatchArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    patch: str = Field(
        min_length=1,
        max_length=1_000_000,
        description="*** Begin Patch … *** End Patch, with *** Add File: p (lines with +), *** Delete File: p, *** Update "
        "File: p (@@ and lines with space, - or +)",
    )


async def apply_patch(args: PatchArgs, ctx: ToolContext) -> ToolResult:
    return await guarded(_apply, args, ctx)


def _apply(args: PatchArgs, ctx: ToolContext) -> ToolResult:
    """Works out every file's new content first; only then is the first one written."""
    from openclaw_kernel.tools.patch import Add, Delete, Update, parse, updated  # not before the first patch

    files: dict[Path, _File] = {}
    for step in parse(args.patch):
        file = _file(files, ctx.workspace, step.path)
        match step:
            case Add(lines=lines):
                if file.now is not None:
                    raise ToolError(f"{step.path} exists already; use Update File. Nothing was changed.")
                file.now = "".join(f"{line}\n" for line in lines)
            case Delete():
                _existing(file, step.path)
                file.now = None
            case Update(move_to=move_to):
                after = updated(_existing(file, step.path), step)
                target = _file(files, ctx.workspace, move_to) if move_to else file
                if target is not file:
                    if target.now is not None:
                        raise ToolError(f"{move_to} exists already, so {step.path} cannot be moved there. Nothing was changed.")
                    file.now = None
                target.now = after
    for file in files.values():
        if file.now is not None and len(file.now.encode()) > MAX_TEXT_BYTES:
            raise ToolError(f"{file.named} would be larger than {MAX_TEXT_BYTES} bytes. Nothing was changed.")
    touched = [file for file in files.values() if file.now != file.before]
    if not touched:
        raise ToolError("The patch leaves every file as it is; nothing was changed.")
    label = "patch " + ", ".join(file.shown for file in touched)
    changes.apply(ctx.workspace, ctx.session_key, label, [file.change() for file in touched])
    return _report(touched)


class _File:
    """One file as the patch finds it and as it leaves it."""

    def __init__(self, path: Path, named: str, shown: str, before: str | None) -> None:
        self.path, self.named, self.shown = path, named, shown
        self.before = self.now = before

    def change(self) -> Change:
        before = self.before.encode() if self.before is not None else None
        return Change(self.path, self.named, before, self.now.encode() if self.now is not None else None)

    def letter(self) -> str:
        return "A" if self.before is None else "D" if self.now is None else "M"


def _file(files: dict[Path, _File], workspace: Path, named: str) -> _File:
    path = inside(workspace, named)
    if path not in files:
        shown = shown_path(workspace, path)
        try:
            before: str | None = read_text(path, shown, regular_file(path, named).st_size) if path.exists() else None
        except ToolError as error:
            raise ToolError(f"{error} Nothing was changed.") from error
        files[path] = _File(path, named, shown, before)
    return files[path]


def _existing(file: _File, named: str) -> str:
    if file.now is None:
        raise ToolError(f"{named} does not exist. Nothing was changed.")
    return file.now


def _report(touched: list[_File]) -> ToolResult:
    rows = []
    pieces: list[str] = []
    for file in touched:
        old, new = (file.before or "").splitlines(), (file.now or "").splitlines()
        diff = list(difflib.unified_diff(old, new, f"a/{file.shown}", f"b/{file.shown}", lineterm=""))
        added = sum(1 for line in diff[2:] if line.startswith("+"))
        removed = sum(1 for line in diff[2:] if line.startswith("-"))
        rows.append({"path": file.shown, "change": file.letter(), "added": added, "removed": removed})
        pieces += diff
    text = "\n".join(f"{row['change']} {row['path']} +{row['added']} −{row['removed']}" for row in rows)
    shown = "\n".join(pieces)
    if len(shown) > MAX_CHARS:
        shown = shown[:MAX_CHARS] + "\n… (diff cut)"
    return text_result(text, files=rows, diff=shown)


def _title(arguments: Mapping[str, Any]) -> str:
    paths = re.findall(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", str(arguments.get("patch", "")), re.MULTILINE)
    return "Patch " + (", ".join(paths[:4]) + (" …" if len(paths) > 4 else "") if paths else "files")


TOOLS: tuple[Tool, ...] = (
    Tool(
        "apply_patch",
        "Change several files of the workspace at once: all of the patch is applied or nothing.",
        PatchArgs,
        apply_patch,
        effect="workspace",
        exclusive=True,
        groups=frozenset({"fs"}),
        title=_title,
        comes_with="write",
    ),
)
