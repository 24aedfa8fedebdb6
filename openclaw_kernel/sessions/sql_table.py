"""What SQL answers with: named columns and rows of plain values, small enough to send."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

MAX_CELL_CHARS = 32_000
_OVERHANG = 512
"""Looked at behind the cut, so that a secret that lies across it is seen whole."""
MAX_CHARS = 8_000_000
"""Of one answer: well below what one frame of the protocol may have."""
_BIGGEST = 2**53


@dataclass(frozen=True, slots=True)
class Table:
    """Values are JSON's; times are ISO texts in UTC. `types` are DuckDB's names, `truncated` says there are more rows or that a
    text was cut, `bad_lines` counts lines of the files that are no record."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False
    bad_lines: int = 0
    elapsed_ms: int = 0

    def dicts(self) -> list[dict[str, Any]]:
        """One mapping a row; of two columns with one name the last wins."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_wire(self) -> dict[str, Any]:
        return {
            "columns": [{"name": name, "type": kind} for name, kind in zip(self.columns, self.types, strict=True)],
            "rows": [list(row) for row in self.rows],
            "truncated": self.truncated,
            "badLines": self.bad_lines,
            "elapsedMs": self.elapsed_ms,
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Table:
        return cls(
            tuple(str(column["name"]) for column in wire["columns"]),
            tuple(str(column["type"]) for column in wire["columns"]),
            tuple(tuple(row) for row in wire["rows"]),
            bool(wire.get("truncated")),
            int(wire.get("badLines") or 0),
            int(wire.get("elapsedMs") or 0),
        )


def plain_rows(rows: Iterable[Sequence[Any]], limit: int) -> tuple[tuple[tuple[Any, ...], ...], bool]:
    """At most `limit` rows as JSON values, and whether something was left out. Secrets are still in them: `finished` next."""
    kept: list[tuple[Any, ...]] = []
    room, cut = MAX_CHARS, False

    def text(value: str) -> str:
        nonlocal room, cut
        cut = cut or len(value) > MAX_CELL_CHARS
        value = value[: MAX_CELL_CHARS + _OVERHANG]
        room -= len(value)
        return value

    for row in rows:
        if len(kept) >= limit or room <= 0:
            return tuple(kept), True
        kept.append(tuple(plain(value, text) for value in row))
        room -= 8 * len(row)
    return tuple(kept), cut


def finished(table: Table, redact: Callable[[str], str]) -> Table:
    """The table without secrets, long texts cut to their final length."""

    def text(value: str) -> str:
        hidden = redact(value)
        return hidden if len(hidden) <= MAX_CELL_CHARS else hidden[:MAX_CELL_CHARS] + "…"

    rows = tuple(tuple(plain(value, text) for value in row) for row in table.rows)
    return replace(table, columns=tuple(map(text, table.columns)), rows=rows)


def plain(value: Any, text: Callable[[str], str]) -> Any:
    """One value as JSON knows it. Whole numbers beyond 2**53 become texts, as JSON readers would round them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_BIGGEST <= value <= _BIGGEST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return text(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return text(bytes(value).decode("utf-8", "backslashreplace"))
    if isinstance(value, Mapping):
        return {text(str(key)): plain(item, text) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item, text) for item in value]
    return text(str(value))
