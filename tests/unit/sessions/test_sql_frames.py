"""Forms for those who compute: without the package one sentence, with it its own types."""

from __future__ import annotations

import datetime as dt
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_kernel.sessions.sql_frames import shaped
from openclaw_kernel.sessions.sql_table import Table
from openclaw_kernel.values.errors import UserError

TABLE = Table(
    ("n", "at", "d"), ("BIGINT", "TIMESTAMP", "DATE"), ((1, "2026-11-21T10:00:00.250000", None), (2, None, "2026-11-21"))
)
AT, DAY = dt.datetime(2026, 11, 21, 10, 0, 0, 250000), dt.date(2026, 11, 21)


class Frame:
    def __init__(self, columns: dict[int, list[Any]]) -> None:
        self.data = list(columns.values())
        self.columns: list[str] = []


def test_rows_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert shaped(TABLE) == shaped(TABLE, "rows") == TABLE.dicts()
    assert TABLE.dicts()[0] == {"n": 1, "at": "2026-11-21T10:00:00.250000", "d": None}


@pytest.mark.parametrize(("form", "package"), [("pandas", "pandas"), ("arrow", "pyarrow")])
def test_a_missing_package_is_named(form: Any, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"needs the package {package}; install it with `pip install {package}`"):
        shaped(TABLE, form)


def test_columns_come_with_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=Frame))
    frame = shaped(TABLE)
    assert frame.columns == ["n", "at", "d"] and frame.data == [[1, 2], [AT, None], [None, DAY]]
    made: dict[str, Any] = {}
    arrow = SimpleNamespace(array=list, Table=SimpleNamespace(from_arrays=lambda arrays, names: made.update(a=arrays, n=names)))
    monkeypatch.setitem(sys.modules, "pyarrow", arrow)
    shaped(TABLE, "arrow")
    assert made == {"a": [[1, 2], [AT, None], [None, DAY]], "n": ["n", "at", "d"]}
