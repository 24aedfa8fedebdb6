"""What an installed embedding model is: its identity, how its texts are dressed, and the hashes of its files.

A model is a folder with a `manifest.json`. The id names weights, precision, revision and prefix rule: vectors of two ids never
meet, so fp32 and int8 of one model are two models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.store.atomic import write_atomic

NAME = "manifest.json"
VERSION = 1
DEFAULT_FLOOR = 0.2
"""The cosine under which a hit is noise, until a model is calibrated (memory section 6: start at 0.2)."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """`builtin` is fastembed's own name for the model and decides pooling there; empty means mean pooling of `model_file`.
    `files` are name → sha256, `dim` and `window` counts of numbers and tokens."""

    name: str
    precision: str
    revision: str
    dim: int
    window: int
    model_file: str
    files: Mapping[str, str] = field(default_factory=dict)
    builtin: str = ""
    pooling: str = "mean"
    query_prefix: str = ""
    passage_prefix: str = ""
    floor: float = DEFAULT_FLOOR
    license: str = ""

    @property
    def model_id(self) -> str:
        rule = prefix_rule(self.query_prefix, self.passage_prefix)
        return f"{self.name}/{self.precision}@{self.revision}{rule}"


def prefix_rule(query: str, passage: str) -> str:
    """The part of a model id that tells two prefix rules apart; empty without prefixes."""
    if not query and not passage:
        return ""
    return "+" + hashlib.sha256(json.dumps([query, passage]).encode()).hexdigest()[:8]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    write_atomic(folder / NAME, json.dumps({"version": VERSION, **asdict(manifest)}, indent=2) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Raises `EmbeddingError` when the folder holds no installed model."""
    path = folder / NAME
    try:
        row: dict[str, Any] = json.loads(path.read_text("utf-8"))
        row.pop("version", None)
        return Manifest(**row)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise EmbeddingError(
            f"{path} is not the manifest of an installed model ({error}); add the model again with "
            "`jupyter openclaw memory model add`."
        ) from error


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    return {name: file_hash(folder / name) for name in sorted(names)}


def file_hash(path: Path) -> str:
    """sha256 in hexadecimal digits. Blocking. Raises `EmbeddingError` for a file that cannot be read."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise EmbeddingError(
            f"{path} cannot be read ({error.strerror}); add the model again with `jupyter openclaw memory model add`."
        ) from error
    return found.hexdigest()


def check_files(folder: Path, expected: Mapping[str, str], remedy: str = "add the model again") -> None:
    """Raises `EmbeddingError` for the first file whose hash is another one."""
    for name, wanted in expected.items():
        if file_hash(folder / name) != wanted:
            raise EmbeddingError(f"{folder / name} is not the file that is expected (its sha256 differs); {remedy}.")
