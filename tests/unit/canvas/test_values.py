"""Values: expressions, functions, numbers, dates, patterns, as the catalogue describes them."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_kernel.canvas.bind import Values
from openclaw_kernel.canvas.expressions import parse
from openclaw_kernel.canvas.patterns import compiled
from openclaw_kernel.canvas.pointer import MISSING
from openclaw_kernel.canvas.problems import CanvasError, Problems

DATA = {
    "name": "Ada", "n": 1234.5, "none": None, "yes": True, "when": "2025-12-15T15:04:05Z", "tags": ["a", {"b": 1}],
    "rows": [{"x": 1}, {"x": 2}], "a/b": "slash", "zero": 0, "empty": "",
}  # fmt: skip


def call(name: str, **args: Any) -> dict[str, Any]:
    return {"call": name, "args": args}


def path(where: str) -> dict[str, str]:
    return {"path": where}


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("hello", ["hello"]),
        ("", []),
        ("a ${x} b", ["a ", path("x"), " b"]),
        ("${${x}}", [path("x")]),
        ('${${"hello"}}', ["hello"]),
        ("say \\${x}", ["say ", "${", "x}"]),
        ("${f(a: 10, b: 'c')}", [call("f", a=10, b="c")]),
        ("${f(a: g(b: ${/x/0}))}", [call("f", a=call("g", b=path("/x/0")))]),
        ("${true}${false}${null}", [True, False]),
        ("${truer}", [path("truer")]),
        ("${ 1.5 }", [1.5]),
        ("${'it\\'s }'}", ["it's }"]),
        ("${my-path.with_all/0}", [path("my-path.with_all/0")]),
        ("${()}", [call("")]),
        ("100 $ {x}", ["100 $ {x}"]),
    ],
)
def test_expressions(template: str, parts: list[Any]) -> None:
    assert list(parse(template)) == parts


@pytest.mark.parametrize(
    "template",
    [
        "${x", "${f(a: 1}", "${f(a 1)}", "${true false}", "${1.2.3}", "${'x}", "x" * 10_001 + "${a}", "${a}" * 1_001,
        "${" * 101 + "x" + "}" * 101, "${" + "f(a:" * 100 + "1" + ")" * 100 + "}",
    ],
)  # fmt: skip
def test_expressions_refused(template: str) -> None:
    with pytest.raises(CanvasError) as caught:
        parse(template)
    assert caught.value.problem.code == "EXPRESSION"


def test_expressions_as_deep_as_allowed() -> None:
    assert parse("${" * 100 + "x" + "}" * 100) == (path("x"),)
    assert len(parse("${" + "f(a:" * 99 + "1" + ")" * 99 + "}")) == 1


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (call("required", value=path("/name")), True),
        (call("required", value=path("/empty")), False),
        (call("required", value=path("/gone")), False),
        (call("required", value=path("/zero")), True),
        (call("regex", value=path("/name"), pattern="^[A-Z][a-z]+$"), True),
        (call("regex", value="ab\n", pattern="^ab$"), False),
        (call("length", value="abc", min=2), True),
        (call("length", value="abc", max=2), False),
        (call("length", value=["a"], min=1, max=1), True),
        (call("numeric", value="12", min=5, max=15), True),
        (call("numeric", value="x", min=5), False),
        (call("numeric", value=3, min=5), False),
        (call("email", value="test.name+label@example-domain.com"), True),
        (call("email", value="test@test.c"), False),
        (call("email", value="test@.com"), False),
        (call("email", value="a@b.co\n"), False),
        (call("and", values=[path("/yes"), call("not", value=path("/zero"))]), True),
        (call("or", values=[path("/zero"), path("/gone")]), False),
        (call("formatString", value="Hi ${/name}, ${/n}"), "Hi Ada, 1234.5"),
        (call("formatString", value="${/tags} ${/none}${/gone}."), '["a",{"b":1}] .'),
        (call("formatString", value="${formatNumber(value: ${/n}, decimals: 2)}"), "1,234.50"),
        (call("formatNumber", value=path("/n")), "1,234.5"),
        (call("formatNumber", value=1234.5678), "1,234.568"),
        (call("formatNumber", value=2.5, decimals=0), "3"),
        (call("formatNumber", value=-1234, grouping=False), "-1234"),
        (call("formatNumber", value=path("/gone")), ""),
        (call("formatCurrency", value=1234.56, currency="USD"), "$1,234.56"),
        (call("formatCurrency", value=-5, currency="EUR", decimals=0), "-€5"),
        (call("formatCurrency", value=5000, currency="JPY"), "¥5,000"),
        (call("formatCurrency", value=5, currency="CHF"), "CHF\xa05.00"),
        (call("formatCurrency", value=1234.56, currency="NONE", decimals=2), "1234.56"),
        (call("pluralize", value=1, one="apple", other="apples"), "apple"),
        (call("pluralize", value=0, zero="none", one="apple", other="apples"), "none"),
        (call("pluralize", value=0, one="apple", other="apples"), "apples"),
        (call("pluralize", value=1, other="apples"), "apples"),
        (path("/a~1b"), "slash"),
        (path("/rows/1/x"), 2),
        (path("/rows/x"), MISSING),
        (call("openUrl", url="https://example.com"), MISSING),
        (call("eval", code="1"), MISSING),
    ],
)
def test_functions(raw: Any, value: Any) -> None:
    assert Values(DATA).value(raw) == value


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        ("2025-12-15T15:04:05Z", "EEEE, MMMM d, yyyy 'at' h:mm a", "Monday, December 15, 2025 at 3:04 PM"),
        ("2025-12-15T15:04:05.250+01:00", "yyyy-MM-dd HH:mm:ss.SSS", "2025-12-15 14:04:05.250"),
        ("2025-01-05", "E, MMM d ''yy", "Sun, Jan 5 '25"),
        (1735732800000, "y/M/d H", "2025/1/1 12"),
        ("2025-01-01T00:30:00Z", "h a", "12 AM"),
        ("2025-01-01T12:00:00Z", "ISO", "2025-01-01T12:00:00.000Z"),
        ("not a date", "yyyy", ""),
        (None, "yyyy", ""),
        (1e300, "yyyy", ""),
    ],
)
def test_dates(value: Any, pattern: str, text: str) -> None:
    assert Values({}).value(call("formatDate", value=value, format=pattern)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.0, "5"), (-0.0, "0"), (1e21, "1e+21"), (123456789012345680000.0, "123456789012345680000"), (1e-6, "0.000001"),
     (1.5e-7, "1.5e-7"), (-0.1, "-0.1"), (0.00001234, "0.00001234"), (10**30, "1e+30"), (True, "true")],
)  # fmt: skip
def test_numbers_as_text_are_those_of_a_browser(value: float, text: str) -> None:
    assert Values({}).text(value) == text


def test_dates_in_a_zone() -> None:
    values = Values({}, zone=ZoneInfo("Europe/Berlin"))
    shown = values.value(call("formatDate", value="2025-07-01T22:30:00Z", format="d MMM HH:mm xxx"))
    assert shown == "2 Jul 00:30 +02:00"
    assert values.value(call("formatDate", value="2025-07-01T08:00:00", format="HH:mm")) == "08:00"


def test_relative_paths_are_of_the_template_item() -> None:
    values = Values(DATA)
    assert values.value(path("x"), "/rows/1") == 2
    assert values.value(path("/name"), "/rows/1") == "Ada"
    assert values.text(call("formatString", value="${x} of ${/name}"), "/rows/0") == "1 of Ada"


def test_reasons_are_told_once() -> None:
    problems = Problems()
    values = Values(DATA, problems)
    for _ in range(3):
        assert values.text(call("formatString", value="${x")) == ""
    assert values.text(path("/__proto__/x")) == ""
    assert [problem.code for problem in problems.found] == ["EXPRESSION", "UNSAFE_KEY"]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"^\+?[0-9]{10,15}$", ["+1234567890"], ["123", "1234567890x"]),
        (r"^(?=.*[A-Z])(?=.*\d)(?!.*\s).{8,}$", ["Abcdefg1"], ["abcdefg1", "Abcdefg1 x", "Ab1"]),
        (r"\bcat\b", ["a cat sat"], ["concat"]),
        (r"^[^a-c\d]+$", ["xyz"], ["xaz", "x1"]),
        (r"^(?:ab|cd)?e$", ["abe", "e"], ["abcde"]),
        (r"^$", [""], ["a"]),
        (r"^a{2,3}?b$", ["aab", "aaab"], ["ab", "aaaab"]),
        (r"^.$", ["x"], ["\n", ""]),
        (r"^\w+@\w+\.\w{2,}$", ["a@b.co"], ["ä@b.co"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    found = compiled(pattern)
    assert [text for text in yes if not found.search(text, lambda _: None)] == []
    assert [text for text in no if found.search(text, lambda _: None)] == []


@pytest.mark.parametrize(
    "pattern", ["(a+)+", r"(a)\1", "(?<=a)b", "[", "x" * 201, "(?:a{900}){2}", "a{5000}", "(?i)a", "a++", "(?P<x>a)", "(?>a)"]
)
def test_patterns_refused(pattern: str) -> None:
    with pytest.raises(CanvasError) as caught:
        compiled(pattern)
    assert caught.value.problem.code == "UNSAFE_PATTERN"


_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", "(ab|c)", "(?:a|b)", "^", "$", r"\b", "(?=a)", "(?!b)"])
_REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,2}", "*?"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_ATOMS, _REPEATS), max_size=6), st.text("abc1 ", max_size=12))
def test_patterns_agree_with_the_usual_engine(pieces: list[tuple[str, str]], text: str) -> None:
    pattern = "".join(atom + ("" if atom in ("^", "$", r"\b") or atom.startswith(("(?=", "(?!")) else r) for atom, r in pieces)
    try:
        found = compiled(pattern)
    except CanvasError:
        return
    assert found.search(text, lambda _: None) == (re.search(pattern, text, re.ASCII) is not None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["required", "regex", "length", "numeric", "email", "and", "or", "not", "formatString", "formatNumber", "formatCurrency",
     "formatDate", "pluralize", "openUrl", "none"]
)  # fmt: skip
_RAW = st.recursive(
    _JSON | st.builds(path, st.text("/~ab01_", max_size=8)) | st.text("${}()a:'/,1\\ ", max_size=20),
    lambda inner: st.builds(
        lambda name, args: {"call": name, "args": args},
        _NAMES,
        st.dictionaries(st.sampled_from(["value", "values", "pattern", "min", "max", "decimals", "currency", "format", "one",
                                         "other"]), inner, max_size=4),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(_RAW, _JSON, st.text("/~ab01", max_size=6))
def test_nothing_makes_a_value_raise(raw: Any, data: Any, scope: str) -> None:
    values = Values(data, Problems())
    values.value(raw, scope)
    assert isinstance(values.text(raw, scope), str)
    assert values.truth(raw, scope) in (True, False)
    number = values.number(raw, scope)
    assert number is None or abs(number) < float("inf")
