"""The parameters of a notebook skill: read from its cell, told as JSON Schema, checked, written back as Python (SKL-09).

    path: str                                        # the file to read
    rows: int = 20                                   # how many rows to show
    kind: Literal["bar", "line"] = "bar"

An annotation without a value makes a required parameter. A comment behind the line, or right above it, is its description.
The cell is read as text and never run to find this out.
"""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from openclaw_kernel.skills.skill import SkillProblem

MAX_PARAMETERS = 50
MAX_TEXT = 100_000
_SIMPLE = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}
_OF_VALUE: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `schema` is its JSON Schema with default and description."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    required: bool = False


def parse_parameters(source: str) -> tuple[Parameter, ...]:
    """The assignments of a parameters cell; anything else in it is left alone. Raises `SkillProblem`."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise SkillProblem(f"the parameters cell is not plain Python{f' (line {line})' if line else ''}") from error
    comments = _comments(source)
    found: dict[str, Parameter] = {}
    for statement in body:
        parameter = _parameter(statement, comments)
        if parameter is not None:
            found[parameter.name] = parameter
    if len(found) > MAX_PARAMETERS:
        raise SkillProblem(f"the parameters cell has {len(found)} parameters; a skill may have {MAX_PARAMETERS}")
    return tuple(found.values())


def schema_of(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """One JSON Schema for all of them."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {parameter.name: dict(parameter.schema) for parameter in parameters},
        "additionalProperties": False,
    }
    if required := [parameter.name for parameter in parameters if parameter.required]:
        schema["required"] = required
    return schema


def checked(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as the cell wants them: text is turned into numbers, truth values and lists where the type asks for it.

    Raises `SkillProblem` with every problem in one sentence.
    """
    known = {parameter.name: parameter for parameter in parameters}
    problems = [f"{name} is no parameter" for name in values if name not in known]
    problems += [f"{name} is missing" for name, one in known.items() if one.required and name not in values]
    taken: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            continue
        schema = known[name].schema
        fitted = _fitted(value, schema)
        if fitted is _MISSING:
            problems.append(f"{name} must be {_wanted(schema)}")
        else:
            taken[name] = fitted
    if problems:
        listed = ", ".join(known) or "none"
        raise SkillProblem(f"{'; '.join(problems)}. Parameters are: {listed}.")
    return taken


def assignments(values: Mapping[str, Any]) -> str:
    """Python that sets the values; every value is JSON, so `repr` is exact."""
    return "\n".join(["# Parameters of this run", *(f"{name} = {value!r}" for name, value in values.items())])


def _parameter(statement: ast.stmt, comments: Mapping[int, tuple[str, bool]]) -> Parameter | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        name, value = statement.target.id, statement.value
        schema = _annotated(statement.annotation, name)
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        name, value = statement.targets[0].id, statement.value
        schema = {}
    else:
        return None
    if name.startswith("_"):
        return None
    default = _literal(value) if value is not None else _MISSING
    if default is not _MISSING and not _is_json(default):
        default = _MISSING
    if not schema and default is not _MISSING:
        schema = _of(default)
    if default is not _MISSING:
        schema = {**schema, "default": default}
    if text := _description(statement, comments):
        schema = {**schema, "description": text}
    return Parameter(name, schema, required=value is None)


def _annotated(node: ast.expr, name: str) -> dict[str, Any]:
    """JSON Schema of an annotation. Raises `SkillProblem` for one that no JSON value fits."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval").body
    word = _word(node)
    if word == "Any":
        return {}
    if word in _SIMPLE:
        return {"type": _SIMPLE[word]}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _either(_annotated(node.left, name), _annotated(node.right, name))
    if isinstance(node, ast.Constant) and node.value is None:
        return {"type": "null"}
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        match _word(node.value):
            case "Literal":
                return _enum([_literal(item) for item in inner], name)
            case "Optional":
                return _either(_annotated(inner[0], name), {"type": "null"})
            case "list" | "List" | "Sequence":
                return {"type": "array", "items": _annotated(inner[0], name)}
            case "dict" | "Dict" | "Mapping":
                return {"type": "object", "additionalProperties": _annotated(inner[-1], name)}
    raise SkillProblem(
        f"the parameter {name} has a type that no JSON value fits; use str, int, float, bool, list, dict, Literal or None"
    )


