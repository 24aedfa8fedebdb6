"""What a turn tells while its model fails over: each attempt as an event, and a line for the person when another one answered.

Trying itself is `models.failover`. Nobody is left to wonder who is speaking (MOD-12).
"""

from __future__ import annotations

from collections.abc import Callable

from openclaw_kernel.agent.run import Turn
from openclaw_kernel.models.api import Account, Asked
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.events import FallbackStep, TurnStarted

MARK = "model-fallback"
"""Transcript entry with the model that stands in, empty once the one that was meant is back."""


def account_of(turn: Turn) -> Account:
    """On whose account the turn's model calls go, those of compaction too."""
    return account_for(turn.house.sessions, turn.session.entry, turn.run_id)


def account_for(sessions: Sessions, entry: SessionEntry, run_id: str) -> Account:
    """The account of a run in the session of `entry`; what a subagent spends counts for the session that started it."""
    above = sessions.above(entry.key)
    root_id = above[-1].session_id if above else ""
    return Account(entry.agent_id, entry.key, entry.session_id, run_id, root_id)


def teller(turn: Turn) -> Callable[[Asked], None]:
    """Tells every attempt as an event."""

    def tell(asked: Asked) -> None:
        if asked.step != "first" and asked.instead_of is not None and asked.failure is not None:
            turn.emit(FallbackStep(asked.step, asked.instead_of.ref, asked.model.ref, asked.failure.kind))
        turn.emit(TurnStarted(asked.model.provider, asked.model.id))

    return tell


def replacement(turn: Turn) -> str:
    """One line when another model answered than the one meant, or that one is back: told once, in direct chats alone."""
    message, model, transcript = turn.message, turn.model, turn.session.transcript
    if message is None or model is None or message.stop_reason in ("error", "aborted") or not message.model:
        return ""
    if not turn.fallbacks and transcript.latest(MARK) is None:
        return ""
    winner = f"{message.provider}/{message.model}"
    standing_in = "" if winner == model.ref else winner
    if (transcript.latest(MARK) or "") == standing_in:
        return ""
    transcript.append({"type": "custom", "customType": MARK, "data": standing_in})
    if turn.session.entry.chat_type != "direct":
        return ""
    if standing_in:
        return f"*{winner} answers at the moment, because {model.ref} could not.*"
    return f"*{model.ref} answers again.*"
