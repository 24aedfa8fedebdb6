"""JSON Pointers into a data model: read, write, remove (a2ui reference, sections 3 and 5)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from openclaw_kernel.canvas.limits import ARRAY_GAP, NESTING, UNSAFE_KEYS
from openclaw_kernel.canvas.problems import CanvasError


class Missing:
    """The value that is not there; null is one that is."""


MISSING = Missing()


def split(path: str) -> list[str]:
    """The keys of `path`; an empty step at the end is dropped, so `/` is the root. Raises `CanvasError`."""
    keys = [part.replace("~1", "/").replace("~0", "~") for part in path.strip("/").split("/")] if path.strip("/") else []
    if UNSAFE_KEYS & set(keys):
        raise CanvasError("UNSAFE_KEY", path, "The path goes through a key that is refused.")
    if len(keys) > NESTING:
        raise CanvasError("TOO_DEEP", path, f"A path may have {NESTING} steps.")
    return keys


def step(key: str | int) -> str:
    """`key` as one step of a pointer."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")


def absolute(path: str, scope: str) -> str:
    """`path` seen from `scope`, the path of the nearest template item."""
    return path if path.startswith("/") else f"{scope.rstrip('/')}/{path}"


def get(data: Any, path: str) -> Any:
    """The value at `path`, `MISSING` when there is none."""
    for key in split(path):
        data = _child(data, key)
    return data


def _child(data: Any, key: str) -> Any:
    if isinstance(data, dict):
        return data.get(key, MISSING)
    if isinstance(data, list) and key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(data):
        return data[int(key)]
    return MISSING


def put(data: Any, path: str, value: Any) -> Any:
    """`data` with `value` at `path`, made in place; `MISSING` removes. Returns the new root."""
    keys = split(path)
    if not keys:
        return {} if isinstance(value, Missing) else value
    if not isinstance(data, dict | list):
        data = {}
    here = data
    for key, following in pairwise(keys):
        inner = _child(here, key)
        if not isinstance(inner, dict | list):
            if isinstance(value, Missing):
                return data
            inner = [] if following.isascii() and following.isdigit() else {}
            _set(here, key, inner, path)
        here = inner
    _set(here, keys[-1], value, path)
    return data


def _set(here: Any, key: str, value: Any, path: str) -> None:
    """One step. An array keeps its length when an item is removed."""
    if isinstance(here, dict):
        if isinstance(value, Missing):
            here.pop(key, None)
        else:
            here[key] = value
        return
    if not (key.isascii() and key.isdigit()):
        raise CanvasError("BAD_PATH", path, f"{key[:60]!r} is no index of an array.")
    if len(key) > 9 or int(key) > len(here) + ARRAY_GAP:
        raise CanvasError("BAD_PATH", path, f"An array may be written up to {ARRAY_GAP} past its end.")
    index = int(key)
    if isinstance(value, Missing):
        if index < len(here):
            here[index] = None
        return
    here.extend([None] * (index + 1 - len(here)))
    here[index] = value