def _word(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _either(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [*left.get("anyOf", [left]), *right.get("anyOf", [right])]}


def _enum(values: list[Any], name: str) -> dict[str, Any]:
    if not values or any(not isinstance(value, str | int | float | bool) for value in values):
        raise SkillProblem(f"the parameter {name} has choices that are not plain values")
    types = {_of(value)["type"] for value in values}
    return {"enum": values} | ({"type": types.pop()} if len(types) == 1 else {})


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _MISSING


def _is_json(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, tuple)


def _of(value: Any) -> dict[str, Any]:
    return next(({"type": name} for kind, name in _OF_VALUE if isinstance(value, kind)), {})


def _comments(source: str) -> dict[int, tuple[str, bool]]:
    """Line → its comment, and whether the comment has the line to itself."""
    found: dict[int, tuple[str, bool]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                alone = not token.line[: token.start[1]].strip()
                found[token.start[0]] = (token.string.lstrip("#: ").strip(), alone)
    except (tokenize.TokenError, IndentationError):
        return found
    return found


def _description(statement: ast.stmt, comments: Mapping[int, tuple[str, bool]]) -> str:
    behind = comments.get(statement.end_lineno or statement.lineno)
    if behind is not None:
        return behind[0]
    lines: list[str] = []
    line = statement.lineno - 1
    while (above := comments.get(line)) is not None and above[1]:
        lines.insert(0, above[0])
        line -= 1
    return " ".join(lines)


def _fitted(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` when it fits, turned from text where that is unambiguous; `_MISSING` when it does not."""
    if "anyOf" in schema:
        fits = [_fitted(value, one) for one in schema["anyOf"]]
        exact = [one for one in fits if one is not _MISSING and type(one) is type(value)]
        return next(iter([*exact, *(one for one in fits if one is not _MISSING)]), _MISSING)
    fitted = _typed(value, schema.get("type"))
    if fitted is _MISSING or ("enum" in schema and fitted not in schema["enum"]):
        return _MISSING
    if isinstance(fitted, list) and "items" in schema:
        items = [_fitted(item, schema["items"]) for item in fitted]
        return _MISSING if any(item is _MISSING for item in items) else items
    inner = schema.get("additionalProperties")
    if isinstance(fitted, dict) and isinstance(inner, Mapping):
        pairs = {key: _fitted(item, inner) for key, item in fitted.items()}
        return _MISSING if any(item is _MISSING for item in pairs.values()) else pairs
    return fitted


def _typed(value: Any, kind: str | None) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return _MISSING
    if isinstance(value, str) and kind not in ("string", None):
        value = _from_text(value, kind)
    match kind:
        case None:
            return value if _is_json(value) else _MISSING
        case "string":
            return value if isinstance(value, str) else _MISSING
        case "boolean":
            return value if isinstance(value, bool) else _MISSING
        case "integer":
            whole = isinstance(value, float) and value.is_integer()
            return int(value) if (isinstance(value, int) or whole) and not isinstance(value, bool) else _MISSING
        case "number":
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            return value if number else _MISSING
        case "array":
            return value if isinstance(value, list) and _is_json(value) else _MISSING
        case "object":
            return value if isinstance(value, dict) and _is_json(value) else _MISSING
        case _:
            return value if value is None else _MISSING


def _from_text(text: str, kind: str | None) -> Any:
    if kind == "boolean" and text.strip().lower() in ("true", "false", "yes", "no", "on", "off"):
        return text.strip().lower() in ("true", "yes", "on")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return [part.strip() for part in text.split(",")] if kind == "array" else _MISSING


def _wanted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_wanted(one) for one in schema["anyOf"])
    names = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
             "array": "a list", "object": "an object", "null": "null"}  # fmt: skip
    return names.get(str(schema.get("type")), "a JSON value")
