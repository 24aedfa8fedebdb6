"""The inbox: a message is a row before its platform is told "received", and settled when its answer is in the outbox (CHN-09).

Each conversation has a lane, in which messages are handed to the agent in their order; what becomes of one that comes while a
run is under way is the agent's to say (AGT-08). Commands go past the lane. Texts that follow one another within the debounce
time become one message (CHN-12). After a restart open rows go on where they were: the run's id is in the row before the run is
started.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from openclaw_gateway.channels.ledger_rows import (
    Lane,
    LaneLedger,
    Received,
    decode_received,
    encode_received,
    receipt_id,
)
from openclaw_gateway.channels.timing import Timing
from openclaw_kernel.values.envelope import Inbound
from openclaw_kernel.values.errors import OpenClawError, UserError

ATTEMPTS = 3
FIRST_WAIT_S = 1.0
WAIT_CAP_S = 30.0
DEBOUNCE_MS = 2_000
REMEMBER_MS = 20 * 60_000
REMEMBER_ROWS = 5_000
_PRUNE_EVERY = 500

log = logging.getLogger(__name__)
T = TypeVar("T")

Handle = Callable[[Sequence[Received]], Awaitable[Awaitable[None] | None]]
"""Hands a batch, rows of one person in one conversation, to the agent. What it returns ends when the answer is in the outbox,
and the lane does not wait for that; `None` when it is there already. Both raise to be retried."""


class Inbox:
    """Opening it raises `StoreError`. Used from the event loop only. `debounce_ms` is asked per channel."""

    def __init__(
        self,
        path: Path,
        handle: Handle,
        *,
        debounce_ms: Callable[[str], int] = lambda _channel: DEBOUNCE_MS,
        timing: Timing | None = None,
    ) -> None:
        self._handle = handle
        self._debounce_ms = debounce_ms
        self._time = timing or Timing()
        self._lanes: dict[Lane, asyncio.Task[None]] = {}
        self._news: dict[Lane, asyncio.Event] = {}
        self._commands: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._accepted = 0
        self._closed = False
        self._rows: LaneLedger[Received] = LaneLedger(path, encode=encode_received, decode=decode_received)

    def resume(self) -> None:
        """At start: open rows go on; a row whose run was started keeps its run."""
        self._rows.prune(self._time.now() - REMEMBER_MS, REMEMBER_ROWS)
        for row in self._rows.pending():
            if row.state == "attempting":
                self._rows.put(replace(row, state="pending"))
        for row in self._rows.pending():
            self._start(row)

    def knows(self, inbound: Inbound) -> bool:
        """Whether this message came before (within 20 min, or the last 5,000)."""
        row = self._rows.get(receipt_id(inbound))
        return row is not None and (row.state not in ("done", "abandoned") or row.settled_at > self._time.now() - REMEMBER_MS)

    def accept(self, inbound: Inbound, *, command: bool = False) -> Literal["accepted", "duplicate"]:
        """Takes a message over; it is in the ledger when this returns. Raises `StoreError` when the disk refuses."""
        if self.knows(inbound):
            return "duplicate"
        row = Received(receipt_id(inbound), inbound, self._time.now(), command=command)
        self._rows.put(row)
        self._accepted += 1
        if self._accepted % _PRUNE_EVERY == 0:
            self._rows.prune(self._time.now() - REMEMBER_MS, REMEMBER_ROWS)
        self._start(row)
        return "accepted"

    def note(self, rows: Iterable[Received], **changes: Any) -> list[Received]:
        """Writes down what became known while a batch is answered: `session_key`, `preview`."""
        return [self._rows.settle(row.id, lambda known: replace(known, **changes)) for row in rows]

    def get(self, row_id: str) -> Received | None:
        return self._rows.get(row_id)

    def pending(self) -> list[Received]:
        return self._rows.pending()

    def dead(self) -> list[Received]:
        """What could not be answered, oldest first."""
        return self._rows.dead()

    def resubmit(self, row_id: str) -> Received:
        """Answers a dead letter again, as a new run. Raises `OpenClawError` when there is none."""
        row = self._rows.dead_letter(row_id)
        again = replace(
            row, state="pending", attempts=0, next_at=0, run_id="", preview="", error="", round=row.round + 1, streamed=None
        )
        self._rows.put(again)
        self._start(again)
        return again

    def abandon(self, row_id: str) -> Received:
        """Gives a dead letter up. Raises `OpenClawError` when there is none."""
        row = replace(self._rows.dead_letter(row_id), state="abandoned", settled_at=self._time.now())
        self._rows.put(row)
        return row

    async def close(self) -> None:
        """Stops answering; what is under way goes on after the next start."""
        self._closed = True
        tasks = [*self._lanes.values(), *self._commands, *self._answers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._rows.flush()
        self._rows.close()

    # --- lanes

    def _start(self, row: Received) -> None:
        if self._closed:
            return
        if row.command:
            task = asyncio.ensure_future(self._answer([row]))
            self._commands.add(task)
            task.add_done_callback(self._commands.discard)
        elif row.lane in self._news:
            self._news[row.lane].set()
        elif row.lane not in self._lanes:
            lane = row.lane
            task = asyncio.ensure_future(self._run(lane))
            self._lanes[lane] = task
            task.add_done_callback(lambda done: self._lane_ended(lane, done))

    def _lane_ended(self, lane: Lane, task: asyncio.Task[None]) -> None:
        self._lanes.pop(lane, None)
        if task.cancelled() or self._closed:
            return
        if (error := task.exception()) is not None:
            log.error("the inbox of %s stopped: %s", lane[0], error, exc_info=error)
        elif waiting := self._waiting(lane):
            self._start(waiting[0])

    def _waiting(self, lane: Lane) -> list[Received]:
        return [row for row in self._rows.open_in(lane) if row.state == "pending" and not row.command]

    async def _run(self, lane: Lane) -> None:
        while rows := self._waiting(lane):
            batch = _batch(rows)
            wait_ms = self._wait_ms(lane, batch, more=len(rows) > len(batch))
            if wait_ms > 0:
                await self._pause(lane, wait_ms / 1000)
                continue
            await self._answer(batch)

    async def _pause(self, lane: Lane, seconds: float) -> None:
        """Waits, but not when something new has come that may change what to wait for."""
        news = self._news[lane] = asyncio.Event()
        waits = [asyncio.ensure_future(self._time.sleep(seconds)), asyncio.ensure_future(news.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._news[lane]
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _wait_ms(self, lane: Lane, batch: Sequence[Received], *, more: bool) -> int:
        due = max(row.next_at for row in batch)
        last = batch[-1]
        if last.text_only and not last.run_id and not more:
            due = max(due, last.received_at + self._debounce_ms(lane[0]))
        return due - self._time.now()

    async def _answer(self, batch: Sequence[Received]) -> None:
        run_id = batch[0].run_id or _run_id(batch[-1])
        started = [replace(row, state="attempting", attempts=row.attempts + 1, run_id=run_id) for row in batch]
        for row in started:
            self._rows.put(row)
        answer = await self._ended(started, self._handle(started))
        if answer is not None:
            task = asyncio.ensure_future(self._finish(started, answer))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _finish(self, batch: Sequence[Received], answer: Awaitable[None]) -> None:
        """Sees to the answer of a batch while the lane goes on; one that is to be tried again goes back into it."""
        await self._ended(batch, answer)
        row = self._rows.get(batch[0].id)
        if row is not None and row.state == "pending":
            self._start(row)

    async def _ended(self, batch: Sequence[Received], work: Awaitable[T]) -> T | None:
        """What `work` leaves to be waited for. The rows are settled when nothing is left, or put back when it failed."""
        try:
            rest = await work
        except (UserError, OpenClawError, OSError) as error:
            self._failed(batch, str(error))
        except Exception as error:
            log.exception("a message from %s could not be answered", batch[0].inbound.channel)
            self._failed(batch, type(error).__name__)
        else:
            if rest is not None:
                return rest
            for row in batch:
                self._rows.settle(row.id, lambda known: known.settled("done", self._time.now()))
        return None

    def _failed(self, batch: Sequence[Received], sentence: str) -> None:
        now = self._time.now()
        for started in batch:
            row = self._rows.get(started.id) or started
            if row.attempts >= ATTEMPTS:
                log.warning("a message from %s is a dead letter: %s", row.inbound.channel, sentence)
                self._rows.put(row.settled("failed", now, sentence))
            else:
                wait_ms = int(self._time.doubled(FIRST_WAIT_S, row.attempts, WAIT_CAP_S) * 1000)
                self._rows.put(replace(row, state="pending", next_at=now + wait_ms, error=sentence))
        if batch[0].command and batch[0].attempts < ATTEMPTS and not self._closed:
            self._retry_command(batch[0].id)

    def _retry_command(self, row_id: str) -> None:
        async def later() -> None:
            row = self._rows.get(row_id)
            if row is not None and row.state == "pending":
                await self._time.sleep(max(0, row.next_at - self._time.now()) / 1000)
                await self._answer([row])

        task = asyncio.ensure_future(later())
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)


def _batch(rows: Sequence[Received]) -> list[Received]:
    """What is answered together: the rows of a run that was started, else the texts one person wrote one after another."""
    first = rows[0]
    if first.run_id:
        return [row for row in rows if row.run_id == first.run_id]
    batch = [first]
    for row in rows[1:]:
        together = row.text_only and first.text_only and row.inbound.sender.id == first.inbound.sender.id
        if not together or row.run_id:
            break
        batch.append(row)
    return batch


def _run_id(row: Received) -> str:
    """The same for ever, so that a run is never started twice for one message."""
    return f"channel-{row.id}" if row.round == 0 else f"channel-{row.id}-{row.round}"
