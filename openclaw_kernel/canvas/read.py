"""Messages out of text: a JSON array, `{"messages": […]}`, one message, or JSON lines (a2ui reference, section 3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.canvas.limits import FILE_BYTES
from openclaw_kernel.canvas.problems import CanvasError, Problem


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


def check_file(path: Path) -> list[Problem]:
    """All problems of a file; one that cannot be read has that as its problem."""
    try:
        if path.stat().st_size > FILE_BYTES:
            return [Problem("TOO_LARGE", "", f"A file may have {FILE_BYTES} bytes.")]
        messages, places = read_messages(path.read_text(encoding="utf-8"))
    except OSError as error:
        return [Problem("UNREADABLE", "", f"{path} cannot be read: {error.strerror or error}.")]
    except UnicodeDecodeError:
        return [Problem("PARSE", "", "The file is not UTF-8 text.")]
    except CanvasError as error:
        return [error.problem]
    if not messages:
        return [Problem("INVALID", "", "The file has no messages.")]
    return check_messages(messages, places)


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
