"""Rows of the inbox and the outbox: one message each, with how far it has come (STO-02)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from openclaw_gateway.channels.contract import Sent
from openclaw_gateway.channels.states import DEAD, OPEN, RowState
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.envelope import (
    Inbound,
    Outbound,
    Peer,
    Thread,
    decode_inbound,
    decode_outbound,
    encode_inbound,
    encode_outbound,
)
from openclaw_kernel.values.errors import invalid

Lane = tuple[str, str, str, str, str]
"""A conversation: channel, account, kind and id of the peer, thread. Messages of one lane keep their order."""


def lane_of(channel: str, account: str, peer: Peer, thread: Thread | None) -> Lane:
    return channel, account, peer.kind, peer.id, thread.id if thread else ""


def receipt_id(inbound: Inbound) -> str:
    """What makes a message the same when its platform sends it again: conversation and message id (CHN-12)."""
    lane = lane_of(inbound.channel, inbound.account, inbound.peer, inbound.thread)
    return hashlib.sha256("\n".join([*lane, inbound.message_id]).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Received:
    """A message that is heard. Times are milliseconds since the epoch; `preview` is the message our answer grows in, `streamed`
    the last part of it that is a message of its own."""

    id: str
    inbound: Inbound
    received_at: int
    state: RowState = "pending"
    command: bool = False
    attempts: int = 0
    next_at: int = 0
    settled_at: int = 0
    run_id: str = ""
    session_key: str = ""
    preview: str = ""
    error: str = ""
    round: int = 0
    streamed: dict[str, Any] | None = None

    @property
    def lane(self) -> Lane:
        this = self.inbound
        return lane_of(this.channel, this.account, this.peer, this.thread)

    @property
    def text_only(self) -> bool:
        return not self.command and not self.inbound.attachments

    def settled(self, state: RowState, now: int, error: str = "") -> Received:
        """The row at its end. What is done keeps nothing of what was said."""
        inbound = self.inbound
        if state == "done":
            inbound = replace(inbound, text="", command_text="", reply=None, history=(), attachments=())
        return replace(self, inbound=inbound, state=state, settled_at=now, error=error)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A part of an answer on its way. `plain` is its text without markup; `edits` is our message that it replaces."""

    id: str
    outbound: Outbound
    created_at: int
    plain: str = ""
    edits: Sent | None = None
    state: RowState = "pending"
    attempts: int = 0
    next_at: int = 0
    lease_until: int = 0
    settled_at: int = 0
    sent: Sent | None = None
    error: str = ""

    @property
    def lane(self) -> Lane:
        this = self.outbound
        return lane_of(this.channel, this.account, this.target, this.thread)

    @property
    def is_plain(self) -> bool:
        return (self.outbound.payload or {}).get("format") == "plain"


class _Row(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def lane(self) -> Lane: ...

    @property
    def state(self) -> RowState: ...

    @property
    def settled_at(self) -> int: ...


R = TypeVar("R", bound=_Row)


class LaneLedger(Ledger[R]):
    """A ledger that finds the open rows of a conversation without looking at the settled ones."""

    def __init__(self, path: Path, *, encode: Callable[[R], dict[str, Any]], decode: Callable[[dict[str, Any]], R]) -> None:
        self._lanes: dict[Lane, dict[str, None]] = {}
        super().__init__(path, key=lambda row: row.id, encode=encode, decode=decode)
        for row in self.rows():
            self._sort_in(row)

    def put(self, row: R) -> None:
        super().put(row)
        self._sort_in(row)

    def open_in(self, lane: Lane) -> list[R]:
        """The open rows of a conversation, oldest first."""
        return [row for row_id in self._lanes.get(lane, ()) if (row := self.get(row_id)) is not None]

    def pending(self) -> list[R]:
        return [row for lane in list(self._lanes) for row in self.open_in(lane)]

    def dead(self) -> list[R]:
        """What failed, and what may have had its effect, oldest first."""
        return [row for row in self.rows() if row.state in DEAD]

    def dead_letter(self, row_id: str) -> R:
        """Raises `OpenClawError` when there is no such dead letter."""
        row = self.get(row_id)
        if row is None or row.state not in DEAD:
            raise invalid(f"there is no dead letter {row_id!r}; list them with channels dead-letters")
        return row

    def prune(self, before: int, keep: int) -> None:
        """Forgets what was settled before that moment (milliseconds), and the oldest beyond `keep`. Dead letters stay."""
        ended = [row for row in self.rows() if row.state in ("done", "abandoned")]
        surplus = max(0, len(ended) - keep)
        for number, row in enumerate(ended):
            if number < surplus or row.settled_at < before:
                self.delete(row.id)

    def _sort_in(self, row: R) -> None:
        lane = row.lane
        if row.state in OPEN:
            self._lanes.setdefault(lane, {}).setdefault(row.id)
        elif lane in self._lanes:
            self._lanes[lane].pop(row.id, None)
            if not self._lanes[lane]:
                del self._lanes[lane]


def encode_received(row: Received) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _RECEIVED} | {"inbound": encode_inbound(row.inbound)}


def decode_received(row: dict[str, Any]) -> Received:
    return Received(**{**row, "inbound": decode_inbound(row["inbound"])})


def encode_delivery(row: Delivery) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in _DELIVERY}
    return plain | {
        "outbound": encode_outbound(row.outbound),
        "edits": asdict(row.edits) if row.edits else None,
        "sent": asdict(row.sent) if row.sent else None,
    }


def decode_delivery(row: dict[str, Any]) -> Delivery:
    sent, edits = row["sent"], row["edits"]
    return Delivery(
        **{
            **row,
            "outbound": decode_outbound(row["outbound"]),
            "edits": Sent(**edits) if edits else None,
            "sent": Sent(**sent) if sent else None,
        }
    )


_RECEIVED = tuple(name for name in Received.__dataclass_fields__ if name != "inbound")
_DELIVERY = tuple(name for name in Delivery.__dataclass_fields__ if name not in ("outbound", "edits", "sent"))
