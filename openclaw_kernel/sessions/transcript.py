"""One session's transcript: a tree of JSON lines that is only ever appended to (SES-01, protocol section 7).

Every line but the header has an id and a parent; the conversation is the path from the root to the leaf, and the leaf is the
last line written. A branch is an append under an older line; a compaction is one more line (AGT-27). The file is read once,
on first use; from then on messages live in memory and an append costs one write.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from openclaw_kernel.sessions.context import Context
from openclaw_kernel.store.jsonl import JsonlFile, read_jsonl
from openclaw_kernel.values.clock import Clock, NewId, iso, new_id, system_clock
from openclaw_kernel.values.codec import message_from_wire, message_to_wire
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.messages import Message, Text, UserMessage

log = logging.getLogger(__name__)

VERSION = 4
SUMMARY_HEAD = "Summary of the earlier conversation:\n\n"
_OF_COMPACTION = ("compaction-mark", "memory-flush")


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an appended line went. `seq` counts the messages on its path from 1; 0 for a line that is not a message."""

    id: str
    seq: int


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its place in the transcript. `timestamp` is when the line was written, in milliseconds."""

    entry_id: str
    seq: int
    message: Message
    timestamp: int


@dataclass(slots=True)
class _Node:
    parent: str | None
    kind: str
    message: Message | None = None
    timestamp: int = 0
    record: Mapping[str, Any] | None = None


class Transcript:
    """The conversation of one session id. Not for concurrent writers: a lane allows one turn at a time (SES-13)."""

    def __init__(self, path: Path, session_id: str, cwd: str, clock: Clock, make_id: NewId) -> None:
        self.path = path
        self.session_id = session_id
        self.cwd = cwd
        self.parent_session: str | None = None
        self._clock = clock
        self._new_id = make_id
        self._file: JsonlFile | None = None
        self._loaded = False
        self._has_header = False
        self._nodes: dict[str, _Node] = {}
        self._leaf: str | None = None
        self._path: list[StoredMessage] = []
        self._context = Context()
        self._state: dict[str, Any] = {}
        self._compaction: str | None = None
        self._kept_from = 0
        self._weighed_at = 0

    @classmethod
    def open(
        cls, path: Path, session_id: str, cwd: str = "", clock: Clock = system_clock, make_id: NewId = new_id
    ) -> Transcript:
        """Names the file; it is read on first use and created by the first append."""
        return cls(path, session_id, cwd, clock, make_id)

    # --- reading

    def messages(self) -> list[StoredMessage]:
        """The messages from root to leaf. The list is the live one: read it, do not change it."""
        self._load()
        return self._path

    def tail(self, count: int) -> list[StoredMessage]:
        self._load()
        return self._path[-count:] if count > 0 else []

    def context(self) -> tuple[Message, ...]:
        """What a model may see: the last summary and everything kept or said since."""
        self._load()
        return self._context.snapshot()

    def open_calls(self) -> dict[str, str]:
        """Tool calls at the end that have no result yet: call id → tool name."""
        self._load()
        return self._context.open_calls()

    def latest(self, kind: str) -> Any:
        """The newest value on the path: `thinking_level_change` → level, a `custom` type → its data; `None` if never set."""
        self._load()
        return self._state.get(kind)

    def find(self, entry_id: str) -> Message | None:
        """The message of one line, wherever it is in the tree."""
        self._load()
        node = self._nodes.get(entry_id)
        return node.message if node else None

    @property
    def summary(self) -> Mapping[str, Any]:
        """The record of the last compaction on the path, empty when there is none."""
        self._load()
        node = self._nodes.get(self._compaction) if self._compaction else None
        return (node.record if node else None) or {}

    @property
    def kept_from(self) -> int:
        """Index in `messages` of the first one that is not summarised."""
        self._load()
        return self._kept_from

    @property
    def grown(self) -> int:
        """Bytes written since the last compaction or notes, as far as this process knows."""
        self._load()
        try:
            return self.path.stat().st_size - self._weighed_at
        except OSError:
            return 0

    @property
    def leaf(self) -> str | None:
        self._load()
        return self._leaf

    # --- writing

    def append_message(self, message: Message, parent: str | None = None) -> Entry:
        """Writes one message under `parent` (default: the leaf). Raises `StoreError`, with nothing changed."""
        self._load()
        if parent is not None and parent != self._leaf:
            self.branch(parent)
        now = self._clock()
        entry_id = self._new_id()
        record = {
            "type": "message",
            "id": entry_id,
            "parentId": self._leaf,
            "timestamp": iso(now),
            "message": message_to_wire(message),
        }
        self._writer().append(record)
        self._take(entry_id, _Node(self._leaf, "message", message, now))
        return Entry(entry_id, len(self._path))

    def append(self, record: Mapping[str, Any]) -> Entry:
        """Writes a line that is not a message: `thinking_level_change`, `custom`, `custom_message`, `compaction`, `reset`.

        `id`, `parentId` and `timestamp` are filled in.
        """
        self._load()
        now = self._clock()
        entry_id = self._new_id()
        whole = {**record, "id": entry_id, "parentId": self._leaf, "timestamp": iso(now)}
        self._writer().append(whole)
        self._take(entry_id, _node(whole, self._leaf, now))
        return Entry(entry_id, 0)

    def branch(self, entry_id: str) -> None:
        """Makes an older line the leaf; the next append starts a branch there. Raises INVALID_REQUEST for an unknown id."""
        self._load()
        if entry_id not in self._nodes:
            raise invalid(f"session {self.session_id} has no entry {entry_id!r}")
        self._leaf = entry_id
        self._rebuild()

    def undo_compaction(self) -> bool:
        """Branches from before the last compaction and says again there what was said since; false when there is none.

        No line is removed: the summary stays in the file, off the path (AGT-27).
        """
        self._load()
        if self._compaction is None:
            return False
        since: list[_Node] = []
        at = self._leaf
        while at is not None and at != self._compaction:
            since.append(self._nodes[at])
            at = self._nodes[at].parent
        undone = self._compaction
        parent = self._nodes[undone].parent
        if parent is None:
            return False
        self.branch(parent)
        self.append({"type": "custom", "customType": "compaction-undone", "data": undone})
        for node in reversed(since):
            if node.kind == "message" and node.message is not None:
                self.append_message(node.message)
            elif node.record is not None and node.record.get("customType") not in _OF_COMPACTION:
                self.append({name: value for name, value in node.record.items() if name not in ("id", "parentId", "timestamp")})
        return True

    async def flush(self) -> None:
        """What was appended survives a power cut once this returns."""
        if self._file is not None:
            await self._file.flush()

    def close(self) -> None:
        """Gives the file back; a later append opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _writer(self) -> JsonlFile:
        if self._file is None:
            self._file = JsonlFile.open(self.path)
        if not self._has_header:
            header = {
                "type": "session",
                "version": VERSION,
                "id": self.session_id,
                "timestamp": iso(self._clock()),
                "cwd": self.cwd,
            }
            if self.parent_session:
                header["parentSession"] = self.parent_session
            self._file.append(header)
            self._has_header = True
        return self._file

    # --- memory

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        if not self.path.exists():
            return
        self._file = JsonlFile.open(self.path)
        for record in read_jsonl(self.path):
            if record.get("type") == "session":
                self._has_header = True
                self.cwd = str(record.get("cwd", self.cwd))
            elif isinstance(record.get("id"), str):
                self._read(record)
        self._rebuild()

    def _read(self, record: Mapping[str, Any]) -> None:
        """One line into the tree. A parent that is not in the file is taken to be the line before, so nothing is lost."""
        parent = record.get("parentId")
        if parent not in self._nodes:
            parent = self._leaf
        try:
            node = _node(record, parent, _milliseconds(record.get("timestamp")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s: entry %s is not readable (%s); it is skipped", self.path, record.get("id"), error)
            return
        self._nodes[record["id"]] = node
        self._leaf = record["id"]

    def _take(self, entry_id: str, node: _Node) -> None:
        self._nodes[entry_id] = node
        self._leaf = entry_id
        if node.kind == "compaction":
            self._rebuild()
        else:
            self._show(entry_id, node)

    def _show(self, entry_id: str, node: _Node) -> None:
        if node.kind == "message" and node.message is not None:
            self._path.append(StoredMessage(entry_id, len(self._path) + 1, node.message, node.timestamp))
        if node.message is not None:
            self._context.add(node.message)
        elif node.record is not None:
            self._note(node.record)

    def _note(self, record: Mapping[str, Any]) -> None:
        if record["type"] == "thinking_level_change":
            self._state["thinking_level_change"] = record.get("thinkingLevel")
        elif record["type"] == "custom":
            kind = str(record.get("customType"))
            self._state[kind] = record.get("data")
            if kind in _OF_COMPACTION and self._file is not None:
                self._weighed_at = self._size()

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def _rebuild(self) -> None:
        """Walks from the leaf to the root and lays the path out again; only on load, branch and compaction."""
        ids: list[str] = []
        at = self._leaf
        while at is not None:
            ids.append(at)
            at = self._nodes[at].parent
        ids.reverse()
        self._path, self._context, self._state = [], Context(), {}
        for entry_id in ids:
            self._show(entry_id, self._nodes[entry_id])
        last = next((i for i in reversed(range(len(ids))) if self._nodes[ids[i]].kind == "compaction"), None)
        self._compaction, self._kept_from = (ids[last] if last is not None else None), 0
        if last is not None:
            self._context = self._compacted(ids, last)

    def _compacted(self, ids: list[str], at: int) -> Context:
        node = self._nodes[ids[at]]
        record = node.record or {}
        context = Context()
        context.add(UserMessage((Text(SUMMARY_HEAD + str(record.get("summary", ""))),), node.timestamp))
        first_kept = record.get("firstKeptEntryId")
        start = ids.index(first_kept) if first_kept in ids else at + 1
        before = set(ids[:start])
        self._kept_from = sum(1 for stored in self._path if stored.entry_id in before)
        for entry_id in ids[start:]:
            message = self._nodes[entry_id].message
            if message is not None:
                context.add(message)
        return context


def _node(record: Mapping[str, Any], parent: str | None, timestamp: int) -> _Node:
    kind = str(record.get("type", ""))
    if kind == "message":
        message = message_from_wire(record["message"])
        return _Node(parent, kind, message, timestamp or message.timestamp)
    if kind == "custom_message":
        wire = {"role": "user", "content": record.get("content", ""), "timestamp": timestamp}
        return _Node(parent, kind, message_from_wire(wire), timestamp, record)
    return _Node(parent, kind, None, timestamp, record)


def _milliseconds(timestamp: object) -> int:
    if isinstance(timestamp, int | float):
        return int(timestamp)
    if not isinstance(timestamp, str):
        return 0
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)


def with_place(stored: StoredMessage) -> dict[str, Any]:
    """The wire shape of a stored message, with `__openclaw {id, seq}` (protocol section 4)."""
    meta = {**stored.message.meta, "id": stored.entry_id, "seq": stored.seq}
    return message_to_wire(replace(stored.message, meta=meta))
