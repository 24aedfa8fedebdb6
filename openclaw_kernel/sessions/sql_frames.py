"""A table for those who compute: a pandas DataFrame or an Arrow table, where these packages are installed."""

from __future__ import annotations

import importlib
from datetime import date, datetime
from typing import Any, BinaryIO, Literal

from openclaw_kernel.sessions.sql_table import Table
from openclaw_kernel.values.errors import UserError

Form = Literal["auto", "pandas", "arrow", "rows"]


def shaped(table: Table, form: Form = "auto") -> Any:
    """`auto` is a DataFrame where pandas is installed, else a list of dicts. Raises `UserError` for a package that is not."""
    if form == "rows":
        return table.dicts()
    if form == "arrow":
        return to_arrow(table)
    pandas = _module("pandas", needed=form == "pandas")
    if pandas is None:
        return table.dicts()
    columns = [_typed(values, kind) for values, kind in zip(_columns(table), table.types, strict=True)]
    frame = pandas.DataFrame(dict(enumerate(columns)))
    frame.columns = list(table.columns)
    return frame


def to_arrow(table: Table) -> Any:
    """A `pyarrow.Table`."""
    arrow = _module("pyarrow", needed=True)
    columns = [_typed(values, kind) for values, kind in zip(_columns(table), table.types, strict=True)]
    return arrow.Table.from_arrays([arrow.array(values) for values in columns], names=list(table.columns))


def write_stream(table: Table, target: BinaryIO) -> None:
    """An Arrow IPC stream."""
    found = to_arrow(table)
    with _module("pyarrow.ipc", needed=True).new_stream(target, found.schema) as stream:
        stream.write_table(found)


def _columns(table: Table) -> list[list[Any]]:
    return [[row[index] for row in table.rows] for index in range(len(table.columns))]


def _typed(values: list[Any], kind: str) -> list[Any]:
    """Times and days as Python's own."""
    if kind == "TIMESTAMP":
        return [None if value is None else datetime.fromisoformat(value) for value in values]
    if kind == "DATE":
        return [None if value is None else date.fromisoformat(value) for value in values]
    return values


def _module(name: str, *, needed: bool) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if not needed:
            return None
        raise UserError(f"This form needs the package {name}; install it with `pip install {name}`.") from error
