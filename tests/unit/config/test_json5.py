from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_kernel.config.json5 import Json5Error, loads, parse, place

VALID: list[tuple[str, Any]] = [
    ("{}", {}),
    ("[1,]", [1]),
    ("// c\n/* d\n */ {a: 1, 'b': \"c\", $d_1: [ ], }", {"a": 1, "b": "c", "$d_1": []}),
    ("'a\\\nb'", "ab"),
    ("'\\x41\\u0042\\v\\0\\q'", "AB\v\0q"),
    ('"\\ud83d\\ude00"', "\U0001f600"),
    ("[.5, 5., +1, -0x1F, 1e3, -Infinity]", [0.5, 5.0, 1, -31, 1000.0, -math.inf]),
    ("\ufeff{\u00a0ü: null}", {"ü": None}),
    ("{\\u0061b: true}", {"ab": True}),
    ("{a: 1, a: 2}", {"a": 2}),
]

INVALID = [
    ("", 1, 1, "no value"),
    ("{a: 1\n b: 2}", 2, 2, "a comma"),
    ("{a: 010}", 1, 5, "not a number"),
    ("[1,,2]", 1, 4, "a value should be"),
    ("{\n  a: 'x\n'}", 2, 6, "not closed"),
    ("{a: secretvalue}", 1, 5, "without quotes"),
    ("{a b}", 1, 4, "colon"),
    ("{,}", 1, 2, "a key should be"),
    ("/* x", 1, 1, "never closed"),
    ("{} {}", 1, 4, "after the end"),
    ("'\\u12'", 1, 2, "hexadecimal"),
    ("'\\1'", 1, 2, "not allowed"),
    ("[" * 300, 1, 201, "deeper"),
]


@pytest.mark.parametrize(("text", "value"), VALID)
def test_valid(text: str, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(("text", "line", "column", "reason"), INVALID)
def test_invalid_says_where_and_why(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(Json5Error, match=reason) as caught:
        loads(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "secretvalue" not in str(caught.value)


def test_places() -> None:
    assert place("a\r\nb\nc", 3) == (2, 1)
    assert place("a\r\nb\nc", 5) == (3, 1)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_every_json_text_is_read_as_json_reads_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        assert loads(text) == json.loads(text)


@given(st.text(alphabet="{}[]:,'\"\\/*\n a1.-eu", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        node = parse(text)
    except Json5Error:
        return
    assert 0 <= node.start < node.end <= len(text)
