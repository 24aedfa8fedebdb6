"""The parameters cell: read without running it, told as JSON Schema, checked and written back (SKL-09)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from openclaw_kernel.skills.parameters import assignments, checked, parse_parameters, schema_of
from openclaw_kernel.skills.skill import SkillProblem

CELL = """
from typing import Literal, Optional
raise SystemExit("a parameters cell is never run to be read")

path: str  # the file to read
rows: int = 20
# how wide
# it may be
width: float = 1.5
kind: Literal["bar", "line"] = "bar"
names: list[str] = ["a"]
weights: dict[str, float] = {}
title: str | None = None
limit: Optional[int] = 3
open_ended = ["x"]
computed = len("abc")  # known at run time
_private = 1
a.b = 2
"""


def test_types_defaults_choices_and_descriptions() -> None:
    schema = schema_of(parse_parameters(CELL))
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["path"] and schema["additionalProperties"] is False
    assert schema["properties"] == {
        "path": {"type": "string", "description": "the file to read"},
        "rows": {"type": "integer", "default": 20},
        "width": {"type": "number", "default": 1.5, "description": "how wide it may be"},
        "kind": {"type": "string", "enum": ["bar", "line"], "default": "bar"},
        "names": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
        "weights": {"type": "object", "additionalProperties": {"type": "number"}, "default": {}},
        "title": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 3},
        "open_ended": {"type": "array", "default": ["x"]},
        "computed": {"description": "known at run time"},
    }


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"rows": "7"}, {"rows": 7}),
        ({"rows": 7.0}, {"rows": 7}),
        ({"width": "2"}, {"width": 2}),
        ({"names": "a, b"}, {"names": ["a", "b"]}),
        ({"names": '["c"]'}, {"names": ["c"]}),
        ({"weights": {"a": "1.5"}}, {"weights": {"a": 1.5}}),
        ({"title": None}, {"title": None}),
        ({"title": "5"}, {"title": "5"}),
        ({"limit": "null"}, {"limit": None}),
        ({"kind": "line"}, {"kind": "line"}),
        ({"computed": {"any": ["thing"]}}, {"computed": {"any": ["thing"]}}),
    ],
)
def test_values_are_fitted(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert checked(parse_parameters(CELL), {"path": "x", **given}) == {"path": "x", **taken}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "path is missing"),
        ({"path": 1}, "path must be text"),
        ({"path": "x", "rows": "many"}, "rows must be a whole number"),
        ({"path": "x", "rows": True}, "rows must be a whole number"),
        ({"path": "x", "width": float("inf")}, "width must be a number"),
        ({"path": "x", "kind": "pie"}, "kind must be one of bar, line"),
        ({"path": "x", "names": [1]}, "names must be a list"),
        ({"path": "x", "limit": "much"}, "limit must be a whole number or null"),
        ({"path": "x", "other": 1}, "other is no parameter"),
        ({"path": "x", "computed": {1, 2}}, "computed must be a JSON value"),
        ({"path": "x" * 100_001}, "path must be text"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SkillProblem, match=said) as problem:
        checked(parse_parameters(CELL), given)
    assert "Parameters are: path, rows," in str(problem.value)


def test_values_cannot_become_code() -> None:
    values = {"path": '\'); import os; os.abort()  # \n"""', "names": ["\\", "\x00"], "weights": {"'": 0.1}}
    space: dict[str, Any] = {}
    exec(assignments(values), space)
    assert {name: space[name] for name in values} == json.loads(json.dumps(values))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%matplotlib inline\nx = 1", "not plain Python"),
        ("x: set = {1}", "x has a type that no JSON value fits"),
        ("x: Literal[int] = 1", "x has choices that are not plain values"),
        ("\n".join(f"x{number} = 1" for number in range(51)), "a skill may have 50"),
    ],
)
def test_cells_that_cannot_be_read(cell: str, said: str) -> None:
    with pytest.raises(SkillProblem, match=said):
        parse_parameters(cell)
