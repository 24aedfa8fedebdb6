"""Sessions by key, id and label; history in pages; reset and delete keep every line."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from openclaw_kernel.sessions import store as module
from openclaw_kernel.sessions.index import SessionEntry, decode_entry, encode_entry, shorten
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.messages import AssistantMessage, Text, UserMessage


def make(state: Path) -> Sessions:
    ticks = itertools.count(1_795_000_000_000)
    return Sessions(state, lambda: next(ticks))


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return make(tmp_path)


def talk(sessions: Sessions, key: str, *said: str) -> None:
    session = sessions.open(key)
    for number, text in enumerate(said):
        parts = (Text(text),)
        message = UserMessage(parts, 1) if number % 2 == 0 else AssistantMessage(parts, 1, "offline", "fake", "m")
        sessions.append(session, message)


def test_a_session_is_created_once_and_found_again(sessions: Sessions, tmp_path: Path) -> None:
    first = sessions.open("main").entry
    assert sessions.open("agent:main:main").entry == first and first.key == "agent:main:main"
    sessions.update("main", label="work")
    sessions.close()
    again = make(tmp_path)
    for name in ("main", "agent:main:main", first.session_id, "work"):
        assert again.resolve(name).session_id == first.session_id
    with pytest.raises(OpenClawError, match="unknown session 'nope'"):
        again.resolve("nope")


def test_newest_first_and_pinned_before_all(sessions: Sessions) -> None:
    for key in ("a", "b", "agent:work:c"):
        sessions.open(key)
    sessions.update("a", pinned_at=1)
    assert [entry.key for entry in sessions.list()] == ["agent:main:a", "agent:work:c", "agent:main:b"]
    assert [entry.key for entry in sessions.list("work")] == ["agent:work:c"]


def test_pages_of_history(sessions: Sessions) -> None:
    talk(sessions, "main", "1", "2", "3", "4", "5")
    page = sessions.history("main", limit=2)
    assert [message["__openclaw"]["seq"] for message in page.messages] == [4, 5] and page.total == 5 and page.has_more
    page = sessions.history("main", limit=3, offset=2)
    assert [message["__openclaw"]["seq"] for message in page.messages] == [1, 2, 3] and not page.has_more
    assert sessions.history("nobody").messages == [] and sessions.get("nobody") is None


def test_titles_and_previews(sessions: Sessions) -> None:
    talk(sessions, "main", "What is\n the weather like today in the old town of Salzburg, please?", "Rain.", "Again?")
    entry = sessions.get("main")
    assert entry is not None and entry.title == "What is the weather like today in the old town of…"
    assert sessions.preview("main", 2) == [{"role": "assistant", "text": "Rain."}, {"role": "user", "text": "Again?"}]
    assert entry.display_name == entry.title


def test_reset_gives_a_new_id_and_keeps_the_old_file(sessions: Sessions) -> None:
    talk(sessions, "main", "hello", "hi")
    sessions.update("main", label="mine", input_tokens=9, thinking_level="high")
    old = sessions.resolve("main")
    fresh = sessions.reset("main", "new")
    assert fresh.session_id != old.session_id and (fresh.label, fresh.input_tokens, fresh.title) == ("mine", 0, "")
    assert fresh.thinking_level == "high" and sessions.history("main").total == 0
    assert len(sessions.transcript("main", old.session_id).messages()) == 2
    talk(sessions, "main", "again")
    assert f'"parentSession":"{old.session_id}"' in sessions.path("main", fresh.session_id).read_text()


def test_delete_renames_the_file(sessions: Sessions) -> None:
    talk(sessions, "main", "hello")
    entry = sessions.resolve("main")
    archived = sessions.delete("main")
    assert archived is not None and archived.name.startswith(f"{entry.session_id}.jsonl.deleted-") and archived.exists()
    assert sessions.get("main") is None and sessions.history("main").total == 0
    with pytest.raises(OpenClawError, match="unknown session"):
        sessions.delete("main")


def test_an_evicted_transcript_in_use_stays_the_same(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_TRANSCRIPTS", 2)
    talk(sessions, "a", "one")
    held = sessions.open("a")
    for key in ("b", "c", "d"):
        talk(sessions, key, "x")
    sessions.append(held, UserMessage((Text("two"),), 1))
    assert sessions.open("a").transcript is held.transcript and sessions.history("a").total == 2


@pytest.mark.parametrize("key", ["agent:../../etc:main", "agent:a/b:main", "agent:.:x"])
def test_an_agent_id_cannot_leave_the_folder(sessions: Sessions, key: str) -> None:
    with pytest.raises(OpenClawError, match="is not valid"):
        sessions.open(key)


def test_rows_keep_their_names_and_ignore_strangers() -> None:
    entry = SessionEntry("agent:main:main", "s", "main", 1, 2, aborted_last_run=True, model_override="a/b")
    wire = encode_entry(entry)
    assert (wire["sessionId"], wire["abortedLastRun"], wire["modelOverride"]) == ("s", True, "a/b") and "label" not in wire
    assert decode_entry(wire | {"fromTheFuture": 1}) == entry


def test_shortening() -> None:
    assert shorten("a  b\nc", 10) == "a b c" and len(shorten("word " * 50, 20)) <= 20 and shorten("x" * 30, 10) == "x" * 9 + "…"
