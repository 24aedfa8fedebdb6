"""Variables in a few words, without running anybody's code (TOL-07)."""

from __future__ import annotations

import math
from typing import Any

from openclaw_kernel.notebook.node_variables import list_variables


class Trap:
    """Looking at it is an accident."""

    def __repr__(self) -> str:
        raise AssertionError("somebody called repr")

    def __len__(self) -> int:
        raise AssertionError("somebody called len")

    @property
    def shape(self) -> tuple[int, ...]:
        raise AssertionError("somebody asked for the shape")


class TrappedList(list[Any]):
    def __len__(self) -> int:
        raise AssertionError("somebody called len")


def rows(**names: Any) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in list_variables(names)["variables"]}


def test_plain_values_and_containers() -> None:
    found = rows(n=3, text="x" * 5000, items=[1] * 7, table={"a": 1}, huge=10**6000, none=None)
    assert found["n"] == {"name": "n", "type": "int", "summary": "3"}
    assert found["text"]["length"] == 5000 and len(found["text"]["summary"]) <= 210
    assert found["items"] == {"name": "items", "type": "list", "length": 7, "summary": "7 items"}
    assert found["table"]["summary"] == "1 items" and "bits" in found["huge"]["summary"]


def test_no_code_of_a_value_is_run() -> None:
    found = rows(trap=Trap(), trapped=TrappedList([1]), kind=Trap)
    assert found["trap"]["summary"] == "a Trap" and found["trapped"]["summary"] == "a TrappedList"
    assert "kind" not in found


def test_secrets_keep_their_value() -> None:
    found = rows(api_key="abcdef123", PASSWORD="hunter2", token_count=7, note="sk-" + "a" * 40, authenticated=True)
    assert found["api_key"]["summary"] == found["PASSWORD"]["summary"] == "[redacted]"
    assert "aaaa" not in found["note"]["summary"] and found["authenticated"]["summary"] == "True"


def test_shapes_of_known_libraries() -> None:
    dtype = type("dtype", (), {"name": "float64"})()
    array = type("ndarray", (), {"__module__": "numpy", "shape": (3, 4), "dtype": dtype})
    frame = type("DataFrame", (), {"__module__": "pandas.core.frame", "shape": (9, 2), "columns": ["month", "sales"]})
    found = rows(grid=array(), df=frame())
    assert found["grid"] == {"name": "grid", "type": "numpy.ndarray", "shape": [3, 4], "summary": "3×4 · float64"}
    assert found["df"]["type"] == "pandas.DataFrame" and found["df"]["summary"] == "9×2 · columns month, sales"


def test_filter_limit_and_what_is_hidden() -> None:
    names = {f"v{n:03}": n for n in range(300)} | {"_private": 1, "math": math, "In": [], "other": 1}
    listed = list_variables(names)
    assert listed["total"] == 301 and len(listed["variables"]) == 100 and listed["truncated"]
    assert [row["name"] for row in list_variables(names, pattern="V29")["variables"]] == [f"v29{n}" for n in range(10)]
    assert list_variables(names, pattern="v*1", limit=1000)["total"] == 30
    assert list_variables(names, hidden={"other"})["total"] == 300
