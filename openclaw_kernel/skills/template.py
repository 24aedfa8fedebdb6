"""The beginning of a new skill, as a `SKILL.md` or as a notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openclaw_kernel.skills.find import SKILL_FILE, SKILL_NOTEBOOK
from openclaw_kernel.skills.header import slug
from openclaw_kernel.skills.skill import SkillProblem
from openclaw_kernel.store.atomic import write_atomic

HEADER = """\
---
name: {name}
description: Say what it does, and when to use it. Use when someone asks for {words}.
---
"""
MARKDOWN = """
# {title}

1. Say what to look at first.
2. Say what to do, one step a line, with the commands to run.
3. Say how to check the result, and what to report.

Longer material belongs in `references/`, programs in `scripts/`.
"""
PARAMETERS = """\
from typing import Literal

name: str  # who is greeted; without a value, so it must be given
times: int = 1  # how often
style: Literal["plain", "loud"] = "plain"  # how it sounds\
"""
WORK = """\
line = f"Hello, {name}!"
lines = [line.upper() if style == "loud" else line] * times\
"""
RESULT = 'print("\\n".join(lines))'


def new_skill(parent: Path, name: str, *, notebook: bool) -> Path:
    """Makes `parent/<name>` with its one file, which is the answer. Raises `SkillProblem`: no name for a skill, or taken."""
    if not name or slug(name) != name:
        mended = slug(name)
        hint = f"; {mended!r} would do" if mended else ""
        raise SkillProblem(f"{name!r} is no name for a skill: use lower-case letters, digits and single hyphens{hint}.")
    folder = parent / name
    if folder.exists():
        raise SkillProblem(f"{folder} exists already; choose another name or remove it.")
    words = name.replace("-", " ")
    header = HEADER.format(name=name, words=words)
    path = folder / (SKILL_NOTEBOOK if notebook else SKILL_FILE)
    text = (
        json.dumps(_notebook(header, words), indent=1) + "\n"
        if notebook
        else header + MARKDOWN.format(title=words.capitalize())
    )
    write_atomic(path, text, 0o644)
    return path


def _notebook(header: str, words: str) -> dict[str, Any]:
    cells = [
        _cell("raw", "header", header.strip(), "skill"),
        _cell("markdown", "manual", f"# {words.capitalize()}\n\nSay when to run it and what its parameters mean."),
        _cell("code", "parameters", PARAMETERS, "parameters"),
        _cell("code", "work", WORK),
        _cell("code", "result", RESULT, "result"),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, name: str, source: str, *tags: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": name,
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source.splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
