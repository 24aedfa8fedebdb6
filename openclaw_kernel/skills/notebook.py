"""A skill written as a notebook (SKL-09).

The header is the first cell, raw or Markdown, with YAML between two lines of `---` (or any first cell tagged `skill`); the
cell tagged `parameters` says what may be set; cells tagged `result` hold what comes back. The other Markdown is the manual.
Read as JSON: nbformat is only needed to run one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.skills.header import parse_header, split_header
from openclaw_kernel.skills.parameters import Parameter, parse_parameters
from openclaw_kernel.skills.skill import SkillProblem

MAX_NOTEBOOK_BYTES = 10_000_000
HEADER_TAG = "skill"
PARAMETERS_TAG = "parameters"
RESULT_TAG = "result"


@dataclass(frozen=True, slots=True)
class NotebookSource:
    """A notebook as its author wrote it. `parameters_at` is the index of the parameters cell."""

    document: Mapping[str, Any]
    header: Mapping[str, Any]
    body: str
    parameters: tuple[Parameter, ...]
    parameters_at: int | None


def looks_like_skill(path: Path) -> bool:
    """Whether a notebook says that it is a skill; ordinary notebooks do not."""
    try:
        cells = _cells(_read(path), path)
    except SkillProblem:
        return False
    return bool(cells) and _header_cell(cells) is not None


def read_header(path: Path, *, strict: bool = False) -> dict[str, Any]:
    """The header alone. Raises `SkillProblem`."""
    return _split(_cells(_read(path), path), path, strict)[0]


def read_notebook(path: Path) -> NotebookSource:
    """The whole skill. Raises `SkillProblem` with the place."""
    document = _read(path)
    cells = _cells(document, path)
    header, text, first = _split(cells, path, False)
    manual = [text, *(source_of(cell) for cell in cells[first + 1 :] if cell.get("cell_type") == "markdown")]
    tagged = [index for index, cell in enumerate(cells) if PARAMETERS_TAG in tags_of(cell) and cell["cell_type"] == "code"]
    if len(tagged) > 1:
        raise SkillProblem(f"{path}: cells {tagged[0] + 1} and {tagged[1] + 1} are both tagged parameters; keep one")
    at = tagged[0] if tagged else None
    try:
        parameters = parse_parameters(source_of(cells[at])) if at is not None else ()
    except SkillProblem as problem:
        raise SkillProblem(f"{path}, cell {(at or 0) + 1}: {problem}") from problem
    body = "\n\n".join(part.strip() for part in manual if part.strip())
    return NotebookSource(document, header, body, parameters, at)


def tags_of(cell: Mapping[str, Any]) -> frozenset[str]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset()


def source_of(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NOTEBOOK_BYTES + 1)
    except OSError as error:
        raise SkillProblem(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_NOTEBOOK_BYTES:
        raise SkillProblem(f"{path} is larger than {MAX_NOTEBOOK_BYTES} bytes; clear its outputs")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise SkillProblem(f"{path} is not a notebook: {error}") from error
    if not isinstance(document, dict) or document.get("nbformat") != 4:
        raise SkillProblem(f"{path} is not a notebook of format 4; open and save it in JupyterLab")
    return document


def _cells(document: Mapping[str, Any], path: Path) -> list[dict[str, Any]]:
    cells = document.get("cells")
    if not isinstance(cells, list) or any(not isinstance(cell, dict) or "cell_type" not in cell for cell in cells):
        raise SkillProblem(f"{path} has no readable list of cells")
    return cells


def _header_cell(cells: list[dict[str, Any]]) -> int | None:
    """The first cell with a header, or the first one tagged `skill`."""
    tagged = next((index for index, cell in enumerate(cells) if HEADER_TAG in tags_of(cell)), None)
    if tagged is not None:
        return tagged
    first = cells[0] if cells else {}
    begins = first.get("cell_type") in ("raw", "markdown") and split_header(source_of(first)) is not None
    return 0 if begins else None


def _split(cells: list[dict[str, Any]], path: Path, strict: bool) -> tuple[dict[str, Any], str, int]:
    """Header, the text below it, and the index of its cell."""
    at = _header_cell(cells)
    if at is None:
        raise SkillProblem(f"{path} has no header; begin with a raw cell that holds name and description between lines of ---")
    where = f"{path}, cell {at + 1}"
    if cells[at].get("cell_type") not in ("raw", "markdown"):
        raise SkillProblem(f"{where} is tagged {HEADER_TAG} but is code; make it a raw or Markdown cell")
    text = source_of(cells[at])
    header, body = split_header(text) or (text, "")
    return parse_header(header, where, strict=strict), body, at
