"""What the transcript says about runs: whether an input is there, how a run that was cut short is closed, what was answered."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from openclaw_kernel.agent.runs import RunRow
from openclaw_kernel.agent.turn import ending
from openclaw_kernel.sessions.context import LOST_RESULT
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.sessions.transcript import StoredMessage
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.codec import message_from_wire
from openclaw_kernel.values.messages import AssistantMessage, Text, ToolResultMessage, UserMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Reads and closes runs in the transcripts of `sessions`."""

    sessions: Sessions
    rows: Ledger[RunRow]
    clock: Clock

    def has_input(self, row: RunRow) -> bool:
        """Whether the message of a run is in the transcript."""
        key = f"{row.run_id}:user"
        messages = self.sessions.transcript(row.agent_id, row.session_id).messages()
        return any(isinstance(it.message, UserMessage) and it.message.idempotency_key == key for it in reversed(messages))

    def interrupt(self, row: RunRow, sentence: str) -> RunRow:
        """Closes a run in the transcript without an answer. Calls left open get their result, so the history stays whole."""
        transcript = self.sessions.transcript(row.agent_id, row.session_id)
        now = self.clock()
        if row.message is not None and not self.has_input(row):
            transcript.append_message(message_from_wire(row.message))
        for call_id, name in transcript.open_calls().items():
            lost = (Text(LOST_RESULT),)
            transcript.append_message(
                ToolResultMessage(
                    call_id, name, lost, now, is_error=True, details={"state": "aborted"}, meta={"runId": row.run_id}
                )
            )
        if not _closes(transcript.tail(1), row.run_id):
            transcript.append_message(ending(row.session_key, row.run_id, now, sentence, aborted=True))
        entry = self.sessions.get(row.session_key)
        if entry is not None and entry.session_id == row.session_id:
            self.sessions.update(row.session_key, aborted_last_run=True, status="killed", last_run_id=row.run_id)
        done = replace(row, state="done", message=None, status="aborted", ended_at=now, stop_reason="restart")
        self.rows.put(done)
        log.warning("run %s of %s: %s", row.run_id, row.session_key, sentence)
        return done

    def answer(self, row: RunRow) -> AssistantMessage | None:
        """The answer of a settled run, read back from the transcript."""
        if row.answer_id is None or row.status == "error":
            return None
        message = self.sessions.transcript(row.agent_id, row.session_id).find(row.answer_id)
        return message if isinstance(message, AssistantMessage) and message.text.strip() not in ("", "NO_REPLY") else None


def _closes(tail: list[StoredMessage], run_id: str) -> bool:
    """Whether the transcript already ends with the last word of this run."""
    last = tail[0].message if tail else None
    return isinstance(last, AssistantMessage) and last.stop_reason != "toolUse" and last.meta.get("runId") == run_id
