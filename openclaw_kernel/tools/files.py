"""Reading and changing files, inside the workspace only (TOL-04, SAF-29)."""

from __future__ import annotations

import asyncio
import base64
import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.safety.paths import ToolPathError, inside, regular_file, shown_path
from openclaw_kernel.tools import changes
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.changes import Change
from openclaw_kernel.tools.closed import refuse_closed
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.messages import Image, Text

MAX_TEXT_BYTES = 5_000_000
MAX_IMAGE_BYTES = 6_000_000
"""Limits table of the behaviour specification, section 4."""
MAX_LINES = 2_000
MAX_CHARS = 32_000
MAX_LINE_CHARS = 2_000
MAX_ENTRIES = 500
MAX_DEEP = 2
"""Each further `**` takes as much longer as there are folders in one another."""

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


class ReadArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    path: str = Field(description="File inside the workspace")
    offset: int = Field(1, ge=1, description="First line")
    limit: int = Field(MAX_LINES, ge=1, le=MAX_LINES, description="Lines")


class WriteArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    path: str = Field(description="File inside the workspace; folders are created")
    content: str = Field(description="The whole new content", max_length=MAX_TEXT_BYTES)


class EditArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    path: str = Field(description="File inside the workspace")
    old_text: str = Field(min_length=1, description="Exactly as in the file; must occur once")
    new_text: str = Field(description="Its replacement")
    replace_all: bool = Field(False, description="Every occurrence")


class UndoArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    path: str | None = Field(None, description="Only the newest change of this file")


class ListArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    path: str = Field(".", description="Folder inside the workspace")
    pattern: str = Field("*", description="Glob such as *.py or **/*.md")


async def read(args: ReadArgs, ctx: ToolContext) -> ToolResult:
    """Numbered lines of a text file, or the image itself."""
    return await guarded(_read, args, ctx)


async def write(args: WriteArgs, ctx: ToolContext) -> ToolResult:
    return await guarded(_write, args, ctx)


async def edit(args: EditArgs, ctx: ToolContext) -> ToolResult:
    return await guarded(_edit, args, ctx)


async def list_files(args: ListArgs, ctx: ToolContext) -> ToolResult:
    return await guarded(_list, args, ctx)


async def undo(args: UndoArgs, ctx: ToolContext) -> ToolResult:
    """Takes the newest change of this session back."""
    return await guarded(_undo, args, ctx)


async def guarded(work: Callable[[Any, ToolContext], ToolResult], args: BaseModel, ctx: ToolContext) -> ToolResult:
    """Runs blocking work in a thread; a refused path or a failing disk becomes one sentence."""
    try:
        result: ToolResult = await asyncio.to_thread(work, args, ctx)
    except UserError as error:
        raise ToolError(str(error)) from error
    except OSError as error:
        shown = getattr(args, "path", "the file")
        raise ToolError(f"{shown}: {error.strerror or error}.") from error
    return result


def _read(args: ReadArgs, ctx: ToolContext) -> ToolResult:
    workspace = ctx.workspace
    path = inside(workspace, args.path)
    refuse_closed(ctx, path)
    size = regular_file(path, args.path).st_size
    shown = shown_path(workspace, path)
    head = _bytes(path, 16)
    media_type = _image_type(head)
    if media_type:
        if size > MAX_IMAGE_BYTES:
            raise ToolError(f"{shown} is an image of {size} bytes; at most {MAX_IMAGE_BYTES} are shown.")
        data = base64.b64encode(_bytes(path, MAX_IMAGE_BYTES)).decode("ascii")
        return ToolResult(
            (Text(f"{shown} ({media_type}, {size} bytes)"), Image(data, media_type)), {"path": shown, "bytes": size}
        )
    lines = read_text(path, shown, size).splitlines()
    chosen = _numbered(lines, args.offset, args.limit)
    if not lines:
        return text_result(f"{shown} is empty.", path=shown, lines=0)
    if not chosen:
        raise ToolError(f"{shown} has {len(lines)} lines; offset {args.offset} is past its end.")
    last = args.offset + len(chosen) - 1
    body = "\n".join(chosen)
    if last < len(lines):
        body += f"\n… {len(lines) - last} more lines; continue with offset {last + 1}."
    return text_result(body, path=shown, lines=len(lines), first=args.offset, last=last)


def _numbered(lines: list[str], offset: int, limit: int) -> list[str]:
    chosen: list[str] = []
    room = MAX_CHARS
    for number, line in enumerate(lines[offset - 1 : offset - 1 + limit], offset):
        cut = line if len(line) <= MAX_LINE_CHARS else line[:MAX_LINE_CHARS] + " … (line cut)"
        numbered = f"{number:>5}\t{cut}"
        room -= len(numbered) + 1
        if room < 0 and chosen:
            break
        chosen.append(numbered)
    return chosen


def _write(args: WriteArgs, ctx: ToolContext) -> ToolResult:
    workspace = ctx.workspace
    path = inside(workspace, args.path)
    shown = shown_path(workspace, path)
    existed = os.path.lexists(path)
    before = read_text(path, shown, regular_file(path, args.path).st_size) if existed else ""
    old = before.encode() if existed else None
    changes.apply(workspace, ctx.session_key, f"write {shown}", [Change(path, args.path, old, args.content.encode())])
    verb = "Rewrote" if existed else "Created"
    return changed(f"{verb} {shown} ({len(args.content.encode())} bytes).", shown, before, args.content)


