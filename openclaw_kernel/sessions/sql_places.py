"""Where the rows are: the files of a state directory that SQL may show, and the small tables made of them.

Ledgers are read, never opened for writing: their owner is another process, or another part of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.memory.notes import Notes
from openclaw_kernel.models.usage import Spent
from openclaw_kernel.sessions.index import SessionEntry, decode_entry
from openclaw_kernel.values.errors import UserError

INDEX = "index.jsonl"
_SPENT = tuple(row.name for row in fields(Spent))

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows of one table, and how many lines of its files could not be read."""

    rows: list[Row]
    bad_lines: int = 0


@dataclass(frozen=True, slots=True)
class Places:
    """`workspaces` is agent → folder of its notes. `chunks` answers with the rows of the memory index, where there is one."""

    state_dir: Path
    workspaces: Mapping[str, Path] = field(default_factory=dict)
    chunks: Callable[[], Iterable[Row]] | None = None

    def transcripts(self) -> list[Path]:
        """The transcripts, in order; what is no plain file (a link, a folder) is left out. Raises `UserError` when the path of
        the state directory has characters that stand for others."""
        found = [
            path
            for path in sorted((self.state_dir / "agents").glob("*/sessions/*.jsonl"))
            if path.name != INDEX and path.is_file() and not path.is_symlink() and not path.parent.is_symlink()
        ]
        for path in found:
            if set("*?[") & set(str(path)):
                raise UserError(f"SQL cannot read {path}: its name has one of the characters * ? [; rename it.")
        return found

    def sessions(self) -> Loaded:
        rows: list[Row] = []
        bad = 0
        for path in sorted((self.state_dir / "agents").glob(f"*/sessions/{INDEX}")):
            latest, unread = _latest(path, lambda record: str(record["key"]))
            bad += unread
            for record in latest:
                try:
                    rows.append(_session(decode_entry(record)))
                except (KeyError, TypeError, ValueError):
                    bad += 1
        return Loaded(rows, bad)

    def usage(self) -> Loaded:
        rows: list[Row] = []
        latest, bad = _latest(self.state_dir / "usage.jsonl", _cell_id)
        for record in latest:
            try:
                rows.append(_cell(record))
            except (KeyError, TypeError, ValueError):
                bad += 1
        return Loaded(rows, bad)

    def notes(self) -> Loaded:
        rows: list[Row] = []
        for agent, workspace in self.workspaces.items():
            for note in Notes(workspace).all():
                rows.append({"agent": agent, "path": note.path, "line": note.line, "day": note.day or None, "text": note.text})
        return Loaded(rows)


def _latest(path: Path, key: Callable[[Row], str]) -> tuple[list[Row], int]:
    """The last record of every id, and the number of lines that are none. A missing file has no records."""
    found: dict[str, Row] = {}
    bad = 0
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    record = orjson.loads(line)
                    if "__deleted" in record:
                        found.pop(str(record["__deleted"]), None)
                    else:
                        found[key(record)] = record
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    bad += bool(line.strip())
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise UserError(f"SQL cannot read {path}: {error.strerror}.") from error
    return list(found.values()), bad


def _session(entry: SessionEntry) -> Row:
    row = {place.name: getattr(entry, place.name) for place in fields(SessionEntry)}
    row["agent"] = row.pop("agent_id")
    row["cost_usd"] = row.pop("estimated_cost_usd")
    return row


def _cell_id(record: Row) -> str:
    place = (
        record["day"],
        record["agent_id"],
        record["session_id"] or record["session_key"],
        record["provider"],
        record["model"],
    )
    return "|".join(map(str, place))


def _cell(record: Row) -> Row:
    spent = Spent(*record["spent"])
    numbers = {name: getattr(spent, name) for name in _SPENT}
    place = {name: str(record[name]) for name in ("day", "session_key", "session_id", "provider", "model")}
    return {
        **place,
        "agent": str(record["agent_id"]),
        "updated_at": int(record["updated_at"]),
        "calls": numbers["calls"],
        "input_tokens": numbers["input"],
        "output_tokens": numbers["output"],
        "cache_read": numbers["cache_read"],
        "cache_write": numbers["cache_write"],
        "cost_usd": spent.usd,
        "unpriced": numbers["unpriced"],
    }
