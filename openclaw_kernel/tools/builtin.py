"""The tools every installation has, one list per family."""

from __future__ import annotations

from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.safety.sandbox.service import Sandboxes
from openclaw_kernel.tools import apply_patch, canvas, files, notebook, search, sessions, subagents, variables
from openclaw_kernel.tools.agents import agent_tools
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.tools.assistant import assistant_tools
from openclaw_kernel.tools.background import Jobs
from openclaw_kernel.tools.exec import BACKGROUND_S, TIMEOUT_S, exec_tool
from openclaw_kernel.tools.notes import notes_tools
from openclaw_kernel.tools.process_tool import process_tool
from openclaw_kernel.tools.python import python_tool
from openclaw_kernel.tools.web import Web
from openclaw_kernel.tools.web_fetch import fetch_tool
from openclaw_kernel.tools.web_search import search_tool


def builtin_tools(
    exec_timeout_s: float = TIMEOUT_S,
    sandboxes: Sandboxes | None = None,
    jobs: Jobs | None = None,
    background_s: float = BACKGROUND_S,
    web: Web | None = None,
    memories: Memories | None = None,
) -> list[Tool]:
    """All built-in tools in the order the model sees them; `exec_timeout_s` is `tools.exec.timeoutSec`, `background_s` is
    `tools.exec.backgroundMs` in seconds. Without `sandboxes` programs run on the host, without `jobs` none outlives its
    call, without `memories` nothing is remembered."""
    web = web or Web()
    hands = (exec_timeout_s, sandboxes, jobs, background_s)
    return [
        *files.TOOLS,
        *apply_patch.TOOLS,
        *search.TOOLS,
        exec_tool(*hands),
        process_tool(jobs or Jobs()),
        python_tool(*hands),
        *variables.TOOLS,
        *notebook.TOOLS,
        *notes_tools(memories),
        fetch_tool(web),
        search_tool(web),
        *canvas.TOOLS,
        *assistant_tools(),
        *sessions.TOOLS,
        *subagents.TOOLS,
        *agent_tools(),
    ]
