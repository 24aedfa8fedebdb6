"""The word that was meant."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_kernel.memory.repair import Vocabulary, repairable
from openclaw_kernel.memory.words import token_of


def vocabulary(words: set[str], *, bulk: bool) -> Vocabulary:
    made = Vocabulary()
    made.add(frozenset(words))
    if not bulk:
        return made
    made.freeze()
    return made.merged(lambda terms: np.ones(len(terms), np.bool_))


def edits(word: str) -> set[str]:
    """Everything one edit away, as a plain list of edits makes it."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    letters = string.ascii_lowercase
    left_out = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    replaced = {a + c + b[1:] for a, b in cuts if b for c in letters}
    put_in = {a + c + b for a, b in cuts for c in letters}
    return (left_out | swapped | replaced | put_in) - {word}


@pytest.mark.parametrize("bulk", [False, True])
@settings(max_examples=150, deadline=None)
@given(word=st.text("abcd", min_size=4, max_size=7), others=st.sets(st.text("abcd", min_size=3, max_size=8), max_size=40))
def test_neighbours_are_those_of_plain_edits(bulk: bool, word: str, others: set[str]) -> None:
    others.discard(word)
    wanted = {other for other in others & edits(word) if other[0] == word[0]}
    assert vocabulary(others, bulk=bulk).neighbours(word) == wanted


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("gadren", "garden"),
        ("gardn", "garden"),
        ("gardden", "garden"),
        ("garten", "garden"),
        ("xarden", None),
        ("gadnre", None),
    ],
)
def test_one_edit(bulk: bool, typo: str, meant: str | None) -> None:
    assert vocabulary({"garden", "water", "plant"}, bulk=bulk).repair(typo, lambda term: 1) == meant


def test_same_letters_first_then_the_more_frequent_then_the_alphabet() -> None:
    words = vocabulary({"form", "frog", "fork"}, bulk=True)
    held = {token_of(word)[2]: count for word, count in (("form", 1), ("frog", 9), ("fork", 9))}
    assert words.repair("fomr", lambda term: held[term]) == "form"
    assert words.repair("fror", lambda term: held[term]) == "frog"
    assert vocabulary({"bolt", "bold"}, bulk=True).repair("bole", lambda term: 3) == "bold"


def test_a_word_of_no_living_note_is_not_meant() -> None:
    assert vocabulary({"garden"}, bulk=True).repair("gardn", lambda term: 0) is None


@pytest.mark.parametrize(
    ("word", "may"), [("gardn", True), ("gad", False), ("a123", False), ("kv/prod", False), ("with", False), ("x" * 33, False)]
)
def test_only_long_plain_words_are_repaired(word: str, may: bool) -> None:
    assert repairable(word, token_of(word)[1]) is may


def test_merging_lets_dead_words_go_and_keeps_later_ones() -> None:
    words = Vocabulary()
    words.add(frozenset({"garden", "kettle", "größe"}))
    words.freeze()
    dead = np.uint64(token_of("kettle")[2])
    merged = words.merged(lambda terms: terms != dead)
    words.add(frozenset({"window"}))
    words.thaw(merged)
    assert merged.neighbours("kettel") == set()
    assert merged.neighbours("gröbe") == {"größe"}
    assert merged.neighbours("windwo") == {"window"}
    again = Vocabulary(merged.arrays())
    assert again.neighbours("gardn") == {"garden"}
    assert again.neighbours("windwo") == set()
