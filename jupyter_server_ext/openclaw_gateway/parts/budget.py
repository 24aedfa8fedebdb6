"""Tells clients of a call that a budget kept from being sent (MOD-19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_kernel.values.clock import Clock

if TYPE_CHECKING:
    from openclaw_kernel.models.budget import Reached


def announce_budget(reached: Reached, broadcaster: Broadcaster, clock: Clock) -> None:
    """`budget.reached`, for readers and for those who follow the session."""
    account = reached.account
    payload = {
        "ts": clock(),
        "budget": reached.key,
        "message": reached.sentence,
        "model": reached.model,
        "agentId": account.agent_id,
        "sessionKey": account.session_key,
        "runId": account.run_id,
    }
    broadcaster.send("budget.reached", payload, session_key=account.session_key)
