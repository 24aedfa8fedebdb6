"""BM25 against a plain reference; additions, tombstones and merging change no score."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_kernel.memory import lexical
from openclaw_kernel.memory.lexical import BEST_PART, Corpus, Keywords, Postings, idf, score

Doc = Mapping[int, int]
"""Term → how often."""


def reference(docs: Sequence[Doc | None], query: Sequence[int]) -> list[float]:
    """BM25 as the formula reads, one document after the other; None is a document that is gone."""
    living = [doc for doc in docs if doc is not None]
    average = sum(sum(doc.values()) for doc in living) / len(living)
    scores = []
    for doc in docs:
        score = 0.0
        for term in query:
            if doc is None or term not in doc:
                continue
            df = sum(term in other for other in living)
            weight = math.log(1 + (len(living) - df + 0.5) / (df + 0.5))
            tf, length = doc[term], sum(doc.values())
            score += weight * tf * (1.2 + 1) / (tf + 1.2 * (1 - 0.75 + 0.75 * length / average))
        scores.append(score)
    return scores


def corpus(docs: Sequence[Doc | None], lengths: Sequence[int]) -> Corpus:
    alive = np.array([doc is not None for doc in docs], np.bool_)
    total = sum(length for length, lives in zip(lengths, alive, strict=True) if lives)
    return Corpus(np.array(lengths, np.float32), alive, len(docs), int(alive.sum()), float(total))


def built(docs: Sequence[Doc]) -> Postings:
    postings = Postings()
    for row, doc in enumerate(docs):
        postings.add(row, doc)
    return postings


def asked(postings: Postings, query: Sequence[int], state: Corpus, *, count: bool = False) -> Keywords:
    return score([postings.of(term, state) for term in query], state, count=count)


def merge(postings: Postings, number: np.ndarray, shift: int = 0) -> Postings:
    postings.freeze()
    merged = postings.merged(number)
    postings.thaw(merged, shift)
    return merged


documents = st.lists(st.dictionaries(st.integers(0, 12), st.integers(1, 9), min_size=1, max_size=6), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(documents, st.lists(st.integers(0, 14), unique=True, max_size=5), st.data())
def test_equals_the_reference_with_additions_and_deletions(docs: list[Doc], query: list[int], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.integers(0, len(docs) - 1), max_size=len(docs) - 1))
    split = data.draw(st.integers(0, len(docs)))
    left: list[Doc | None] = [None if at in gone else doc for at, doc in enumerate(docs)]
    lengths = [sum(doc.values()) for doc in docs]
    wanted = reference(left, query)
    postings = merge(built(docs[:split]), np.arange(split, dtype=np.int32))
    for row, doc in enumerate(docs[split:], split):
        postings.add(row, doc)
    assert asked(postings, query, corpus(left, lengths)).scores == pytest.approx(wanted, rel=1e-5)

    number = np.full(len(docs), -1, np.int32)
    keep = [at for at in range(len(docs)) if at not in gone]
    number[keep] = np.arange(len(keep))
    compacted = merge(postings, number)
    kept = [docs[at] for at in keep]
    again = asked(compacted, query, corpus(kept, [lengths[at] for at in keep])).scores
    assert again == pytest.approx([wanted[at] for at in keep], rel=1e-5)


@settings(max_examples=50, deadline=None)
@given(documents, st.lists(st.integers(0, 14), unique=True, max_size=5))
def test_long_lists_score_as_short_ones_do(docs: list[Doc], query: list[int]) -> None:
    state = corpus(docs, [sum(doc.values()) for doc in docs])
    short = asked(built(docs), query, state, count=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "FEW", -1)
        long = asked(built(docs), query, state, count=True)
    assert long.scores == pytest.approx(short.scores, rel=1e-5)
    assert (long.best, long.matched.tolist()) == (pytest.approx(short.best), short.matched.tolist())


def test_rows_added_while_merging_come_down_with_the_others() -> None:
    docs: list[Doc] = [{1: 1}, {2: 1}, {1: 2}]
    postings = built(docs)
    postings.freeze()
    merged = postings.merged(np.array([-1, 0, 1], np.int32))
    postings.add(3, {1: 3})
    assert postings.of(1, corpus([*docs, {1: 3}], [1, 1, 2, 3]))[0].tolist() == [0, 2, 3]
    postings.thaw(merged, 1)
    merged.add(3, {1: 4})
    now = corpus([{2: 1}, {1: 2}, {1: 3}, {1: 4}], [1, 2, 3, 4])
    rows, times = merged.of(1, now)
    assert (rows.tolist(), times.tolist()) == ([1, 2, 3], [2, 3, 4])
    final = merge(merged, np.arange(4, dtype=np.int32))
    assert final.of(1, now)[0].tolist() == [1, 2, 3]


def test_merging_in_many_blocks_equals_one(monkeypatch: pytest.MonkeyPatch) -> None:
    docs: list[Doc] = [{(row * 7 + at) % 50: 1 + at for at in range(5)} for row in range(200)]
    number = np.arange(200, dtype=np.int32)
    whole = merge(built(docs), number).arrays()
    monkeypatch.setattr("openclaw_kernel.memory.lexical.BLOCK", 17)
    parts = merge(built(docs), number).arrays()
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)


def test_the_best_a_query_can_get() -> None:
    docs: list[Doc] = [{1: 1, 2: 1}, {1: 1, 3: 1}]
    found = asked(built(docs), [1, 99], corpus(docs, [2, 2]))
    assert found.best == pytest.approx((idf(2, 2) + idf(2, 0)) * BEST_PART)


def test_a_term_counts_at_most_255_times_and_matches_are_counted() -> None:
    docs: list[Doc] = [{1: 70_000, 2: 1}, {2: 1}]
    postings = built(docs)
    state = corpus(docs, [5, 1])
    assert postings.of(1, state)[1].tolist() == [255]
    matched = asked(postings, [1, 2], state, count=True).matched
    assert matched is not None and matched.tolist() == [2, 1]


def test_nothing_holds_nothing() -> None:
    state = Corpus(np.empty(0, np.float32), np.empty(0, np.bool_), 0, 0, 0.0)
    assert len(asked(Postings(), [1], state).scores) == 0


def test_parts_are_joined_and_compacted_without_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "UNSORTED", 40)
    monkeypatch.setattr(lexical, "PART", 300)
    chance, postings = random.Random(5), Postings()
    said: list[dict[int, int]] = []

    def add(count: int) -> None:
        for _ in range(count):
            terms = {
                chance.choice((number, 2**64 - 1 - number)): chance.randint(1, 400) for number in chance.sample(range(60), 9)
            }
            postings.add(len(said), terms)
            said.append(terms)

    def same() -> None:
        corpus = Corpus(np.ones(len(said), np.float32), np.ones(len(said), np.bool_), len(said), len(said), 1.0)
        for term in [*range(61), *(2**64 - 1 - number for number in range(60))]:
            rows, times = postings.of(term, corpus)
            expected = [(row, min(terms[term], 255)) for row, terms in enumerate(said) if term in terms]
            assert list(zip(rows.tolist(), times.tolist(), strict=True)) == expected

    add(150)
    same()
    for _ in range(3):
        postings.freeze()
        before = len(said)
        add(70)
        gone = set(chance.sample(range(before), 20))
        kept = [row for row in range(before) if row not in gone]
        number = np.full(before, -1, np.int32)
        number[kept] = np.arange(len(kept), dtype=np.int32)
        merged = postings.merged(number)
        postings.thaw(merged, before - len(kept))
        postings, said = merged, [said[row] for row in kept] + said[before:]
        same()
        add(70)
        same()
