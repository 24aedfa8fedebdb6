"""A state directory as a gateway leaves it: two agents, transcripts, ledgers, notes, and the files SQL must never show."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_kernel.sessions.sql import Places

CANARY = "canary-5f1c-must-not-be-seen"
KEY = "sk-abcdefghijklmnopqrstuvwx"


def line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


def message(number: int, body: dict[str, Any], *, timestamp: Any = None) -> bytes:
    at = timestamp or f"2026-11-21T10:{number // 60:02d}:{number % 60:02d}.250Z"
    return line({"type": "message", "id": f"m{number}", "parentId": None, "timestamp": at, "message": body})


@dataclass(frozen=True)
class State:
    root: Path
    outside: Path

    @property
    def sessions(self) -> Path:
        return self.root / "agents" / "main" / "sessions"

    @property
    def places(self) -> Places:
        return Places(self.root, {"main": self.root / "workspace"})

    def files(self) -> dict[str, bytes]:
        """Every file below, with its content: what an attempt must leave as it was."""
        base = self.root.parent
        found = {str(path.relative_to(base)): path.read_bytes() for path in sorted(base.rglob("*")) if path.is_file()}
        return found | {str(path): b"" for path in sorted(base.rglob("*")) if path.is_dir()}


def build(base: Path) -> State:
    root, outside = base / "it's a state", base / "outside"
    state = State(root, outside)
    state.sessions.mkdir(parents=True)
    outside.mkdir()
    _transcripts(state)
    _ledgers(state)
    _secrets(state)
    return state


def _transcripts(state: State) -> None:
    call = {"type": "toolCall", "id": "c1", "name": "exec", "arguments": {"command": "ls -la"}}
    asked = {
        "role": "assistant",
        "content": [{"type": "text", "text": "I look."}, {"type": "thinking", "thinking": "hm"}, call],
        "provider": "fake",
        "model": "fake-1",
        "stopReason": "toolUse",
        "usage": {"input": 11, "output": 7, "cacheRead": 3, "cacheWrite": 2, "cost": {"total": 0.25}},
    }
    answered = {
        "role": "toolResult",
        "toolCallId": "c1",
        "toolName": "exec",
        "content": [{"type": "text", "text": "a.txt"}],
        "isError": False,
    }
    (state.sessions / "s1.jsonl").write_bytes(
        line({"type": "session", "id": "s1", "version": 4, "timestamp": "2026-11-21T10:00:00.000Z"})
        + message(1, {"role": "user", "content": f"What is here? My key is {KEY}."})
        + message(2, asked)
        + message(3, answered)
        + line({"type": "custom", "id": "x1", "customType": "note", "data": 1, "timestamp": "2026-11-21T10:00:09.000Z"})
        + message(4, {"role": "assistant", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "file."}]})
    )
    other = state.root / "agents" / "work" / "sessions"
    other.mkdir(parents=True)
    (other / "s2.jsonl").write_bytes(message(70, {"role": "user", "content": "Grüße"}, timestamp=1_790_000_000_123))
    (state.sessions / "s0.jsonl.deleted-1").write_bytes(message(9, {"role": "user", "content": "deleted"}))


def _ledgers(state: State) -> None:
    entry = {"key": "agent:main:main", "sessionId": "s1", "agentId": "main", "createdAt": 1_790_000_000_000, "updatedAt": 1}
    gone = {"key": "agent:main:gone", "sessionId": "s0", "agentId": "main", "createdAt": 1, "updatedAt": 1}
    rows = [{**entry, "title": "old"}, gone, {**entry, "title": "Files", "inputTokens": 11}, {"__deleted": "agent:main:gone"}]
    (state.sessions / "index.jsonl").write_bytes(b"".join(map(line, rows)))
    cell = {
        "day": "2026-11-21",
        "agent_id": "main",
        "session_key": "agent:main:main",
        "session_id": "s1",
        "provider": "fake",
        "model": "fake-1",
        "updated_at": 1_790_000_000_000,
    }
    first, last = [1, 11, 7, 0, 0, 0.1, 0.1, 0.0, 0.0, 0], [2, 22, 14, 3, 2, 0.25, 0.25, 0.0, 0.0, 1]
    (state.root / "usage.jsonl").write_bytes(line({**cell, "spent": first}) + line({**cell, "spent": last}))
    notes = state.root / "workspace" / "memory"
    notes.mkdir(parents=True)
    (notes.parent / "MEMORY.md").write_text("# Memory\n\n- likes green tea\n", "utf-8")
    (notes / "2026-11-20.md").write_text("# 2026-11-20\n\n- 10:00 the plants need water\n", "utf-8")


def _secrets(state: State) -> None:
    body = json.dumps({"token": CANARY, "message": {"role": "user", "content": CANARY}, "id": CANARY, "type": "message"}) + "\n"
    for name in ("openclaw.json", "gateway.json", "approvals.jsonl", "devices.jsonl", ".env"):
        (state.root / name).write_text(body)
    (state.outside / "secret.jsonl").write_text(body)
    (state.outside / "secret.csv").write_text(f"a,b\n{CANARY},2\n")
    os.symlink(state.outside / "secret.jsonl", state.sessions / "link.jsonl")
    os.symlink(state.outside, state.sessions / "folder")
