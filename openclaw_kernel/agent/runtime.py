"""The agent as its callers see it: submit, wait, abort. It owns the lanes, the run ledger and the numbering of events.

A message is on disk before `submit` returns: in the transcript when its turn starts at once, in the run ledger while it has to
wait. After a restart nothing is answered twice: what was under way is marked as interrupted (AGT-11).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from openclaw_kernel.agent.api import AUTOMATIC, ActiveRun, EventSink, Outcome, Receipt, RunRequest
from openclaw_kernel.agent.pins import Pins
from openclaw_kernel.agent.prompt import PromptBuilder
from openclaw_kernel.agent.queue import rules_of
from openclaw_kernel.agent.recall import Recalls
from openclaw_kernel.agent.recovery import Recovery
from openclaw_kernel.agent.run import BeforeRun, House, Turn
from openclaw_kernel.agent.runs import RunRow, input_hash, open_runs, usage_wire
from openclaw_kernel.agent.settings import run_limit, run_seconds
from openclaw_kernel.agent.stuck import STUCK, Watch, hear
from openclaw_kernel.agent.subagents_lanes import SplitLanes, subagent_limit
from openclaw_kernel.agent.turn import ending, run_ended, run_turn
from openclaw_kernel.agent.underway import Run, tell_log
from openclaw_kernel.agent.upkeep import Upkeep
from openclaw_kernel.agent.waiting import Waiting, heed
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.service import Models
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.sessions.freshness import stale
from openclaw_kernel.sessions.store import Session, Sessions
from openclaw_kernel.sessions.transcript import StoredMessage
from openclaw_kernel.tools.api import Services
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.clock import Clock, NewId, system_clock
from openclaw_kernel.values.clock import new_id as random_id
from openclaw_kernel.values.codec import message_to_wire
from openclaw_kernel.values.errors import UserError, invalid, unavailable
from openclaw_kernel.values.events import AgentEvent, MessageDelta, MessageStarted, RunEvent
from openclaw_kernel.values.messages import Usage, UserMessage
from openclaw_kernel.values.session_key import resolve as resolve_key

log = logging.getLogger(__name__)

INTERRUPTED = "interrupted by a restart"
AbortHook = Callable[[str, str | None, str], list[str]]
"""Session key, run id or all, reason → further runs that were aborted with these."""
SETTLE_S = 5.0
"""How long `close` waits for aborted runs to write their endings."""


class AgentRuntime:
    """Runs turns, one at a time per session. Used from one event loop; `sink` is called synchronously with every event."""

    def __init__(
        self,
        *,
        config: Callable[[], OpenClawConfig],
        models: Models,
        toolbox: Callable[[str], Toolbox],
        sessions: Sessions,
        approvals: Approvals,
        redactor: Redactor,
        state_dir: Path,
        sink: EventSink,
        services: Services | None = None,
        before_run: BeforeRun | None = None,
        notes: Recalls | None = None,
        clock: Clock = system_clock,
        new_id: NewId = random_id,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._house = House(
            config,
            models,
            toolbox,
            sessions,
            approvals,
            redactor,
            state_dir,
            services,
            clock,
            new_id,
            PromptBuilder(clock),
            Pins(state_dir, clock, new_id),
            before_run=before_run,
            notes=notes,
        )
        self._config = config
        self._sessions = sessions
        self._approvals = approvals
        self._clock = clock
        self._sink = sink
        self._rows = open_runs(state_dir / "runs.jsonl")
        self._recovery = Recovery(sessions, self._rows, clock)
        self._sleep = sleep
        self._lanes = SplitLanes(lambda: run_limit(config()), lambda: subagent_limit(config()))
        self.upkeep = Upkeep(self._house, self._lanes)
        self._runs: dict[str, Run] = {}
        self._waiting = Waiting(
            self._runs,
            self._lanes,
            self._rows,
            sessions,
            config,
            clock,
            lambda seconds: self._sleep(seconds),
            stop=self._stop,
            unrun=lambda run, reason: self._settle(run, self._unrun(run, reason), None),
            emit=self._emit,
        )
        self._watch = Watch(self._runs, clock, asyncio.sleep, self._stop, self._free)
        self.on_abort: list[AbortHook] = []
        self.also_ends: list[Callable[[str, str | None], frozenset[str]]] = []
        self._flushes: set[asyncio.Task[None]] = set()
        self._closing = False

    # --- the contract

    async def submit(self, request: RunRequest) -> Receipt:
        """Stores the message, then starts or queues the run. A repeated `run_id` with the same input answers `in_flight` or
        `done`; with another input it raises INVALID_REQUEST (`chat-request-conflict`). Raises `StoreError` when the disk
        refuses; then nothing was accepted.
        """
        if self._closing:
            raise unavailable("the gateway is shutting down; send the message again in a moment")
        key = resolve_key(request.session_key)
        digest = await input_hash(request, key)
        known = self._rows.get(request.run_id)
        if known is not None:
            return self._replay(known, digest)
        self._freshen(key, request)
        message = replace(request.message, idempotency_key=f"{request.run_id}:user")
        request = replace(request, session_key=key, message=message)
        session = self._sessions.open(key)
        entry = session.entry
        queued, mode = self._lanes.busy(key), None
        if queued and request.queue is not None:
            rules = rules_of(self._config(), entry)
            mode = rules.mode if request.queue == "session" else request.queue
            message = self._waiting.make_place(key, rules, request, mode)
            request = replace(request, message=message)
        row = RunRow(
            run_id=request.run_id,
            session_key=key,
            session_id=entry.session_id,
            agent_id=entry.agent_id,
            input_hash=digest,
            state="queued" if queued else "running",
            accepted_at=self._clock(),
            message=message_to_wire(message) if queued else None,
        )
        run = Run(request, row, asyncio.get_running_loop().create_future(), mode=mode)
        self._rows.put(row)
        if not queued:
            run.stored = self._store_input(session, row, message)
        self._runs[request.run_id] = run
        self._lanes.submit(key, request.run_id, lambda: self._work(run))
        return Receipt(request.run_id, key, entry.session_id, "queued" if queued else "started")

    async def wait(self, run_id: str, timeout_s: float | None = None) -> Outcome | None:
        """The outcome, or `None` on timeout; waiting never cancels. Raises INVALID_REQUEST for an unknown run."""
        run = self._runs.get(run_id)
        if run is None:
            row = self._rows.get(run_id)
            if row is None:
                raise invalid(f"unknown run {run_id!r}")
            return row.outcome(self._recovery.answer(row)) if row.done else None
        try:
            return await asyncio.wait_for(asyncio.shield(run.done), timeout_s)
        except TimeoutError:
            return None

    def abort(self, session_key: str, run_id: str | None = None, reason: str = "rpc") -> list[str]:
        """Aborts one run or all of a session, queued ones first (AGT-11); the ids that were aborted."""
        key = resolve_key(session_key)
        wanted = [run for run in self._waiting.of(key) if run_id is None or run.request.run_id == run_id]
        wanted.sort(key=lambda run: run.turn is not None)
        for run in wanted:
            self._stop(run, reason)
        also = [one for tell in self.on_abort for one in tell(key, run_id, reason)]
        return [*(run.request.run_id for run in wanted), *also]

    def active(self, session_key: str | None = None) -> list[ActiveRun]:
        """Runs under way, with what they have said so far. Queued ones are in `queued`."""
        key = resolve_key(session_key) if session_key is not None else None
        return [
            ActiveRun(it.run_id, it.session_key, it.client_id, run.turn.started_at, "".join(run.text))
            for run in self._runs.values()
            if run.turn is not None and (it := run.request) and key in (None, it.session_key)
        ]

    async def close(self, grace_s: float = 5.0) -> None:
        """Stops intake, gives runs `grace_s` to finish, then aborts them with reason `shutdown`; all is on disk after."""
        self._closing = True
        for run in [run for run in self._runs.values() if run.waits]:
            self._stop(run, "shutdown")
        pending = [run.done for run in self._runs.values()]
        if pending:
            await asyncio.wait(pending, timeout=grace_s)
        for run in list(self._runs.values()):
            self._stop(run, "shutdown")
        pending = [run.done for run in self._runs.values()]
        if pending:
            await asyncio.wait(pending, timeout=SETTLE_S)
        if self._flushes:
            await asyncio.wait(set(self._flushes))
        await self._watch.close()
        await self._rows.flush()
        await self._sessions.flush()
        self._rows.close()
        await self.upkeep.close()

    def clients(self, session_key: str, run_id: str | None = None) -> frozenset[str]:
        """Whose runs an abort of these would end: waiting ones too, and those that `on_abort` ends with them."""
        key = resolve_key(session_key)
        own = {run.request.client_id for run in self._waiting.of(key) if run_id in (None, run.request.run_id)}
        return frozenset(own.union(*(ends(key, run_id) for ends in self.also_ends)))

    def tools_of(self, run_id: str) -> tuple[str, ...] | None:
        """The only tools a run under way may use; `None` for all its agent has."""
        run = self._runs.get(run_id)
        return run.request.tools if run is not None else None

    # --- beyond the contract

    def queued(self, session_key: str | None = None) -> list[str]:
        """Run ids that wait for their turn, oldest first."""
        key = resolve_key(session_key) if session_key is not None else None
        return [run.request.run_id for run in self._runs.values() if run.waits and key in (None, run.request.session_key)]

    def steer(self, session_key: str, message: UserMessage) -> str | None:
        """Hands a message to the run under way, which sees it after the tool it is running (AGT-09); the run's id, or `None`
        when nothing runs. It is stored when the run takes it up."""
        key = resolve_key(session_key)
        for run in self._waiting.of(key):
            if run.turn is not None and not run.turn.signal.aborted:
                heed(run.turn, message)
                run.turn.steering.append(message)
                return run.request.run_id
        return None

    async def recover(self) -> list[RunRow]:
        """At start: marks every run that a crash cut short, and every input that never ran, as interrupted. Nothing is run
        again: the person decides. Returns the rows it marked."""
        marked = []
        for row in self._rows.pending():
            if row.run_id in self._runs:
                continue
            if row.state == "running" and not self._recovery.has_input(row):
                # The crash came between the row and the message: nobody was told that it was accepted.
                self._rows.delete(row.run_id)
                continue
            marked.append(self._recovery.interrupt(row, INTERRUPTED))
        await self._rows.flush()
        if marked:
            await self._sessions.flush()
        return marked

    # --- one run

    async def _work(self, run: Run) -> None:
        if run.mode is not None:
            await self._waiting.quiet(run)
        session = self._sessions.open(run.request.session_key)
        turn = Turn(
            house=self._house,
            request=run.request,
            agent_id=session.entry.agent_id,
            session=session,
            emit=lambda event: self._emit(run, event),
            stored=run.stored,
        )
        turn.take_queued = lambda: self._waiting.join(run, "steer")
        run.turn, run.heard_at = turn, self._clock()
        self._watch.begin()
        if run.stop_reason:
            turn.signal.abort(run.stop_reason)
        timer = self._timer(run, turn)
        try:
            if run.row.state == "queued":
                # The message first: a row that says `running` promises that the transcript has the input.
                turn.stored = self._sessions.append(session, run.request.message)
                run.row = replace(run.row, state="running", session_id=session.entry.session_id, message=None)
                self._rows.put(run.row)
                self._waiting.collect(run, turn)
            heed(turn, run.request.message)
            outcome = await run_turn(turn)
        except Exception as error:
            log.exception("run %s could not start", run.request.run_id)
            outcome = self._not_started(run, str(error))
        finally:
            if timer is not None:
                timer.cancel()
            self._approvals.cancel_run(run.request.run_id)
        log.debug("run %s: %s", run.request.run_id, turn.timings)
        self._settle(run, outcome, turn.answer_id)
        self._flush_later(session)

    def _timer(self, run: Run, turn: Turn) -> asyncio.TimerHandle | None:
        """Ends the run after its time (AGT-03); 0 is unlimited."""
        wanted = run.request.timeout_ms
        seconds = wanted / 1000 if wanted is not None else float(run_seconds(self._config(), run.row.agent_id))
        if seconds <= 0:
            return None
        return asyncio.get_running_loop().call_later(seconds, turn.signal.abort, "timeout")

    def _settle(self, run: Run, outcome: Outcome, answer_id: str | None) -> None:
        """The one end of every run: the ledger, then the event, then whoever waits."""
        error = outcome.error
        run.row = replace(
            run.row,
            state="done",
            message=None,
            status=outcome.status,
            started_at=outcome.started_at,
            ended_at=outcome.ended_at,
            stop_reason=outcome.stop_reason,
            error=error.message if error else None,
            error_kind=error.kind if error else "unknown",
            answer_id=answer_id,
            usage=usage_wire(outcome.usage),
        )
        try:
            self._rows.put(run.row)
        except UserError as refused:
            log.error("the end of run %s is not in the ledger: %s", run.row.run_id, refused)
        tell_log(run.row)
        self._runs.pop(run.request.run_id, None)
        for guest in run.guests:
            ended = self._unrun(guest, "steered")
            self._settle(guest, replace(ended, status=outcome.status, error=outcome.error), None)
        self._emit(run, run_ended(outcome))
        if not run.done.done():
            run.done.set_result(outcome)

    def _stop(self, run: Run, reason: str) -> None:
        run = run.host or run
        if run.turn is not None:
            run.turn.signal.abort(reason)
            self._approvals.cancel_run(run.request.run_id)
        elif self._lanes.cancel(run.request.session_key, run.request.run_id):
            if reason == "shutdown" or run.stored is not None:
                self._recovery.interrupt(run.row, f"stopped before it ran ({reason})")
            self._settle(run, self._unrun(run, reason), None)
        else:
            run.stop_reason = reason

    def _free(self, run: Run) -> None:
        """Ends a run that does not react to its abort; what it still does, it does without its lane."""
        if self._lanes.free(run.request.session_key, run.request.run_id):
            self._recovery.interrupt(run.row, "stopped, because it did not react any more")
            self._settle(run, self._unrun(run, STUCK), None)

    def _unrun(self, run: Run, reason: str) -> Outcome:
        now = self._clock()
        request = run.request
        return Outcome(
            request.run_id, request.session_key, run.row.session_id, "aborted", now, now, None, None, reason, Usage()
        )

    def _not_started(self, run: Run, sentence: str) -> Outcome:
        message = ending(run.request.session_key, run.request.run_id, self._clock(), sentence, aborted=False)
        return replace(self._unrun(run, "error"), status="error", error=message.error)

    def _emit(self, run: Run, event: AgentEvent) -> None:
        if isinstance(event, MessageDelta) and event.kind == "text":
            run.text.append(event.delta)
        elif isinstance(event, MessageStarted):
            run.text.clear()
        run.seq += 1
        hear(run, event, self._clock())
        try:
            self._sink(RunEvent(run.request.run_id, run.request.session_key, run.row.agent_id, run.seq, event))
        except Exception:
            log.exception("the event sink failed at event %d of run %s", run.seq, run.request.run_id)

    # --- what is stored

    def _replay(self, row: RunRow, digest: str) -> Receipt:
        if row.input_hash != digest:
            raise invalid(
                f"run {row.run_id} was already sent with another message; use a new idempotencyKey",
                reason="chat-request-conflict",
                runId=row.run_id,
            )
        return Receipt(row.run_id, row.session_key, row.session_id, "done" if row.done else "in_flight")

    def _store_input(self, session: Session, row: RunRow, message: UserMessage) -> StoredMessage:
        try:
            return self._sessions.append(session, message)
        except UserError:
            self._rows.delete(row.run_id)
            raise

    def _freshen(self, key: str, request: RunRequest) -> None:
        """A person's message starts a new session when the old one has gone stale (SES-05)."""
        entry = self._sessions.get(key)
        if entry is None or request.client_id in AUTOMATIC or self._lanes.busy(key):
            return
        if reason := stale(self._config().session, entry, self._clock()):
            self.upkeep.renew(key, reason)

    def _flush_later(self, session: Session) -> None:
        """To the disk for good, in a thread, while the next turn may already run."""
        task = asyncio.create_task(self._flush(session))
        self._flushes.add(task)
        task.add_done_callback(self._flushes.discard)

    async def _flush(self, session: Session) -> None:
        try:
            await session.transcript.flush()
            await self._rows.flush()
        except UserError as error:
            log.error("%s", error)
