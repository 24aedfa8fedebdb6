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
class Candidate:
    """A chunk before it is judged. `cosine` is None where it has no vector (or the query none), `bm25` is its keyword score,
    `complete` that it has every word of the query, `named` that the query names its file; `age_days` is None for an undated
    note."""

    id: int
    row: int
    cosine: float | None
    coverage: float
    bm25: float = 0.0
    complete: bool = False
    named: bool = False
    age_days: int | None = None
    importance: int = 5


HOUSE = Options()


def rank(candidates: Sequence[Candidate], options: Options) -> list[tuple[Candidate, Scored]]:
    """Best first, a named file before everything else (MEM-05); what is noise under the rule is gone."""
    judged = [(candidate, _scored(candidate, options)) for candidate in candidates]
    judged = [(candidate, scored) for candidate, scored in judged if candidate.named or scored.score > 0]
    judged.sort(key=lambda pair: (not pair[0].named, -pair[1].score, pair[0].id))
    return [pair for at, pair in enumerate(judged) if _stays(at, *pair, options)]


def _scored(candidate: Candidate, options: Options) -> Scored:
    cosine = candidate.cosine or 0.0
    match options.rule:
        case "house":
            score = candidate.coverage if candidate.cosine is None else cosine + 0.5 * candidate.coverage**2
        case "openclaw":
            text = candidate.bm25 / (1 + candidate.bm25) if candidate.complete else 0.0
            score = text if candidate.cosine is None else 0.7 * cosine + 0.3 * text
        case _:
            assert_never(options.rule)
    if options.half_life_days > 0 and candidate.age_days is not None:
        score *= 0.5 ** (max(0, candidate.age_days) / options.half_life_days)
    score *= 1 + options.importance * (candidate.importance - 5)
    return Scored(candidate.id, score, cosine, candidate.coverage)


def _stays(at: int, candidate: Candidate, scored: Scored, options: Options) -> bool:
    if candidate.named:
        return True
    match options.rule:
        case "house":
            telling = candidate.cosine is None or candidate.cosine >= options.floor or candidate.coverage > STRAY
            return telling or at < options.keep
        case "openclaw":
            return scored.score >= OPENCLAW_MINIMUM
        case _:
            assert_never(options.rule)


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
