"""What a skill says once it is used: its text in a tag, with its folder and a list of its other files (SKL-03).

The opening tag names the skill and a digest of the text, so that a conversation that holds it already is recognised and the
same text is not put into it twice.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.skills.find import FOLDER_FILES, real_file
from openclaw_kernel.skills.loader import body_of
from openclaw_kernel.skills.notebook import read_notebook
from openclaw_kernel.skills.parameters import schema_of
from openclaw_kernel.skills.skill import Skill, SkillProblem

MAX_FILES = 40
MAX_BODY_CHARS = 60_000
MAX_FILE_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class Activation:
    """`mark` is the beginning of the opening tag: what to look for in a conversation. `schema` is a notebook's alone."""

    skill: Skill
    mark: str
    text: str
    files: tuple[str, ...]
    schema: dict[str, Any] | None = None

    def held_by(self, texts: Iterable[str]) -> bool:
        return any(self.mark in text for text in texts)


def activate(skill: Skill) -> Activation:
    """Reads the skill. Blocking. Raises `SkillProblem`."""
    body = body_of(skill)
    if len(body) > MAX_BODY_CHARS:
        body = f"{body[:MAX_BODY_CHARS]}\n[cut here: {MAX_BODY_CHARS} of {len(body)} characters]"
    schema = schema_of(read_notebook(skill.path).parameters) if skill.kind == "notebook" else None
    files, more = files_of(skill)
    parts = [body] if body else []
    if schema is not None:
        parts.append(
            f"This skill is a notebook. Run it with the tool skill_run, name {skill.name!r}; its parameters as JSON Schema:\n"
            + orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode()
        )
    if files:
        listed = "\n".join([*(f"- {name}" for name in files), *([f"- and {more} more"] if more else [])])
        parts.append(f"Other files in its folder, for the tool skill (argument file) when needed:\n{listed}")
    inner = "\n\n".join(parts).replace("</skill>", "<\\/skill>")
    digest = hashlib.sha256(inner.encode()).hexdigest()[:12]
    mark = f'<skill name="{skill.name}" version="{digest}"'
    return Activation(skill, mark, f'{mark} folder="{skill.folder}">\n{inner}\n</skill>', files, schema)


def files_of(skill: Skill) -> tuple[tuple[str, ...], int]:
    """The skill's other files, relative to its folder, and how many were left out. Links are not listed."""
    if skill.path.name not in FOLDER_FILES:
        return (), 0
    names: list[str] = []
    for folder, folders, files in os.walk(skill.folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        here = Path(folder)
        names += [
            (here / name).relative_to(skill.folder).as_posix()
            for name in sorted(files)
            if here / name != skill.path and not name.startswith(".") and not (here / name).is_symlink()
        ]
        if len(names) > 20 * MAX_FILES:
            break
    return tuple(names[:MAX_FILES]), max(0, len(names) - MAX_FILES)


def read_file(skill: Skill, name: str) -> str:
    """One of the skill's other files as text. Raises `SkillProblem` for a path that ends outside its folder."""
    path = skill.folder / name
    alone = skill.path.name not in FOLDER_FILES
    if alone or "\0" in name or not real_file(path, skill.folder):
        raise SkillProblem(f"{skill.name} has no file {name}; name one of the files listed with it")
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if b"\0" in data:
        raise SkillProblem(f"{name} of {skill.name} is not text; it is at {path}")
    text = data[:MAX_FILE_BYTES].decode("utf-8", "replace")
    return f"{text}\n[cut here: the file is longer than {MAX_FILE_BYTES} bytes]" if len(data) > MAX_FILE_BYTES else text
