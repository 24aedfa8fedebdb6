"""Tokens and money, added up as they are spent: per day, agent, session and model (MOD-18).

One row of `<state>/usage.jsonl` per such cell, put again with every call; the sums by day, by session and so on are kept beside
it. No question about usage reads a transcript.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from openclaw_kernel.models.api import Account, Model
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.messages import Usage

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

KEPT_RUNS = 512
"""How many runs' sums are remembered; a run's own row in the run ledger keeps its total."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens and US dollars; `unpriced` counts calls of a model whose price is not known."""

    calls: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    input_usd: float = 0.0
    output_usd: float = 0.0
    cache_read_usd: float = 0.0
    cache_write_usd: float = 0.0
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write

    @property
    def usd(self) -> float:
        return self.input_usd + self.output_usd + self.cache_read_usd + self.cache_write_usd

    def plus(self, other: Spent) -> Spent:
        return Spent(
            self.calls + other.calls,
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.input_usd + other.input_usd,
            self.output_usd + other.output_usd,
            self.cache_read_usd + other.cache_read_usd,
            self.cache_write_usd + other.cache_write_usd,
            self.unpriced + other.unpriced,
        )


NOTHING = Spent()


@dataclass(frozen=True, slots=True)
class Cell:
    """What one agent spent in one session on one model on one day (`2026-11-21`, local time). `root_id` is the session at the
    head of those that started it, empty for one that nobody else started."""

    day: str
    agent_id: str
    session_key: str
    session_id: str
    provider: str
    model: str
    updated_at: int
    spent: Spent
    root_id: str = ""

    @property
    def id(self) -> str:
        return f"{self.day}|{self.agent_id}|{self.session_id or self.session_key}|{self.provider}/{self.model}"


class UsageBook:
    """The cells and their sums. Opened on first use; without a path it lasts as long as the process."""

    def __init__(self, state_dir: Path | None, clock: Clock) -> None:
        self._path = state_dir / "usage.jsonl" if state_dir is not None else None
        self._clock = clock
        self._ledger: Ledger[Cell] | None = None
        self._cells: dict[str, Cell] | None = None
        self._sums: dict[tuple[str, ...], Spent] = {}
        self._runs: OrderedDict[str, Spent] = OrderedDict()
        self._hour: tuple[int, str] = (-1, "")

    def record(self, account: Account, model: Model, usage: Usage) -> None:
        """Books one call."""
        spent = _spent(usage, model)
        cells, now = self._loaded(), self._clock()
        place = (self.day(), account.agent_id, account.session_key, account.session_id, model.provider, model.id)
        fresh = Cell(*place, now, spent, account.root_id)
        known = cells.get(fresh.id)
        if known is not None:
            fresh = replace(fresh, spent=known.spent.plus(spent))
        cells[fresh.id] = fresh
        self._add(fresh, spent)
        if account.run_id:
            self._runs[account.run_id] = self._runs.pop(account.run_id, NOTHING).plus(spent)
            if len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)
        if self._ledger is not None:
            try:
                self._ledger.put(fresh)
            except StoreError as error:
                log.error("usage is counted in memory alone: %s", error)

    def run(self, run_id: str) -> Spent:
        return self._runs.get(run_id, NOTHING)

    def session(self, session_id: str) -> Spent:
        return self._sum("session", session_id)

    def family(self, root_id: str) -> Spent:
        """What a session spent and all that it started."""
        return self._sum("family", root_id)

    def on(self, day: str) -> Spent:
        return self._sum("day", day)

    def agent_on(self, agent_id: str, day: str) -> Spent:
        return self._sum("agent", agent_id, day)

    def today(self) -> Spent:
        return self.on(self.day())

    def cells(self, first: str = "", last: str = "9999") -> list[Cell]:
        """The cells of the days from `first` to `last`, both included."""
        return [cell for cell in self._loaded().values() if first <= cell.day <= last]

    def day(self) -> str:
        """Today, local time. Looked up once per quarter of an hour: no zone changes its date in between."""
        quarter = self._clock() // 900_000
        if quarter != self._hour[0]:
            self._hour = (quarter, datetime.fromtimestamp(self._clock() / 1000).strftime("%Y-%m-%d"))
        return self._hour[1]

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = self._cells = None

    def _sum(self, *place: str) -> Spent:
        self._loaded()
        return self._sums.get(place, NOTHING)

    def _add(self, cell: Cell, spent: Spent) -> None:
        session = cell.session_id or cell.session_key
        sums = (
            ("day", cell.day),
            ("session", session),
            ("family", cell.root_id or session),
            ("agent", cell.agent_id, cell.day),
        )
        for place in sums:
            self._sums[place] = self._sums.get(place, NOTHING).plus(spent)

    def _loaded(self) -> dict[str, Cell]:
        if self._cells is None:
            self._cells = {}
            self._sums.clear()
            if self._path is not None:
                try:
                    self._ledger = Ledger(self._path, key=lambda cell: cell.id, encode=_encode, decode=_decode)
                except StoreError as error:
                    log.error("usage of before is not known and counted in memory alone: %s", error)
                    return self._cells
                for cell in self._ledger.rows():
                    self._cells[cell.id] = cell
                    self._add(cell, cell.spent)
        return self._cells


def total(parts: Iterable[Spent]) -> Spent:
    result = NOTHING
    for part in parts:
        result = result.plus(part)
    return result


def by(cells: Iterable[Cell], name: Callable[[Cell], K]) -> dict[K, Spent]:
    """Sums of cells by what `name` says of them."""
    sums: dict[K, Spent] = {}
    for cell in cells:
        sums[name(cell)] = sums.get(name(cell), NOTHING).plus(cell.spent)
    return sums


_PLACE = ("day", "agent_id", "session_key", "session_id", "provider", "model")
_NUMBERS = tuple(field.name for field in fields(Spent))


def _spent(usage: Usage, model: Model) -> Spent:
    cost = usage.cost
    priced = bool(model.cost.input or model.cost.output) or model.api == "offline"
    return Spent(
        1,
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        cost.input,
        cost.output,
        cost.cache_read,
        cost.cache_write,
        0 if priced else 1,
    )


def _encode(cell: Cell) -> dict[str, object]:
    wire: dict[str, object] = {name: getattr(cell, name) for name in _PLACE}
    wire["updated_at"] = cell.updated_at
    if cell.root_id:
        wire["root_id"] = cell.root_id
    wire["spent"] = [getattr(cell.spent, name) for name in _NUMBERS]
    return wire


def _decode(wire: dict[str, object]) -> Cell:
    numbers = wire["spent"]
    if not isinstance(numbers, list):
        raise TypeError("spent is not a list")
    place = {name: str(wire[name]) for name in _PLACE}
    return Cell(**place, updated_at=int(str(wire["updated_at"])), spent=Spent(*numbers), root_id=str(wire.get("root_id", "")))
