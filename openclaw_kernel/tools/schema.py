"""What a model is told of a tool's parameters: the schema without words that only the check of a call needs (TOL-01, AGT-24).

Every turn sends the schemas of all tools, so each word in them is paid for again and again. The parameter model still
holds a call to every limit, and its error says which one was met.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

LONG_TEXT = 50
MANY_ITEMS = 30
HIGH_NUMBER = 10_000
"""Limits from here on are generous: no call meets them by accident, so the model is not told."""

_SILENT = ("title", "additionalProperties", "$defs", "minLength", "minItems", "exclusiveMinimum")
_EMPTY_DEFAULTS: tuple[object, ...] = (None, "", False, 0)


def told_schema(parameters: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON Schema a model sees. Definitions stand where they are used; what may be null may be left out instead."""
    full = parameters.model_json_schema(by_alias=True)
    return _told(full, full.get("$defs", {}))


def _told(node: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$ref":
            found = _told(named[value.rsplit("/", 1)[-1]], named) | found
        elif key == "properties":
            found[key] = {name: _told(each, named) for name, each in value.items()}
        elif key == "items":
            found[key] = _told(value, named)
        elif key == "prefixItems":
            found[key] = [_told(each, named) for each in value]
        elif key in ("anyOf", "oneOf", "allOf"):
            found |= _choice(key, [_told(each, named) for each in value if each.get("type") != "null"])
        elif not _goes_without_saying(key, value):
            found[key] = value
    return found


def _choice(key: str, kinds: list[dict[str, Any]]) -> dict[str, Any]:
    if {"type": "number"} in kinds:
        kinds = [kind for kind in kinds if kind != {"type": "integer"}]
    return kinds[0] if len(kinds) == 1 else {key: kinds}


def _goes_without_saying(key: str, value: Any) -> bool:
    match key:
        case "default":
            return isinstance(value, list | dict) or value in _EMPTY_DEFAULTS
        case "maxLength":
            return bool(value >= LONG_TEXT)
        case "maxItems":
            return bool(value >= MANY_ITEMS)
        case "maximum":
            return bool(value >= HIGH_NUMBER)
        case "minimum":
            return value in (0, 1)
    return key in _SILENT
