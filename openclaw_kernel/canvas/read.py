"""Messages out of text: a JSON array, `{"messages": […]}`, one message, or JSON lines (a2ui reference, section 3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from openclaw_kernel.canvas.guard import check_messages, measured
from openclaw_kernel.canvas.limits import FILE_BYTES, PROBLEMS
from openclaw_kernel.canvas.problems import CanvasError, Problem, Problems
from openclaw_kernel.canvas.v08 import Translator, is_old


def read_messages(text: str) -> tuple[list[Any], list[str]]:
    """The messages and the JSON Pointer of each; of JSON lines the pointer starts with the index. Raises `CanvasError`."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise CanvasError("PARSE", "", "The file is empty.")
    try:
        value = _parse(text)
    except json.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2:
            raise CanvasError("PARSE", "", f"This is not JSON: {error.msg}, line {error.lineno}.") from error
        return _lines(lines)
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        return value["messages"], [f"/messages/{index}" for index in range(len(value["messages"]))]
    if isinstance(value, list):
        return value, [f"/{index}" for index in range(len(value))]
    return [value], [""]


def read_file(path: Path) -> tuple[list[Any], list[str]]:
    """As `read_messages`, of a file. Raises `CanvasError` for one that cannot be read too."""
    try:
        if path.stat().st_size > FILE_BYTES:
            raise CanvasError("TOO_LARGE", "", f"A file may have {FILE_BYTES} bytes.")
        return read_messages(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CanvasError("UNREADABLE", "", f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise CanvasError("PARSE", "", "The file is not UTF-8 text.") from error


def check_file(path: Path) -> list[Problem]:
    """All problems of a file; one that cannot be read has that as its problem."""
    try:
        messages, places = read_file(path)
    except CanvasError as error:
        return [error.problem]
    if not messages:
        return [Problem("INVALID", "", "The file has no messages.")]
    return _check_old(messages, places) if any(map(is_old, messages)) else check_messages(messages, places)


def _check_old(messages: list[Any], places: list[str]) -> list[Problem]:
    """Version 0.8: what each message comes to is checked, under the place of the message that brought it about."""
    translator, problems = Translator(), Problems()
    made: list[Any] = []
    homes: list[str] = []
    for message, place in zip(messages, places, strict=True):
        if isinstance(message, dict) and "version" in message:
            problems.add("MIXED_VERSIONS", place, "Messages of version 0.8 and 0.9 may not be mixed.")
        elif not isinstance(message, dict):
            problems.add("INVALID", place, "A message must be an object.")
        elif measured(message, problems, place):
            try:
                came = translator.translate(message)
            except CanvasError as error:
                problems.add(error.problem.code, place + error.problem.path, str(error))
                continue
            made += came
            homes += [place] * len(came)
    return [*problems.found, *check_messages(made, homes)][:PROBLEMS]


def _lines(lines: list[tuple[int, str]]) -> tuple[list[Any], list[str]]:
    found = []
    for number, line in lines:
        try:
            found.append(_parse(line))
        except json.JSONDecodeError as error:
            raise CanvasError("PARSE", f"/{len(found)}", f"Line {number} is not JSON: {error.msg}.") from error
    return found, [f"/{index}" for index in range(len(found))]


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise CanvasError("TOO_DEEP", "", "Objects and arrays are too deep inside each other.") from error
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError | CanvasError):
            raise
        raise CanvasError("PARSE", "", "A number has too many digits.") from error


def _no_constant(name: str) -> NoReturn:
    raise CanvasError("PARSE", "", f"{name} is no JSON number.")
