"""Plain Markdown notes, read and written (MEM-01)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from openclaw_kernel.memory.notes import Notes, tells_nothing

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


def test_a_note_is_an_item_or_a_paragraph_and_says_where(notes: Notes) -> None:
    assert [(note.path, note.line, note.text, note.day) for note in notes.all()] == [
        ("MEMORY.md", 3, "Her birthday is on the tenth of December.", ""),
        ("MEMORY.md", 5, "Lives in London near the river", ""),
        ("MEMORY.md", 7, "Café: Bean", ""),
        ("memory/2026-11-01.md", 3, "09:00 Deployed the engine", "2026-11-01"),
        ("memory/2026-11-01.md", 4, "10:00 Engine engine engine failed", "2026-11-01"),
    ]


def test_the_newest_come_first(notes: Notes) -> None:
    assert [note.text[:5] for note in notes.newest(2)] == ["10:00", "09:00"]


@pytest.mark.parametrize("query", ["everything", "What do you know about me?", "anything", "?"])
def test_a_question_for_whatever_there_is(query: str) -> None:
    assert tells_nothing(query) and not tells_nothing(f"{query} tea")


def test_append_mends_a_missing_newline(notes: Notes, tmp_path: Path) -> None:
    notes.append("Buy tea", NOON.replace(day=1))
    assert (tmp_path / "memory/2026-11-01.md").read_text().endswith("failed\n- 12:00 Buy tea\n")
    note = notes.append("More\ntea", NOON.replace(day=1))
    assert (note.line, note.text) == (6, "More tea")
    assert notes.newest(1)[0].text == "12:00 More tea"


def test_an_empty_workspace_has_no_notes(tmp_path: Path) -> None:
    assert Notes(tmp_path).newest() == []
