"""Keyword search over plain Markdown notes (MEM-01, MEM-10)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from openclaw_kernel.memory.notes import Notes

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    (tmp_path / "MEMORY.md").write_text(
        "# About Ada\n\nHer birthday is on the tenth of December.\n\n- Lives in London\n  near the river\n- Café: Bean\n"
    )
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory/2026-11-01.md").write_text(
        "# 2026-11-01\n\n- 09:00 Deployed the engine\n- 10:00 Engine engine engine failed"
    )
    return Notes(tmp_path)


def found(notes: Notes, query: str) -> list[str]:
    return [hit.note.text for hit in notes.search(query)]


@pytest.mark.parametrize(
    ("query", "text"),
    [("birthday", "Her birthday"), ("When is her birthday?", "Her birthday"), ("birth", "Her birthday"),
     ("brithday", "Her birthday"),
     ("river", "Lives in London near the river"), ("cafe", "Café: Bean"), ("engines deployed", "09:00 Deployed")],
)  # fmt: skip
def test_the_right_note_comes_first(notes: Notes, query: str, text: str) -> None:
    assert found(notes, query)[0].startswith(text)


def test_a_hit_says_where(notes: Notes) -> None:
    note = notes.search("river")[0].note
    assert (note.path, note.line, note.day) == ("MEMORY.md", 5, "")
    assert notes.search("failed")[0].note.day == "2026-11-01"


def test_nothing_matches_nothing(notes: Notes) -> None:
    assert found(notes, "zebra") == []


def test_everything_means_the_newest(notes: Notes) -> None:
    assert found(notes, "everything")[0] == "10:00 Engine engine engine failed"


def test_append_mends_a_missing_newline_and_is_seen_at_once(notes: Notes, tmp_path: Path) -> None:
    assert found(notes, "tea") == []
    notes.append("Buy tea", NOON.replace(day=1))
    assert (tmp_path / "memory/2026-11-01.md").read_text().endswith("failed\n- 12:00 Buy tea\n")
    note = notes.append("More tea", NOON.replace(day=1))
    assert note.line == 6
    assert found(notes, "tea") == ["12:00 Buy tea", "12:00 More tea"]


def test_an_empty_workspace_has_no_notes(tmp_path: Path) -> None:
    assert Notes(tmp_path).search("x") == []
