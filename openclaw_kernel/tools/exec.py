"""Shell commands and short Python programs on this machine (TOL-02)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.safety.sandbox.service import Place, Sandboxes
from openclaw_kernel.safety.sandbox_api import SandboxError
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.process import Finished, run_process
from openclaw_kernel.values.messages import Text

TIMEOUT_S = 1_800
"""Limits table: exec 1,800 s."""


class ExecArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    command: str = Field(min_length=1, max_length=20_000, description="One bash command line, run in the workspace")
    timeout_s: float | None = Field(None, gt=0, le=86_400, description="Seconds after which it is stopped")


def exec_tool(timeout_s: float = TIMEOUT_S, sandboxes: Sandboxes | None = None) -> Tool:
    """The `exec` tool; `timeout_s` is `tools.exec.timeoutSec`, which the model may only shorten."""

    async def run(args: ExecArgs, ctx: ToolContext) -> ToolResult:
        limit_s = min(args.timeout_s or timeout_s, timeout_s)
        place = await sandbox_of(sandboxes, ctx)
        if place is not None:
            return await run_and_report(place.backend.shell(args.command), args.command, ctx, limit_s, place)
        bash = shutil.which("bash", path=ctx.env.get("PATH")) or shutil.which("bash", path="/bin:/usr/bin")
        if bash is None:
            raise ToolError("bash is not installed on this machine, so no command can be run; install it or use python.")
        argv = (bash, "--noprofile", "--norc", "-c", args.command)
        return await run_and_report(argv, args.command, ctx, limit_s)

    return Tool(
        "exec",
        "Run a bash command in the workspace and return its output. A person may be asked first. Standard input is empty.",
        ExecArgs,
        run,
        effect="host",
        groups=frozenset({"runtime"}),
        title=lambda arguments: first_line(arguments, "command"),
    )


async def sandbox_of(sandboxes: Sandboxes | None, ctx: ToolContext) -> Place | None:
    """Where a command of this turn runs; `None` is the host. Raises `ToolError` where a sandbox is demanded and none works."""
    if sandboxes is None:
        return None
    try:
        return await sandboxes.place(ctx.session_key, ctx.agent_id, ctx.workspace)
    except SandboxError as error:
        raise ToolError(str(error)) from error


async def run_and_report(
    argv: tuple[str, ...], shown: str, ctx: ToolContext, timeout_s: float, place: Place | None = None
) -> ToolResult:
    """Runs, in the sandbox `place` if there is one, and words the outcome; details are `{command, cwd, exitCode, durationMs,
    output}`, `sandbox` with the name of the backend, and `outputFile` when cut."""
    if place is None:
        finished = await run_process(argv, ctx, timeout_s)
    else:
        try:
            async with place.wrapped(argv, ctx.env) as wrapped:
                finished = await run_process(argv, ctx, timeout_s, wrapped)
        except SandboxError as error:
            raise ToolError(str(error)) from error
    details: dict[str, Any] = {
        "command": shown,
        "cwd": str(ctx.workspace),
        "exitCode": finished.exit_code,
        "durationMs": finished.duration_ms,
        "output": finished.output,
    }
    if place is not None:
        details["sandbox"] = place.backend.name
    if finished.saved:
        details["outputFile"] = finished.saved
    if finished.ending != "exited":
        details["status"] = finished.ending
    note = _note(finished, ctx, timeout_s)
    text = "\n\n".join(part for part in (finished.output.rstrip(), note) if part)
    return ToolResult((Text(text),), details, is_error=bool(note) and note != _SILENT)


_SILENT = "(no output)"


def _note(finished: Finished, ctx: ToolContext, timeout_s: float) -> str:
    match finished.ending:
        case "timeout":
            return f"Stopped after {timeout_s:g} seconds, together with everything it had started."
        case "aborted":
            return f"Stopped: {ctx.signal.reason or 'aborted'}."
        case _ if finished.exit_code < 0:
            return f"Ended by signal {-finished.exit_code}."
        case _ if finished.exit_code:
            return f"Exit code {finished.exit_code}."
        case _:
            return "" if finished.output.strip() else _SILENT


def first_line(arguments: Mapping[str, Any], key: str) -> str:
    """The first line of an argument, shortened for one row of the screen."""
    line = str(arguments.get(key, "")).strip().partition("\n")[0]
    return line if len(line) <= 120 else line[:119] + "…"
