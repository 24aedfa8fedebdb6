"""Rules, floors, decay, diversity."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import pytest

from openclaw_kernel.memory.ranking import Candidates, Options, diversified, rank


@dataclass(frozen=True)
class Candidate:
    id: int
    cosine: float | None
    coverage: float
    bm25: float = 0.0
    complete: bool = False
    named: bool = False
    age_days: int | None = None
    importance: int = 5


def ranked(candidates: list[Candidate], options: Options | None) -> list[tuple[int, float]]:
    columns = Candidates(
        ids=[each.id for each in candidates],
        rows=[each.id for each in candidates],
        cosine=[nan if each.cosine is None else each.cosine for each in candidates],
        coverage=[each.coverage for each in candidates],
        bm25=[each.bm25 for each in candidates],
        complete=[each.complete for each in candidates],
        named=[each.named for each in candidates],
        age=[each.age_days or 0 for each in candidates],
        importance=[each.importance for each in candidates],
    )
    order, scores = rank(columns, options or Options())
    return [(columns.ids[at], score) for at, score in zip(order, scores, strict=True)]


def ids(candidates: list[Candidate], options: Options | None = None) -> list[int]:
    return [id for id, _ in ranked(candidates, options)]


def score(candidate: Candidate, options: Options | None = None) -> float:
    return ranked([candidate], options)[0][1]


def test_cosine_and_half_the_square_of_the_coverage() -> None:
    assert score(Candidate(1, 0.4, 0.6)) == pytest.approx(0.4 + 0.5 * 0.36)


def test_without_a_vector_the_score_is_the_coverage() -> None:
    assert score(Candidate(1, None, 0.6)) == pytest.approx(0.6)


def test_best_first_and_the_older_of_equals() -> None:
    assert ids([Candidate(3, 0.5, 0), Candidate(1, 0.5, 0), Candidate(2, 0.7, 0)]) == [2, 1, 3]


def test_nothing_of_the_query_is_no_answer() -> None:
    assert ids([Candidate(1, None, 0.0), Candidate(2, -0.1, 0.0)]) == []


def test_a_named_file_is_first() -> None:
    assert ids([Candidate(1, 0.9, 1.0), Candidate(2, 0.1, 0.1, named=True)]) == [2, 1]


def test_under_the_models_floor_only_the_best_few_stay() -> None:
    weak = [Candidate(id, 0.19 - id / 1000, 0.0) for id in range(1, 6)]
    assert ids(weak, Options(floor=0.2, keep=2)) == [1, 2]
    assert ids(weak, Options(floor=0.1, keep=2)) == [1, 2, 3, 4, 5]
    assert ids([*weak, Candidate(9, 0.01, 0.6)], Options(floor=0.2, keep=0)) == [9]


def test_dated_notes_fade_and_the_others_do_not() -> None:
    fading = Options(half_life_days=30)
    assert score(Candidate(1, 0.8, 0.0, age_days=30), fading) == pytest.approx(0.4)
    assert score(Candidate(1, 0.8, 0.0, age_days=None), fading) == pytest.approx(0.8)
    assert score(Candidate(1, 0.8, 0.0, age_days=-3), fading) == pytest.approx(0.8)
    assert score(Candidate(1, 0.8, 0.0, age_days=300)) == pytest.approx(0.8)


def test_importance_decides_between_equals() -> None:
    assert ids([Candidate(1, 0.5, 0, importance=5), Candidate(2, 0.5, 0, importance=9)]) == [2, 1]
    assert ids([Candidate(1, 0.9, 0, importance=1), Candidate(2, 0.5, 0, importance=10)]) == [1, 2]


def test_openclaws_rule() -> None:
    rule = Options(rule="openclaw")
    whole = Candidate(1, 0.5, 0.0, bm25=3.0, complete=True)
    assert score(whole, rule) == pytest.approx(0.7 * 0.5 + 0.3 * 0.75)
    assert score(Candidate(1, 0.6, 0.9, bm25=3.0), rule) == pytest.approx(0.42)
    assert ids([Candidate(1, 0.49, 0.9)], rule) == []
    assert (rule.candidates(6), Options().candidates(6), Options().candidates(40)) == (24, 24, 40)


def test_diversity_prefers_what_is_unlike() -> None:
    same = {frozenset((0, 1)): 0.99}

    def similar(one: int, other: int) -> float:
        return same.get(frozenset((one, other)), 0.0)

    assert diversified([1.0, 0.95, 0.6], similar, 0.5) == [0, 2, 1]
    assert diversified([1.0, 0.95, 0.6], similar, 1.0) == [0, 1, 2]
    assert diversified([], similar, 0.7) == []
