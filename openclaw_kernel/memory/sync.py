"""Taking up what changed: stat, then hash, then a comparison of chunks (MEM-04).

A chunk whose text stayed keeps its id and its vector, wherever in its file it went. Blocking; one thread runs it. A change is
searchable as soon as `apply` has it, and durable after the commit; a lost commit is only work done again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openclaw_kernel.memory.api import Kind, Provenance, SyncReport
from openclaw_kernel.memory.chunking import OVERLAP, TOKENS, Chunk, chunker_id, cut
from openclaw_kernel.memory.durable import Durable
from openclaw_kernel.memory.exclusions import exchange_id, session_id, transcript_id
from openclaw_kernel.memory.places import MAX_FILE_BYTES, NoteFile, Places, day_of
from openclaw_kernel.memory.records import Change, Row, Source
from openclaw_kernel.memory.said import Spoken, read_said
from openclaw_kernel.memory.writes import provenance_of
from openclaw_kernel.values.clock import Clock

UNSURE_NS = 2_000_000_000
"""A file this young may change again without changing its time: it is hashed once more."""
PART = 2_000
"""Chunks of one transaction; more than a debounce ever has, except for a first build."""

Apply = Callable[[Sequence[tuple[Source, Row]], Sequence[tuple[Source, Row]], Sequence[int]], None]
"""Takes added and moved chunks and the ids of removed ones into the index that answers."""

_IMPORTANCE = re.compile(r"\bimportance\s*[:=]\s*(10|[1-9])\b", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    files: int = 0
    changed: int = 0
    removed: int = 0
    added: int = 0
    dropped: int = 0


class Syncer:
    """What is known of the files of one memory, and the way from the files to the index."""

    def __init__(
        self,
        durable: Durable,
        places: Places,
        apply: Apply,
        clock: Clock,
        *,
        tokens: int = TOKENS,
        overlap: int = OVERLAP,
        voices: Callable[[str], Mapping[str, Provenance]] = lambda _path: {},
        excluded: Callable[[str], bool] = lambda _id: False,
        halted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._durable = durable
        self._places = places
        self._apply = apply
        self._clock = clock
        self._size = (tokens, min(overlap, tokens - 1))
        self._chunker = chunker_id(*self._size)
        self._voices = voices
        self._excluded = excluded
        self._halted = halted
        self.sources: dict[tuple[Kind, str], Source] = {(one.kind, one.path): one for one in durable.sources()}
        self._next_id = durable.next_id
        self._next_source = 1 + max((one.id for one in self.sources.values()), default=0)
        self.problems: dict[str, str] = {}

    def stale(self, spoken: Sequence[Spoken] = ()) -> bool:
        """Whether any note or transcript differs from what is known, as far as its stat tells."""
        for one in spoken:
            source = self.sources.get(("session", str(one.path)))
            if _size(one.path) != (source.size if source else 0) and not self._left_out(one):
                return True
        known = {path: source for (kind, path), source in self.sources.copy().items() if kind == "memory"}
        seen = 0
        for file in self._places.all():
            source = known.get(file.name)
            if source is None or not _same(source, file):
                return True
            seen += 1
        return seen != len(known)

    def sync(self, changed: Iterable[Path] | None, spoken: Sequence[Spoken] | None = None) -> SyncReport:
        """Takes up `changed`, or everything; `spoken` are the transcripts that may be searched, `None` leaves them alone. Once
        it is halted it takes up no further file.

        Raises `BrokenIndex`; a file that cannot be read is named in `problems` and keeps what it had."""
        tally = Tally()
        change = Change(next_id=self._next_id)
        for file, surely in self._wanted(changed, change, tally):
            if self._halted():
                break
            self._take(lambda one=file, again=surely: self._note(one, again, change, tally), file.name, file.name)  # type: ignore[misc]
            self._part(change)
        for one in spoken or ():
            if self._halted():
                break
            self._take(lambda one=one: self._spoken(one, change, tally), one.name, one.session_key)  # type: ignore[misc]
            self._part(change)
        if spoken is not None:
            self._gone([key for key in self.sources if key[0] == "session" and not Path(key[1]).exists()], change, tally)
        self._commit(change)
        return SyncReport(tally.files, tally.changed, tally.removed, tally.added, tally.dropped)

    def drop(self, key: tuple[Kind, str]) -> None:
        """Takes one source out of the index."""
        change = Change(next_id=self._next_id)
        self._gone([key], change, Tally())
        self._commit(change)

    # --- notes

    def _wanted(self, changed: Iterable[Path] | None, change: Change, tally: Tally) -> list[tuple[NoteFile, bool]]:
        """The notes to look at, each with whether its hash is asked for in any case. Vanished ones go into `change`."""
        paths = None if changed is None else list(changed)
        if paths is None or any(path.suffix != ".md" for path in paths):  # a folder: whatever is in it
            files = list(self._places.all())
            names = {file.name for file in files}
            self._gone([key for key in self.sources if key[0] == "memory" and key[1] not in names], change, tally)
            return [(file, False) for file in files]
        found = {file.name: file for path in paths if (file := self._places.find(path)) is not None}
        named: set[tuple[Kind, str]] = {("memory", self._places.name(path.absolute())) for path in paths}
        self._gone([key for key in named if key in self.sources and key[1] not in found], change, tally)
        return [(file, True) for file in found.values()]

    def _note(self, file: NoteFile, surely: bool, change: Change, tally: Tally) -> None:
        tally.files += 1
        known = self.sources.get(("memory", file.name))
        if known is not None and not surely and _same(known, file) and known.chunker == self._chunker:
            return
        with file.path.open("rb") as handle:
            data = handle.read(MAX_FILE_BYTES)
        digest = hashlib.sha256(data).hexdigest()
        young = abs(self._clock() * 1_000_000 - file.mtime_ns) < UNSURE_NS
        source = Source(
            known.id if known else self._new_source(),
            "memory",
            file.name,
            file.size,
            -1 if young else file.mtime_ns,
            file.inode,
            digest,
            self._chunker,
        )
        if known is not None and known.hash == digest and known.chunker == self._chunker:
            if known != source:
                self._keep(source, change)
            return
        tally.changed += 1
        voices, day = self._voices(file.name), day_of(file.name)
        old = list(self._durable.rows(source=source.id)) if known else []
        chunks = [(chunk, day, provenance_of(chunk.text, voices)) for chunk in cut(data, *self._size)]
        self._replace(source, old, chunks, change, tally)

    # --- transcripts

    def _spoken(self, one: Spoken, change: Change, tally: Tally) -> None:
        tally.files += 1
        if self._left_out(one):
            return
        status = one.path.stat()
        known = self.sources.get(("session", str(one.path)))
        anew = known is None or known.inode != status.st_ino or known.size > status.st_size or known.chunker != self._chunker
        if known is not None and not anew and known.size == status.st_size:
            return
        offset, line = (0, 1) if known is None or anew else (known.tail_offset, known.tail_line)
        reading = read_said(one.path, offset, line, self._size[0])
        others = reading.tainted or one.provenance == "untrusted" or (known is not None and known.provenance == "untrusted")
        provenance: Provenance = "untrusted" if others else one.provenance
        source = Source(
            known.id if known else self._new_source(),
            "session",
            str(one.path),
            status.st_size,
            status.st_mtime_ns,
            status.st_ino,
            "",
            self._chunker,
            one.session_key,
            reading.tail_offset,
            reading.tail_line,
            provenance,
        )
        old = [row for row in self._durable.rows(source=source.id) if row.byte0 >= offset] if known else []
        tally.changed += 1
        chunks = [(chunk, day, provenance) for chunk, day in reading.chunks if not self._forgotten(one, chunk)]
        self._replace(source, old, chunks, change, tally)

    def _left_out(self, one: Spoken) -> bool:
        return self._excluded(transcript_id(str(one.path))) or self._excluded(session_id(one.session_key))

    def _forgotten(self, one: Spoken, chunk: Chunk) -> bool:
        return self._excluded(chunk.hash) or self._excluded(exchange_id(str(one.path), chunk.line0))

    # --- changes

    def _replace(
        self,
        source: Source,
        old: Sequence[Row],
        chunks: Sequence[tuple[Chunk, str, Provenance]],
        change: Change,
        tally: Tally,
    ) -> None:
        """The rows of `source` become `chunks`: those of the same hash stay, at their new place."""
        stock: dict[str, list[Row]] = {}
        for row in old:
            stock.setdefault(row.hash, []).append(row)
        added: list[Row] = []
        moved: list[Row] = []
        for number, (chunk, day, provenance) in enumerate(chunks):
            same = stock.get(chunk.hash)
            kept = same.pop(0) if same else None
            row = _row(kept.id if kept else self._next_id, source.id, number, chunk, day, provenance)
            if kept is None:
                self._next_id += 1
                added.append(row)
            elif kept != row:
                moved.append(row)
        removed = [row.id for rows in stock.values() for row in rows]
        self._apply([(source, row) for row in added], [(source, row) for row in moved], removed)
        change.added += added
        change.moved += moved
        change.removed += removed
        tally.added += len(added)
        tally.dropped += len(removed)
        self._keep(source, change)

    def _gone(self, keys: Sequence[tuple[Kind, str]], change: Change, tally: Tally) -> None:
        for key in keys:
            source = self.sources.pop(key)
            ids = [row.id for row in self._durable.rows(source=source.id)]
            self._apply([], [], ids)
            change.gone_sources.append(source.id)
            tally.removed += 1
            tally.dropped += len(ids)

    def _keep(self, source: Source, change: Change) -> None:
        self.sources[(source.kind, source.path)] = source
        change.sources.append(source)

    def _new_source(self) -> int:
        self._next_source += 1
        return self._next_source - 1

    def _part(self, change: Change) -> None:
        if len(change.added) + len(change.moved) >= PART:
            self._commit(change)

    def _commit(self, change: Change) -> None:
        if change.empty:
            return
        change.next_id = self._next_id
        self._durable.commit(change)
        for rows in (change.sources, change.gone_sources, change.added, change.moved, change.removed):
            rows.clear()

    def _take(self, work: Callable[[], None], name: str, shown: str) -> None:
        try:
            work()
            self.problems.pop(name, None)
        except FileNotFoundError:
            self.problems.pop(name, None)  # gone between listing and reading: the next sync finds it missing
        except OSError as error:
            self.problems[name] = f"{shown} cannot be read ({error.strerror or error}); it is searched as it was."
            log.warning("%s", self.problems[name])


def _row(id: int, source: int, ord: int, chunk: Chunk, day: str, provenance: Provenance) -> Row:
    return Row(
        id, source, ord, chunk.line0, chunk.line1, chunk.byte0, chunk.byte1, chunk.heading, chunk.hash, chunk.digest,
        chunk.tokens, chunk.text, day, importance(chunk.text), provenance,
    )  # fmt: skip


def importance(text: str) -> int:
    """The largest `importance: N` (1 to 10) a text claims for itself, 5 when it claims none (MEM-06)."""
    return max((int(found) for found in _IMPORTANCE.findall(text)), default=5)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _same(known: Source, file: NoteFile) -> bool:
    return (known.size, known.mtime_ns, known.inode) == (file.size, file.mtime_ns, file.inode)
