"""Pairing: an unknown sender gets a code, and a person who holds the gateway says yes or no (ROU-04).

A code has 8 characters without 0 O 1 I, lives 1 h, and 3 may be open per account. The row is in the ledger before the code is
told. Of what the sender wrote only his display name is kept, cut and cleaned. The first approval by a person names the owner;
every other one opens direct messages only. Codes are never in a repr, because reprs end in logs (SAF-26).
"""

from __future__ import annotations

import json
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import UserError

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8
LIFETIME_MS = 3_600_000
MAX_PENDING = 3
NAME_LENGTH = 80
"""Characters of a display name (ui/README, truncation)."""

PairingState = Literal["pending", "approved", "rejected"]
Via = Literal["cli", "ui"]


class PairingError(UserError):
    """A code that cannot be answered."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One sender on one account. Times are milliseconds since the epoch; `owner` is true for the one who owns the assistant.
    `name` is what the sender calls himself: never trusted, shown beside the id."""

    channel: str
    account: str
    sender: str
    code: str = field(repr=False)
    created_at: int
    expires_at: int
    state: PairingState = "pending"
    settled_at: int = 0
    settled_by: str = ""
    owner: bool = False
    name: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        return _key(self.channel, self.account, self.sender)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to tell an unknown sender. `fresh` is false when the code was told before: then say nothing again."""

    code: str = field(repr=False)
    expires_at: int
    fresh: bool


class Pairings:
    """The ledger of senders. Opening it raises `StoreError`. Used from the event loop only."""

    def __init__(self, path: Path, clock: Clock = system_clock, choose: Callable[[str], str] = secrets.choice) -> None:
        self._clock = clock
        self._choose = choose
        self.on_change: list[Callable[[Pairing], None]] = []
        self._rows: Ledger[Pairing] = Ledger(
            path,
            key=lambda row: row.key,
            encode=asdict,
            decode=lambda row: Pairing(**row),
            is_pending=lambda row: row.state == "pending",
        )

    def challenge(self, channel: str, account: str, sender: str, name: str = "") -> Challenge | None:
        """The code for an unknown sender; `None` when nothing must be said: three others wait, or he was turned down this
        hour, or he is approved already. Raises `ValueError` for an empty sender."""
        if not sender.strip():
            raise ValueError("a sender without an id cannot be paired")
        self.expire_due()
        known = self._rows.get(_key(channel, account, sender))
        if known is not None:
            return Challenge(known.code, known.expires_at, fresh=False) if known.state == "pending" else None
        if len(self.pending(channel, account)) >= MAX_PENDING:
            return None
        now = self._clock()
        row = self._put(
            Pairing(channel.lower(), account, sender, self._new_code(), now, now + LIFETIME_MS, name=clean_name(name))
        )
        return Challenge(row.code, row.expires_at, fresh=True)

    def approve(self, channel: str, code: str, *, by: str, via: Via, account: str | None = None) -> Pairing:
        """Let the sender in. Raises `PairingError` when no open code of that channel is `code`."""
        row = self._open(channel, code, account)
        owner = not self.owners()
        return self._put(replace(row, state="approved", settled_at=self._clock(), settled_by=f"{via}:{by}", owner=owner))

    def reject(self, channel: str, code: str, *, by: str, account: str | None = None) -> Pairing:
        """Turn the sender down; until the code would have ended he gets no other. Raises `PairingError` like `approve`."""
        row = self._open(channel, code, account)
        return self._put(replace(row, state="rejected", settled_at=self._clock(), settled_by=by))

    def revoke(self, channel: str, account: str, sender: str) -> bool:
        """Take an approval back; false when there was none."""
        row = self._rows.get(_key(channel, account, sender))
        if row is None or row.state != "approved":
            return False
        self._rows.delete(row.key)
        return True

    def is_approved(self, channel: str, account: str, sender: str) -> bool:
        row = self._rows.get(_key(channel, account, sender))
        return row is not None and row.state == "approved"

    def is_owner(self, channel: str, account: str, sender: str) -> bool:
        row = self._rows.get(_key(channel, account, sender))
        return row is not None and row.state == "approved" and row.owner

    def owners(self) -> list[Pairing]:
        return [row for row in self._rows.rows() if row.state == "approved" and row.owner]

    def approved(self) -> list[Pairing]:
        return [row for row in self._rows.rows() if row.state == "approved"]

    def pending(self, channel: str | None = None, account: str | None = None) -> list[Pairing]:
        """Open requests, oldest first; those whose hour is over are gone."""
        self.expire_due()
        rows = (row for row in self._rows.pending() if channel is None or row.channel == channel.lower())
        return sorted((row for row in rows if account is None or row.account == account), key=lambda row: row.created_at)

    def expire_due(self) -> None:
        """Forget every unapproved row whose hour is over."""
        now = self._clock()
        for row in self._rows.rows():
            if row.state != "approved" and row.expires_at <= now:
                self._rows.delete(row.key)

    async def flush(self) -> None:
        """Bring every change to the disk."""
        await self._rows.flush()

    def close(self) -> None:
        self._rows.close()

    def _open(self, channel: str, code: str, account: str | None) -> Pairing:
        wanted = code.strip().upper()
        for row in self.pending(channel, account):
            if secrets.compare_digest(row.code.encode(), wanted.encode()):
                return row
        raise PairingError(
            f"No open pairing request on {channel} has that code; codes end after an hour, "
            "so let the sender write again and list the open ones."
        )

    def _new_code(self) -> str:
        taken = {row.code for row in self._rows.pending()}
        while True:
            code = "".join(self._choose(ALPHABET) for _ in range(CODE_LENGTH))
            if code not in taken:
                return code

    def _put(self, row: Pairing) -> Pairing:
        self._rows.put(row)
        for listener in tuple(self.on_change):
            listener(row)
        return row


def clean_name(name: str) -> str:
    """A display name as it may be shown: one line without control characters and direction marks, at most 80 characters."""
    spaced = " ".join(name[: NAME_LENGTH * 10].split())
    return "".join(char for char in spaced if not _is_hidden(char))[:NAME_LENGTH].strip()


def _is_hidden(char: str) -> bool:
    """Joiners stay: names in Persian and many emoji need them."""
    return unicodedata.category(char).startswith("C") and char not in "\u200c\u200d"


def _key(channel: str, account: str, sender: str) -> str:
    return json.dumps([channel.lower(), account, sender])
