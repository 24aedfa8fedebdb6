"""The state that a turn's tool calls are judged by, as it is now."""

from __future__ import annotations

from openclaw_kernel.agent.run import Turn
from openclaw_kernel.safety.api import PolicyState
from openclaw_kernel.safety.effective import exec_policy


def policy_of(turn: Turn) -> PolicyState:
    """Asked anew for every call: the config may change, and a tool's output may taint the calls after it."""
    return exec_policy(turn.house.config(), turn.agent_id).state(
        turn.house.approvals.allowlist(turn.agent_id, str(turn.workspace), turn.session.entry.key),
        str(turn.workspace),
        tainted=turn.tainted or turn.session.transcript.latest("taint") is not None,
        guest=turn.request.message.meta.get("senderIsOwner") is False,
    )
