"""What was said in a transcript, as chunks: one exchange each, the person's words and the assistant's answer (MEM-13).

Tool calls, their results and thoughts are never read. A transcript only grows, so the next reading goes on where the last
exchange began: that one may have grown too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.memory.api import Provenance
from openclaw_kernel.memory.chunking import Chunk, cut

ROLES = {"user": "User", "assistant": "Assistant"}
MAX_MESSAGE_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """A transcript that may be searched: a private conversation of the agent. `name` tells it from others of the same key."""

    name: str
    path: Path
    session_key: str
    provenance: Provenance = "owner"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Some lines of a transcript, from a person's message to the next one. Lines count from 1; `byte1` is behind the last."""

    line0: int
    line1: int
    byte0: int
    byte1: int
    text: str
    day: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Chunks with their days, where the next reading starts, and whether other people's words came into what was read."""

    chunks: list[tuple[Chunk, str]]
    tail_offset: int
    tail_line: int
    tainted: bool


def read_said(path: Path, offset: int, line: int, tokens: int) -> Reading:
    """Reads from byte `offset`, which is the start of line `line` (from 1). Raises `OSError`."""
    chunks: list[tuple[Chunk, str]] = []
    taints: list[int] = []
    with path.open("rb") as file:
        file.seek(offset)
        last: Exchange | None = None
        for last in _exchanges(_messages(file, offset, line, taints)):
            chunks += [(chunk, last.day) for chunk in _cut(last, tokens)]
    return Reading(chunks, last.byte0 if last else offset, last.line0 if last else line, bool(taints))


def _cut(exchange: Exchange, tokens: int) -> Iterator[Chunk]:
    for chunk in cut(exchange.text.encode(), tokens, 0):
        place = (exchange.line0, exchange.line1, exchange.byte0, exchange.byte1)
        yield replace(chunk, line0=place[0], line1=place[1], byte0=place[2], byte1=place[3], heading="")


def _exchanges(messages: Iterable[tuple[int, int, int, str, str, str]]) -> Iterator[Exchange]:
    group: Exchange | None = None
    for line, byte0, byte1, role, text, day in messages:
        words = f"{ROLES[role]}: {text}"
        if group is not None and role != "user":
            group = replace(group, line1=line, byte1=byte1, text=f"{group.text}\n\n{words}")
            continue
        if group is not None:
            yield group
        group = Exchange(line, line, byte0, byte1, words, day)
    if group is not None:
        yield group


def _messages(
    lines: Iterable[bytes], offset: int, number: int, taints: list[int]
) -> Iterator[tuple[int, int, int, str, str, str]]:
    """Line, byte range, role, text and day of every message with words in it; a torn last line is left for later. `taints` gets
    the lines that say that untrusted content came in (SAF-23)."""
    for raw in lines:
        if not raw.endswith(b"\n"):
            return
        found = _message(raw)
        if found is not None:
            yield (number, offset, offset + len(raw), *found)
        elif b'"customType":"taint"' in raw:
            taints.append(number)
        offset += len(raw)
        number += 1


def _message(raw: bytes) -> tuple[str, str, str] | None:
    if b'"message"' not in raw:
        return None
    try:
        record = orjson.loads(raw)
        message = record["message"] if record.get("type") == "message" else None
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            return None
        text = _text(message.get("content"))[:MAX_MESSAGE_CHARS].strip()
        return (message["role"], text, str(record.get("timestamp", ""))[:10]) if text else None
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return None  # a line that is no message says nothing


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict) and part.get("type") == "text")
