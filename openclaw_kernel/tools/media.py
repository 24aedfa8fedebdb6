"""A document or a picture that a tool was pointed at: found, checked, and opened in a process of its own (TOL-19)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openclaw_kernel.safety.paths import inside, regular_file
from openclaw_kernel.tools.api import Effect, ToolContext, ToolError
from openclaw_kernel.tools.web import Web
from openclaw_kernel.tools.worker import work
from openclaw_kernel.values.errors import UserError

MAX_BYTES = 10_000_000
"""Of one file (TOL-19, TOL-20)."""
FETCH_S = 30.0
WORK_S = 30.0
_WORKER = str(Path(__file__).with_name("media_worker.py"))


def is_url(source: str) -> bool:
    return urlsplit(source).scheme in ("http", "https")


def effect_of(sources: object) -> Effect:
    """Reading a file of the workspace, or asking another machine for one."""
    named = sources if isinstance(sources, list) else [sources]
    return "outbound" if any(is_url(str(source)) for source in named) else "workspace"


async def load(source: str, ctx: ToolContext, web: Web) -> bytes:
    """The content of a file of the workspace or of a web address. Raises `ToolError`."""
    try:
        return await (_fetch(source, web) if is_url(source) else asyncio.to_thread(_read, source, ctx.workspace))
    except UserError as error:
        raise ToolError(str(error)) from error
    except OSError as error:
        raise ToolError(f"{source}: {error.strerror or error}.") from error


def _read(source: str, workspace: Path) -> bytes:
    path = inside(workspace, source)
    size = regular_file(path, source).st_size
    if size > MAX_BYTES:
        raise ToolError(f"{source} has {size} bytes; at most {MAX_BYTES} are read.")
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        return file.read(MAX_BYTES)


async def _fetch(url: str, web: Web) -> bytes:
    settings = web.settings().fetch
    if not settings.enabled:
        raise ToolError("Reading from the web is switched off: tools.web.fetch.enabled is false.")
    allowed = settings.ssrf_policy.allowed_hostnames
    answer = await web.request("GET", url, allowed=allowed, max_bytes=MAX_BYTES, timeout_s=FETCH_S)
    host = urlsplit(answer.url).hostname
    if answer.status >= 400:
        raise ToolError(f"{host} answers with status {answer.status}.")
    if answer.cut:
        raise ToolError(f"The file at {host} has more than {MAX_BYTES} bytes.")
    return answer.body


async def opened(name: str, data: bytes, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the worker makes of it; it is killed when its time is up. Raises `ToolError`, with `name` as its subject."""
    try:
        code, said = await work(_WORKER, json.dumps(asked).encode() + b"\n" + data, WORK_S)
    except TimeoutError:
        raise ToolError(f"{name} was not opened within {WORK_S:g} seconds; it may be made to keep its reader busy.") from None
    if code or not said:
        raise ToolError(f"{name} needs more time or memory to be opened than it may have.")
    answer: dict[str, Any] = json.loads(said)
    if "error" in answer:
        raise ToolError(f"{name} {answer['error']}.")
    return answer
