"""All sessions of all agents: the index, the transcripts that are open, pages of history.

`<state>/agents/<agent>/sessions/index.jsonl` holds one ledger per agent, `<sessionId>.jsonl` beside it one transcript per
session id. A reset keeps the old file; a delete renames it. No line is ever removed (SES-08).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from openclaw_kernel.sessions.index import PREVIEW_CHARS, TITLE_CHARS, SessionEntry, decode_entry, encode_entry, shorten
from openclaw_kernel.sessions.transcript import StoredMessage, Transcript, with_place
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, NewId, system_clock
from openclaw_kernel.values.clock import new_id as random_id
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.messages import AssistantMessage, Message, Text, UserMessage
from openclaw_kernel.values.session_key import DEFAULT_AGENT, parse
from openclaw_kernel.values.session_key import resolve as resolve_key

Entries = list[SessionEntry]
Lines = list[dict[str, str]]

_AGENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

MAX_ANCESTORS = 8
"""Subagents start subagents at most five deep (AGT-33)."""

OPEN_TRANSCRIPTS = 64
"""How many transcripts stay in memory; the least recently used one is let go first."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session, opened."""

    entry: SessionEntry
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Messages oldest first, each with `__openclaw {id, seq}`; `total` counts the whole path."""

    messages: list[dict[str, Any]]
    total: int
    has_more: bool


class Sessions:
    """The sessions of one state directory. Used from the event loop only."""

    def __init__(
        self,
        state_dir: Path,
        clock: Clock = system_clock,
        new_id: NewId = random_id,
        *,
        workspace: Callable[[str], Path] | None = None,
    ) -> None:
        self._root = state_dir / "agents"
        self._clock = clock
        self._new_id = new_id
        self._workspace = workspace or (lambda agent: state_dir / _default_workspace(agent))
        self._ledgers: dict[str, Ledger[SessionEntry]] = {}
        self._recent: OrderedDict[Path, Transcript] = OrderedDict()
        self._alive: WeakValueDictionary[Path, Transcript] = WeakValueDictionary()
        for index in sorted(self._root.glob("*/sessions/index.jsonl")):
            self._ledger(index.parent.parent.name)

    # --- finding

    def get(self, key: str) -> SessionEntry | None:
        canonical = resolve_key(key)
        ledger = self._ledgers.get(_agent_of(canonical))
        return ledger.get(canonical) if ledger else None

    def above(self, key: str) -> Entries:
        """The sessions for which a subagent works, nearest first; none for any other session."""
        found: Entries = []
        entry = self.get(key)
        while entry is not None and entry.parent_session_key and len(found) < MAX_ANCESTORS:
            entry = self.get(entry.parent_session_key)
            found += [entry] if entry is not None else []
        return found

    def root_key(self, key: str) -> str:
        """The conversation for which a subagent works in the end; any other session is its own."""
        above = self.above(key)
        return above[-1].key if above else key

    def list(self, agent_id: str | None = None) -> Entries:
        """Newest first; pinned ones before the others."""
        ledgers = self._ledgers.values() if agent_id is None else filter(None, [self._ledgers.get(agent_id)])
        rows = [row for ledger in ledgers for row in ledger.rows()]
        return sorted(rows, key=lambda row: (row.pinned, row.updated_at), reverse=True)

    def resolve(self, name: str) -> SessionEntry:
        """The session of a key, a session id or a label. Raises INVALID_REQUEST when there is none."""
        if (entry := self.get(name)) is not None:
            return entry
        rows = self.list()
        for matches in (lambda row: row.session_id == name, lambda row: row.label == name):
            if (found := next(filter(matches, rows), None)) is not None:
                return found
        raise invalid(f"unknown session {name!r}; list the sessions with sessions.list")

    def open(self, key: str) -> Session:
        """The session of `key`, created when it is new."""
        canonical = resolve_key(key)
        entry = self.get(canonical) or self._create(canonical)
        return Session(entry, self.transcript(entry.agent_id, entry.session_id))

    def transcript(self, agent_id: str, session_id: str) -> Transcript:
        """The transcript of one session id, current or from before a reset."""
        path = self.path(agent_id, session_id)
        transcript = self._alive.get(path)
        if transcript is None:
            transcript = Transcript.open(path, session_id, str(self._workspace(agent_id)), self._clock, self._new_id)
            self._alive[path] = transcript
        self._recent[path] = transcript
        self._recent.move_to_end(path)
        if len(self._recent) > OPEN_TRANSCRIPTS:
            _, oldest = self._recent.popitem(last=False)
            oldest.close()
        return transcript

    def path(self, agent_id: str, session_id: str) -> Path:
        return self._root / agent_id / "sessions" / f"{session_id}.jsonl"

    # --- changing

    def update(self, key: str, **changes: Any) -> SessionEntry:
        """Writes the changed row; `updated_at` becomes now. Raises INVALID_REQUEST for an unknown session."""
        entry = self._existing(key)
        changed = replace(entry, **{"updated_at": self._clock(), **changes})
        self._ledger(entry.agent_id).put(changed)
        return changed

    def append(self, session: Session, message: Message) -> StoredMessage:
        """Writes one message and keeps the title in step with the first thing a person said."""
        session.transcript.append_message(message)
        if isinstance(message, UserMessage):
            entry = self.get(session.entry.key)
            if entry is not None and entry.session_id == session.entry.session_id and not entry.title:
                self.update(entry.key, title=shorten(_text(message), TITLE_CHARS))
        return session.transcript.tail(1)[0]

    def reset(self, key: str, reason: str = "reset") -> SessionEntry:
        """A new session id under the same key; the old file stays where it is (SES-06)."""
        entry = self._existing(key)
        old = self.transcript(entry.agent_id, entry.session_id)
        if old.messages():
            old.append({"type": "reset", "reason": reason})
        now = self._clock()
        fresh = SessionEntry(
            key=entry.key,
            session_id=self._new_id(),
            agent_id=entry.agent_id,
            created_at=entry.created_at,
            updated_at=now,
            session_started_at=now,
            last_interaction_at=now,
            label=entry.label,
            model_override=entry.model_override,
            provider_override=entry.provider_override,
            thinking_level=entry.thinking_level,
            verbose_level=entry.verbose_level,
            reasoning_level=entry.reasoning_level,
            chat_type=entry.chat_type,
            channel=entry.channel,
            last_channel=entry.last_channel,
            last_to=entry.last_to,
            created_via=entry.created_via,
            parent_session_key=entry.parent_session_key,
            spawn_depth=entry.spawn_depth,
            pinned_at=entry.pinned_at,
            queue_mode=entry.queue_mode,
            queue_debounce_ms=entry.queue_debounce_ms,
            queue_cap=entry.queue_cap,
            queue_drop=entry.queue_drop,
            send_policy=entry.send_policy,
        )
        self._ledger(entry.agent_id).put(fresh)
        self.transcript(fresh.agent_id, fresh.session_id).parent_session = entry.session_id
        return fresh

    def delete(self, key: str) -> Path | None:
        """Takes the session out of the index and renames its transcript; the new path, or `None` if nothing was written."""
        entry = self._existing(key)
        path = self.path(entry.agent_id, entry.session_id)
        self.let_go(path)
        self._ledger(entry.agent_id).delete(entry.key)
        if not path.exists():
            return None
        archived = path.with_name(f"{path.name}.deleted-{self._clock()}")
        path.rename(archived)
        return archived

    def let_go(self, path: Path) -> None:
        """Closes the transcript of this file, if it is open, and forgets what was read of it."""
        for book in (self._recent, self._alive):
            transcript = book.pop(path, None)
            if transcript is not None:
                transcript.close()

    # --- reading

    def history(self, key: str, limit: int = 200, offset: int = 0) -> HistoryPage:
        """The `limit` newest messages, after skipping the `offset` newest; an unknown session has an empty page."""
        entry = self.get(key)
        if entry is None:
            return HistoryPage([], 0, False)
        messages = self.transcript(entry.agent_id, entry.session_id).messages()
        end = max(0, len(messages) - max(0, offset))
        start = max(0, end - max(0, limit))
        return HistoryPage([with_place(stored) for stored in messages[start:end]], len(messages), start > 0)

    def preview(self, key: str, limit: int = 5, chars: int = PREVIEW_CHARS) -> Lines:
        """The last few things said, one short line each: `{role, text}`; tool results and empty messages are left out."""
        entry = self.get(key)
        if entry is None:
            return []
        lines: Lines = []
        for stored in reversed(self.transcript(entry.agent_id, entry.session_id).messages()):
            if len(lines) >= limit:
                break
            message = stored.message
            if isinstance(message, UserMessage | AssistantMessage) and (text := _text(message).strip()):
                role = "user" if isinstance(message, UserMessage) else "assistant"
                lines.append({"role": role, "text": shorten(text, chars)})
        return lines[::-1]

    async def flush(self) -> None:
        """Index and open transcripts on disk for good."""
        for ledger in self._ledgers.values():
            await ledger.flush()
        for transcript in list(self._recent.values()):
            await transcript.flush()

    def close(self) -> None:
        for transcript in list(self._alive.values()):
            transcript.close()
        for ledger in self._ledgers.values():
            ledger.close()
        self._recent.clear()

    def _create(self, key: str) -> SessionEntry:
        now = self._clock()
        agent = _agent_of(key)
        entry = SessionEntry(
            key=key,
            session_id=self._new_id(),
            agent_id=agent,
            created_at=now,
            updated_at=now,
            session_started_at=now,
            chat_type=_chat_type(key),
            channel=parse(key).channel or None,
        )
        self._ledger(agent).put(entry)
        return entry

    def _existing(self, key: str) -> SessionEntry:
        entry = self.get(key)
        if entry is None:
            raise invalid(f"unknown session {key!r}; list the sessions with sessions.list")
        return entry

    def _ledger(self, agent_id: str) -> Ledger[SessionEntry]:
        ledger = self._ledgers.get(agent_id)
        if ledger is None:
            ledger = Ledger(
                self._root / agent_id / "sessions" / "index.jsonl",
                key=lambda row: row.key,
                encode=encode_entry,
                decode=decode_entry,
            )
            self._ledgers[agent_id] = ledger
        return ledger


def _agent_of(key: str) -> str:
    """The agent of a key; its id is a folder name, so anything else is refused."""
    agent = parse(key).agent
    if not _AGENT_ID.fullmatch(agent):
        raise invalid(f"agent id {agent!r} is not valid; use letters, digits, dot, dash and underscore")
    return agent


def _default_workspace(agent_id: str) -> str:
    return "workspace" if agent_id == DEFAULT_AGENT else f"workspace-{agent_id}"


def _chat_type(key: str) -> str:
    kind = parse(key).kind
    return kind if kind in ("group", "channel") else "direct"


def _text(message: Message) -> str:
    return "".join(part.text for part in message.content if isinstance(part, Text))
