"""Dreaming: what of the daily notes is worth keeping for good (MEM-16). Proposals first; MEMORY.md changes when told to.

    dreamer = Dreamer(workspace, folder, settings, now, writes)
    dream = dreamer.dream()              # light, REM, deep; proposals go to the book and to DREAMS.md
    done = dreamer.apply(dream.ids)      # a pre-image is kept, each line can be taken back

Blocking; one thread at a time. Other people's words are never promoted (MEM-12).
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import RLock

from openclaw_kernel.config.schema.memory import Dreaming
from openclaw_kernel.memory.api import MemoryRefused, Provenance
from openclaw_kernel.memory.dreaming_book import Book, Kind, Proposal, forget_images, proposal_id
from openclaw_kernel.memory.dreaming_page import (
    LOSS,
    PAGE,
    Shown,
    around,
    drawn,
    entries,
    entry_line,
    loss,
    plain,
    repeated,
    rewritten,
    snippet,
)
from openclaw_kernel.memory.dreaming_recalls import Recalls
from openclaw_kernel.memory.dreaming_signals import Candidate, Group, candidate, light, said, same, themes, weigh
from openclaw_kernel.memory.edit import units
from openclaw_kernel.memory.places import MAX_FILE_BYTES, Places, day_of
from openclaw_kernel.memory.writes import Writes, line_hash, provenance_of
from openclaw_kernel.store.atomic import write_atomic

CURATED = "MEMORY.md"
SESSION = "dreaming"
"""Who wrote a promoted line, where no conversation is known that its note came from."""
LEAST_WORDS = 3
"""A note of fewer words says nothing on its own."""
REM_DAYS = 7
"""Themes are those of the last week."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dream:
    """What one night saw, in counts, what it newly proposes, and everything that waits for an answer."""

    notes: int
    groups: int
    recalls: int
    themes: tuple[str, ...]
    fresh: tuple[Shown, ...]
    waiting: tuple[Shown, ...]

    @property
    def ids(self) -> list[str]:
        return [one.row.id for one in self.waiting]


