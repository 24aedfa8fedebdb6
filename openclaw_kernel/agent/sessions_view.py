"""Sessions as text for a model: one line of a list, a page of history, the places where a word was said (TOL-12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.sessions.transcript import StoredMessage
from openclaw_kernel.values.clock import iso
from openclaw_kernel.values.codec import message_from_wire
from openclaw_kernel.values.messages import AssistantMessage, Message, Text, ToolCall, ToolResultMessage, UserMessage

BLOCK_CHARS = 4_000
PAGE_BYTES = 80_000
"""A block of a history has 4,000 characters at most, a whole page 80 KB (TOL-12)."""
AROUND_CHARS = 120
SEARCH_BYTES = 64 << 20
"""A search stops after this much text."""


def session_line(entry: SessionEntry, running: bool, mine: bool) -> dict[str, Any]:
    """One row of `sessions_list`. Its name is what a person called it: a title of somebody's first words, or a task of another
    session, would bring those words in unfenced."""
    row: dict[str, Any] = {
        "key": entry.key,
        "agentId": entry.agent_id,
        "updatedAt": iso(entry.updated_at),
        "running": running,
    }
    if name := name_of(entry, mine):
        row["name"] = name
    if entry.channel:
        row["channel"] = entry.channel
    if entry.parent_session_key:
        row["spawnedBy"] = entry.parent_session_key
    return row


def name_of(entry: SessionEntry, mine: bool) -> str:
    """The label of a session, where it may be shown; `mine` says that the reader has started it or is it."""
    return (entry.label or "") if mine or entry.created_via != "subagent" else ""


def history_text(messages: Sequence[StoredMessage], tools: bool, chars: int) -> str:
    """The newest messages that fit, oldest first; blocks that are too long are cut."""
    room = min(PAGE_BYTES, chars) - 200
    blocks: list[str] = []
    for stored in reversed(messages):
        for block in reversed([*_blocks(stored.message, tools)]):
            room -= len(block.encode())
            if room < 0:
                return "\n\n".join(["[earlier messages are left out]", *reversed(blocks)])
            blocks.append(block)
    return "\n\n".join(reversed(blocks)) or "(nothing was said)"


def _blocks(message: Message, tools: bool) -> Iterator[str]:
    match message:
        case UserMessage():
            yield _block("user", _text(message))
        case AssistantMessage():
            if message.text.strip():
                yield _block("assistant", message.text)
            if tools:
                for call in message.tool_calls:
                    yield _block(f"call {call.name}", _arguments(call))
        case ToolResultMessage():
            if tools:
                yield _block(f"result {message.tool_name}", _text(message))


def _block(head: str, text: str) -> str:
    if len(text) > BLOCK_CHARS:
        text = f"{text[:BLOCK_CHARS]}\n[cut: {BLOCK_CHARS} of {len(text)} characters]"
    return f"{head}: {text}"


def _arguments(call: ToolCall) -> str:
    return orjson.dumps(dict(call.arguments), default=str).decode()


def _text(message: Message) -> str:
    return "".join(part.text for part in message.content if isinstance(part, Text))


@dataclass(frozen=True, slots=True)
class Seen:
    """A session that may be searched: its key and its file."""

    key: str
    path: Path


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a query stands: `at` is an ISO time, `text` the words around it."""

    key: str
    role: str
    at: str
    text: str


def search_files(files: Iterable[Seen], query: str, limit: int) -> list[Hit]:
    """The newest hits of each file, file by file. Blocking: for a thread."""
    hits: list[Hit] = []
    read = 0
    for seen in files:
        if len(hits) >= limit or read > SEARCH_BYTES or not seen.path.exists():
            continue
        lines = seen.path.read_bytes().split(b"\n")
        read += seen.path.stat().st_size
        hits += _hits(seen.key, reversed(lines), query.lower(), limit - len(hits))
    return hits


def _hits(key: str, lines: Iterable[bytes], query: str, limit: int) -> list[Hit]:
    found: list[Hit] = []
    for line in lines:
        if len(found) >= limit:
            break
        if b'"message"' not in line:
            continue
        try:
            record = orjson.loads(line)
            message = message_from_wire(record["message"]) if record.get("type") == "message" else None
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if isinstance(message, UserMessage | AssistantMessage):
            text = _text(message)
            at = text.lower().find(query)
            if at >= 0:
                role = "user" if isinstance(message, UserMessage) else "assistant"
                part = text[max(0, at - AROUND_CHARS) : at + len(query) + AROUND_CHARS]
                found.append(Hit(key, role, str(record.get("timestamp", "")), part))
    return found
