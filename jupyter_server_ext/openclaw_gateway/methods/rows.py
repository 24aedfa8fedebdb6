"""A session as clients see it: the row of `sessions.list`, `sessions.changed`, `session.message` and `chat.history`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openclaw_kernel.models.api import Model
from openclaw_kernel.models.effort import levels_of
from openclaw_kernel.sessions.index import SessionEntry, encode_entry
from openclaw_kernel.values.session_key import parse

Row = dict[str, Any]
_KINDS = {"group": "group", "channel": "group", "global": "global", "unknown": "unknown"}


def thinking_options(model: Model | None) -> list[str]:
    """The levels a model offers; one that cannot reason offers `off` alone."""
    return list(levels_of(model)) if model is not None else ["off"]


def thinking_levels(model: Model | None) -> list[dict[str, str]]:
    return [{"id": level, "label": level} for level in thinking_options(model)]


def defaults_row(model: Model | None, thinking: str | None) -> Row:
    """`defaults` of `sessions.list` and `chat.history`: what a session without overrides uses."""
    row: Row = {
        "modelProvider": model.provider if model else None,
        "model": model.id if model else None,
        "contextTokens": model.context_window if model else None,
        "thinkingLevels": thinking_levels(model),
        "thinkingOptions": thinking_options(model),
        "thinkingDefault": thinking or "off",
        "modelSelectionTarget": "session",
    }
    return row


def session_row(entry: SessionEntry, model: Model | None, active_run_ids: Sequence[str] = ()) -> Row:
    """One session. Keys without a value are left out, as the original does."""
    key = parse(entry.key)
    wire = encode_entry(entry)
    running = bool(active_run_ids)
    ended = entry.status or ("killed" if entry.aborted_last_run else "done")
    row: Row = {
        **wire,
        "kind": _KINDS.get(key.kind, "direct"),
        "classification": key.kind,
        "isMain": key.kind == "main" and key.suffix is None,
        "isBackground": key.kind in ("cron", "hook", "subagent"),
        "displayName": entry.display_name,
        "archived": entry.archived,
        "pinned": entry.pinned,
        "unread": False,
        "visibility": "shared",
        "status": "running" if running else ("killed" if ended == "running" else ended),
        "hasActiveRun": running,
        "totalTokensFresh": True,
        "modelProvider": model.provider if model else None,
        "model": model.id if model else None,
        "contextTokens": model.context_window if model else None,
        "thinkingLevels": thinking_levels(model),
        "thinkingOptions": thinking_options(model),
    }
    for unwanted in ("title", "preview", "providerOverride"):
        row.pop(unwanted, None)
    if entry.parent_session_key is not None:
        row["spawnedBy"] = entry.parent_session_key
    if active_run_ids:
        row["activeRunIds"] = list(active_run_ids)
    return row


def entry_wire(entry: SessionEntry) -> Row:
    """`entry` of `sessions.create`, `.patch` and `.reset`: what is stored about a session."""
    wire = encode_entry(entry)
    for unwanted in ("key", "agentId", "title", "preview"):
        wire.pop(unwanted, None)
    return wire | {
        "delivery": {"kind": "none"},
        "abortedLastRun": entry.aborted_last_run,
        "modelOverrideSource": "user" if entry.model_override else "default",
    }
