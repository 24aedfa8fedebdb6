"""Python for the assistant: in the notebook that belongs to the session, else in a fresh, isolated interpreter (TOL-07)."""

from __future__ import annotations

import base64
import binascii
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.safety.sandbox.service import Sandboxes
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.background import Jobs
from openclaw_kernel.tools.exec import BACKGROUND_S, TIMEOUT_S, first_line, report, sandbox_of
from openclaw_kernel.tools.node_api import NodePlace, NodeServices
from openclaw_kernel.tools.process import Process
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.messages import Image, Part, Text

log = logging.getLogger(__name__)

COMMAND = "python.run"
SLACK_S = 10.0
"""How much longer the gateway waits than the code may run, so that the kernel can say itself that time is up."""
MAX_PICTURES = 8
MAX_SHOWN_BYTES = 5_000_000
"""A larger picture is kept as a file and not put before the model."""


class PythonArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    code: str = Field(min_length=1, max_length=60_000, description="Print what you want to see, or end with an expression")
    timeout_s: float | None = Field(None, gt=0, le=86_400, description="Seconds until it is stopped")


def python_tool(
    timeout_s: float = TIMEOUT_S,
    sandboxes: Sandboxes | None = None,
    jobs: Jobs | None = None,
    background_s: float = BACKGROUND_S,
) -> Tool:
    """The `python` tool. Without a node it runs in isolated mode: neither `PYTHON*` variables nor files of the workspace change
    what is imported; in a sandbox where there is one."""

    async def run(args: PythonArgs, ctx: ToolContext) -> ToolResult:
        seconds = min(args.timeout_s or timeout_s, timeout_s)
        if ctx.node is not None and ctx.nodes is not None:
            return await run_in_node(args.code, ctx, ctx.nodes, ctx.node, seconds)
        place = await sandbox_of(sandboxes, ctx)
        argv = place.backend.python(args.code) if place else (sys.executable, "-I", "-u", "-c", args.code)
        return await report(Process(argv, args.code, ctx, seconds, place), jobs, background_s)

    return Tool(
        "python",
        "Run Python code and return what it prints and its last value. In a notebook's session it runs in the notebook's "
        "kernel, with its variables; else in a new process in the workspace. A person may be asked first.",
        PythonArgs,
        run,
        effect="host",
        groups=frozenset({"runtime"}),
        title=lambda arguments: first_line(arguments, "code"),
        node_command=lambda _arguments: COMMAND,
    )


async def run_in_node(code: str, ctx: ToolContext, nodes: NodeServices, place: NodePlace, timeout_s: float) -> ToolResult:
    """Runs on the node that was approved, and on no other: one that has left meanwhile is an error."""
    params = {"code": code, "timeoutMs": int(timeout_s * 1000)}
    try:
        answer = await nodes.invoke(
            place, COMMAND, params, timeout_s=timeout_s + SLACK_S, progress=lambda text: ctx.progress(text, None)
        )
    except OpenClawError as error:
        raise ToolError(f"{place.label}: {error}") from error
    failure = answer.get("error") if answer.get("status") == "error" else None
    images = [one for one in answer.get("images") or () if isinstance(one, Mapping)][:MAX_PICTURES]
    surfaces = [one for one in answer.get("surfaces") or () if isinstance(one, Mapping) and is_sound(one)]
    for surface in surfaces:
        nodes.show(ctx.session_key, str(surface["surfaceId"]), "", place)
    media, shown = await _pictures(images, nodes)
    details: dict[str, Any] = {
        "command": code,
        "where": place.label,
        "nodeId": place.node_id,
        "output": _text(answer, failure),
    }
    if media:
        details["media"] = media
    if surfaces:
        details["surface"] = {"title": "", **surfaces[0]}
        details["surfaces"] = surfaces
    if failure is not None:
        details["status"] = "failed"
    text = details["output"] or ("Shown." if media or surfaces else "(no output)")
    return ToolResult((Text(text), *shown), details, is_error=failure is not None)


def is_sound(surface: Mapping[str, Any]) -> bool:
    """Whether a surface may be drawn and stored; what the kernel's code made goes through the same guard (CAN-02)."""
    messages = surface.get("messages")
    if not surface.get("surfaceId") or not isinstance(messages, list):
        return False
    from openclaw_kernel.canvas.guard import check_messages  # with its catalogue 15 ms, and most answers hold no canvas

    problems = check_messages(messages)
    if problems:
        log.warning("surface %s was left out: %s", surface["surfaceId"], problems[0].message)
    return not problems


def _text(answer: Mapping[str, Any], failure: Any) -> str:
    printed = str(answer.get("stdout") or "").rstrip()
    value = str(answer.get("result") or "")
    trace = str(failure.get("traceback") or failure.get("evalue") or "failed") if isinstance(failure, Mapping) else ""
    return "\n".join(part for part in (printed, value, trace.rstrip()) if part)


async def _pictures(images: Sequence[Mapping[str, Any]], nodes: NodeServices) -> tuple[list[dict[str, str]], list[Part]]:
    """`details.media` rows for the faces, and image parts for a model that sees."""
    media: list[dict[str, str]] = []
    shown: list[Part] = []
    for number, image in enumerate(images, 1):
        media_type, text = str(image.get("mediaType") or "image/png"), str(image.get("base64") or "")
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            log.warning("a picture of the node was left out: %s", error)
            continue
        suffix = media_type.partition("/")[2]
        media.append({"path": await nodes.keep_media(data, media_type), "mediaType": media_type, "name": f"{number}.{suffix}"})
        if len(data) <= MAX_SHOWN_BYTES:
            shown.append(Image(text, media_type))
    return media, shown
