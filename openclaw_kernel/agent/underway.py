"""A run from its acceptance to its end, as the runtime keeps it in memory."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from openclaw_kernel.agent.api import Outcome, RunRequest
from openclaw_kernel.agent.run import Turn
from openclaw_kernel.agent.runs import RunRow
from openclaw_kernel.config.schema.messages import QueueMode
from openclaw_kernel.sessions.transcript import StoredMessage

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Run:
    """A run that is queued or under way. `mode` says how it waits; its message may have joined the run of a `host`. `busy`
    names the tool calls under way, and a compaction; `heard_at` is the moment of the last event."""

    request: RunRequest
    row: RunRow
    done: asyncio.Future[Outcome]
    stored: StoredMessage | None = None
    turn: Turn | None = None
    stop_reason: str = ""
    seq: int = 0
    text: list[str] = field(default_factory=list)
    mode: QueueMode | None = None
    host: Run | None = None
    guests: list[Run] = field(default_factory=list)
    heard_at: int = 0
    busy: set[str] = field(default_factory=set)

    @property
    def waits(self) -> bool:
        return self.turn is None and self.host is None


def tell_log(row: RunRow) -> None:
    """One line a run. Never its words: a message may hold what no log should."""
    took = max(0, row.ended_at - row.accepted_at)
    if row.status == "error":
        log.warning("run %s of %s failed after %d ms: %s", row.run_id, row.session_key, took, row.error or "no reason given")
    else:
        log.info("run %s of %s ended after %d ms: %s (%s)", row.run_id, row.session_key, took, row.status, row.stop_reason)
