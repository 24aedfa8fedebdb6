"""The outbox: every part of an answer is a row before it is sent, and settled after (CHN-10, CHN-11).

A send that may have arrived is `recovered`: shown, never repeated. Order is kept within a conversation, the platform's minimum
gap within an account. Rows wait while their account is not connected.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from openclaw_gateway.channels.contract import ChannelError, Sent
from openclaw_gateway.channels.ledger_rows import (
    Delivery,
    Lane,
    LaneLedger,
    decode_delivery,
    encode_delivery,
)
from openclaw_gateway.channels.states import OPEN, RowState
from openclaw_gateway.channels.timing import Timing
from openclaw_kernel.values.envelope import Outbound

ATTEMPTS = 3
FIRST_WAIT_S = 1.0
WAIT_CAP_S = 30.0
LEASE_MS = 60_000
RENEW_S = 20.0
SEND_LIMIT_S = 120.0
"""A send that takes longer may have arrived all the same."""
KEEP_MS = 24 * 3_600_000
KEEP_ROWS = 5_000

log = logging.getLogger(__name__)

Send = Callable[[Delivery], Awaitable[Sent]]
"""Sends or edits through the running account. Raises `ChannelError`."""


class Outbox:
    """Opening it raises `StoreError`. Used from the event loop only.

    `ready` says whether an account is connected, `gap_ms` is the smallest time between two sends of a channel.
    """

    def __init__(
        self,
        path: Path,
        send: Send,
        *,
        ready: Callable[[str, str], bool],
        gap_ms: Callable[[str], int] = lambda _channel: 0,
        timing: Timing | None = None,
    ) -> None:
        self._send = send
        self._ready = ready
        self._gap_ms = gap_ms
        self._time = timing or Timing()
        self._lanes: dict[Lane, asyncio.Task[None]] = {}
        self._free_at: dict[tuple[str, str], int] = {}
        self._waiting: dict[str, list[asyncio.Future[Delivery]]] = {}
        self._closed = False
        self.on_settled: list[Callable[[Delivery], None]] = []
        self._rows: LaneLedger[Delivery] = LaneLedger(path, encode=encode_delivery, decode=decode_delivery)

    def resume(self) -> None:
        """At start: what was being sent is `recovered` (an edit may be repeated, it changes nothing twice)."""
        self._rows.prune(self._time.now() - KEEP_MS, KEEP_ROWS)
        for row in self._rows.pending():
            if row.state == "attempting":
                if row.edits is None:
                    self._settle(row, "recovered", error="the gateway stopped while it was sent; it may have arrived")
                else:
                    self._rows.put(replace(row, state="pending"))
        for row in self._rows.pending():
            self._start(row.lane)

    def post(self, outbound: Outbound, *, plain: str = "", edits: Sent | None = None) -> bool:
        """Takes a message over; it is in the ledger when this returns. False when its delivery id is known already."""
        if outbound.delivery_id in self._rows:
            return False
        row = Delivery(outbound.delivery_id, outbound, self._time.now(), plain or outbound.text, edits)
        self._rows.put(row)
        self._start(row.lane)
        return True

    async def settled(self, delivery_id: str) -> Delivery:
        """The row once it is done, failed or recovered; an unknown id raises `KeyError`."""
        row = self._rows.get(delivery_id)
        if row is None:
            raise KeyError(delivery_id)
        if row.state not in OPEN:
            return row
        future: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(delivery_id, []).append(future)
        return await future

    def wake(self, channel: str, account: str) -> None:
        """An account is connected: what waited for it goes out."""
        for row in self._rows.pending():
            if row.lane[:2] == (channel, account):
                self._start(row.lane)

    def get(self, delivery_id: str) -> Delivery | None:
        return self._rows.get(delivery_id)

    def pending(self) -> list[Delivery]:
        return self._rows.pending()

    def dead(self) -> list[Delivery]:
        """What could not be sent, and what may have arrived, oldest first."""
        return self._rows.dead()

    def resubmit(self, delivery_id: str) -> Delivery:
        """Sends a dead letter again because a person asked for it. Raises `OpenClawError` when there is none."""
        row = self._rows.dead_letter(delivery_id)
        self._rows.put(replace(row, state="pending", attempts=0, next_at=0, error="", settled_at=0))
        self._start(row.lane)
        return row

    def abandon(self, delivery_id: str) -> Delivery:
        """Gives a dead letter up. Raises `OpenClawError` when there is none."""
        return self._settle(self._rows.dead_letter(delivery_id), "abandoned")

    async def slot(self, channel: str, account: str) -> None:
        """Waits for the account's next turn to say something (CHN-11)."""
        key, now = (channel, account), self._time.now()
        mine = max(now, self._free_at.get(key, 0))
        self._free_at[key] = mine + self._gap_ms(channel)
        if mine > now:
            await self._time.sleep((mine - now) / 1000)

    async def close(self) -> None:
        """Stops sending. A send under way is cut off and found again as `recovered`."""
        self._closed = True
        tasks = list(self._lanes.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._rows.flush()
        self._rows.close()

    # --- one conversation

    def _start(self, lane: Lane) -> None:
        if self._closed or lane in self._lanes or not self._ready(lane[0], lane[1]):
            return
        task = asyncio.ensure_future(self._run(lane))
        self._lanes[lane] = task
        task.add_done_callback(lambda done: self._ended(lane, done))

    def _ended(self, lane: Lane, task: asyncio.Task[None]) -> None:
        self._lanes.pop(lane, None)
        if task.cancelled() or self._closed:
            return
        if (error := task.exception()) is not None:
            log.error("sending on %s stopped: %s", lane[0], error, exc_info=error)
        elif self._first(lane) is not None:
            self._start(lane)

    async def _run(self, lane: Lane) -> None:
        while (row := self._first(lane)) is not None and self._ready(lane[0], lane[1]):
            wait_ms = row.next_at - self._time.now()
            if wait_ms > 0:
                await self._time.sleep(wait_ms / 1000)
                continue
            await self.slot(lane[0], lane[1])
            await self._attempt(row)

    def _first(self, lane: Lane) -> Delivery | None:
        return next((row for row in self._rows.open_in(lane) if row.state == "pending"), None)

    async def _attempt(self, row: Delivery) -> None:
        if not self._ready(row.outbound.channel, row.outbound.account):
            return  # the connection went while we waited for our turn
        row = replace(row, state="attempting", attempts=row.attempts + 1, lease_until=self._time.now() + LEASE_MS)
        self._rows.put(row)
        renewing = asyncio.ensure_future(self._renew(row.id))
        try:
            sent = await asyncio.wait_for(self._send(row), SEND_LIMIT_S)
        except ChannelError as error:
            self._failed(row, error)
        except TimeoutError:
            self._settle(row, "recovered", error=f"no answer within {SEND_LIMIT_S:.0f} s; it may have arrived")
        except Exception as error:
            log.exception("a send on %s failed in an unforeseen way", row.outbound.channel)
            self._settle(row, "recovered", error=f"{type(error).__name__}; it may have arrived")
        else:
            self._settle(row, "done", sent=sent)
        finally:
            renewing.cancel()

    async def _renew(self, delivery_id: str) -> None:
        while True:
            await self._time.sleep(RENEW_S)
            row = self._rows.get(delivery_id)
            if row is None or row.state != "attempting":
                return
            self._rows.put(replace(row, lease_until=self._time.now() + LEASE_MS))

    def _failed(self, row: Delivery, error: ChannelError) -> None:
        if error.kind == "markup" and not row.is_plain and row.plain:
            payload = {**(row.outbound.payload or {}), "format": "plain"}
            bare = replace(row.outbound, text=row.plain, payload=payload)
            self._rows.put(replace(row, outbound=bare, state="pending", attempts=row.attempts - 1))
        elif error.kind == "ambiguous" and row.edits is None:
            self._settle(row, "recovered", error=str(error))
        elif error.kind in ("retry", "ambiguous") and row.attempts < ATTEMPTS:
            wait_s = self._time.doubled(FIRST_WAIT_S, row.attempts, WAIT_CAP_S)
            if error.retry_after_s is not None:
                # The platform's own word counts, and it counts for the whole account.
                wait_s = max(wait_s, error.retry_after_s)
                key = (row.outbound.channel, row.outbound.account)
                held = self._time.now() + int(error.retry_after_s * 1000)
                self._free_at[key] = max(self._free_at.get(key, 0), held)
            next_at = self._time.now() + int(wait_s * 1000)
            self._rows.put(replace(row, state="pending", next_at=next_at, error=str(error)))
        elif error.kind == "refused" and row.edits is not None:
            # The message to change is gone: say it anew.
            self._rows.put(replace(row, state="pending", edits=None))
        else:
            log.warning("a message could not be sent on %s: %s", row.outbound.channel, error)
            self._settle(row, "failed", error=str(error))

    def _settle(self, row: Delivery, state: RowState, *, sent: Sent | None = None, error: str = "") -> Delivery:
        outbound = row.outbound
        if state == "done":
            outbound = replace(outbound, text="", payload={"sent": True}, media=())
        plain = "" if state == "done" else row.plain
        row = replace(row, outbound=outbound, plain=plain, state=state, sent=sent, error=error, settled_at=self._time.now())
        self._rows.put(row)
        for future in self._waiting.pop(row.id, []):
            if not future.done():
                future.set_result(row)
        for listener in tuple(self.on_settled):
            listener(row)
        return row
