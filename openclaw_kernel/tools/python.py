"""A short Python program in a fresh, isolated interpreter."""

from __future__ import annotations

import sys

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolResult
from openclaw_kernel.tools.exec import TIMEOUT_S, first_line, run_and_report


class PythonArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    code: str = Field(min_length=1, max_length=60_000, description="Python source; print what you want to see")
    timeout_s: float | None = Field(None, gt=0, le=86_400, description="Seconds after which it is stopped")


def python_tool(timeout_s: float = TIMEOUT_S) -> Tool:
    """The `python` tool. Isolated mode: neither `PYTHON*` variables nor files of the workspace change what is imported."""

    async def run(args: PythonArgs, ctx: ToolContext) -> ToolResult:
        argv = (sys.executable, "-I", "-u", "-c", args.code)
        return await run_and_report(argv, args.code, ctx, min(args.timeout_s or timeout_s, timeout_s))

    return Tool(
        "python",
        "Run Python code in a new process in the workspace and return what it prints. A person may be asked first.",
        PythonArgs,
        run,
        effect="host",
        groups=frozenset({"runtime"}),
        title=lambda arguments: first_line(arguments, "code"),
    )
