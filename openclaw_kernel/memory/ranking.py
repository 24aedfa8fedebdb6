"""Which candidates answer best: the house's rule, OpenClaw's rule, decay of dated notes, diversity.

A rule is a choice of `Options`; nothing here touches a file or a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

Rule = Literal["house", "openclaw"]

CANDIDATES = 24
"""Best of each side that are looked at (memory page, section 6)."""
OPENCLAW_TIMES = 4
OPENCLAW_MINIMUM = 0.35
"""MEM-05: candidates are four times the results; what scores less is left out."""
PLAIN = 5
"""Importance of a note nobody gave one."""
STRAY = 0.28
"""Coverage up to which a word may be chance: 0.5 × coverage² = 0.04 is what one in ten stray words reaches (memory page)."""


@dataclass(frozen=True, slots=True)
class Options:
    """How one search ranks.

    `rule` "house" is cosine + 0.5 × coverage²; "openclaw" is 0.7 × cosine + 0.3 × text, all words required, minimum 0.35
    (MEM-05). `half_life_days` > 0 lets dated notes fade; undated ones (MEMORY, USER) never do (MEM-06, the product uses 30).
    `mmr` in (0, 1] trades score for variety (MEM-07, the product uses 0.7); 0 is off. `importance` is what a step of a
    note's importance (5 is plain, MEM-06) adds to its score, as a share. `floor` is the cosine under which a hit without a
    telling word of the query is noise; it belongs to the model (`Embedder.floor`). The `keep` best are kept anyway.
    """

    rule: Rule = "house"
    half_life_days: float = 0.0
    mmr: float = 0.0
    importance: float = 0.02
    floor: float = 0.0
    keep: int = 3

    def candidates(self, limit: int) -> int:
        """How many of each side are looked at for so many results."""
        match self.rule:
            case "house":
                return max(CANDIDATES, limit)
            case "openclaw":
                return OPENCLAW_TIMES * limit
            case _:
                assert_never(self.rule)


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer. `score` is comparable within one search only; `coverage` is the share (0 to 1) of the best keyword score
    that the query could get."""

    id: int
    score: float
    cosine: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """Chunks before they are judged, a column each. `cosine` is NaN where a chunk has no vector (or the query none), `bm25` is
    its keyword score, `complete` that it has every word of the query, `named` that the query names its file; `age` in days is
    0 for an undated note. Lists, as there are few: numpy's calls would cost more than the work."""

    ids: list[int]
    rows: list[int]
    cosine: list[float]
    coverage: list[float]
    bm25: list[float]
    complete: list[bool]
    named: list[bool]
    age: list[int]
    importance: list[int]


HOUSE = Options()


def rank(candidates: Candidates, options: Options) -> tuple[list[int], list[float]]:
    """Places in the columns, best first, and the score of each: a named file before everything else (MEM-05), the older of
    equals first; what is noise under the rule is gone."""
    scores, named = _scores(candidates, options), candidates.named
    order = sorted((at for at in range(len(scores)) if scores[at] > 0 or named[at]), key=candidates.ids.__getitem__)
    order.sort(key=scores.__getitem__, reverse=True)
    if any(named):
        order.sort(key=named.__getitem__, reverse=True)
    match options.rule:
        case "house":
            near, said, floor, keep = candidates.cosine, candidates.coverage, options.floor, options.keep
            rest = [at for at in order[keep:] if near[at] >= floor or said[at] > STRAY or near[at] != near[at] or named[at]]
            order[keep:] = rest
        case "openclaw":
            order = [at for at in order if scores[at] >= OPENCLAW_MINIMUM or named[at]]
        case _:
            assert_never(options.rule)
    return order, [scores[at] for at in order]


def _scores(candidates: Candidates, options: Options) -> list[float]:
    """By the rule. Only NaN is unlike itself, which is quicker to ask than `isnan`."""
    match options.rule:
        case "house":
            pairs = zip(candidates.cosine, candidates.coverage, strict=True)
            scores = [near + 0.5 * said * said if near == near else said for near, said in pairs]
        case "openclaw":
            found = zip(candidates.bm25, candidates.complete, strict=True)
            texts = [bm25 / (1 + bm25) if complete else 0.0 for bm25, complete in found]
            pairs = zip(candidates.cosine, texts, strict=True)
            scores = [0.7 * near + 0.3 * said if near == near else said for near, said in pairs]
        case _:
            assert_never(options.rule)
    if (life := options.half_life_days) > 0:
        scores = [score * 2 ** (-max(age, 0) / life) for score, age in zip(scores, candidates.age, strict=True)]
    if (step := options.importance) and candidates.importance.count(PLAIN) < len(scores):
        scores = [score * (1 + step * (felt - PLAIN)) for score, felt in zip(scores, candidates.importance, strict=True)]
    return scores


def diversified(scores: Sequence[float], similar: Callable[[int, int], float], weight: float) -> list[int]:
    """Places in `scores` by maximal marginal relevance: next is always the one with the greatest weight × score −
    (1 − weight) × likeness to what was taken already. Scores are stretched to 0…1; `similar` takes two places."""
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    span = (high - low) or 1.0
    likeness = [0.0] * len(scores)
    left, taken = list(range(len(scores))), list[int]()
    while left:
        best = max(left, key=lambda at: (weight * (scores[at] - low) / span - (1 - weight) * likeness[at], -at))
        left.remove(best)
        taken.append(best)
        for at in left:
            likeness[at] = max(likeness[at], similar(at, best))
    return taken
