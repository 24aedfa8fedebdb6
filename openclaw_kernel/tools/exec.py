"""Shell commands and short Python programs on this machine (TOL-02)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.safety.sandbox.service import Place, Sandboxes
from openclaw_kernel.safety.sandbox_api import SandboxError
from openclaw_kernel.tools.api import Asking, Preview, Tool, ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.background import Jobs
from openclaw_kernel.tools.process import Finished, Input, Process
from openclaw_kernel.values.messages import Text

TIMEOUT_S = 1_800
BACKGROUND_S = 10.0
"""Limits table: exec 1,800 s, background 10 s."""


class ExecArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    command: str = Field(min_length=1, max_length=20_000, description="One bash command line")
    timeout_s: float | None = Field(None, gt=0, le=86_400, description="Seconds until it is stopped")
    background: bool = Field(False, description="Do not wait; steer it with process, which can also type into it")
    pty: bool = Field(False, description="A terminal, for programs that ask or draw")


def exec_tool(
    timeout_s: float = TIMEOUT_S,
    sandboxes: Sandboxes | None = None,
    jobs: Jobs | None = None,
    background_s: float = BACKGROUND_S,
) -> Tool:
    """The `exec` tool; `timeout_s` is `tools.exec.timeoutSec`, which the model may only shorten. What still runs after
    `background_s` goes on in the background, if there are `jobs` to take it."""

    async def run(args: ExecArgs, ctx: ToolContext) -> ToolResult:
        limit_s = min(args.timeout_s or timeout_s, timeout_s)
        if args.background and jobs is None:
            raise ToolError("Nothing can run in the background here; leave background out.")
        place = await sandbox_of(sandboxes, ctx)
        if place is not None:
            argv = place.backend.shell(args.command)
        else:
            bash = shutil.which("bash", path=ctx.env.get("PATH")) or shutil.which("bash", path="/bin:/usr/bin")
            if bash is None:
                raise ToolError("bash is not installed on this machine, so no command can be run; install it or use python.")
            argv = (bash, "--noprofile", "--norc", "-c", args.command)
        stdin: Input = "terminal" if args.pty else "pipe" if args.background else "none"
        process = Process(argv, args.command, ctx, limit_s, place, _possible(stdin, place))
        return await report(process, jobs, 0.0 if args.background else background_s)

    async def preview(_arguments: Mapping[str, Any], asking: Asking) -> Preview | None:
        """Names the sandbox on the card. One that is demanded and does not work is told when the command runs."""
        if sandboxes is None:
            return None
        try:
            place = await sandboxes.place(asking.session_key, asking.agent_id, Path(asking.workspace))
        except SandboxError:
            return None
        return Preview(where=f"sandbox ({place.backend.name})") if place is not None else None

    return Tool(
        "exec",
        "Run a bash command in the workspace and return its output; one that takes long goes on in the background. A person "
        "may be asked first. Standard input is empty without pty or background.",
        ExecArgs,
        run,
        effect="host",
        groups=frozenset({"runtime"}),
        title=lambda arguments: first_line(arguments, "command"),
        preview=preview,
    )


def _possible(stdin: Input, place: Place | None) -> Input:
    """A container of the engine has no way in: it gets no terminal, and its input is empty."""
    if place is None or place.backend.name != "docker":
        return stdin
    if stdin == "terminal":
        raise ToolError("There is no terminal in the docker sandbox; leave pty out.")
    return "none"


async def sandbox_of(sandboxes: Sandboxes | None, ctx: ToolContext) -> Place | None:
    """Where a command of this turn runs; `None` is the host. Raises `ToolError` where a sandbox is demanded and none works."""
    if sandboxes is None:
        return None
    try:
        return await sandboxes.place(ctx.session_key, ctx.agent_id, ctx.workspace)
    except SandboxError as error:
        raise ToolError(str(error)) from error


async def report(process: Process, jobs: Jobs | None = None, background_s: float = BACKGROUND_S) -> ToolResult:
    """Waits for a process and words the outcome. One that still runs after `background_s` is handed to `jobs`.

    Details are `{command, cwd, exitCode, durationMs, output}`, `sandbox` with the name of the backend, `outputFile` when cut,
    `status` when it did not end by itself, and `job` when it goes on.
    """
    try:
        if jobs is not None:
            jobs.check_room(process.session_key)
        finished = await process.result(background_s if jobs is not None else None)
    except (asyncio.CancelledError, ToolError):
        await process.destroy()
        raise
    ctx = process.ctx
    details: dict[str, Any] = {"command": process.shown, "cwd": str(ctx.workspace)}
    if process.place is not None:
        details["sandbox"] = process.place.backend.name
    if finished is None:
        assert jobs is not None
        return _goes_on(process, jobs, details)
    details |= {"exitCode": finished.exit_code, "durationMs": finished.duration_ms, "output": finished.output}
    if finished.saved:
        details["outputFile"] = finished.saved
    if finished.ending != "exited":
        details["status"] = finished.ending
    note = _note(finished, ctx, process.timeout_s)
    text = "\n\n".join(part for part in (finished.output.rstrip(), note) if part)
    return ToolResult((Text(text),), details, is_error=bool(note) and note != _SILENT)


def _goes_on(process: Process, jobs: Jobs, details: dict[str, Any]) -> ToolResult:
    output = process.output.text()
    job = jobs.add(process)
    details |= {"status": "running", "job": job.id, "pid": process.pid, "output": output}
    note = f"Still running in the background as {job.id}. Look at it with process; you are told when it ends."
    return ToolResult((Text(f"{output.rstrip()}\n\n{note}".lstrip()),), details)


_SILENT = "(no output)"


def _note(finished: Finished, ctx: ToolContext, timeout_s: float) -> str:
    match finished.ending:
        case "timeout":
            return f"Stopped after {timeout_s:g} seconds, together with everything it had started."
        case "aborted" | "killed":
            return f"Stopped: {ctx.signal.reason or finished.ending}."
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
