"""What a text can be found by."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openclaw_kernel.memory import words


def cut(text: str) -> list[str]:
    return [word for word, _, _ in words.tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Token lives in kv/prod/gateway.", ["token", "lives", "kv/prod/gateway", "kv", "prod", "gateway"]),
        ("valve A-12.3!", ["valve", "a-12.3", "12", "3"]),
        ("10.0.40.17", ["10.0.40.17", "10", "0", "40", "17"]),
        ("parse_window_spec", ["parse_window_spec", "parse", "window", "spec"]),
        ("getUserName", ["getusername", "user", "name"]),
        ("maxAgeDays at 5 kWh", ["maxagedays", "max", "age", "days", "5", "kwh"]),
        ("SHA256:q8Vx2", ["sha256:q8vx2", "sha256", "q8vx2"]),
        ("OPS-4471", ["ops-4471", "ops", "4471"]),
        ("don't, Lena’s, we'll", ["lena"]),
        ("the of and a", []),
        ("", []),
        ("Straße ﬁne", ["strasse", "fine"]),
        ("東京都 cafe", ["東京", "京都", "cafe"]),
        ("猫", ["猫"]),
    ],
)
def test_identifiers_are_whole_and_in_parts(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_forms_of_a_word_are_one_term() -> None:
    terms = {term for _, _, term in words.tokens("watering watered waters Water")}
    assert len(terms) == 1


def test_identifiers_are_not_stemmed() -> None:
    assert words.token_of("a-123s")[2] != words.token_of("a-123")[2]
    assert not words.token_of("a-123s")[1]


def test_terms_are_the_same_in_every_process() -> None:
    code = "from openclaw_kernel.memory import words; print(words.token_of('gardening')[2], words.name_term('memory.md'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert told.split() == [str(words.token_of("gardening")[2]), str(words.name_term("memory.md"))]


def test_counting() -> None:
    counted = words.count("The plants and the plant in kv/plants")
    plant = words.token_of("plant")[2]
    assert counted.terms[plant] == 3
    assert counted.length == sum(counted.terms.values()) == 5
    assert counted.words == {"plants", "plant", "kv"}


def test_the_cache_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "KNOWN_WORDS", 3)
    monkeypatch.setattr(words, "_known", {})
    before = words.count("one elephant dances with seven tigers near many rivers")
    assert len(words._known) <= 3
    assert words.count("one elephant dances with seven tigers near many rivers") == before


def test_a_file_name_is_no_word() -> None:
    assert words.name_term("garden") not in words.count("garden \0garden").terms
