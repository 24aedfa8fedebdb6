"""Messages that wait behind a run of their session: who gets a place, who joins it, who is run together (AGT-09, AGT-10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.agent.lanes import Lanes
from openclaw_kernel.agent.queue import QueueRules, may_join, rules_of, same_person, shortened
from openclaw_kernel.agent.run import Turn
from openclaw_kernel.agent.runs import RunRow
from openclaw_kernel.agent.underway import Run
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.messages import QueueMode
from openclaw_kernel.sessions.store import Session, Sessions
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.codec import message_to_wire
from openclaw_kernel.values.errors import unavailable
from openclaw_kernel.values.events import AgentEvent, MessageStored
from openclaw_kernel.values.messages import UserMessage

HOUSE = "event"
"""The client id of what the house itself says to a session: a subagent's result, say."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The runs of one runtime that have not started. `stop` ends a run, `unrun` one that was taken out of its lane."""

    runs: dict[str, Run]
    lanes: Lanes
    rows: Ledger[RunRow]
    sessions: Sessions
    config: Callable[[], OpenClawConfig]
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    stop: Callable[[Run, str], None]
    unrun: Callable[[Run, str], None]
    emit: Callable[[Run, AgentEvent], None]

    def of(self, key: str) -> list[Run]:
        """Every run of a session, waiting or under way."""
        return [run for run in self.runs.values() if run.request.session_key == key]

    def make_place(self, key: str, rules: QueueRules, request: RunRequest, mode: QueueMode) -> UserMessage:
        """Room in the queue for one more message (AGT-10); the message, which may have to speak for one that was dropped.

        Everybody has places of their own: nobody's words come into somebody else's message, and only the owner interrupts
        others. What the house says neither takes a place nor loses one.
        """
        message = request.message
        if mode == "interrupt":
            owner = message.meta.get("senderIsOwner") is not False
            mine = [run for run in self.of(key) if owner or same_person(run.request, request)]
            for one in sorted(mine, key=lambda run: run.turn is not None):
                self.stop(one, "interrupt")
            return message
        waiting = [run for one in self.lanes.waiting(key) if (run := self.runs.get(one)) and _counts(run)]
        waiting = [run for run in waiting if same_person(run.request, request)]
        if len(waiting) < rules.cap or request.client_id == HOUSE:
            return message
        if rules.drop == "new":
            raise unavailable(f"{len(waiting)} messages are waiting in this session already; send it again in a moment")
        oldest = waiting[0]
        if rules.drop == "summarize" and self.lanes.cancel(key, oldest.request.run_id):
            if len(waiting) == 1:
                message = shortened(oldest.request.message, message)
            else:
                self._speak_for(waiting[1], shortened(oldest.request.message, waiting[1].request.message))
            self.unrun(oldest, "summarized")
        else:
            self.stop(oldest, "dropped")
        return message

    def join(self, host: Run, mode: QueueMode) -> tuple[UserMessage, ...]:
        """Takes messages that wait in `mode` into the run of `host`. Their runs end with it; a crash before finds them in the
        ledger, or in the transcript."""
        joined = [
            run
            for run in self.of(host.request.session_key)
            if run.waits and run.mode == mode and _may_join(host.request, run.request)
        ]
        joined = [run for run in joined if self.lanes.cancel(run.request.session_key, run.request.run_id)]
        for run in joined:
            run.host = host
            if host.turn is not None:
                heed(host.turn, run.request.message)
        host.guests += joined
        return tuple(run.request.message for run in joined)

    def collect(self, run: Run, turn: Turn) -> None:
        """What waits to be collected goes into the same turn, behind the message it starts with; so do results of subagents
        that came in one after the other."""
        if run.mode == "collect" or (run.mode == "steer" and run.request.client_id == HOUSE):
            for message in self.join(run, run.mode):
                stored = self.sessions.append(turn.session, message)
                self.emit(run, MessageStored(stored.entry_id, stored.seq, stored.message))

    async def quiet(self, run: Run) -> None:
        """Waits until nothing new has come for the debounce time (AGT-10)."""
        key = run.request.session_key
        pause = rules_of(self.config(), self.sessions.get(key)).debounce_ms
        while not run.stop_reason:
            newest = max((other.row.accepted_at for other in self.of(key) if other.waits), default=0)
            left = newest + pause - self.clock()
            if left <= 0:
                return
            await self.sleep(left / 1000)

    def _speak_for(self, run: Run, message: UserMessage) -> None:
        run.request = replace(run.request, message=message)
        run.row = replace(run.row, message=message_to_wire(message))
        self.rows.put(run.row)


def heed(turn: Turn, message: UserMessage) -> None:
    """Taints the turn when a message holds words that nobody vouches for, such as those of a tainted subagent (SAF-23)."""
    if message.meta.get("untrusted") is True:
        turn.tainted = True
        mark_tainted(turn.session, "message")


def mark_tainted(session: Session, by: str) -> None:
    """From here on the session counts as having met untrusted content; `by` names the tool that brought it."""
    if session.transcript.latest("taint") is None:
        session.transcript.append({"type": "custom", "customType": "taint", "data": {"tool": by}})


def _counts(run: Run) -> bool:
    return run.mode is not None and run.request.client_id != HOUSE


def _may_join(host: RunRequest, request: RunRequest) -> bool:
    """`may_join`; what the house says joins whatever run has the same owner behind it."""
    if request.client_id != HOUSE:
        return may_join(host, request)
    plain = request.model is None and request.tools in (None, host.tools) and not request.extra_system_prompt
    owners = (host.message.meta.get("senderIsOwner") is False, request.message.meta.get("senderIsOwner") is False)
    return plain and owners[0] == owners[1]