def _edit(args: EditArgs, ctx: ToolContext) -> ToolResult:
    workspace = ctx.workspace
    path = inside(workspace, args.path)
    size = regular_file(path, args.path).st_size
    shown = shown_path(workspace, path)
    before = read_text(path, shown, size)
    count = before.count(args.old_text)
    if count == 0:
        raise ToolError(f"{shown} does not contain that text; read the file and copy old_text exactly, spaces included.")
    if count > 1 and not args.replace_all:
        raise ToolError(f"{shown} contains that text {count} times; give more of its surroundings, or set replace_all.")
    after = before.replace(args.old_text, args.new_text)
    if after == before:
        raise ToolError(f"{shown}: old_text and new_text are the same; nothing was changed.")
    changes.apply(workspace, ctx.session_key, f"edit {shown}", [Change(path, args.path, before.encode(), after.encode())])
    return changed(f"Edited {shown} ({count} {'place' if count == 1 else 'places'}).", shown, before, after)


def _undo(args: UndoArgs, ctx: ToolContext) -> ToolResult:
    row = changes.undo(ctx.workspace, ctx.session_key, args.path)
    paths = [file.path for file in row.files]
    return text_result(f"Took back: {row.label}. As before: {', '.join(paths)}.", paths=paths, undone=row.label)


def changed(sentence: str, shown: str, before: str, after: str) -> ToolResult:
    """The sentence for the model, the diff for the screen."""
    old, new = before.splitlines(), after.splitlines()
    diff = list(difflib.unified_diff(old, new, f"a/{shown}", f"b/{shown}", lineterm=""))
    body = diff[2:]
    added = sum(1 for line in body if line.startswith("+"))
    removed = sum(1 for line in body if line.startswith("-"))
    text = "\n".join(diff)
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS] + "\n… (diff cut)"
    return text_result(f"{sentence} +{added} −{removed} lines.", path=shown, added=added, removed=removed, diff=text)


def _list(args: ListArgs, ctx: ToolContext) -> ToolResult:
    workspace = ctx.workspace
    folder = inside(workspace, args.path)
    shown = shown_path(workspace, folder)
    if not folder.is_dir():
        raise ToolError(f"{args.path} is not a folder of the workspace; use read for a file.")
    parts = Path(args.pattern).parts
    if Path(args.pattern).is_absolute() or ".." in parts or not parts:
        raise ToolError(f"The pattern {args.pattern!r} leaves the folder; use one such as *.py or **/*.md.")
    if parts.count("**") > MAX_DEEP:
        raise ToolError(f"The pattern {args.pattern!r} has ** more than {MAX_DEEP} times; use glob, or name a folder.")
    entries = [entry for entry in folder.glob(args.pattern) if _stays(workspace, entry) and _theirs(folder, entry)]
    rows = [_row(folder, entry) for entry in sorted(entries)[:MAX_ENTRIES]]
    more = len(entries) - len(rows)
    text = "\n".join(rows) or f"Nothing in {shown} matches {args.pattern}."
    if more > 0:
        text += f"\n… {more} more; narrow the pattern."
    return text_result(text, path=shown, pattern=args.pattern, entries=rows, total=len(entries))


def _stays(workspace: Path, entry: Path) -> bool:
    try:
        inside(workspace, str(entry))
    except ToolPathError:
        return False
    return True


def _theirs(folder: Path, entry: Path) -> bool:
    """Not what the assistant and git themselves keep in a workspace, unless it is asked for."""
    return not {".openclaw", ".git"}.intersection(entry.relative_to(folder).parts)


def _row(folder: Path, entry: Path) -> str:
    name = entry.relative_to(folder).as_posix()
    if entry.is_dir():
        return name + "/"
    try:
        return f"{name}  {entry.stat().st_size} bytes"
    except OSError:
        return name


def _bytes(path: Path, limit: int) -> bytes:
    """The first bytes of a file; a link put in its place since it was checked is refused."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit)


def read_text(path: Path, shown: str, size: int) -> str:
    if size > MAX_TEXT_BYTES:
        raise ToolError(f"{shown} has {size} bytes; at most {MAX_TEXT_BYTES} are read. Use exec with head, tail or grep.")
    data = _bytes(path, MAX_TEXT_BYTES)
    if b"\x00" in data[:8192]:
        raise ToolError(f"{shown} is a binary file; it is not shown as text.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolError(f"{shown} is not UTF-8 text (byte {error.start}); convert it first.") from error


def _image_type(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for magic, media_type in _IMAGES if head.startswith(magic)), "")


def _path_title(verb: str, fallback: str = "") -> Any:
    def title(arguments: Mapping[str, Any]) -> str:
        return f"{verb} {arguments.get('path') or fallback}".strip()

    return title


TOOLS: tuple[Tool, ...] = (
    Tool(
        "read",
        "Read a text file of the workspace with line numbers, or look at an image (PNG, JPEG, GIF, WebP).",
        ReadArgs,
        read,
        effect="workspace",
        read_only=True,
        groups=frozenset({"fs"}),
        title=_path_title("Read"),
    ),
    Tool(
        "write",
        "Create or overwrite a text file of the workspace.",
        WriteArgs,
        write,
        effect="workspace",
        exclusive=True,
        groups=frozenset({"fs"}),
        title=_path_title("Write"),
    ),
    Tool(
        "edit",
        "Replace an exact piece of text in a file of the workspace.",
        EditArgs,
        edit,
        effect="workspace",
        exclusive=True,
        groups=frozenset({"fs"}),
        title=_path_title("Edit"),
    ),
    Tool(
        "undo",
        "Take back the newest change that write, edit or apply_patch made here.",
        UndoArgs,
        undo,
        effect="workspace",
        exclusive=True,
        groups=frozenset({"fs"}),
        title=_path_title("Undo", "the last change"),
    ),
    Tool(
        "list",
        "List files and folders of the workspace, optionally by a glob pattern.",
        ListArgs,
        list_files,
        effect="workspace",
        read_only=True,
        groups=frozenset({"fs"}),
        title=_path_title("List", "."),
    ),
)
