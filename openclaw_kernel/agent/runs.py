"""The run ledger: what was accepted, what is under way, how it ended. One row per run id in `<state>/runs.jsonl`.

A row is written before a run is acknowledged, so a repeated request finds it, also after a restart (protocol section 4).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from openclaw_kernel.agent.api import Outcome, RunRequest
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.codec import message_to_wire, usage_from_wire, usage_to_wire
from openclaw_kernel.values.events import RunStatus
from openclaw_kernel.values.messages import AssistantMessage, ErrorKind, FileRef, Image, ModelFailure, Text, Usage

RunState = Literal["queued", "running", "done"]

KEEP = 2_000
"""How many settled runs are remembered for idempotent replies."""

HASH_IN_THREAD_CHARS = 1 << 18


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. `message` holds the input only while it is queued: it is not in the transcript yet.

    `answer_id` is the transcript entry of the last answer.
    """

    run_id: str
    session_key: str
    session_id: str
    agent_id: str
    input_hash: str
    state: RunState
    accepted_at: int
    message: Mapping[str, Any] | None = None
    status: RunStatus | None = None
    started_at: int = 0
    ended_at: int = 0
    stop_reason: str = ""
    error: str | None = None
    error_kind: ErrorKind = "unknown"
    answer_id: str | None = None
    usage: Mapping[str, Any] | None = None

    @property
    def done(self) -> bool:
        return self.state == "done"

    def outcome(self, message: AssistantMessage | None) -> Outcome:
        """How the run ended, for a row in state `done`."""
        return Outcome(
            run_id=self.run_id,
            session_key=self.session_key,
            session_id=self.session_id,
            status=self.status or "error",
            started_at=self.started_at,
            ended_at=self.ended_at,
            message=message,
            error=ModelFailure(self.error, self.error_kind) if self.error else None,
            stop_reason=self.stop_reason,
            usage=usage_from_wire(self.usage) if self.usage else Usage(),
        )


def open_runs(path: Path) -> Ledger[RunRow]:
    """The ledger at `path`, without the oldest settled rows beyond `KEEP`."""
    ledger: Ledger[RunRow] = Ledger(
        path,
        key=lambda row: row.run_id,
        encode=lambda row: {name: value for name, value in asdict(row).items() if value is not None},
        decode=lambda wire: RunRow(**wire),
        is_pending=lambda row: not row.done,
    )
    settled = [row.run_id for row in ledger.rows() if row.done]
    for run_id in settled[:-KEEP]:
        ledger.delete(run_id)
    return ledger


async def input_hash(request: RunRequest, session_key: str) -> str:
    """SHA-256 of what was asked; a long input (an image, say) is hashed in a thread."""
    size = sum(_size(part) for part in request.message.content)
    if size < HASH_IN_THREAD_CHARS:
        return _hash(request, session_key)
    return await asyncio.to_thread(_hash, request, session_key)


def usage_wire(usage: Usage) -> dict[str, Any] | None:
    return usage_to_wire(usage) if usage.total else None


def _hash(request: RunRequest, session_key: str) -> str:
    content = message_to_wire(request.message)["content"]
    return hashlib.sha256(orjson.dumps([session_key, content, request.model, request.thinking])).hexdigest()


def _size(part: object) -> int:
    match part:
        case Text(text=text):
            return len(text)
        case Image(data=data):
            return len(data)
        case FileRef():
            return 64
        case _:
            return 0