@dataclass(frozen=True, slots=True)
class Applied:
    """`stale` proposals were not applied, because their note is not there any more as it was."""

    applied: tuple[Shown, ...]
    stale: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The daily notes of a night, by light and REM sleep."""

    notes: Sequence[Candidate]
    groups: Sequence[Group]
    themes: list[str]


class Dreamer:
    """One agent's dreams. `settings` and `writes` are asked each time; `now` is local time, with its zone."""

    def __init__(
        self,
        workspace: Path,
        folder: Path,
        settings: Callable[[], Dreaming],
        now: Callable[[], datetime],
        writes: Callable[[], Writes],
    ) -> None:
        self.places = Places(workspace)
        self.recalls = Recalls(folder)
        self._folder = folder
        self._book = Book(folder)
        self._settings, self._now, self._writes = settings, now, writes
        self._lock = RLock()
        self._recover()

    # --- a night

    def dream(self, *, keep: bool = True) -> Dream:
        """Looks at the recent daily notes; with `keep` the proposals are written down. Raises `OSError` and `StoreError`."""
        with self._lock:
            settings, today = self._settings(), self._now().date()
            seen = self._light_and_rem(settings, today)
            fresh = [*self._deep(seen, settings, today), *self._repetitions()]
            counted = sum(row.count for group in seen.groups for row in group.recalls)
            if keep:
                for row, _ in fresh:
                    self._book.put(row)
                self._clear(seen.notes, settings, today)
            waiting = self._waiting() if keep else [*self._waiting(), *(Shown(row, text) for row, text in fresh)]
            if keep:
                self._draw(today, waiting, seen.themes)
            shown = tuple(Shown(row, text) for row, text in fresh)
            return Dream(len(seen.notes), len(seen.groups), counted, tuple(seen.themes), shown, tuple(waiting))

    def waiting(self) -> list[Shown]:
        """Every proposal that waits for an answer, the strongest first."""
        with self._lock:
            return self._waiting()

    # --- answers

    def apply(self, ids: Iterable[str] | None = None) -> Applied:
        """Writes proposals into MEMORY.md, all that wait without `ids`.

        Raises `MemoryRefused`: an unknown id, a MEMORY.md that leads elsewhere, a rewrite that drops too much."""
        with self._lock:
            wanted = self._named(ids)
            shown = [Shown(row, text) for row in wanted if (text := self._text(row))]
            stale = tuple(row.id for row in wanted if row.id not in {one.row.id for one in shown})
            self._book.settle(stale, state="stale")
            if shown:
                self._write(shown)
            self._redraw()
            return Applied(tuple(shown), stale)

    def reject(self, ids: Iterable[str]) -> int:
        """Turns proposals down for good; how many. Raises `MemoryRefused` for an unknown id."""
        with self._lock:
            rows = self._named(ids)
            self._book.settle([row.id for row in rows], state="rejected")
            self._redraw()
            return len(rows)

    def revert(self) -> list[str]:
        """Puts MEMORY.md back to before the proposals that were applied last; their ids. Raises `MemoryRefused`."""
        with self._lock:
            applied = self._book.rows("applied")
            if not applied:
                raise MemoryRefused("No dream was applied; there is nothing to take back.")
            last = max(row.image for row in applied)
            rows = [row for row in applied if row.image == last]
            image = self._book.image(last)
            if image is None:
                raise MemoryRefused(
                    "The pre-image of the last dream is gone; `memory log` lists its lines, `memory undo` takes them."
                )
            path, data = self._curated()
            if _hash(data) != rows[0].after:
                raise MemoryRefused(
                    f"{CURATED} has changed since the last dream was applied; `memory undo` takes single lines back, "
                    f"and what it was before is in {image}."
                )
            write_atomic(path, image.read_bytes(), _mode(path))
            for row in rows:
                if row.write:
                    self._writes().settle(row.write, "undone")
            self._book.settle([row.id for row in rows], state="reverted")
            return [row.id for row in rows]

    def close(self) -> None:
        self.recalls.close()
        self._book.close()

    # --- the phases

    def _light_and_rem(self, settings: Dreaming, today: date) -> _Seen:
        since = (today - timedelta(days=settings.max_age_days)).isoformat()
        notes = [
            one
            for file in self.places.all()
            if since <= (day := day_of(file.name)) <= today.isoformat()
            for one in self._candidates(file.name, day)
        ]
        groups = light(notes, (row for row in self.recalls.rows() if row.day >= since))
        week = (today - timedelta(days=REM_DAYS)).isoformat()
        return _Seen(notes, groups, themes([group for group in groups if group.best.day >= week]))

    def _candidates(self, name: str, day: str) -> list[Candidate]:
        """The notes of one daily file that may be promoted."""
        voices = self._writes().voices(name)
        found: list[Candidate] = []
        line = 1
        for unit in units(_lines(self._read(self.places.workspace / name))):
            raw = "".join(unit)
            text = plain(raw)
            if not raw.startswith("#") and len(said(text)) >= LEAST_WORDS:
                whose = provenance_of(raw, voices)
                if whose != "untrusted":
                    found.append(candidate(name, line, day, text, line_hash(raw), whose))
            line += len(unit)
        return found

    def _deep(self, seen: _Seen, settings: Dreaming, today: date) -> list[tuple[Proposal, str]]:
        """The groups that reach every mark, are not in MEMORY.md, and were not proposed before; the strongest first."""
        kept = [said(plain("".join(unit))) for unit in entries(self._curated()[1].decode("utf-8", "replace"))]
        found: list[tuple[Proposal, str]] = []
        for group in seen.groups:
            if group.evidence < settings.min_recall_count or group.queries < settings.min_unique_queries:
                continue
            best = group.best
            marks = weigh(group, seen.themes, today, settings.recency_half_life_days)
            known = any(self._book.get(proposal_id("add", one.path, one.note)) for one in group.notes)
            if marks.score < settings.min_score or known or any(_covered(best.said, one) for one in kept):
                continue
            row = self._proposal("add", best.path, best.line, best.note, marks.score)
            found.append((replace(row, signals=marks.wire()), self._cut(best.text)))
        found.sort(key=lambda pair: -pair[0].score)
        return found[: settings.limit]

    def _repetitions(self) -> list[tuple[Proposal, str]]:
        text = self._curated()[1].decode("utf-8", "replace")
        rows = [self._proposal("drop", CURATED, line, note, 1.0) for line, note in repeated(text)]
        return [(row, self._text(row)) for row in rows if self._book.get(row.id) is None]

    def _proposal(self, kind: Kind, path: str, line: int, note: str, score: float) -> Proposal:
        now = self._now()
        at = round(now.timestamp() * 1000)
        return Proposal(proposal_id(kind, path, note), kind, path, line, note, score, day=f"{now:%Y-%m-%d}", at=at)

    def _clear(self, notes: Sequence[Candidate], settings: Dreaming, today: date) -> None:
        """Recalls that are old or of notes that are gone, and proposals whose note is gone."""
        since = (today - timedelta(days=settings.max_age_days)).isoformat()
        alive = {one.note for one in notes} | {f"{one.path}#{one.line}" for one in notes}
        self.recalls.prune(lambda row: row.day < since or not {row.note, f"{row.path}#{row.line}"} & alive)
        self._book.delete(lambda row: row.state == "stale" or (row.state == "proposed" and not self._text(row)))

    # --- texts

    def _waiting(self) -> list[Shown]:
        shown = [Shown(row, text) for row in self._book.rows("proposed") if (text := self._text(row))]
        return sorted(shown, key=lambda one: (one.row.kind, -one.row.score))

    def _text(self, row: Proposal) -> str:
        """What the note says now; empty when it is not there any more, or is other people's."""
        if row.kind == "drop":
            text = self._curated()[1].decode("utf-8", "replace")
            if row.note not in {note for _, note in repeated(text)}:
                return ""
            unit = next(unit for unit in entries(text) if line_hash("".join(unit)) == row.note)
            return self._cut(plain("".join(unit)))
        found = self.places.find(self.places.workspace / row.path)
        if found is None:
            return ""
        for one in self._candidates(row.path, day_of(row.path)):
            if one.note == row.note:
                return self._cut(one.text)
        return ""

    def _cut(self, text: str) -> str:
        return snippet(text, self._settings().max_promoted_snippet_tokens)

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as handle:
                return handle.read(MAX_FILE_BYTES)
        except FileNotFoundError:
            return b""

    def _curated(self) -> tuple[Path, bytes]:
        path = self.places.workspace / CURATED
        if os.path.realpath(path) != str(path):
            raise MemoryRefused(f"{path} is a link that leads elsewhere; dreaming leaves it alone.")
        return path, path.read_bytes() if path.exists() else b""

    def _named(self, ids: Iterable[str] | None) -> list[Proposal]:
        if ids is None:
            return self._book.rows("proposed")
        rows = []
        for id in dict.fromkeys(ids):
            row = self._book.get(id)
            if row is None or row.state != "proposed":
                raise MemoryRefused(f"No proposal {id!r} waits for an answer; `memory dream list` shows them.")
            rows.append(row)
        return rows

    # --- writing

    def _write(self, shown: Sequence[Shown]) -> None:
        path, data = self._curated()
        old = data.decode("utf-8", "surrogateescape")
        lines = [entry_line(one.text, one.row.path) for one in shown if one.row.kind == "add"]
        new = rewritten(old, lines, [one.row.note for one in shown if one.row.kind == "drop"])
        gone, before = loss(old, new)
        if gone > LOSS * before:
            raise MemoryRefused(
                f"Applying this would drop {gone} of {before} entries of {CURATED}, more than a quarter; nothing was written. "
                "Apply fewer at once, by their ids."
            )
        made = new.encode("utf-8", "surrogateescape")
        now = self._now()
        at = round(now.timestamp() * 1000)
        image, after = f"{at:014d}-{CURATED}", _hash(made)
        self._book.keep_image(image, data)
        booked: list[tuple[str, str]] = []
        for one in shown:
            write = ""
            if one.row.kind == "add":
                session, whose = self._origin(one.row)
                line = entry_line(one.text, one.row.path)
                write = self._writes().begin(CURATED, line, whose, session, at).id
            self._book.settle([one.row.id], state="applying", image=image, after=after, write=write)
            booked.append((one.row.id, write))
        write_atomic(path, made, _mode(path))
        self._settle(booked)

    def _settle(self, booked: Iterable[tuple[str, str]]) -> None:
        for id, write in booked:
            if write:
                self._writes().settle(write, "written")
            self._book.settle([id], state="applied")

    def _origin(self, row: Proposal) -> tuple[str, Provenance]:
        """The conversation a note came from, so that forgetting it takes the promoted line too, and whose words it holds."""
        found = [
            one for one in self._writes().rows() if (one.path, one.line_hash) == (row.path, row.note) and one.state != "undone"
        ]
        return (found[-1].session_key, found[-1].provenance) if found else (SESSION, "owner")

    def _recover(self) -> None:
        """What a crash left half done: it is applied when MEMORY.md shows it, and waits again when not."""
        rows = self._book.rows("applying")
        if not rows:
            return
        data = self._curated()[1]
        done, lines = _hash(data), {line_hash(line) for line in data.decode("utf-8", "replace").splitlines()}
        for row in rows:
            write = self._writes().get(row.write)
            if row.after == done or (write is not None and write.line_hash in lines):
                self._settle([(row.id, row.write)])
                continue
            if write is not None:
                self._writes().settle(write.id, "undone")
            self._book.settle([row.id], state="proposed", image="", after="", write="")

    # --- the page

    def _redraw(self) -> None:
        settings, today = self._settings(), self._now().date()
        self._draw(today, self._waiting(), self._light_and_rem(settings, today).themes)

    def _draw(self, today: date, waiting: Sequence[Shown], found: Sequence[str]) -> None:
        path = self.places.workspace / PAGE
        if path.is_symlink():
            log.warning("%s is a link; dreams are not drawn into it", path)
            return
        old = self._read(path).decode("utf-8", "surrogateescape")
        new = drawn(old, today.isoformat(), waiting, found)
        if new != old:
            write_atomic(path, new.encode("utf-8", "surrogateescape"), _mode(path))


def forget_dreams(workspace: Path, folder: Path) -> None:
    """Takes away every copy of a note that dreaming made, after something was forgotten: the pre-images, and dreaming's part of
    DREAMS.md, which the next night draws anew. What was promoted is in MEMORY.md and is forgotten there."""
    forget_images(folder)
    path = workspace / PAGE
    if path.is_symlink() or not path.is_file():
        return
    before, after = around(path.read_bytes().decode("utf-8", "surrogateescape"))
    rest = before + after.lstrip("\n")
    write_atomic(path, rest.encode("utf-8", "surrogateescape"), _mode(path))


def _covered(one: frozenset[str], kept: frozenset[str]) -> bool:
    """Whether an entry of MEMORY.md says all that a note says."""
    return same(one, kept) or same(one, one & kept)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines(keepends=True)
