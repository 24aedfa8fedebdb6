"""Files into the index: what changed is taken up, what stayed keeps its id and its vector (MEM-04)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from openclaw_kernel.memory.said import Spoken
from tests.unit.memory.keeping import Hands, WordModel, places


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path)


def lines(word: str, count: int = 60) -> str:
    return "".join(f"{word} number {number} is written on this line of the note\n" for number in range(count))


def age(path: Path, seconds: int = 3_600) -> None:
    """Makes a file old enough for its time of change to be trusted."""
    os.utime(path, (1_700_000_000 - seconds, 1_700_000_000 - seconds))


async def test_what_did_not_change_is_not_read_again(hands: Hands) -> None:
    for name in ("a", "b"):
        age(hands.write(f"memory/{name}.md", lines(name)))
    memory = hands.memory()
    await memory.search("a")
    report = await memory.sync()
    assert (report.files, report.changed, report.chunks_added) == (2, 0, 0)
    age(hands.write("memory/a.md", lines("otherwise")), 60)
    report = await memory.sync()
    assert (report.changed, report.removed) == (1, 0) and report.chunks_added == report.chunks_removed == 3
    await memory.close()


async def test_unchanged_chunks_keep_their_vectors_where_they_went(hands: Hands) -> None:
    hands.model = WordModel()
    chapters = "".join(f"# Chapter {number}\n{lines(f'ficus{number}', 12)}" for number in range(6))
    note = hands.write("memory/plants.md", chapters)
    memory = hands.memory(chunking={"tokens": 100, "overlap": 0})
    await memory.search("ficus")
    await memory.settled()
    before = len(hands.model.read)
    note.write_text("a new first line\n" * 12 + note.read_text())
    [hit] = await memory.search("ficus5 number 11", limit=1)
    await memory.settled()
    assert hit.line1 == 90 and hit.text.endswith("number 11 is written on this line of the note")
    assert 0 < len(hands.model.read) - before <= 3 < before
    os.rename(note, hands.workspace / "memory/moved.md")
    before = len(hands.model.read)
    [hit] = await memory.search("ficus5 number 11", limit=1)
    await memory.settled()
    assert hit.path == "memory/moved.md" and len(hands.model.read) == before
    await memory.close()


async def test_a_change_within_the_same_second_is_seen(hands: Hands) -> None:
    note = hands.write("memory/a.md", "the answer is 41")
    hands.now = note.stat().st_mtime_ns // 1_000_000 + 500
    memory = hands.memory()
    assert (await memory.search("answer"))[0].text.endswith("41")
    status = note.stat()
    note.write_text("the answer is 42")
    os.utime(note, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (await memory.search("answer"))[0].text.endswith("42")
    await memory.close()


async def test_deleted_and_recreated_notes(hands: Hands) -> None:
    note = hands.write("memory/a.md", "the zebra is striped")
    memory = hands.memory()
    assert places(await memory.search("zebra")) == ["memory/a.md#L1"]
    note.unlink()
    assert await memory.search("zebra") == []
    hands.write("memory/a.md", "the zebra is back")
    assert (await memory.search("zebra"))[0].text == "the zebra is back"
    assert (await memory.status()).files == 1
    await memory.close()


async def test_named_changes_alone_are_looked_at(hands: Hands) -> None:
    hands.write("memory/a.md", "alpha")
    hands.write("memory/b.md", "beta")
    memory = hands.memory(sync={"watch": False, "onSearch": False})
    await memory.search("alpha")
    hands.write("memory/a.md", "alpha gamma")
    hands.write("memory/b.md", "beta gamma")
    report = await memory.sync([hands.workspace / "memory/a.md", hands.workspace / "no/note.md"])
    assert (report.files, report.changed) == (1, 1)
    assert places(await memory.search("gamma")) == ["memory/a.md#L1"]
    (hands.workspace / "memory/a.md").unlink()
    assert (await memory.sync([hands.workspace / "memory"])).removed == 1
    await memory.close()


async def test_another_size_of_chunks_cuts_every_file_anew(hands: Hands) -> None:
    age(hands.write("memory/a.md", lines("alpha")))
    memory = hands.memory()
    await memory.search("alpha")
    chunks = (await memory.status()).chunks
    await memory.close()
    memory = hands.memory(chunking={"tokens": 100, "overlap": 10})
    await memory.search("alpha")
    assert (await memory.status()).chunks > 2 * chunks
    await memory.close()


async def test_notes_that_lead_out_of_the_workspace_are_none(hands: Hands, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("the launch code is 0000")
    (hands.workspace / "memory/link.md").symlink_to(secret)
    (hands.workspace / "MEMORY.md").symlink_to(secret)
    hands.write("elsewhere/note.md", "the launch code is 1111")
    hands.write("memory/deep/er/note.md", "the launch pad is here")
    memory = hands.memory()
    assert places(await memory.search("launch code")) == ["memory/deep/er/note.md#L1"]
    await memory.close()
    memory = hands.memory("other", extraPaths=["elsewhere", str(secret)])
    assert {hit.path for hit in await memory.search("launch code")} == {
        "elsewhere/note.md", str(secret), "memory/deep/er/note.md", "memory/link.md",
    } - {"memory/link.md"}  # fmt: skip
    await memory.close()


def transcript(path: Path, *rows: tuple[str, str], tail: str = "", anew: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w" if anew else "a", encoding="utf-8") as file:
        for role, text in rows:
            message = {"role": role, "content": text if role == "user" else [{"type": "text", "text": text}]}
            file.write(
                json.dumps({"type": "message", "id": "x", "timestamp": "2026-11-20T10:00:00Z", "message": message}) + "\n"
            )
        file.write(tail)


@pytest.fixture
def spoken(hands: Hands, tmp_path: Path) -> Path:
    path = tmp_path / "state/agents/main/sessions/one.jsonl"
    transcript(path, ("user", "My ficus is dying"), ("assistant", "Give it less water"), ("toolResult", "token=topsecret"))
    hands.spoken.append(Spoken("one", path, "agent:main:main"))
    return path


async def test_conversations_are_searched_only_where_that_is_asked_for(hands: Hands, spoken: Path) -> None:
    memory = hands.memory()
    assert await memory.search("ficus") == []
    await memory.close()
    memory = hands.memory(sources=["memory", "sessions"])
    [hit] = await memory.search("ficus")
    assert (hit.path, hit.kind, hit.day, hit.line0, hit.line1) == ("agent:main:main", "session", "2026-11-20", 1, 2)
    assert hit.text == "User: My ficus is dying\n\nAssistant: Give it less water"
    assert await memory.search("ficus", kinds=frozenset({"memory"})) == []
    assert await memory.search("topsecret") == []
    await memory.close()


async def test_a_growing_transcript_is_read_on_from_its_last_exchange(hands: Hands, spoken: Path) -> None:
    memory = hands.memory(sources=["memory", "sessions"])
    await memory.search("ficus")
    transcript(spoken, ("assistant", "And more light"), ("user", "What about the cactus?"), tail='{"type":"message","torn')
    await memory.sync()
    assert (await memory.search("ficus"))[0].text.endswith("And more light")
    [hit] = await memory.search("cactus")
    assert (hit.line0, hit.text) == (5, "User: What about the cactus?")
    transcript(spoken, ("user", "A new beginning"), anew=True)
    await memory.sync()
    assert await memory.search("ficus") == [] and await memory.search("beginning")
    os.unlink(spoken)
    hands.spoken.clear()
    await memory.sync()
    assert await memory.search("beginning") == []
    await memory.close()


async def test_what_is_said_is_found_at_once_and_a_tainted_conversation_is_not_trusted(hands: Hands, spoken: Path) -> None:
    memory = hands.memory(sources=["memory", "sessions"])
    assert [hit.provenance for hit in await memory.search("ficus")] == ["owner"]
    taint = json.dumps({"type": "custom", "customType": "taint", "data": {"tool": "web_fetch"}}, separators=(",", ":"))
    transcript(spoken, ("user", "What about the cactus?"), tail=taint + "\n")
    assert [hit.provenance for hit in await memory.search("cactus")] == ["untrusted"]
    transcript(spoken, ("user", "And the orchid?"))
    assert [hit.provenance for hit in await memory.search("orchid")] == ["untrusted"]
    await memory.close()


async def test_reading_on_gives_what_reading_anew_gives(hands: Hands, spoken: Path) -> None:
    memory = hands.memory(sources=["memory", "sessions"], chunking={"tokens": 64, "overlap": 0})
    await memory.search("x")
    for number in range(12):
        role = "user" if number % 3 == 0 else "assistant"
        transcript(spoken, (role, f"word{number} " * 70))
        await memory.sync()
    fresh = hands.memory("fresh", sources=["memory", "sessions"], chunking={"tokens": 64, "overlap": 0})
    for query in ("word0", "word5", "word11", "ficus"):
        found, wanted = await memory.search(query, limit=20), await fresh.search(query, limit=20)
        assert sorted((hit.citation, hit.text) for hit in found) == sorted((hit.citation, hit.text) for hit in wanted)
    await memory.close()
    await fresh.close()
