"""Tool calls that a small model wrote as text instead of calling (MOD-21)."""

from __future__ import annotations

import re
from typing import Any

import orjson

_TAGGED = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
_FENCED = re.compile(r"\A\s*```(?:json)?\s*(\{.*\})\s*```\s*\Z", re.DOTALL)


def spoken_calls(text: str, tools: frozenset[str]) -> list[tuple[str, str]]:
    """Name and JSON arguments of each call in `text`; empty unless the text is nothing but calls to known tools.

    Three habits are known: `<tool_call>{…}</tool_call>` (Qwen, Hermes), a bare JSON object, and one in a code fence.
    """
    stripped = text.strip()
    if not stripped.startswith(("{", "<tool_call>", "```")):
        return []
    if tagged := _TAGGED.findall(stripped):
        if _TAGGED.sub("", stripped).strip():
            return []
        candidates = tagged
    else:
        fenced = _FENCED.match(stripped)
        candidates = [fenced[1] if fenced else stripped]
    calls = [_call(candidate, tools) for candidate in candidates]
    return [call for call in calls if call] if all(calls) else []


def _call(text: str, tools: frozenset[str]) -> tuple[str, str] | None:
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or value.get("name") not in tools:
        return None
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        return str(value["name"]), arguments
    return (str(value["name"]), orjson.dumps(arguments).decode()) if isinstance(arguments, dict) else None
