"""What is set aside for calls under way, on disk too: a call whose process was killed counts with its estimate (MOD-19).

Rows of `<state>/budget-holds.jsonl`, written before a call is sent and taken away when it has ended; only while a limit is set.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from openclaw_kernel.models.api import Account, Model, ModelCost
from openclaw_kernel.models.usage import UsageBook
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.messages import Cost, Usage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hold:
    """The estimate of one call. `places` are the sums it counts against: `run` and its id, `day` and its date, …"""

    account: Account
    model: str
    input: int
    output: int
    input_usd: float
    output_usd: float
    places: tuple[tuple[str, ...], ...] = ()
    id: str = ""

    @property
    def tokens(self) -> int:
        return self.input + self.output

    @property
    def usd(self) -> float:
        return self.input_usd + self.output_usd


class Holds:
    """The holds of this process. Those another process left behind are booked as spent when the first is made or asked for."""

    def __init__(self, state_dir: Path | None, usage: UsageBook) -> None:
        self._path = state_dir / "budget-holds.jsonl" if state_dir is not None else None
        self._usage = usage
        self._ledger: Ledger[Hold] | None = None
        self._rows: dict[str, Hold] = {}
        self._open = self._path is None

    def rows(self) -> list[Hold]:
        self._load()
        return list(self._rows.values())

    def add(self, hold: Hold) -> str:
        """Sets it aside; the id to let it go by. Raises `StoreError` when the disk refuses, and then nothing is set aside."""
        self._load()
        row = replace(hold, id=str(uuid4()))
        if self._ledger is not None:
            self._ledger.put(row)
        self._rows[row.id] = row
        return row.id

    def release(self, id: str) -> None:
        if self._rows.pop(id, None) is None or self._ledger is None:
            return
        try:
            self._ledger.delete(id)
        except StoreError as error:
            log.error("a call's hold stays on disk and will count as spent: %s", error)

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger, self._open = None, False

    def _load(self) -> None:
        if self._open or self._path is None:
            return
        self._open = True
        self._ledger = Ledger(self._path, key=lambda row: row.id, encode=_encode, decode=_decode)
        for row in self._ledger.rows():
            if row.id not in self._rows:
                self._usage.record(row.account, _model(row.model), _usage(row))
                self._ledger.delete(row.id)


def _usage(row: Hold) -> Usage:
    return Usage(row.input, row.output, cost=Cost(row.input_usd, row.output_usd))


def _model(ref: str) -> Model:
    """Enough of a model to book on; its price is in the hold."""
    provider, _, model_id = ref.partition("/")
    return Model(model_id, provider, "openai-completions", cost=ModelCost(1.0, 1.0))


def _encode(row: Hold) -> dict[str, object]:
    return {
        "id": row.id,
        "account": asdict(row.account),
        "model": row.model,
        "tokens": [row.input, row.output],
        "usd": [row.input_usd, row.output_usd],
    }


def _decode(wire: dict[str, object]) -> Hold:
    account, tokens, usd = wire["account"], wire["tokens"], wire["usd"]
    if not isinstance(account, dict) or not isinstance(tokens, list) or not isinstance(usd, list):
        raise TypeError("account, tokens or usd is of another shape")
    (tokens_in, tokens_out), (usd_in, usd_out) = tokens, usd
    return Hold(Account(**account), str(wire["model"]), tokens_in, tokens_out, usd_in, usd_out, id=str(wire["id"]))
