"""Changing a value in the text of a config and nothing else: comments, order and quoting stay (CFG-04)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from openclaw_kernel.config.json5 import Array, Member, Node, Object, after_space, loads, parse, plain

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_REST_OF_LINE = re.compile(r"[ \t]*(?:/\*[^\n]*?\*/[ \t]*)*(?://[^\n]*)?")

Path = Sequence[str | int]


class EditError(ValueError):
    """The text cannot be changed as asked."""


def set_value(raw: str, path: Path, value: Any) -> str:
    """`raw` with `value` at `path`; missing objects on the way are made. Raises `Json5Error`, `EditError`.

    An object put over an object changes only the members that differ, so comments inside it stay too.
    """
    text = raw if raw.strip() else "{}\n"
    edited = _assign(text, tuple(path), value)
    expected = _with(loads(text), list(path), value)
    return _checked(edited, expected)


def remove(raw: str, path: Path) -> str:
    """`raw` without the member at `path`; a path that is not there is no error."""
    keys = tuple(path)
    parent = _find(parse(raw), keys[:-1])
    if not isinstance(parent, Object) or parent.get(str(keys[-1])) is None:
        return raw
    while True:
        parent = _find(parse(raw), keys[:-1])
        member = parent.get(str(keys[-1])) if isinstance(parent, Object) else None
        if member is None or not isinstance(parent, Object):
            return raw
        raw = _cut(raw, parent, member)


def merge_patch(raw: str, patch: Mapping[str, Any]) -> str:
    """`raw` with `patch` merged in: objects deeply, null deletes, list entries with an `id` by that id (CFG-13)."""
    text = raw if raw.strip() else "{}\n"
    target = merged(loads(text), patch)
    return _checked(_assign(text, (), target), target)


def merged(old: Any, patch: Any) -> Any:
    """The value that `merge_patch` arrives at (RFC 7396, and lists of objects with ids merged by id)."""
    if isinstance(patch, Mapping):
        result = dict(old) if isinstance(old, dict) else {}
        for key, value in patch.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = merged(result.get(key), value)
        return result
    if isinstance(patch, list) and isinstance(old, list) and patch and _all_have_ids(patch) and _all_have_ids(old):
        rows = {row["id"]: row for row in old}
        for row in patch:
            rows[row["id"]] = merged(rows.get(row["id"]), row)
        return list(rows.values())
    return patch


def _all_have_ids(rows: list[Any]) -> bool:
    return all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows)


def _checked(edited: str, expected: Any) -> str:
    if loads(edited) != expected:
        raise EditError("the edit would have changed more than it should; the file was left as it is")
    return edited


def _with(value: Any, path: list[str | int], new: Any) -> Any:
    if not path:
        return new
    key, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(key, int):
        return [*value[:key], _with(value[key] if key < len(value) else {}, rest, new), *value[key + 1 :]]
    base = dict(value) if isinstance(value, dict) else {}
    base[str(key)] = _with(base.get(str(key), {}), rest, new)
    return base


def _find(node: Node, path: Path) -> Node | None:
    at: Node | None = node
    for key in path:
        if isinstance(at, Object):
            member = at.get(str(key))
            at = member.value if member else None
        elif isinstance(at, Array) and isinstance(key, int) and 0 <= key < len(at.items):
            at = at.items[key]
        else:
            return None
    return at


def _assign(text: str, path: tuple[str | int, ...], value: Any) -> str:
    node = _find(parse(text), path)
    if node is None:
        return _insert(text, path, value)
    old = plain(node)
    if old == value and type(old) is type(value):
        return text
    if isinstance(node, Object) and isinstance(value, Mapping):
        for key in old:
            if key not in value:
                text = remove(text, (*path, key))
        for key, item in value.items():
            text = _assign(text, (*path, key), item)
        return text
    if isinstance(node, Array) and isinstance(value, list) and len(value) == len(node.items):
        for number, item in enumerate(value):
            text = _assign(text, (*path, number), item)
        return text
    return text[: node.start] + _render(value, _indent_at(text, node.start)) + text[node.end :]


def _insert(text: str, path: tuple[str | int, ...], value: Any) -> str:
    """Add the member `path`, whose parents may be missing too."""
    parent = _find(parse(text), path[:-1])
    key = path[-1]
    if parent is None:
        return _insert(text, path[:-1], {str(key): value})
    if isinstance(parent, Array) and key == len(parent.items):
        items = [*plain(parent), value]
        return text[: parent.start] + _render(items, _indent_at(text, parent.start)) + text[parent.end :]
    if not isinstance(parent, Object):
        return _assign(text, path[:-1], _with(plain(parent), [key], value))
    return _insert_member(text, parent, str(key), value)


def _insert_member(text: str, parent: Object, key: str, value: Any) -> str:
    outer = _indent_at(text, parent.start)
    if not parent.members:
        inner = outer + "  "
        entry = f"\n{inner}{_key(text, parent, key)}: {_render(value, inner)}\n{outer}"
        head = text[: parent.end - 1].rstrip(" \t")
        head = head[:-1] if head.endswith("\n") else head
        return head + entry + text[parent.end - 1 :]
    last = parent.members[-1]
    comma = after_space(text, last.value.end)
    has_comma = text[comma] == ","
    if "\n" not in text[parent.start : last.start]:
        end = comma + 1 if has_comma else last.value.end
        entry = f"{'' if has_comma else ','} {_key(text, parent, key)}: {_render(value, outer)}"
        return text[:end] + entry + text[end:]
    if not has_comma:
        text = text[: last.value.end] + "," + text[last.value.end :]
        comma = last.value.end
    rest = _REST_OF_LINE.match(text, comma + 1)
    end = rest.end() if rest else comma + 1
    inner = _indent_at(text, last.start)
    entry = f"\n{inner}{_key(text, parent, key)}: {_render(value, inner)}{',' if has_comma else ''}"
    return text[:end].rstrip(" ") + entry + text[end:]


def _cut(text: str, parent: Object, member: Member) -> str:
    """Remove `member` with its comma, its line when it has one to itself, and the comment behind it."""
    start, end = member.start, member.value.end
    comma = after_space(text, end)
    if text[comma] == ",":
        end = comma + 1
    else:
        before = [other for other in parent.members if other.start < member.start]
        if before:
            at = after_space(text, before[-1].value.end)
            text = text[:at] + text[at + 1 :]
            start, end = start - 1, end - 1
    line = text.rfind("\n", 0, start) + 1
    rest = _REST_OF_LINE.match(text, end)
    tail = rest.end() if rest else end
    if not text[line:start].strip() and text[tail : tail + 1] == "\n":
        return text[:line] + text[tail + 1 :]
    return text[:start].rstrip(" ") + (" " if text[end : end + 1] not in " \n" else "") + text[end:]


def _indent_at(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip())]


def _key(text: str, parent: Object, key: str) -> str:
    """The key in the quoting of its neighbours."""
    beside = parent.members or getattr(parse(text), "members", ())
    quote = text[beside[0].start] if beside else '"'
    if quote not in "\"'" and _NAME.fullmatch(key):
        return key
    return json.dumps(key, ensure_ascii=False)


def _render(value: Any, indent: str) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n" + indent)
    except TypeError as error:
        raise EditError(f"only JSON values can be written: {error}") from error
