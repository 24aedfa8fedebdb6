"""Checking skills for their authors: what would drop one here, and, when strict, what the Agent Skills specification forbids.

Specification: agentskills.io/specification, and its reference validator for what the text leaves open: letters of any
alphabet are allowed in a name, and a number or a date in the header is text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from openclaw_kernel.skills.find import FOLDER_FILES, SKILL_FILE, scan
from openclaw_kernel.skills.header import parse_header
from openclaw_kernel.skills.loader import MAX_FILE_BYTES, read_skill, split_file
from openclaw_kernel.skills.notebook import looks_like_skill, read_header, read_notebook
from openclaw_kernel.skills.skill import MAX_COMPATIBILITY, MAX_DESCRIPTION, MAX_NAME, SkillProblem

FIELDS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")


@dataclass(frozen=True, slots=True)
class Checked:
    """One skill and what is wrong with it."""

    path: Path
    problems: list[str] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        return {"path": str(self.path), "valid": self.valid, "problems": self.problems}


def check_paths(paths: list[Path], strict: bool) -> list[Checked]:
    """Every skill that `paths` name: a folder or file of one, or a folder of several. Blocking."""
    found: list[Checked] = []
    for path in paths:
        found += _check(path, strict)
    return found


def _check(path: Path, strict: bool) -> list[Checked]:
    if path.is_file():
        folder = path.name in FOLDER_FILES
        return [Checked(path.parent if folder else path, problems_of(path, strict))]
    if not path.is_dir():
        return [Checked(path, [f"{path} does not exist"])]
    own = next((path / name for name in FOLDER_FILES if (path / name).exists()), None)
    if own is not None:
        return [Checked(path, problems_of(own, strict))]
    below = [
        Checked(file if _alone(file) else file.parent, problems_of(file, strict))
        for _, file in scan([("extra", path)]).files
        if not _alone(file) or looks_like_skill(file)
    ]
    return below or [Checked(path, [f"{path} has no {SKILL_FILE}"])]


def problems_of(file: Path, strict: bool) -> list[str]:
    """What is wrong with one `SKILL.md` or notebook, in sentences without a full stop."""
    if file.is_symlink():
        return [f"{file} is a symbolic link; a skill must be a file of its own"]
    notebook = file.suffix == ".ipynb"
    try:
        read_skill(file, "extra")
        if notebook:
            source = read_notebook(file)
            if not any(cell.get("cell_type") == "code" for cell in source.document["cells"]):
                return [f"{file} has no code cell to run"]
        if not strict:
            return []
        header = read_header(file, strict=True) if notebook else _strict_header(file)
    except SkillProblem as problem:
        missing = [] if not strict else _without_description(file, notebook)
        return missing or [str(problem)]
    return header_problems(header, file.stem if _alone(file) else file.resolve().parent.name)


def header_problems(header: Mapping[str, Any], folder: str) -> list[str]:
    """The header against the specification; `folder` is what the name must equal."""
    problems = [f"the field {name} is not in the specification" for name in header if name not in FIELDS]
    problems += _name(header.get("name"), folder)
    problems += _description(header.get("description"))
    if "license" in header and not isinstance(header["license"], str):
        problems.append("license must be text")
    if "compatibility" in header:
        text = header["compatibility"]
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= MAX_COMPATIBILITY:
            problems.append(f"compatibility must be text of 1 to {MAX_COMPATIBILITY} characters")
    if "metadata" in header and not _is_mapping(header["metadata"]):
        problems.append("metadata must be a mapping with text as keys")
    if "allowed-tools" in header:
        tools = header["allowed-tools"]
        if not isinstance(tools, str) and not (isinstance(tools, list) and all(isinstance(tool, str) for tool in tools)):
            problems.append("allowed-tools must be text, or a list of texts")
    return problems


def _name(name: object, folder: str) -> list[str]:
    if not isinstance(name, str) or not name.strip():
        return ["name is missing" if name is None else "name must be text"]
    name = unicodedata.normalize("NFKC", name.strip())
    problems = []
    if len(name) > MAX_NAME:
        problems.append(f"name has {len(name)} characters; {MAX_NAME} are allowed")
    if name != name.lower():
        problems.append("name must be lower case")
    if name.startswith("-") or name.endswith("-"):
        problems.append("name must not begin or end with a hyphen")
    if "--" in name:
        problems.append("name must not have two hyphens in a row")
    if not all(letter.isalnum() or letter == "-" for letter in name):
        problems.append("name may have letters, digits and hyphens only")
    if name != unicodedata.normalize("NFKC", folder):
        problems.append(f"name is {name!r} but the folder is {folder!r}; they must be equal")
    return problems


def _description(text: object) -> list[str]:
    if not isinstance(text, str) or not text.strip():
        return ["description is missing" if text is None else "description must be text that is not empty"]
    if len(text) > MAX_DESCRIPTION:
        return [f"description has {len(text)} characters; {MAX_DESCRIPTION} are allowed"]
    return []


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _strict_header(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        raw = opened.read(MAX_FILE_BYTES)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SkillProblem(f"{file} is not UTF-8 text") from error
    if not raw.startswith(b"---"):
        raise SkillProblem(f"{file} does not begin with ---")
    text = split_file(file)[0]
    if (twice := _repeated(text)) is not None:
        raise SkillProblem(f"the field {twice} stands twice in the header")
    return parse_header(text, str(file), strict=True)


def _without_description(file: Path, notebook: bool) -> list[str]:
    """All problems of a header that could be read, where the lenient reading stopped at the first."""
    try:
        header = read_header(file, strict=True) if notebook else _strict_header(file)
    except (SkillProblem, OSError):
        return []
    return header_problems(header, file.stem if _alone(file) else file.resolve().parent.name)


def _repeated(text: str) -> str | None:
    """A key that stands twice at the top of the header."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    keys = [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    return next((str(key) for key in keys if keys.count(key) > 1), None)


def _alone(file: Path) -> bool:
    """A notebook that is a skill by itself, not the notebook of a folder."""
    return file.name not in FOLDER_FILES
