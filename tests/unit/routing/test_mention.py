"""Mention patterns: safe ones are searched, unsafe ones ignored, none takes long on a hostile message."""

import time

import pytest

from openclaw_gateway.routing.mention import CACHE, Mention, compiled, is_safe, matches

UNSAFE = [
    "(a+)+$",
    "(a|aa)+$",
    "(a|a)*b",
    "((a*))*",
    "(?:x+x+)+y",
    "a*a*a*b",
    r"(a)\1",
    "a?" * 20 + "a" * 20,
    "(a{1,30}){1,30}",
    "x" * 300,
]
SAFE = [r"@?claw\b", r"\bhey,?\s+claw\b", r"open[- ]?claw", "(claw|bot)", "[a(+*]+claw", r"\(\+\)", "(?i:claw)", ".*a.*b"]


@pytest.mark.parametrize("pattern", UNSAFE)
def test_an_unsafe_pattern_is_ignored(pattern: str) -> None:
    assert not is_safe(pattern) and compiled(pattern) is None and not matches([pattern], "a" * 50)


@pytest.mark.parametrize("pattern", SAFE)
def test_a_safe_pattern_is_kept_and_quick_on_a_hostile_message(pattern: str) -> None:
    assert is_safe(pattern) and compiled(pattern) is not None
    for text in ("a" * 100_000, "claw" * 25_000, "hey " * 25_000, "aab" * 30_000):
        start = time.perf_counter()
        matches([pattern], text)
        assert time.perf_counter() - start < 1


def test_a_broken_pattern_does_not_hide_a_good_one() -> None:
    assert matches(["(", "[", "claw"], "Hello CLAW") and not matches(["claw"], "hello") and not matches([], "claw")


def test_patterns_are_compiled_once_and_512_kept() -> None:
    assert compiled("claw") is compiled("claw")
    assert compiled.cache_info().maxsize == CACHE == 512


def test_any_fact_is_a_mention_and_none_is_not() -> None:
    assert not Mention() and Mention(quote=True) and Mention(thread=True)
