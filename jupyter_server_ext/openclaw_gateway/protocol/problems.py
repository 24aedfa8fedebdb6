"""Pydantic's findings in the words of the original's validator, which clients and people know (protocol section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_TYPE_TEXTS: Mapping[str, str] = {
    "string_type": "must be string",
    "int_type": "must be integer",
    "int_parsing": "must be integer",
    "int_from_float": "must be integer",
    "float_type": "must be number",
    "float_parsing": "must be number",
    "bool_type": "must be boolean",
    "bool_parsing": "must be boolean",
    "list_type": "must be array",
    "tuple_type": "must be array",
    "set_type": "must be array",
    "frozen_set_type": "must be array",
    "dict_type": "must be object",
    "mapping_type": "must be object",
    "model_type": "must be object",
    "model_attributes_type": "must be object",
    "dataclass_type": "must be object",
    "none_required": "must be null",
    "enum": "must be equal to one of the allowed values",
}
_LIMIT_TEXTS: Mapping[str, tuple[str, str]] = {
    "string_too_short": ("min_length", "must NOT have fewer than {} characters"),
    "string_too_long": ("max_length", "must NOT have more than {} characters"),
    "too_short": ("min_length", "must NOT have fewer than {} items"),
    "too_long": ("max_length", "must NOT have more than {} items"),
    "greater_than_equal": ("ge", "must be >= {}"),
    "greater_than": ("gt", "must be > {}"),
    "less_than_equal": ("le", "must be <= {}"),
    "less_than": ("lt", "must be < {}"),
    "string_pattern_mismatch": ("pattern", 'must match pattern "{}"'),
}
_MOST = 20
"""Findings that are told; a frame can have a million."""
_LONGEST = 100
"""Characters of a client's own word that are told back to it."""
_ORDER = {"missing": 0, "extra_forbidden": 1}


def describe(error: ValidationError) -> str:
    """All findings, joined by `; `: missing properties first, then unexpected ones, then wrong values."""
    found = error.errors(include_url=False, include_input=False)
    found.sort(key=lambda detail: _ORDER.get(detail["type"], 2))
    texts = dict.fromkeys(_text(detail) for detail in found[:_MOST])
    if len(found) > _MOST:
        texts[f"and {len(found) - _MOST} more"] = None
    return "; ".join(texts)


def _text(detail: ErrorDetails) -> str:
    kind, loc = detail["type"], detail["loc"]
    if kind == "missing":
        where = _where(loc[:-1])
        return (
            f"must have required property '{loc[-1]}'" if not loc[:-1] else f"{where}: must have required property '{loc[-1]}'"
        )
    if kind == "extra_forbidden":
        return f"{_where(loc[:-1])}: unexpected property '{_short(loc[-1])}'"
    return f"{_where(loc)}: {_reason(kind, detail.get('ctx') or {}, detail['msg'])}"


def _reason(kind: str, context: Mapping[str, Any], fallback: str) -> str:
    if kind in _TYPE_TEXTS:
        return _TYPE_TEXTS[kind]
    if kind == "literal_error":
        several = " or " in str(context.get("expected", ""))
        return "must be equal to one of the allowed values" if several else "must be equal to constant"
    if kind in _LIMIT_TEXTS:
        key, text = _LIMIT_TEXTS[kind]
        return text.format(context.get(key))
    return fallback


def _where(loc: tuple[int | str, ...]) -> str:
    return "at /" + "/".join(_short(part) for part in loc) if loc else "at root"


def _short(part: int | str) -> str:
    text = str(part)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
