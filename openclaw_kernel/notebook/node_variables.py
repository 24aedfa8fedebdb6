"""The variables of a namespace in a few words each: type, shape, a summary (TOL-07).

Looking must cost nothing and start nothing: no `repr` of an unknown type is called, only of plain values; shapes are asked only
of well-known libraries. Names that sound like secrets keep their values to themselves.
"""

from __future__ import annotations

import reprlib
import types
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

from openclaw_kernel.safety.redact import Redactor

MAX_VARIABLES = 500
DEFAULT_LIMIT = 100
SUMMARY = 200
HIDDEN = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open", "display"})
SECRET_WORDS = ("key", "token", "secret", "password", "passwd", "passphrase", "credential", "auth", "cookie")
SHAPED = ("numpy", "pandas", "polars", "torch", "tensorflow", "jax", "jaxlib", "xarray", "scipy", "pyarrow")
"""Libraries whose `shape`, `dtype` and `columns` are known to be cheap."""

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_SIZED = (list, tuple, dict, set, frozenset, bytearray, range)
_MODULES = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = SUMMARY
_repr.maxlong = 60
_redactor = Redactor(set)


def list_variables(
    namespace: Mapping[str, Any], hidden: Collection[str] = (), pattern: str = "", limit: int = DEFAULT_LIMIT
) -> dict[str, Any]:
    """`{variables: [{name, type, shape?, length?, summary}], total, truncated}`, by name; modules and functions are left out.

    `pattern` is part of a name, or has `*`.
    """
    wanted = pattern.lower()
    items = _snapshot(namespace)
    names = sorted(
        name
        for name, value in items.items()
        if not name.startswith("_")
        and name not in HIDDEN
        and name not in hidden
        and not isinstance(value, _MODULES)
        and _matches(name.lower(), wanted)
    )
    shown = names[: max(1, min(limit, MAX_VARIABLES))]
    rows = [describe(name, items[name]) for name in shown]
    return {"variables": rows, "total": len(names), "truncated": len(shown) < len(names)}


def describe(name: str, value: Any) -> dict[str, Any]:
    """One row."""
    kind = type(value)
    row: dict[str, Any] = {"name": name, "type": _type_name(kind)}
    secret = any(word in name.lower() for word in SECRET_WORDS)
    if kind in _PLAIN:
        if isinstance(value, str | bytes):
            row["length"] = len(value)
        row["summary"] = "[redacted]" if secret and not isinstance(value, bool | type(None)) else _plain(value)
    elif kind in _SIZED:
        row["length"] = len(value)
        row["summary"] = f"{len(value)} items"
    elif (kind.__module__ or "").partition(".")[0] in SHAPED:
        row |= _shaped(value)
    else:
        row["summary"] = f"a {kind.__name__}"
    return row


def _snapshot(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """A copy; a cell on another thread may be adding names just now."""
    for _ in range(5):
        try:
            return dict(namespace)
        except RuntimeError:
            continue
    return {name: namespace.get(name) for name in list(namespace)}


def _plain(value: object) -> str:
    if isinstance(value, str | bytes) and len(value) > SUMMARY:
        value = value[:SUMMARY]
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return _redactor.text(_repr.repr(value))


def _shaped(value: Any) -> dict[str, Any]:
    row: dict[str, Any] = {}
    parts: list[str] = []
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape):
        row["shape"] = list(shape)
        parts.append("×".join(map(str, shape)) or "scalar")
    dtype = getattr(value, "dtype", None)
    if dtype is not None and isinstance(getattr(dtype, "name", None), str):
        parts.append(dtype.name)
    columns = getattr(value, "columns", None)
    if columns is not None:
        names = [str(column)[:40] for column in list(columns)[:20]]
        more = "" if len(columns) <= len(names) else f" and {len(columns) - len(names)} more"
        parts.append(f"columns {', '.join(names)}{more}")
    row["summary"] = " · ".join(parts)[: SUMMARY * 2] or f"a {type(value).__name__}"
    return row


def _matches(name: str, wanted: str) -> bool:
    return fnmatchcase(name, wanted) if "*" in wanted else wanted in name


def _type_name(kind: type) -> str:
    module = (kind.__module__ or "").partition(".")[0]
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
