"""What is wrong with a config, as the user reads it: every problem at once, each one sentence with its place (CFG-03)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from openclaw_kernel.values.errors import UserError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is dotted and empty for the file as a whole; `line` counts from 1, 0 when there is none."""

    path: str
    message: str
    file: str
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigError(UserError):
    """The config cannot be used; `str` lists every problem."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = list(problems)
        count = len(self.problems)
        if count == 1:
            text = f"The configuration cannot be used: {self.problems[0]}"
        else:
            rows = "\n".join(f"  - {problem}" for problem in self.problems)
            text = f"The configuration {path} cannot be used, it has {count} problems:\n{rows}"
        super().__init__(text)


def dotted(path: Sequence[str | int]) -> str:
    """`("agents", "list", 0, "id")` as `agents.list[0].id`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def describe(error: ValidationError, data: Any, model: type[BaseModel]) -> Iterator[tuple[KeyPath, str]]:
    """Each problem of `error` as the path in `data` and a sentence that repeats no value that might be secret."""
    for row in error.errors(include_url=False, include_input=True):
        path = _real_path(row["loc"], data)
        yield path, _sentence(row, path, model)


def _real_path(loc: Sequence[str | int], data: Any) -> KeyPath:
    """`loc` without the union tags and other names that pydantic adds and the user never wrote."""
    path: list[str | int] = []
    at: Any = data
    for position, key in enumerate(loc):
        if _has(at, key):
            at = at[key]
        elif position != len(loc) - 1 or not isinstance(at, Mapping) or key == "[key]":
            continue
        path.append(key)
    return tuple(path)


def _has(value: Any, key: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(key, int) and key < len(value)
    return isinstance(value, Mapping) and key in value


def _sentence(row: Any, path: KeyPath, model: type[BaseModel]) -> str:
    context = row.get("ctx") or {}
    match row["type"]:
        case "extra_forbidden":
            return _unknown_key(str(path[-1]), known_keys(model, path[:-1]))
        case "missing":
            return "this key is required"
        case "literal_error":
            return f"must be {context['expected']}{_near_value(row['input'], context['expected'])}"
        case "union_tag_invalid":
            return f"must have {context['discriminator']} {context['expected_tags']}"
        case "union_tag_not_found":
            return f"must have the key {context['discriminator']}"
        case "int_type" | "int_from_float":
            return f"must be a whole number, not {_kind(row['input'])}"
        case "float_type":
            return f"must be a number, not {_kind(row['input'])}"
        case "string_type":
            return f"must be a text in quotes, not {_kind(row['input'])}"
        case "bool_type":
            return f"must be true or false, not {_kind(row['input'])}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be an object in braces, not {_kind(row['input'])}"
        case "list_type":
            return f"must be a list in brackets, not {_kind(row['input'])}"
        case "value_error":
            return str(context["error"])
        case _:
            message = str(row["msg"])
            return message[:1].lower() + message[1:]


def _unknown_key(key: str, known: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(key.lower().replace("_", ""), by_lower, n=1, cutoff=0.6)
    hint = f'; did you mean "{by_lower[near[0]]}"?' if near else "; remove it or correct its name"
    return f'"{key}" is not a known key{hint}'


def _near_value(value: Any, expected: str) -> str:
    near = difflib.get_close_matches(str(value).lower(), [word.strip("'") for word in expected.split("'")[1::2]], n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


def known_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys, as a user writes them, that may stand in the object at `path`; empty where anything may."""
    found: list[Any] = [model]
    for key in path:
        found = [below for kind in found for below in _below(kind, key)]
    return [field.alias or name for kind in found if _is_model(kind) for name, field in kind.model_fields.items()]


def _below(kind: Any, key: str | int) -> Iterator[Any]:
    if _is_model(kind):
        for name, field in kind.model_fields.items():
            if key in (field.alias, name):
                yield from _plain_kinds(field.annotation)
    elif get_origin(kind) in (list, dict):
        yield from _plain_kinds(get_args(kind)[-1])


def _plain_kinds(annotation: Any) -> Iterator[Any]:
    """The members of a union, without `Annotated`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _plain_kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _plain_kinds(member)
    else:
        yield annotation


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
