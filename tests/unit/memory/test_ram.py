"""The index as a whole: what changes is found at once, and no history of changes alters an answer."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from numpy import float32
from numpy.typing import NDArray

from openclaw_kernel.memory.api import Kind
from openclaw_kernel.memory.ram import Entry, Options, RamIndex, Scored
from tests.unit.memory.vectors import unit_vectors

DIM = 16
_WORDS = "ficus kettle garden violin harbour lantern 10.0.40.17 kv/prod/gateway OPS-4471 winter tyres paint"
WORDS = _WORDS.split()


def vector_of(id: int) -> NDArray[float32]:
    return unit_vectors(1, DIM, seed=id)[0]


def entry(id: int, text: str, *, kind: Kind = "memory", day: str = "", path: str = "") -> Entry:
    return Entry(id, text, path=path or f"memory/file {id % 7}.md", kind=kind, day=day, line0=id, line1=id + 1, digest=id * 3)


def filled(*texts: str) -> RamIndex:
    index = RamIndex()
    index.add(entry(id, text) for id, text in enumerate(texts, 1))
    return index


def found(index: RamIndex, query: str, vector: NDArray[float32] | None = None, **more: object) -> list[int]:
    return [hit.id for hit in index.search(query, vector, **more)]  # type: ignore[arg-type]


def same(one: list[Scored], other: list[Scored]) -> bool:
    """Equal but for the last bits of the numbers."""
    left, right = ({hit.id: (hit.score, hit.cosine, hit.coverage) for hit in hits} for hits in (one, other))
    return left.keys() == right.keys() and all(left[id] == pytest.approx(right[id], abs=1e-5) for id in left)


def test_finds_words_forms_identifiers_and_typos() -> None:
    index = filled("The ficus is watered on Mondays", "Token in kv/prod/gateway", "Token in kv/stage/gateway", "Violin lesson")
    assert found(index, "watering")[0] == 1
    assert found(index, "kv/stage/gateway")[0] == 3
    assert found(index, "vioiln") == [4]
    assert found(index, "nothing like it") == []
    assert found(index, "the of") == []
    assert RamIndex().search("ficus") == []


def test_a_typo_in_the_query_does_not_touch_words_that_exist() -> None:
    index = filled("a form to fill in", "a long farm road")
    assert found(index, "farm") == [2]


def test_removed_is_gone_and_unknown_is_ignored() -> None:
    index = filled("ficus one", "ficus two", "kettle")
    assert index.remove([1, 1, 99]) == 1
    assert found(index, "ficus") == [2]
    assert 1 not in index and 2 in index and len(index) == 2 and index.ids() == [2, 3]
    with pytest.raises(KeyError):
        index.get(1)
    with pytest.raises(ValueError, match="already"):
        index.add([entry(2, "again")])
    with pytest.raises(ValueError, match="already"):
        index.add([entry(8, "twice"), entry(8, "twice")])
    assert len(index) == 2


def test_a_place_is_kept_whole() -> None:
    index = RamIndex()
    placed = Entry(
        5, "text", "Home › Plants", "memory/2026-11-20.md", "memory", "2026-11-20", 9, "untrusted", 4, 6, 120, 250, 2**64 - 1
    )
    index.add([placed])
    index.compact()
    assert index.get(5) == replace(placed, text="")


def test_headings_are_found_too() -> None:
    index = RamIndex()
    index.add([Entry(1, "Mondays", heading="Watering the ficus"), Entry(2, "Tuesdays", heading="Kettle")])
    assert found(index, "ficus") == [1]


def test_only_the_kinds_asked_for() -> None:
    index = RamIndex()
    index.add([entry(1, "ficus", kind="session"), entry(2, "ficus on the sill")])
    index.set_vectors("m", DIM, [1, 2], np.stack([vector_of(1), vector_of(2)]))
    assert found(index, "ficus", vector_of(1), kinds=frozenset({"memory"})) == [2]
    assert set(found(index, "ficus", vector_of(1))) == {1, 2}


NAMED = ("2026-11-20.md", "what is in 2026-11-20?", "garden plan", "`garden-plan.md`", "memory/garden-plan.md")


@pytest.mark.parametrize("query", NAMED)
def test_a_file_that_is_named_comes_first(query: str) -> None:
    index = RamIndex()
    name = "2026-11-20" if "2026" in query else "garden_plan"
    index.add([entry(1, f"{query} " * 3, path="memory/other.md"), entry(2, "beans", path=f"memory/{name}.md")])
    assert found(index, query)[0] == 2


def test_a_plain_word_names_no_file() -> None:
    index = RamIndex()
    index.add([entry(1, "beans", path="MEMORY.md"), entry(2, "a good memory of the harbour", path="memory/x.md")])
    assert found(index, "memory harbour")[0] == 2
    assert found(index, "MEMORY.md")[0] == 1


def test_vectors_find_what_words_do_not_and_words_get_their_true_cosine() -> None:
    index = filled("ficus", "kettle", "garden")
    index.set_vectors("m", DIM, [1, 2], np.stack([vector_of(1), vector_of(2)]))
    assert (index.model_id, index.embedded, index.without_vector()) == ("m", 2, [3])
    hits = {hit.id: hit for hit in index.search("kettle", vector_of(1))}
    assert hits[1].cosine == pytest.approx(1.0, abs=1e-5)
    assert hits[2].cosine == pytest.approx(float(vector_of(1) @ vector_of(2)), abs=1e-5)
    assert hits[2].coverage > 0
    assert hits[2].score == pytest.approx(hits[2].cosine + 0.5 * hits[2].coverage ** 2, abs=1e-5)


def test_another_model_lets_the_old_vectors_go() -> None:
    index = filled("ficus", "kettle")
    index.set_vectors("m", DIM, [1, 2], np.stack([vector_of(1), vector_of(2)]))
    index.set_vectors("n", 8, [2], unit_vectors(1, 8, seed=1))
    assert (index.model_id, index.embedded) == ("n", 1)
    assert found(index, "kettle", vector_of(1)) == [2]
    index.drop_vectors()
    assert (index.model_id, index.embedded) == ("", 0)
    assert found(index, "kettle", vector_of(1)) == [2]


def test_decay_counts_from_the_day_that_is_asked_about() -> None:
    index = RamIndex()
    index.add([entry(1, "ficus", day="2026-01-01"), entry(2, "ficus", day="2026-03-01"), entry(3, "ficus")])
    now = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp() * 1000)
    assert found(index, "ficus", now=now) == [1, 2, 3]
    assert found(index, "ficus", now=now, options=Options(half_life_days=30)) == [2, 3, 1]


def test_diversity_on_vectors() -> None:
    index = filled("ficus a", "ficus b", "ficus c")
    twin, other = np.eye(DIM, dtype=float32)[:2]
    index.set_vectors("m", DIM, [1, 2, 3], np.stack([twin, twin, other]))
    assert found(index, "", twin + float32(0.6) * other, limit=2)[1] == 2
    assert found(index, "", twin + float32(0.6) * other, limit=2, options=Options(mmr=0.4))[1] == 3


entries = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=8)


class Changes(RuleBasedStateMachine):
    """Any order of additions, removals, vectors and compactions equals an index built at once."""

    def __init__(self) -> None:
        super().__init__()
        self.index = RamIndex()
        self.texts: dict[int, str] = {}
        self.embedded: set[int] = set()
        self.next = 1

    @rule(texts=entries)
    def add(self, texts: list[list[str]]) -> None:
        made = {self.next + at: " ".join(text) for at, text in enumerate(texts)}
        self.next += len(made)
        self.index.add(entry(id, text) for id, text in made.items())
        self.texts |= made

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.sets(st.sampled_from(sorted(self.texts)))) if self.texts else set()
        assert self.index.remove(gone) == len(gone)
        self.texts = {id: text for id, text in self.texts.items() if id not in gone}
        self.embedded -= gone

    @rule(data=st.data())
    def embed(self, data: st.DataObject) -> None:
        some = sorted(data.draw(st.sets(st.sampled_from(sorted(self.texts))))) if self.texts else []
        if some:
            self.index.set_vectors("m", DIM, some, np.stack([vector_of(id) for id in some]))
            self.embedded |= set(some)

    @rule()
    def compact(self) -> None:
        self.index.compact()

    @invariant()
    def equals_a_fresh_index(self) -> None:
        fresh = RamIndex()
        fresh.add(entry(id, text) for id, text in self.texts.items())
        some = sorted(self.embedded)
        if some:
            fresh.set_vectors("m", DIM, some, np.stack([vector_of(id) for id in some]))
        assert self.index.ids() == sorted(self.texts)
        assert self.index.embedded == len(self.embedded)
        for query in ("ficus kettle", "OPS-4471", "garden 10.0.40.17 winter"):
            assert same(self.index.search(query, limit=100), fresh.search(query, limit=100))
            assert same(self.index.search(query, vector_of(3), limit=100), fresh.search(query, vector_of(3), limit=100))


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)


def large(size: int = 9_000) -> tuple[RamIndex, NDArray[float32]]:
    """Above the switch to codes; a third of the rows gone, some compacted and some not."""
    index, matrix = RamIndex(), unit_vectors(size, DIM * 4, seed=1)
    half = size // 2
    for ids in (range(half), range(half, size)):
        index.add(entry(id, f"{WORDS[id % 12]} {WORDS[id % 5]} note{id}") for id in ids)
        index.set_vectors("m", DIM * 4, list(ids), matrix[ids.start : ids.stop])
        index.remove(id for id in ids if id % 3 == 0)
        if not ids.start:
            index.compact()
    return index, matrix


def test_tombstones_are_never_returned_and_a_compaction_changes_no_result() -> None:
    index, matrix = large()
    assert index.wants_compaction
    queries = [(f"{WORDS[at % 12]} note{at * 30}", matrix[at * 30]) for at in range(40)]
    before = [index.search(query, vector, limit=10) for query, vector in queries]
    assert all(hit.id % 3 for hits in before for hit in hits)
    index.compact()
    assert not index.wants_compaction
    assert all(same(hits, index.search(*query, limit=10)) for hits, query in zip(before, queries, strict=True))


def test_what_happens_during_a_compaction_is_there_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    index, matrix = large(3_000)
    build = index._vocabulary.__class__.merged

    def meanwhile(self: object, alive: object) -> object:
        index.add([entry(5_000, "harbour lantern late", path="late.md"), entry(5_001, "harbour gone again")])
        index.set_vectors("m", DIM * 4, [5_000, 1], np.stack([-matrix[1], -matrix[2]]))
        index.remove([2, 5_001])
        assert found(index, "late harbour")[0] == 5_000
        return build(self, alive)  # type: ignore[arg-type]

    monkeypatch.setattr(index._vocabulary.__class__, "merged", meanwhile)
    index.compact()
    assert found(index, "late harbour")[0] == 5_000
    assert found(index, "late.md")[0] == 5_000
    assert index.get(5_000).path == "late.md"
    assert 2 not in index and 5_001 not in index
    assert found(index, "", -matrix[1], limit=1) == [5_000]
    assert found(index, "", -matrix[2], limit=1) == [1]
    monkeypatch.undo()
    index.compact()
    assert found(index, "lantren late")[0] == 5_000


def test_a_model_that_changes_during_a_compaction(monkeypatch: pytest.MonkeyPatch) -> None:
    index, _ = large(600)
    build = index._vocabulary.__class__.merged

    def meanwhile(self: object, alive: object) -> object:
        index.set_vectors("n", DIM, [1, 4], np.stack([vector_of(1), vector_of(4)]))
        return build(self, alive)  # type: ignore[arg-type]

    monkeypatch.setattr(index._vocabulary.__class__, "merged", meanwhile)
    index.compact()
    assert (index.model_id, index.embedded) == ("n", 2)
    assert found(index, "", vector_of(4), limit=1) == [4]


def test_searching_while_another_thread_adds_removes_and_compacts() -> None:
    index, matrix = large(2_000)
    failures: list[BaseException] = []
    done = threading.Event()

    def write() -> None:
        try:
            for turn in range(12):
                ids = list(range(10_000 + turn * 100, 10_100 + turn * 100))
                index.add(entry(id, f"kettle {WORDS[id % 12]}") for id in ids)
                index.set_vectors("m", DIM * 4, ids, unit_vectors(100, DIM * 4, seed=turn))
                index.remove(ids[::2])
                index.compact()
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            done.set()

    thread = threading.Thread(target=write)
    thread.start()
    turns = 0
    while not done.is_set() or turns < 3:
        at = 1 + turns % 600 * 3
        assert at in found(index, f"note{at}", matrix[at])
        turns += 1
    thread.join(60)
    assert failures == [] and not thread.is_alive()
    assert len(index) == 2_000 - 667 + 600


def test_a_long_addition_lets_others_in_every_few_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    index, seen = RamIndex(), list[int]()

    def breath(seconds: float) -> None:
        assert not index._lock.locked()
        seen.append(len(index.search("ficus", limit=1000)))

    monkeypatch.setattr("openclaw_kernel.memory.ram.time.sleep", breath)
    index.add(entry(id, "ficus") for id in range(40))
    assert seen == [16, 32]
    assert len(index) == 40


def test_a_dump_opens_with_the_same_answers(tmp_path: Path) -> None:
    index, matrix = large()
    index.add([Entry(70_000, "zwölf größere Häuser", "Überschrift", "memory/straße.md", day="2026-02-03")])
    index.set_vectors("m", DIM * 4, [70_000], matrix[:1])
    state = index.vector_state()
    index.dump(tmp_path / "postings.bin", 12)
    opened = RamIndex.load(tmp_path / "postings.bin", 12)
    assert state is not None and opened is not None and opened.use_vectors(state)
    assert opened.ids() == index.ids() and opened.embedded == index.embedded
    assert opened.get(70_000) == index.get(70_000)
    for query, vector in [("häusre", None), ("kettle note31", matrix[31]), ("straße.md", None), ("lantren", matrix[3])]:
        assert same(opened.search(query, vector, limit=10), index.search(query, vector, limit=10))
    for changed in (index, opened):
        changed.remove([70_000, 31])
        changed.add([entry(70_001, "kettle of the harbour")])
        changed.compact()
    assert same(opened.search("kettle", matrix[31]), index.search("kettle", matrix[31]))
    assert RamIndex.load(tmp_path / "postings.bin", 12) is not None, "changes must not reach the file"


def test_a_dump_of_another_time_or_a_broken_one_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "postings.bin"
    assert RamIndex.load(path, 1) is None
    filled("ficus", "kettle").dump(path, 1)
    assert RamIndex.load(path, 2) is None
    whole = path.read_bytes()
    for broken in (b"", whole[:10], whole[:-1], b"x" * len(whole), whole[:16] + b"{" * 40 + whole[56:]):
        path.write_bytes(broken)
        assert RamIndex.load(path, 1) is None
    path.write_bytes(whole)
    opened = RamIndex.load(path, 1)
    assert opened is not None and found(opened, "ficus") == [1]
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_index_can_be_dumped_and_compacted(tmp_path: Path) -> None:
    index = filled("ficus")
    index.remove([1])
    index.compact()
    assert index.vector_state() is None
    index.dump(tmp_path / "p", 1)
    opened = RamIndex.load(tmp_path / "p", 1)
    assert opened is not None and len(opened) == 0 and opened.search("ficus") == []
    opened.add([entry(2, "ficus")])
    assert found(opened, "ficus") == [2]


def test_vectors_of_other_chunks_are_refused() -> None:
    index, other = filled("ficus", "kettle"), filled("ficus")
    other.set_vectors("m", DIM, [1], vector_of(1).reshape(1, -1))
    state = other.vector_state()
    assert state is not None and not index.use_vectors(state)
    assert index.embedded == 0


def test_a_forgotten_word_leaves_the_dump(tmp_path: Path) -> None:
    index = filled("the secret is rumpelstiltskin", "kettle")
    index.remove([1])
    index.dump(tmp_path / "p", 1)
    bytes_ = (tmp_path / "p").read_bytes()
    for encoding in ("utf-8", "utf-32-le"):
        assert "rumpelstiltskin".encode(encoding) not in bytes_
        assert "file 1".encode(encoding) not in bytes_


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_query_is_answered(query: str) -> None:
    index = filled("ficus 10.0.40.17", "東京都 violin")
    assert len(index.search(query, limit=3)) <= 2
