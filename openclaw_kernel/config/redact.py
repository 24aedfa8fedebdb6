"""Config that may leave the process: sensitive values become a placeholder, and come back when it is written (CFG-14)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from openclaw_kernel.config.json5 import Array, Node, Object, Scalar, parse, plain
from openclaw_kernel.config.problems import KeyPath, dotted
from openclaw_kernel.values.errors import UserError

REDACTED = "__OPENCLAW_REDACTED__"

_SENSITIVE = re.compile(
    r"(?:token|password|passphrase|passwd|secret|credential|authorization|cookie|serviceaccount|webhookurl"
    r"|(?:api|private|secret|signing|encrypt|encryption|access|auth|master|license)[_-]?key)s?$",
    re.IGNORECASE,
)
_PLACEHOLDER_ONLY = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_URL_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


class RedactionError(UserError):
    """A placeholder came back for which nothing is stored."""


def is_sensitive(path: KeyPath) -> bool:
    """Whether texts at `path` are secrets: by the name of the key, and all of `env.vars`, of `headers` and of the variables
    (`env`) of a skill or an MCP server."""
    names = [key for key in path if isinstance(key, str)]
    if not names:
        return False
    if names[:2] == ["env", "vars"] or "headers" in names[:-1] or names[-2:-1] == ["env"]:
        return True
    return bool(_SENSITIVE.search(names[-1]))


def redact(parsed: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `parsed` without secrets. `${NAME}` and references stay: they say where a secret is, not what."""
    return {key: _redact(value, (key,)) for key, value in parsed.items()}


def redact_raw(raw: str) -> str:
    """The text of a config without secrets, comments included where they repeat one. Raises `Json5Error`."""
    secrets = [(node, path) for node, path in scalars(parse(raw)) if _hides(node.value, path)]
    text = raw
    for node, _ in sorted(secrets, key=lambda found: -found[0].start):
        text = text[: node.start] + json.dumps(REDACTED) + text[node.end :]
    for value in sorted({node.value for node, _ in secrets if len(node.value) >= 6}, key=len, reverse=True):
        text = text.replace(value, REDACTED)
    return text


def restore(new: Any, old: Any, at: KeyPath = ()) -> Any:
    """`new` with every placeholder replaced by what `old` has there; list entries with an id are found by it.

    Raises `RedactionError` when `old` has nothing.
    """
    if new == REDACTED:
        if not isinstance(old, str):
            raise RedactionError(
                f"{dotted(at)} holds the placeholder {REDACTED} but no value is stored there; write the value."
            )
        return old
    if isinstance(new, Mapping):
        before = old if isinstance(old, Mapping) else {}
        return {key: restore(value, before.get(key), (*at, key)) for key, value in new.items()}
    if isinstance(new, list):
        rows = old if isinstance(old, list) else []
        return [restore(item, _same_row(item, number, rows), (*at, number)) for number, item in enumerate(new)]
    return new


def restore_raw(raw: str, old: Mapping[str, Any]) -> str:
    """The text `raw` with its placeholders replaced from `old`. Raises `Json5Error`, `RedactionError`."""
    if REDACTED not in raw:
        return raw
    tree = parse(raw)
    values = dict(_paths(restore(plain(tree), old)))
    text = raw
    for node, path in sorted(scalars(tree), key=lambda found: -found[0].start):
        if node.value == REDACTED:
            text = text[: node.start] + json.dumps(values[path], ensure_ascii=False) + text[node.end :]
    return text


def scalars(node: Node, at: KeyPath = ()) -> Iterator[tuple[Scalar, KeyPath]]:
    """Every scalar of a tree with its path."""
    match node:
        case Scalar():
            yield node, at
        case Array():
            for number, item in enumerate(node.items):
                yield from scalars(item, (*at, number))
        case Object():
            for member in node.members:
                yield from scalars(member.value, (*at, member.key))


def _redact(value: Any, at: KeyPath) -> Any:
    match value:
        case dict():
            return {key: _redact(item, (*at, key)) for key, item in value.items()}
        case list():
            return [_redact(item, (*at, number)) for number, item in enumerate(value)]
        case _:
            return REDACTED if _hides(value, at) else value


def _hides(value: Any, at: KeyPath) -> bool:
    if not isinstance(value, str) or not value or _PLACEHOLDER_ONLY.fullmatch(value):
        return False
    return is_sensitive(at) or bool(_URL_PASSWORD.search(value))


def _same_row(item: Any, number: int, rows: list[Any]) -> Any:
    name = item.get("id") if isinstance(item, Mapping) else None
    if name is not None:
        return next((row for row in rows if isinstance(row, Mapping) and row.get("id") == name), None)
    return rows[number] if number < len(rows) else None


def _paths(value: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _paths(item, (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _paths(item, (*at, number))
    else:
        yield at, value
