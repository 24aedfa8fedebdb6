"""Skills on disk for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def markdown(root: Path, folder: str, header: str, body: str = "Do it.") -> Path:
    path = root / folder / "SKILL.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{header}\n---\n{body}\n")
    return path


def code(source: str, *tags: str) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def text(source: str, kind: str = "markdown", *tags: str) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {"tags": list(tags)} if tags else {}, "source": source}


def header(name: str, description: str = "Does it.") -> dict[str, Any]:
    return text(f"---\nname: {name}\ndescription: {description}\n---\nHow to use it.", "raw", "skill")


def notebook(root: Path, name: str, *cells: dict[str, Any]) -> Path:
    """A notebook skill; `name` is a folder, or a file when it ends in `.ipynb`."""
    path = root / name if name.endswith(".ipynb") else root / name / "skill.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path
