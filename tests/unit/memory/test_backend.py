"""The built-in memory as the house uses it: search, excerpts, vectors in the background, forgetting, undoing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from openclaw_kernel.memory.api import Hit, MemoryBackend, MemoryRefused, Selector
from openclaw_kernel.memory.durable import BrokenIndex, Durable
from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.owner import IndexOwned
from openclaw_kernel.memory.said import Spoken
from openclaw_kernel.memory.sync import Syncer
from tests.unit.memory.keeping import Hands, WordModel, answers
from tests.unit.memory.test_sync import transcript

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    hands = Hands(tmp_path)
    hands.write("MEMORY.md", "# Ada\n\n- Her birthday is on 10 December\n- Likes green tea\n")
    hands.write("memory/2026-11-01.md", "# 2026-11-01\n\n- 09:00 Deployed the engine\n- 10:00 The engine failed\n")
    return hands


def every_byte(*roots: Path) -> Iterator[tuple[Path, bytes]]:
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()


def holding(needle: str, *roots: Path) -> list[str]:
    """Files in which the needle is, in whatever case, in UTF-8 or UTF-16."""
    forms = [needle.casefold().encode(), needle.casefold().encode("utf-16-le")]
    return [path.name for path, data in every_byte(*roots) if any(form in data.lower() for form in forms)]


def about(word: str, hits: list[Hit]) -> list[Hit]:
    return [hit for hit in hits if word in hit.text.casefold()]


async def test_a_hit_says_where_and_whose(hands: Hands) -> None:
    memory: MemoryBackend = hands.memory()
    [hit] = await memory.search("when is her birthday", limit=1)
    assert (hit.citation, hit.provenance, hit.kind, hit.day) == ("MEMORY.md#L1-L4", "owner", "memory", "")
    [hit] = await memory.search("engine", limit=1)
    assert (hit.path, hit.day) == ("memory/2026-11-01.md", "2026-11-01")
    assert await memory.search("zebra") == []
    await memory.close()


async def test_an_empty_workspace(tmp_path: Path) -> None:
    memory = Hands(tmp_path).memory()
    assert await memory.search("anything at all") == []
    status = await memory.status()
    assert (status.files, status.chunks, status.semantic) == (0, 0, False)
    assert "Semantic search is off" in status.sentence
    await memory.close()
    await memory.close()


async def test_excerpts_are_windows_of_notes_only(hands: Hands) -> None:
    hands.write("memory/long.md", "".join(f"line {number}\n" for number in range(1, 301)))
    hands.write("memory/wide.md", "x" * 30_000 + "\nnext\n")
    hands.write("secret.md", "no note")
    memory = hands.memory()
    part = await memory.get("memory/long.md", 100)
    assert (part.start, part.end, part.more) == (100, 219, True) and part.text.startswith("line 100\n")
    part = await memory.get("memory/long.md#L290", 290, 500)
    assert (part.end, part.more) == (300, False)
    part = await memory.get("memory/wide.md")
    assert len(part.text) == 12_000 and part.more
    for path in ("secret.md", "../outside.md", "/etc/passwd", "memory/none.md", "", "memory/\x00.md", "memory"):
        with pytest.raises(MemoryRefused, match="not a note of this workspace"):
            await memory.get(path)
    await memory.close()


async def test_vectors_come_in_the_background_and_stay(hands: Hands) -> None:
    hands.model = WordModel()
    gate = Event()
    hands.model.before = lambda: gate.wait(10) and None
    memory = hands.memory()
    assert await memory.search("birthday"), "words are searchable at once"
    status = await memory.status()
    assert (status.semantic, status.waiting) == (True, 2) and "2 of 2 chunks wait" in status.sentence
    gate.set()
    await memory.settled()
    status = await memory.status()
    assert (status.embedded, status.waiting, status.model, status.sentence) == (2, 0, "words", "Semantic search is on.")
    assert hands.progress[-1] == (2, 2)
    before = await answers(memory, ["the engine failed", "green tea"])
    await memory.close()
    assert {path.name for path in (hands.state / "memory/main").iterdir()} >= {"index.duckdb", "words.idx", "side.json"}
    read = len(hands.model.read)
    memory = hands.memory()
    assert await answers(memory, ["the engine failed", "green tea"]) == before
    await memory.settled()
    assert len(hands.model.read) == read and (await memory.status()).embedded == 2
    await memory.close()


@pytest.mark.parametrize("lost", ["side.json", "words.idx", "vectors", "torn", "index.duckdb"])
async def test_lost_files_change_no_answer(hands: Hands, lost: str) -> None:
    hands.model = WordModel()
    for number in range(40):
        hands.write(f"memory/n{number}.md", f"note {number} speaks of animal{number % 7} and of colour{number % 5}\n" * 8)
    queries = ["animal3 colour2", "note 17", "green tea", "animla5"]
    memory = hands.memory()
    await memory.search("note")
    await memory.settled()
    wanted = await answers(memory, queries)
    await memory.close()
    read = len(hands.model.read)
    folder = hands.state / "memory/main"
    for path in folder.iterdir():
        if lost == "torn" and path.name.startswith(("words", "vectors")):
            path.write_bytes(path.read_bytes()[:-100])
        elif path.name.startswith(lost):
            path.unlink()
    memory = hands.memory()
    await memory.search("note")
    await memory.settled()
    assert await answers(memory, queries) == wanted
    assert lost == "index.duckdb" or len(hands.model.read) == read
    await memory.close()


async def test_what_changed_since_the_side_files_is_made_up_for(hands: Hands) -> None:
    hands.model = WordModel()
    chapters = {number: f"# Chapter {number}\n" + f"word{number} is here on a line\n" * 30 for number in range(12)}
    hands.write("memory/book.md", "".join(chapters.values()))
    memory = hands.memory(chunking={"tokens": 100, "overlap": 0})
    await memory.search("word1")
    await memory.settled()
    await memory.close()
    kept = {name: (hands.state / "memory/main" / name).read_bytes() for name in ("words.idx", "side.json")}
    chapters[0] = "# Chapter 0\nsomething new about zebras\n"
    del chapters[7]
    hands.write("memory/book.md", "".join(chapters.values()))
    memory = hands.memory(chunking={"tokens": 100, "overlap": 0})
    queries = ["word1", "word7", "zebras", "word11"]
    await memory.search("zebras")
    await memory.settled()
    wanted = await answers(memory, queries)
    await memory.close()
    memory = hands.memory(chunking={"tokens": 100, "overlap": 0})
    assert await answers(memory, queries) == wanted, "places that moved are known after a clean end"
    await memory.close()
    for name, data in kept.items():
        (hands.state / "memory/main" / name).write_bytes(data)
    memory = hands.memory(chunking={"tokens": 100, "overlap": 0})
    assert await answers(memory, queries) == wanted, "old side files are brought up to date"
    await memory.settled()
    await memory.close()


async def test_another_model_takes_over_when_it_is_through(hands: Hands) -> None:
    hands.model = first = WordModel("first")
    memory = hands.memory()
    await memory.search("tea")
    await memory.settled()
    gate = Event()
    hands.model = WordModel("second", 32)
    hands.model.before = lambda: gate.wait(10) and None
    await memory.sync()
    assert (await memory.search("green tea"))[0].path == "MEMORY.md"
    assert (await memory.status()).model == first.model_id
    gate.set()
    await memory.settled()
    assert (await memory.status()).model == "second" and (await memory.search("green tea"))[0].path == "MEMORY.md"
    hands.model = first
    read = len(first.read)
    await memory.sync()
    await memory.settled()
    assert (await memory.status()).model == "first" and len(first.read) == read
    hands.model = None
    await memory.sync()
    await memory.settled()
    assert not (await memory.status()).semantic and await memory.search("green tea")
    await memory.close()


async def test_a_model_that_fails_leaves_the_words(hands: Hands) -> None:
    hands.model = WordModel()

    def fail() -> None:
        raise EmbeddingError("The endpoint http://localhost:1 does not answer.")

    hands.model.before = fail
    memory = hands.memory()
    assert (await memory.search("birthday"))[0].path == "MEMORY.md"
    await memory.settled()
    assert "does not answer" in (await memory.status()).sentence
    hands.model.before = lambda: None
    await memory.sync()
    await memory.settled()
    assert (await memory.status()).sentence == "Semantic search is on."
    await memory.close()


async def test_a_note_that_changed_between_search_and_reading(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = hands.memory(sync={"watch": False, "onSearch": False})
    await memory.search("tea")
    hands.write("MEMORY.md", "something else entirely, and longer than the note was before it was written anew\n")
    [hit] = await memory.search("tea")
    assert hit.text.endswith("Likes green tea"), "the text as it was indexed"
    await memory.settled()
    assert await memory.search("tea") == [] and await memory.search("entirely")
    os.unlink(hands.workspace / "MEMORY.md")
    os.symlink("/etc/hostname", hands.workspace / "MEMORY.md")
    [hit] = await memory.search("entirely")
    assert hit.text.startswith("something else")
    await memory.settled()
    await memory.close()


async def test_a_second_memory_of_the_same_index_in_another_process_is_refused(hands: Hands) -> None:
    memory = hands.memory()
    await memory.search("tea")
    code = (
        "import asyncio, sys; from pathlib import Path; from tests.unit.memory.keeping import Hands\n"
        "hands = Hands.__new__(Hands); hands.workspace, hands.state = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "hands.now, hands.model, hands.spoken, hands.progress = 0, None, [], []\n"
        "asyncio.run(hands.memory().search('tea'))"
    )
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(hands.workspace), str(hands.state),
        stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    async with asyncio.timeout(60):
        _, error = await other.communicate()
    assert f"is in use by process {os.getpid()}, which alone may open it".encode() in error
    assert IndexOwned.__name__.encode() in error
    await memory.close()


async def test_an_index_that_cannot_be_written_any_more_is_opened_anew(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = hands.memory()
    assert await memory.search("engine")

    def fail(self: Durable, change: object) -> None:
        raise BrokenIndex("The memory index cannot be read (a bad block); it is built anew from the notes.")

    monkeypatch.setattr(Durable, "commit", fail)
    hands.write("memory/new.md", "the zebra is striped")
    with pytest.raises(BrokenIndex):
        await memory.search("zebra")
    monkeypatch.undo()
    assert (await memory.search("zebra"))[0].path == "memory/new.md" and await memory.search("engine")
    await memory.settled()
    await memory.close()


async def test_a_close_does_not_wait_for_a_long_sync(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        hands.write(f"memory/n{number:02}.md", f"note {number}")
    memory = hands.memory()
    loop, reached, go = asyncio.get_running_loop(), asyncio.Event(), Event()
    original, seen = Syncer._note, []

    def slow(self: Syncer, *arguments: Any) -> None:
        seen.append(arguments[0].name)
        if len(seen) == 5:
            loop.call_soon_threadsafe(reached.set)
            go.wait(20)
        original(self, *arguments)

    monkeypatch.setattr(Syncer, "_note", slow)
    search = asyncio.ensure_future(memory.search("note"))
    async with asyncio.timeout(30):
        await reached.wait()
        closing = asyncio.ensure_future(memory.close())
        await asyncio.sleep(0)
        go.set()
        await closing
    await asyncio.gather(search, return_exceptions=True)
    assert len(seen) == 5
    memory = hands.memory()
    assert (await memory.status()).files == 62
    await memory.close()


async def test_writes_are_known_by_their_writer_and_can_be_taken_back(hands: Hands) -> None:
    memory = hands.memory()
    await memory.append("Ada said the code is 7", "untrusted", "agent:main:telegram:direct:9", NOON)
    await memory.append("The flight leaves at nine", "agent", "agent:main:main", NOON)
    [hit] = await memory.search("flight", limit=1)
    assert hit.provenance == "untrusted", "a chunk is as good as its worst line"
    rows = memory.keeper().log()
    assert [(row.provenance, line) for row, line in rows] == [
        ("agent", "- 12:00 The flight leaves at nine"), ("untrusted", "- 12:00 Ada said the code is 7"),
    ]  # fmt: skip
    assert await memory.undo(rows[1][0].id) == "- 12:00 Ada said the code is 7"
    [hit] = await memory.search("flight", limit=1)
    assert hit.provenance == "agent" and "code is 7" not in hit.text
    with pytest.raises(MemoryRefused, match="nothing to take back"):
        await memory.undo(rows[1][0].id)
    with pytest.raises(MemoryRefused, match="no write"):
        await memory.undo("nonsense")
    await memory.close()
    assert "flight" not in (hands.state / "memory/main/writes.jsonl").read_text()


async def test_a_session_is_forgotten_without_a_trace(hands: Hands, tmp_path: Path) -> None:
    hands.model = WordModel()
    key, other = "agent:main:telegram:direct:9", "agent:main:main"
    logs = tmp_path / "logs"
    transcript(logs / "a.jsonl", ("user", "the xylophone is broken"))
    hands.spoken.append(Spoken("a", logs / "a.jsonl", key))
    memory = hands.memory(sources=["memory", "sessions"])
    await memory.append("Xylophone repair costs 90", "untrusted", key, NOON)
    await memory.append("Tea is ready", "agent", other, NOON)
    assert len(about("xylophone", await memory.search("xylophone"))) == 2
    await memory.settled()
    await memory.close()
    assert holding("xylophone", hands.state, hands.workspace)
    memory = hands.memory(sources=["memory", "sessions"])
    report = await memory.forget(Selector(session_key=key))
    assert (report.notes, report.chunks, report.files) == (1, 2, ("memory/2026-11-21.md",)) and report.vectors == 2
    await memory.settled()
    assert holding("xylophone", hands.state, hands.workspace) == []
    assert holding(key, hands.state) == []
    await memory.sync()
    assert about("xylophone", await memory.search("xylophone")) == []
    assert (await memory.search("tea is ready"))[0].text.endswith("Tea is ready")
    await memory.close()
    assert holding("xylophone", hands.state, hands.workspace) == [] and holding(key, hands.state) == []


async def test_a_text_is_forgotten_wherever_it_is(hands: Hands, tmp_path: Path) -> None:
    transcript(tmp_path / "a.jsonl", ("user", "my PIN is 4711, really"), ("user", "and tea"))
    hands.spoken.append(Spoken("a", tmp_path / "a.jsonl", "agent:main:main"))
    hands.write("memory/x.md", "# Pin is 4711\n\nA paragraph about\nthe pin is\n4711 thing\n\n- keep this\n- PIN  is 4711\n")
    memory = hands.memory(sources=["memory", "sessions"])
    assert len(await memory.search("4711")) == 2
    report = await memory.forget(Selector(text="pin is 4711"))
    assert (report.notes, report.files) == (3, ("memory/x.md",))
    assert (hands.workspace / "memory/x.md").read_text() == "\n\n- keep this\n"
    assert await memory.search("4711") == [] and await memory.search("tea")
    assert holding("4711", hands.state, hands.workspace) == []
    await memory.sync()
    assert await memory.search("4711") == []
    await memory.close()


async def test_a_note_file_is_forgotten(hands: Hands) -> None:
    memory = hands.memory()
    await memory.search("engine")
    report = await memory.forget(Selector(path="memory/2026-11-01.md"))
    assert report.files == ("memory/2026-11-01.md",) and not (hands.workspace / "memory/2026-11-01.md").exists()
    assert await memory.search("engine") == [] and holding("engine", hands.state, hands.workspace) == []
    await memory.close()


@pytest.mark.parametrize(
    "selector",
    [Selector(), Selector(text="  "), Selector(text="x"), Selector(path="MEMORY.md", text="tea"), Selector(path="../x.md")],
)
async def test_a_selector_says_one_thing(hands: Hands, selector: Selector) -> None:
    memory = hands.memory()
    with pytest.raises(MemoryRefused):
        await memory.forget(selector)
    assert await memory.search("birthday")
    await memory.close()


async def test_nothing_heavy_is_loaded_before_the_first_search(hands: Hands) -> None:
    code = (
        "import asyncio, sys, datetime; from pathlib import Path\n"
        "from openclaw_kernel.config.schema.memory import Memory; from openclaw_kernel.memory.backend import open_memory\n"
        "memory = open_memory(Path(sys.argv[1]), Path(sys.argv[2]), 'main', Memory(), lambda: None)\n"
        "asyncio.run(memory.append('x', 'agent', 'agent:main:main', datetime.datetime.now()))\n"
        "assert not {'numpy', 'duckdb', 'watchfiles', 'fastembed', 'onnxruntime'} & set(sys.modules), sorted(sys.modules)"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(hands.workspace), str(hands.state))
    async with asyncio.timeout(60):
        assert await child.wait() == 0


async def test_an_index_built_anew_answers_the_same_and_asks_the_model_nothing(hands: Hands) -> None:
    hands.model = WordModel()
    hands.write("MEMORY.md", "- the ferry leaves at noon\n")
    memory = hands.memory()
    await memory.sync()
    await memory.settled()
    before = await memory.search("ferry noon")
    read, chunks = len(hands.model.read), (await memory.status()).chunks
    await memory.rebuild()
    assert not (memory.folder / "index.duckdb").exists()
    status = await memory.status()
    assert (status.chunks, status.semantic, status.waiting) == (chunks, True, 0)
    after = await memory.search("ferry noon")
    await memory.settled()
    assert [hit.citation for hit in after] == [hit.citation for hit in before] and len(hands.model.read) == read
    await memory.close()
