"""Curated notes that come by themselves: the right ones, few of them, and no daily note (MEM-11)."""

from __future__ import annotations

from pathlib import Path

from openclaw_kernel.memory.triggers import MOST, TOKENS, Triggers

NOTES = """# Memory

- The spare key is under the blue pot. <!-- trigger: spare key, locked out -->
- Alice takes oat milk (trigger: alice)
- The alarm code is with Bob.
  trigger: alarm
- No trigger here, though the word trigger is in it.
"""


def recalled(triggers: Triggers, workspace: Path, said: str) -> list[str]:
    return [note.text for note in triggers.recalled(workspace, said)]


def test_a_phrase_calls_its_note(tmp_path: Path) -> None:
    (tmp_path / "MEMORY.md").write_text(NOTES)
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "2026-01-01.md").write_text("- daily <!-- trigger: alice -->\n")
    triggers = Triggers()
    assert [note.line for note in triggers.of(tmp_path)] == [3, 4, 5]
    assert recalled(triggers, tmp_path, "Help, I'm LOCKED  out!") == ["The spare key is under the blue pot."]
    assert recalled(triggers, tmp_path, "what does Alice drink?") == ["Alice takes oat milk"]
    assert recalled(triggers, tmp_path, "the alarm rings; where is the spare key?") == [
        "The spare key is under the blue pot.",
        "The alarm code is with Bob.",
    ]
    assert recalled(triggers, tmp_path, "malice, alarmed, trigger") == []


def test_few_and_short(tmp_path: Path) -> None:
    (tmp_path / "USER.md").write_text("".join(f"- {i} {'x' * 2_000} <!-- trigger: ski -->\n" for i in range(9)))
    found = Triggers().recalled(tmp_path, "ski")
    assert len(found) <= MOST and sum(len(note.text) for note in found) <= TOKENS * 4


def test_a_change_is_seen_and_a_link_is_not_followed(tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    workspace.mkdir()
    triggers = Triggers()
    assert triggers.recalled(workspace, "ski") == []
    (workspace / "MEMORY.md").write_text("- the skis are red (trigger: ski)\n")
    assert recalled(triggers, workspace, "ski") == ["the skis are red"]
    (tmp_path / "outside.md").write_text("- secret (trigger: ski)\n")
    (workspace / "USER.md").symlink_to(tmp_path / "outside.md")
    assert recalled(triggers, workspace, "ski") == ["the skis are red"]
