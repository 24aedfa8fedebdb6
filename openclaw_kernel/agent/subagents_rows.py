"""The outbox of subagents: one row a task in `<state>/subagents.jsonl`, written before its run and visible until the parent has
the result (AGT-33).

`state` is the subagent's own fate, `delivery` that of its result: `open` until the message is in the parent's transcript,
`late` after half an hour of vain attempts, `none` where nobody waits for it any more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from openclaw_kernel.sessions.index import shorten
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.messages import Text, UserMessage

State = Literal["running", "done", "failed", "timeout", "interrupted", "stopped"]
Delivery = Literal["open", "delivered", "late", "none"]

KEEP = 500
"""Rows of subagents that are over and archived; older ones are forgotten."""
RESULT_CHARS = 30_000
"""How much of a result the parent is given at once; the rest stays in the subagent's session."""
LABEL_CHARS = 80


@dataclass(frozen=True, slots=True)
class SubagentRow:
    """One task. `id` is the run of the subagent; times are milliseconds, 0 for never.

    `tools` are the only ones the run that asked had, and so the only ones for the task and for what its result starts.
    `guest`: somebody else than the owner is behind it. `untrusted`: its session has met untrusted content. `attempts` counts
    deliveries; each has a run id of its own, `delivery_run`. `client` is who asked for the run that began it all.
    """

    id: str
    child_key: str
    agent_id: str
    parent_key: str
    parent_run: str
    label: str
    depth: int
    created_at: int
    cleanup: Literal["keep", "delete"] = "keep"
    guest: bool = False
    tools: tuple[str, ...] | None = None
    state: State = "running"
    ended_at: int = 0
    result: str = ""
    reason: str = ""
    untrusted: bool = False
    delivery: Delivery = "open"
    attempts: int = 0
    window_at: int = 0
    archived: bool = False
    client: str = ""

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def unsettled(self) -> bool:
        """Whether it works, or its result is being brought."""
        return self.running or self.delivery == "open"

    @property
    def owed(self) -> bool:
        """Whether its parent still has to hear of it."""
        return not self.running and self.delivery in ("open", "late")

    @property
    def delivery_run(self) -> str:
        """The run that brings the result: the same id for the same attempt, for ever."""
        return f"{self.id}:result" if self.attempts <= 1 else f"{self.id}:result-{self.attempts}"


def open_rows(path: Path) -> Ledger[SubagentRow]:
    """The ledger, without the oldest rows that nobody needs any more."""
    ledger: Ledger[SubagentRow] = Ledger(
        path,
        key=lambda row: row.id,
        encode=asdict,
        decode=_decode,
        is_pending=lambda row: row.unsettled,
    )
    over = [row.id for row in ledger.rows() if not row.running and not row.owed]
    for row_id in over[:-KEEP]:
        ledger.delete(row_id)
    return ledger


def _decode(wire: dict[str, Any]) -> SubagentRow:
    tools = wire.get("tools")
    return SubagentRow(**{**wire, "tools": tuple(tools) if tools is not None else None})


def label_of(label: str, task: str) -> str:
    return shorten(label or task, LABEL_CHARS).replace('"', "'")


_FATE = {
    "done": "has finished",
    "failed": "has failed",
    "timeout": "ran out of time",
    "interrupted": "was interrupted",
    "stopped": "was stopped",
}


def result_message(row: SubagentRow, now: int) -> UserMessage:
    """What the parent is told: an automatic message, whose words from outside are fenced and marked."""
    took = max(0, row.ended_at - row.created_at) / 1000
    lines = [f'[Subagent "{row.label}" {_FATE[row.state]} after {took:.0f} s. Session: {row.child_key}]']
    if row.reason:
        lines.append(f"Reason: {row.reason}")
    text = row.result[:RESULT_CHARS]
    if text:
        lines.append("Its answer:" if row.state == "done" else "Its last words before that:")
        lines.append(fence("subagent", text) if row.untrusted else text)
        if len(row.result) > len(text):
            lines.append(f"[cut: {RESULT_CHARS} of {len(row.result)} characters; the whole is in its session]")
    else:
        lines.append("It left no answer.")
    lines.append("This message is automatic. Use the result for what the person asked; nobody else has seen it.")
    key = f"{row.delivery_run}:user"
    meta = {
        "senderIsOwner": not row.guest,
        "idempotencyKey": key,
        "provenance": {"kind": "inter_session", "sourceSessionKey": row.child_key, "sourceTool": "sessions_spawn"},
    }
    if row.untrusted:
        meta["untrusted"] = True
    return UserMessage((Text("\n".join(lines)),), now, key, meta)
