"""`logs.tail`: the gateway's own log, one JSON record a line (protocol section 5)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import Field

from openclaw_gateway.methods.services import Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method

DEFAULT_LIMIT = 500
DEFAULT_BYTES = 250_000


class LogsTailParams(Params):
    cursor: int | None = Field(default=None, ge=0)
    limit: int | None = Field(default=None, ge=1, le=5000)
    max_bytes: int | None = Field(default=None, ge=1, le=1_000_000)


def tail(path: Path, cursor: int | None, limit: int, max_bytes: int) -> dict[str, Any]:
    """Whole lines behind `cursor`, or the last ones. A cursor beyond the end means the file was rotated: start anew."""
    size = path.stat().st_size if path.exists() else 0
    reset = cursor is not None and cursor > size
    start = cursor if cursor is not None and not reset else 0
    truncated = size - start > max_bytes
    if truncated:
        start = size - max_bytes
    raw = b""
    if size > start:
        with path.open("rb") as file:
            file.seek(start)
            raw = file.read(size - start)
    if truncated:
        raw = raw[raw.find(b"\n") + 1 :]
    end = raw.rfind(b"\n") + 1
    lines = raw[:end].decode("utf-8", "replace").splitlines()
    if len(lines) > limit:
        lines, truncated = lines[-limit:], True
    after = size - (len(raw) - end)
    return {"file": str(path), "cursor": after, "size": size, "lines": lines, "truncated": truncated, "reset": reset}


async def logs_tail(params: LogsTailParams, call: Call) -> dict[str, Any]:
    path = parts(call).log_file
    return await asyncio.to_thread(tail, path, params.cursor, params.limit or DEFAULT_LIMIT, params.max_bytes or DEFAULT_BYTES)


METHODS = [Method("logs.tail", LogsTailParams, logs_tail, "operator.read")]
