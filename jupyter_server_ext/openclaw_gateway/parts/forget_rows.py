"""What the ledgers of a state directory know of a session, and the ledgers without it (MEM-14).

A row belongs to a session when it names the session's key, one of its transcripts, or one of its runs. Every ledger is written
anew, for a row that was superseded is still in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.jsonl import encode_line, read_jsonl
from openclaw_kernel.store.ledger import Change, open_ledgers
from openclaw_kernel.values.envelope import delivery_id

FILE_NAME = "forgetting.jsonl"
PLACES = ("*.jsonl", "cron/*.jsonl", "channels/*.jsonl", "channels/*/*.jsonl")
"""Ledgers, relative to the state directory; the index of each agent's sessions comes after them."""
INDEXES = "agents/*/sessions/index.jsonl"
KEPT = frozenset(
    {FILE_NAME, "usage.jsonl", "budget-holds.jsonl", "nodes.jsonl", "devices.jsonl", "pairings.jsonl", "jobs.jsonl"}
)
"""Counts, devices, people and standing orders: they hold no word of a conversation but what a person ordered to be kept."""
PARTS = 64
"""Parts of one answer whose deliveries are looked for."""
SETTLED = "done"
DELETED = "__deleted"
KEYS = {
    "index.jsonl": ("key",),
    "runs.jsonl": ("run_id", "id"),
    **dict.fromkeys(
        ("inbox.jsonl", "outbox.jsonl", "approvals.jsonl", "questions.jsonl", "subagents.jsonl", "system-events.jsonl"), ("id",)
    ),
}
"""What names a row in the ledgers whose superseded rows hold words: those are left out when a file is written anew."""

Lane = tuple[str, ...]


@dataclass(slots=True)
class Trace:
    """What names the sessions that are forgotten: `keys` with those of their subagents, ids of transcripts, ids of runs, chats
    that are theirs alone, and commands that were allowed for good in them (agent, pattern)."""

    keys: set[str]
    transcripts: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    lanes: set[Lane] = field(default_factory=set)
    allowed: set[tuple[str, str]] = field(default_factory=set)

    @property
    def deliveries(self) -> frozenset[str]:
        return frozenset(delivery_id(run, part) for run in self.runs for part in range(PARTS))

    @property
    def size(self) -> int:
        return len(self.keys) + len(self.transcripts) + len(self.runs)


def trace(state_dir: Path, keys: Iterable[str]) -> Trace:
    """Everything that belongs to these sessions. Blocking."""
    found = Trace(set(keys))
    records = [record for path in ledger_files(state_dir) for record in read_jsonl(path)]
    before = -1
    while before != found.size:
        before = found.size
        for record in records:
            _learn(found, record)
    mine: set[Lane] = set()
    others: set[Lane] = set()
    for record in records:
        if (lane := _lane(record.get("inbound"), "peer")) and (key := record.get("session_key")):
            (mine if key in found.keys else others).add(lane)
    found.lanes = mine - others
    return found


def session_keys(state_dir: Path) -> set[str]:
    """Every session key that any ledger names. Blocking."""
    rows = [record for path in ledger_files(state_dir) for record in read_jsonl(path)]
    rows += [record for path in state_dir.glob("memory/*/writes.jsonl") for record in read_jsonl(path)]
    names = ("key", "session_key", "sessionKey", "parent_key", "child_key", "parentSessionKey")
    return {value for row in rows for name in names if isinstance(value := row.get(name), str) and value}


def transcript_keys(state_dir: Path) -> dict[str, str]:
    """Id of a transcript → key of its session, as far as the ledgers know. Blocking."""
    found: dict[str, str] = {}
    for path in ledger_files(state_dir):
        for row in read_jsonl(path):
            key = row.get("sessionKey") or row.get("session_key") or (row.get("key") if path.match(INDEXES) else None)
            id = row.get("sessionId") or row.get("session_id")
            if isinstance(key, str) and isinstance(id, str) and key and id:
                found[id] = key
    return found


def ledger_files(state_dir: Path) -> list[Path]:
    """Every ledger but those of the memory, the indexes of sessions last."""
    paths = [path for pattern in (*PLACES, INDEXES) for path in sorted(state_dir.glob(pattern))]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def scrub(state_dir: Path, found: Trace) -> int:
    """Writes every ledger anew without the trace, those that are open and those that are not; returns how many rows are gone.
    What a session is called by goes last, so that a forgetting cut short can be taken up again. Blocking."""
    deliveries, gone = found.deliveries, 0
    for path in ledger_files(state_dir):

        def change(record: dict[str, Any], name: str = path.name) -> dict[str, Any] | None:
            return _without(found, deliveries, name, record)

        held = [ledger for ledger in open_ledgers(state_dir) if ledger.path.resolve() == path.resolve()]
        if not held:
            gone += _rewrite(path, change)
            # One that was opened meanwhile appends to the file that is no more: it is asked to write itself.
            held = [ledger for ledger in open_ledgers(state_dir) if ledger.path.resolve() == path.resolve()]
        gone += sum(ledger.scrub(change) for ledger in held)
    return gone


