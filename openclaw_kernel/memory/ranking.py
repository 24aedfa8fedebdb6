"""Which candidates answer best: the house's rule, OpenClaw's rule, decay of dated notes, diversity.

A rule is a choice of `Options`; nothing here touches a file or a clock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rule = Literal["house", "openclaw"]


@dataclass(frozen=True, slots=True)
class Options:
    """How one search ranks.

    `rule` "house" is cosine + 0.5 × coverage²; "openclaw" is 0.7 × cosine + 0.3 × text, all words required, minimum 0.35
    (MEM-05). `half_life_days` > 0 lets dated notes fade; undated ones (MEMORY, USER) never do (MEM-06, the product uses 30).
    `mmr` in (0, 1] trades score for variety (MEM-07, the product uses 0.7); 0 is off. `floor` is the cosine under which a
    hit without a word of the query is noise; it belongs to the model (`Embedder.floor`). `keep` best are kept anyway.
    """

    rule: Rule = "house"
    half_life_days: float = 0.0
    mmr: float = 0.0
    floor: float = 0.0
    keep: int = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer. `score` is comparable within one search only; `coverage` is the share (0 to 1) of the best keyword score
    that the query could get."""

    id: int
    score: float
    cosine: float
    coverage: float


HOUSE = Options()
