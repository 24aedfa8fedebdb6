"""How much speaks for keeping a note for good: six signals between 0 and 1, weighted (MEM-16). Pure.

Light sleep makes groups of notes that say the same, REM sleep finds the words they share, deep sleep weighs each group.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from openclaw_kernel.memory import words
from openclaw_kernel.memory.api import Provenance
from openclaw_kernel.memory.dreaming_recalls import Recall

SAME = 0.9
"""Share of common words from which two notes say the same."""
REPEAT = 0.6
"""What writing a note again on another day counts as, in the scale of a recall's score."""
OFTEN = 10
"""Recalls from which more say nothing new."""
QUERIES = 5
DAYS = 5
CONCEPTS = 6
"""Different queries, days and concepts for the full mark."""
THEMES = 5
THEME_NOTES = 3
"""A theme is a word of at least so many notes."""
COMMON = 200
"""A word of more groups than this tells none of them apart."""
DENIALS = frozenset({"not", "no", "never", "none", "nobody", "nothing", "cannot", "without", "t"})
"""`t` is what is left of `isn't`."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One note of a daily file. `text` has no bullet and no time; `note` is the hash of its line as it stands."""

    path: str
    line: int
    day: str
    text: str
    note: str
    provenance: Provenance
    said: frozenset[str] = field(default_factory=frozenset, repr=False)
    words: frozenset[str] = field(default_factory=frozenset, repr=False)


@dataclass(slots=True)
class Group:
    """Notes that say the same, the newest of which speaks for all, and every recall of any of them."""

    notes: list[Candidate]
    recalls: list[Recall] = field(default_factory=list)

    @property
    def best(self) -> Candidate:
        return max(self.notes, key=lambda one: (one.day, one.line))

    @property
    def repeats(self) -> int:
        """On how many further days it was written."""
        return len({one.day for one in self.notes}) - 1

    @property
    def evidence(self) -> int:
        """Recalls and repeats."""
        return sum(row.count for row in self.recalls) + self.repeats

    @property
    def queries(self) -> int:
        """Different occasions: questions that found it, and further days on which it was written."""
        return len({row.query for row in self.recalls}) + self.repeats


@dataclass(frozen=True, slots=True)
class Signals:
    """Each between 0 and 1. `relevance`: how near to the best hit it was. `frequency`: how often it was recalled.
    `query_diversity`: by how many questions. `recency`: how lately. `consolidation`: on how many days. `richness`: how many
    concepts it names, those of a theme among them."""

    relevance: float
    frequency: float
    query_diversity: float
    recency: float
    consolidation: float
    richness: float

    @property
    def score(self) -> float:
        return float(sum(getattr(self, name) * weight for name, weight in WEIGHTS.items()))

    def wire(self) -> dict[str, float]:
        return {one.name: round(getattr(self, one.name), 3) for one in fields(self)}


WEIGHTS = {
    "relevance": 0.30,
    "frequency": 0.24,
    "query_diversity": 0.15,
    "recency": 0.15,
    "consolidation": 0.10,
    "richness": 0.06,
}
"""MEM-16; their sum is 1."""


def said(text: str) -> frozenset[str]:
    """Every word of a text, small ones too, for `not` is one of them."""
    return frozenset(_WORD.findall(text.casefold()))


def same(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether two texts say the same: nearly all words in common, and of numbers and denials every one."""
    if not left or _telling(left) != _telling(right):
        return False
    return len(left & right) >= SAME * len(left | right)


def _telling(words: frozenset[str]) -> set[str]:
    return {word for word in words if word in DENIALS or not word.isalpha()}


def light(candidates: Sequence[Candidate], recalls: Iterable[Recall]) -> list[Group]:
    """Groups in the order of their first note, each with its recalls."""
    groups: list[Group] = []
    index: dict[str, list[int]] = {}
    places: dict[str, int] = {}
    for one in candidates:
        number = _like(one, groups, index)
        if number is None:
            number = len(groups)
            groups.append(Group([one]))
            for term in one.said:
                index.setdefault(term, []).append(number)
        else:
            groups[number].notes.append(one)
        places[one.note] = places[f"{one.path}#{one.line}"] = number
    for row in recalls:
        found = places.get(row.note, places.get(f"{row.path}#{row.line}"))
        if found is not None:
            groups[found].recalls.append(row)
    return groups


def _like(one: Candidate, groups: Sequence[Group], index: dict[str, list[int]]) -> int | None:
    shared: Counter[int] = Counter()
    for term in one.said:
        if len(there := index.get(term, [])) <= COMMON:
            shared.update(there)
    for number, _ in shared.most_common(8):
        if same(one.said, groups[number].notes[0].said):
            return number
    return None


def themes(groups: Sequence[Group]) -> list[str]:
    """Words that many of the groups share, the strongest first; those of more than half of many groups are no theme."""
    seen = Counter(word for group in groups for word in group.best.words if len(word) > 3)
    most = max(THEME_NOTES, len(groups) // 2)
    found = [(count, word) for word, count in seen.items() if THEME_NOTES <= count <= most]
    return [word for _, word in sorted(found, key=lambda pair: (-pair[0], pair[1]))[:THEMES]]


def weigh(group: Group, themes: Iterable[str], today: date, half_life_days: float) -> Signals:
    """Deep sleep's mark of one group."""
    best = group.best
    times = sum(row.count for row in group.recalls)
    marks = sum(row.score for row in group.recalls) + REPEAT * group.repeats
    days = {row.day for row in group.recalls} | {one.day for one in group.notes}
    age = max(0, (today - date.fromisoformat(max(days))).days)
    concepts = len(best.words) / 2 + len(best.words & set(themes))
    return Signals(
        relevance=min(1.0, marks / (times + group.repeats)) if times + group.repeats else 0.0,
        frequency=min(1.0, math.log1p(group.evidence) / math.log1p(OFTEN)),
        query_diversity=min(1.0, group.queries / QUERIES),
        recency=0.5 ** (age / half_life_days),
        consolidation=min(1.0, len(days) / DAYS),
        richness=min(1.0, concepts / CONCEPTS),
    )


def candidate(path: str, line: int, day: str, text: str, note: str, provenance: Provenance) -> Candidate:
    return Candidate(path, line, day, text, note, provenance, said(text), words.count(text).words)
