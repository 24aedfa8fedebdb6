"""The session index: one row per session key, the last row wins. Field names are OpenClaw's (protocol section 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

TITLE_CHARS = 60
PREVIEW_CHARS = 160


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """What is known of a session without opening its transcript. Times are milliseconds, 0 means never.

    `title` comes from the first user message; `label` is what a person called it and wins over it.
    """

    key: str
    session_id: str
    agent_id: str
    created_at: int
    updated_at: int
    session_started_at: int = 0
    last_interaction_at: int = 0
    label: str | None = None
    title: str = ""
    preview: str = ""
    model_override: str | None = None
    provider_override: str | None = None
    thinking_level: str | None = None
    verbose_level: str | None = None
    reasoning_level: str | None = None
    chat_type: str = "direct"
    channel: str | None = None
    last_channel: str | None = None
    last_to: str | None = None
    model: str | None = None
    model_provider: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    total_tokens: int = 0
    context_tokens: int = 0
    estimated_cost_usd: float = 0.0
    compaction_count: int = 0
    system_sent: bool = False
    status: str | None = None
    last_run_id: str | None = None
    last_run_error: str | None = None
    started_at: int = 0
    ended_at: int = 0
    aborted_last_run: bool = False
    created_via: str = "operator"
    parent_session_key: str | None = None
    spawn_depth: int = 0
    archived_at: int | None = None
    pinned_at: int | None = None
    queue_mode: str | None = None
    queue_debounce_ms: int | None = None
    queue_cap: int | None = None
    queue_drop: str | None = None
    send_policy: str | None = None

    @property
    def archived(self) -> bool:
        return self.archived_at is not None

    @property
    def pinned(self) -> bool:
        return self.pinned_at is not None

    @property
    def display_name(self) -> str:
        """The label, else the derived title, else the key."""
        return self.label or self.title or self.key


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


_NAMES = {field.name: _camel(field.name) for field in fields(SessionEntry)}
_REQUIRED = ("key", "session_id", "agent_id", "created_at", "updated_at")


def encode_entry(entry: SessionEntry) -> dict[str, Any]:
    """A row in camel case; unset values are left out."""
    wire = {wire_name: getattr(entry, name) for name, wire_name in _NAMES.items()}
    return {name: value for name, value in wire.items() if value is not None and value != ""}


def decode_entry(wire: Mapping[str, Any]) -> SessionEntry:
    """The inverse of `encode_entry`; unknown names are ignored. Raises `KeyError` without the five basics."""
    known = {name: wire[wire_name] for name, wire_name in _NAMES.items() if wire_name in wire}
    for name in _REQUIRED:
        if name not in known:
            raise KeyError(_NAMES[name])
    return SessionEntry(**known)


def shorten(text: str, limit: int) -> str:
    """One line of at most `limit` characters, cut at a word where possible."""
    line = re.sub(r"\s+", " ", text[: limit * 8]).strip()
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut) + "…"