def being_sent(state_dir: Path, found: Trace) -> bool:
    """Whether an answer of these sessions is on its way to a chat at this moment. Blocking."""
    deliveries = found.deliveries
    latest = {row.get("id"): row for path in state_dir.glob("channels/outbox.jsonl") for row in read_jsonl(path)}
    return any(row.get("state") == "attempting" and _sent(found, deliveries, row) for row in latest.values())


def _learn(found: Trace, record: Mapping[str, Any]) -> None:
    if _text(record, "parent_key", "parentSessionKey") in found.keys and (child := _text(record, "child_key", "key")):
        found.keys.add(child)
    if "child_key" in record:
        if record["child_key"] in found.keys:
            found.runs.add(str(record.get("id")))
        return
    if _text(record, "session_key", "sessionKey", "key") not in found.keys:
        return
    for into, names in ((found.transcripts, ("session_id", "sessionId")), (found.runs, ("run_id", "runId"))):
        if named := _text(record, *names):
            into.add(named)
    if "slot_ms" in record or "input_hash" in record:
        found.runs.add(_text(record, "run_id", "id"))
    card = record.get("card")
    if isinstance(card, Mapping) and record.get("decision") == "allow-always":
        found.allowed.add((str(record.get("agent_id")), str(dict(card.get("facts") or {}).get("pattern", ""))))


def _without(found: Trace, deliveries: frozenset[str], name: str, record: dict[str, Any]) -> dict[str, Any] | None:
    """A row as it stays, `None` for one that goes."""
    if "outbound" in record:
        return None if record.get("state") != SETTLED and _sent(found, deliveries, record) else record
    if name in KEPT or not _belongs(found, record):
        return record
    if "inbound" in record and record.get("state") == SETTLED:
        return record  # it holds no words; without it the platform could bring the message again
    if "slot_ms" in record:
        return {**record, "text": "", "error": "", "delivery_error": ""}  # how far the job has come stays
    return None


def _belongs(found: Trace, record: Mapping[str, Any]) -> bool:
    if "pattern" in record and (str(record.get("agent_id")), str(record["pattern"])) in found.allowed:
        return True
    if _text(record, "run_id", "runId") in found.runs or ("slot_ms" in record and record.get("id") in found.runs):
        return True
    return any(value in found.keys or value in found.transcripts for value in strings(record))


def _sent(found: Trace, deliveries: frozenset[str], record: Mapping[str, Any]) -> bool:
    return record.get("id") in deliveries or _lane(record.get("outbound"), "target") in found.lanes


def _lane(message: object, whose: str) -> Lane:
    if not isinstance(message, Mapping) or not isinstance(message.get(whose), Mapping):
        return ()
    peer, thread = message[whose], message.get("thread") or {}
    return tuple(
        map(str, (message.get("channel"), message.get("account"), peer.get("kind"), peer.get("id"), thread.get("id", "")))
    )


def strings(value: object) -> Iterator[str]:
    """Every text in a record, at whatever depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


def _text(record: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := record.get(name), str) and value), "")


def _rewrite(path: Path, change: Change) -> int:
    """A file that nobody holds open; returns how many rows are gone or other. Where nothing says what names a row, every line
    stays in its place, those that say what was deleted too."""
    keys = KEYS.get(path.name, ())
    rows: dict[object, dict[str, Any]] = {}
    lines = 0
    for lines, record in enumerate(read_jsonl(path), 1):
        name = next((str(record[key]) for key in keys if record.get(key)), None)
        if keys and DELETED in record:
            rows.pop(str(record[DELETED]), None)
        else:
            rows[name if name is not None else lines] = record
    kept = {name: changed for name, record in rows.items() if (changed := _changed(change, record)) is not None}
    if lines != len(kept) or kept != rows:
        write_atomic(path, b"".join(map(encode_line, kept.values())))
    return sum(kept.get(name) != record for name, record in rows.items())


def _changed(change: Change, record: dict[str, Any]) -> dict[str, Any] | None:
    return record if DELETED in record else change(dict(record))
