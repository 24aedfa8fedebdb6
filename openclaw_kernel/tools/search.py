"""Finding files by name and lines by pattern, inside the workspace; versions and caches of others are left out."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.safety.paths import ToolPathError, inside
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.closed import closed_paths, refuse_closed
from openclaw_kernel.tools.files import MAX_TEXT_BYTES
from openclaw_kernel.tools.worker import work

SKIPPED = (".git", ".hg", ".svn", ".jj", ".bzr", "CVS", "node_modules", "__pycache__", ".venv", ".tox", ".mypy_cache",
           ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", ".openclaw")  # fmt: skip
MAX_FOUND = 200
MAX_HITS = 200
MAX_SEEN = 200_000
"""Files looked at by name; a larger tree needs a narrower folder."""
LINE_CHARS = 300
SECONDS = 20.0
_WORKER = str(Path(__file__).with_name("grep_worker.py"))


class GlobArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    pattern: str = Field(min_length=1, max_length=200, description="Such as **/*.py, src/*.{ts,tsx} or README*")
    path: str = Field(".", description="Folder inside the workspace")


class GrepArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    pattern: str = Field(min_length=1, max_length=1_000, description="Python regular expression, line by line")
    path: str = Field(".", description="Folder or file inside the workspace")
    glob: str | None = Field(None, max_length=200, description="Only files such as *.py")
    ignore_case: bool = False
    context: int = Field(0, ge=0, le=10, description="Lines around each hit")
    limit: int = Field(50, ge=1, le=MAX_HITS, description="Hits")


async def glob(args: GlobArgs, ctx: ToolContext) -> ToolResult:
    """In a process of its own, as `grep`: some patterns take for ever to be sure that a long name is none of theirs."""
    pattern = as_regex(args.pattern)
    try:
        root = await asyncio.to_thread(inside, ctx.workspace, ".")
        folder = await asyncio.to_thread(inside, ctx.workspace, args.path)
    except ToolPathError as error:
        raise ToolError(str(error)) from error
    if not await asyncio.to_thread(folder.is_dir):
        raise ToolError(f"{args.path} is not a folder of the workspace.")
    asked = {
        "root": str(root), "folder": str(folder), "find": pattern, "skipped": SKIPPED, "limit": MAX_FOUND, "most": MAX_SEEN,
    }  # fmt: skip
    answer = await _work(asked)
    if "error" in answer:
        raise ToolError(f"The pattern {args.pattern!r} cannot be read: {answer['error']}.")
    rows, total = answer["rows"], answer["total"]
    text = "\n".join(rows) or f"No file matches {args.pattern}."
    if total > len(rows):
        text += f"\n… {total - len(rows)} more; narrow the pattern."
    if answer["more"]:
        text += f"\n… only the first {MAX_SEEN} files were looked at; name a folder."
    return text_result(text, pattern=args.pattern, files=rows, total=total)


def as_regex(pattern: str) -> str:
    """A glob as a regular expression over paths with forward slashes: `**` any folders, `*` and `?` within a name, `[a-z]`,
    `{a,b}`. One without a slash is looked for in every folder. Raises `ToolError` when it leaves the folder."""
    pattern = pattern.removeprefix("./")
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        raise ToolError(f"The pattern {pattern!r} leaves the folder; use one such as **/*.md.")
    if "/" not in pattern:
        pattern = "**/" + pattern
    made, depth, at = [], 0, 0
    while at < len(pattern):
        char = pattern[at]
        step = 1
        if pattern.startswith("**/", at):
            made.append("(?:[^/]+/)*")
            step = 3
        elif pattern.startswith("**", at):
            made.append(".*")
            step = 2
        elif char == "*":
            made.append("[^/]*")
        elif char == "?":
            made.append("[^/]")
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            made.append("[" + ("^" + inner[1:] if inner[0] in "!^" else inner) + "]")
            step = end + 1 - at
        elif char == "{" and "}" in pattern[at:]:
            made.append("(?:")
            depth += 1
        elif char == "}" and depth:
            made.append(")")
            depth -= 1
        elif char == "," and depth:
            made.append("|")
        else:
            made.append(re.escape(char))
        at += step
    regex = "".join(made) + ")" * depth + r"\Z"
    try:
        re.compile(regex)
    except re.error as error:
        raise ToolError(f"The pattern {pattern!r} cannot be read: {error}.") from error
    return regex


async def grep(args: GrepArgs, ctx: ToolContext) -> ToolResult:
    """In a process of its own, which is killed when its time is up: a pattern may take for ever."""
    try:
        root = await asyncio.to_thread(inside, ctx.workspace, ".")
        folder = await asyncio.to_thread(inside, ctx.workspace, args.path)
        refuse_closed(ctx, folder)
        if not await asyncio.to_thread(folder.exists):
            raise ToolError(f"{args.path} does not exist; list the folder to see what is there.")
    except ToolPathError as error:
        raise ToolError(str(error)) from error
    asked = {
        "root": str(root), "folder": str(folder), "pattern": args.pattern,
        "names": as_regex(args.glob) if args.glob else None, "skipped": SKIPPED, "ignoreCase": args.ignore_case,
        "context": args.context, "limit": args.limit, "seconds": SECONDS / 2, "fileBytes": MAX_TEXT_BYTES,
        "lineChars": LINE_CHARS, "closed": [str(path) for path in closed_paths(ctx)],
    }  # fmt: skip
    began = time.monotonic()
    answer = await _work(asked)
    if "error" in answer:
        raise ToolError(f"The pattern {args.pattern!r} is no regular expression: {answer['error']}.")
    return _shown(answer, args, round((time.monotonic() - began) * 1000))


async def _work(asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        code, said = await work(_WORKER, json.dumps(asked).encode(), SECONDS, "-S")
    except TimeoutError:
        raise ToolError(f"The search took more than {SECONDS:g} seconds; use a simpler pattern or name a folder.") from None
    if code:
        raise ToolError(f"The search ended with exit code {code}; name a folder or a simpler pattern.")
    answer: dict[str, Any] = json.loads(said)
    return answer


def _shown(answer: Mapping[str, Any], args: GrepArgs, took_ms: int) -> ToolResult:
    lines: list[str] = []
    last: tuple[str, int] = ("", 0)
    for path, number, text, hit in answer["rows"]:
        if args.context and last[0] and (path, number) != (last[0], last[1] + 1):
            lines.append("--")
        lines.append(f"{path}:{number}{':' if hit else '-'} {text}")
        last = (path, number)
    hits = sum(1 for row in answer["rows"] if row[3])
    text = "\n".join(lines) or f"Nothing matches in {answer['files']} files."
    if answer["more"] == "hits":
        text += f"\n… more than {args.limit} hits; narrow the pattern or raise limit."
    elif answer["more"] == "time":
        text += f"\n… only {answer['files']} files were searched in the time there is; name a folder."
    return text_result(text, pattern=args.pattern, hits=hits, files=answer["files"], durationMs=took_ms)


TOOLS: tuple[Tool, ...] = (
    Tool(
        "glob",
        "Find files of the workspace by name, the newest first.",
        GlobArgs,
        glob,
        effect="workspace",
        read_only=True,
        groups=frozenset({"fs"}),
        title=lambda arguments: f"Find {str(arguments.get('pattern', 'files'))[:120]}",
    ),
    Tool(
        "grep",
        "Find lines in the files of the workspace.",
        GrepArgs,
        grep,
        effect="workspace",
        read_only=True,
        groups=frozenset({"fs"}),
        title=lambda arguments: f"Search for {str(arguments.get('pattern', ''))[:120]}",
    ),
)
