"""Forgetting (MEM-14): out of the notes, the index, the answers, the vectors and every file that ever held it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openclaw_kernel.memory.api import ForgetReport, MemoryRefused, Selector
from openclaw_kernel.memory.dreaming import forget_dreams
from openclaw_kernel.memory.edit import take_out
from openclaw_kernel.memory.engine import Engine
from openclaw_kernel.memory.exclusions import exchange_id, transcript_id
from openclaw_kernel.memory.places import NoteFile
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.memory.writes import Write, line_hash

SHORTEST = 3
"""Letters of a text that may be forgotten by its words: a shorter one is in every other note."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a selector means for a note, for a row of the ledger of writes, and for a transcript's chunk (key, text)."""

    note: Callable[[NoteFile, str], bool]
    write: Callable[[Write], bool]
    said: Callable[[str, str], bool]
    whole_file: str = ""


def forget(engine: Engine, selector: Selector, at: int, spoken: Sequence[Spoken] = ()) -> ForgetReport:
    """On the thread of the index; `spoken` are the transcripts there are, read or not. Each step may be done again, so a
    forgetting that was cut short is simply asked for anew.

    Raises `MemoryRefused` for a selector without exactly one part, and for a path that is no note."""
    plan = _plan(engine, selector)
    hashes: set[str] = set()
    notes, rewritten = _notes(engine, plan, hashes)
    chunks = engine.syncer.sync([engine.places.workspace / name for name in rewritten]).chunks_removed
    said = _said(engine, plan, selector, at, spoken)
    vectors = engine.durable.forget(said)
    engine.drop(said)
    engine.writes.scrub(lambda row: plan.write(row) or (row.path in rewritten and row.line_hash in hashes))
    engine.forget_side_files()
    forget_dreams(engine.places.workspace, engine.durable.path.parent)
    return ForgetReport(notes, chunks + len(said), vectors, tuple(rewritten))


def _plan(engine: Engine, selector: Selector) -> _Plan:
    if sum(map(bool, (selector.session_key, selector.path, selector.text.strip(), selector.mark))) != 1:
        raise MemoryRefused("Say what to forget: one session, one note file, or one text.")
    if selector.session_key:
        key = selector.session_key
        written = {(row.path, row.line_hash) for row in engine.writes.rows() if row.session_key == key}
        return _Plan(
            lambda file, text: (file.name, line_hash(text)) in written,
            lambda row: row.session_key == key,
            lambda session, _text: session == key,
        )
    if selector.path:
        name = engine.places.resolve(selector.path).name
        return _Plan(lambda file, _text: file.name == name, lambda row: row.path == name, lambda _key, _text: False, name)
    if selector.mark:
        mark = selector.mark
        return _Plan(
            lambda _file, text: holds_marked(mark, text), lambda _row: False, lambda _key, text: holds_marked(mark, text)
        )
    wanted = plain(selector.text)
    if len(wanted) < SHORTEST:
        raise MemoryRefused(f"{selector.text!r} is too short to forget by; give at least {SHORTEST} letters of the text.")
    return _Plan(lambda _file, text: wanted in plain(text), lambda _row: False, lambda _key, text: wanted in plain(text))


def _notes(engine: Engine, plan: _Plan, hashes: set[str]) -> tuple[int, list[str]]:
    """Takes the notes out of their files; `hashes` gets the lines that went. How many, and out of which files."""
    notes, rewritten = 0, []
    for file in list(engine.places.all()):
        if plan.whole_file and file.name != plan.whole_file:
            continue

        def unwanted(text: str, one: NoteFile = file) -> bool:
            if not plan.note(one, text):
                return False
            hashes.update(line_hash(line) for line in text.splitlines())
            return True

        gone = take_out(file.path, unwanted)
        if plan.whole_file:
            file.path.unlink(missing_ok=True)
        if gone or plan.whole_file:
            notes += gone
            rewritten.append(file.name)
    return notes, rewritten


def _said(engine: Engine, plan: _Plan, selector: Selector, at: int, spoken: Sequence[Spoken]) -> list[int]:
    """Chunks of transcripts that go; excluded first, so that no later reading brings them back. What is said in the same
    session afterwards is in another transcript, and is found."""
    if selector.path:
        return []
    for one in spoken:
        if one.session_key == selector.session_key:
            engine.exclusions.add(transcript_id(str(one.path)), at)
    gone: list[int] = []
    for source in [one for one in engine.syncer.sources.values() if one.kind == "session"]:
        rows = [row for row in engine.durable.rows(source=source.id) if plan.said(source.session_key, row.text)]
        gone += [row.id for row in rows]
        if not selector.session_key:
            for row in rows:
                engine.exclusions.add(row.hash, at)
                engine.exclusions.add(exchange_id(source.path, row.line0), at)
        elif source.session_key == selector.session_key:
            engine.exclusions.add(transcript_id(source.path), at)
            engine.syncer.drop(("session", source.path))
    return gone


def plain(text: str) -> str:
    """A text as forgetting compares it: whatever its case and its blanks."""
    return " ".join(text.casefold().split())


def mark_of(text: str) -> str:
    """Names a text without saying it: `<letters>:<sha256>` of its plain form."""
    wanted = plain(text)
    return f"{len(wanted)}:{_digest(wanted)}"


def holds_marked(mark: str, text: str) -> bool:
    """Whether a text holds the one that a mark names: every stretch of its length is tried, about a second for a megabyte."""
    length, _, digest = mark.partition(":")
    size, body = int(length), plain(text)
    return any(_digest(body[at : at + size]) == digest for at in range(len(body) - size + 1))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
