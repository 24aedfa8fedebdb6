from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_kernel.config.edit import merge_patch, merged, remove, set_value
from openclaw_kernel.config.json5 import loads

RAW = """// top
{
  // the port
  gateway: {
    port: 1, // here
    auth: {token: 'x'} // tail
  },
  list: [{id: "a", n: 1}, {id: "b"}], // rows
  one: {x: 1, y: 2}
}
"""


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        (["gateway", "port"], 5, "port: 1, // here", "port: 5, // here"),
        (["gateway", "auth", "mode"], "none", "{token: 'x'} // tail", "{token: 'x', mode: \"none\"} // tail"),
        (["gateway", "bind"], "lan", "{token: 'x'} // tail", "{token: 'x'}, // tail\n    bind: \"lan\""),
        (["one"], {"x": 1, "y": 3}, "y: 2", "y: 3"),
        (["list", 1, "id"], "c", 'id: "b"', 'id: "c"'),
        (["a-b"], 1, "one: {x: 1, y: 2}", 'one: {x: 1, y: 2},\n  "a-b": 1'),
    ],
)
def test_only_the_named_value_changes(path: list[str | int], value: Any, before: str, after: str) -> None:
    assert set_value(RAW, path, value) == RAW.replace(before, after)


def test_an_empty_text_and_an_empty_object() -> None:
    assert loads(set_value("", ["a", "b"], 1)) == {"a": {"b": 1}}
    assert set_value("{ // why\n}\n", ["a"], 1) == '{ // why\n  "a": 1\n}\n'


def test_setting_the_same_value_changes_no_byte() -> None:
    assert set_value(RAW, ["one"], {"x": 1, "y": 2}) == RAW


def test_remove() -> None:
    assert remove(RAW, ["gateway", "auth"]) == RAW.replace("1, // here\n    auth: {token: 'x'} // tail", "1 // here")
    assert loads(remove(RAW, ["one", "x"])) == loads(RAW) | {"one": {"y": 2}}
    assert loads(remove(RAW, ["one", "y"])) == loads(RAW) | {"one": {"x": 1}}
    assert remove(RAW, ["none", "y"]) == RAW
    assert loads(remove("{a: 1, b: 2, a: 3}", ["a"])) == {"b": 2}


def test_merge_patch_deletes_with_null_and_merges_rows_by_id() -> None:
    text = merge_patch(RAW, {"one": None, "gateway": {"port": 2}, "list": [{"id": "a", "m": 2}, {"id": "c"}]})
    assert "// the port" in text
    assert "port: 2, // here" in text
    assert loads(text) == {
        "gateway": {"port": 2, "auth": {"token": "x"}},
        "list": [{"id": "a", "n": 1, "m": 2}, {"id": "b"}, {"id": "c"}],
    }


VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text("ab'\"/*,{}\n", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c-d", "//"]), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "one", "gateway", "list"]), VALUES | st.none(), max_size=4)


@given(OBJECTS, OBJECTS)
def test_any_two_patches_after_each_other_arrive_where_they_should(first: dict[str, Any], second: dict[str, Any]) -> None:
    once = merge_patch(RAW, first)
    twice = merge_patch(once, second)
    assert loads(twice) == merged(merged(loads(RAW), first), second)
    assert twice.startswith("// top\n")
