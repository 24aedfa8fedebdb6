"""The installed models of one state directory: `<state>/models/embedding/<name>/`, and which of them is in use.

    shelf = Shelf(state_dir)
    opened = shelf.open()          # Opened(embedder, "") or Opened(None, "why there is none and what to do")

Asking costs a few small reads, so a running gateway notices at its next look what a command added.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_kernel.memory.embedding.api import Embedder, EmbeddingError
from openclaw_kernel.memory.embedding.fastembed_local import LocalEmbedder, open_folder
from openclaw_kernel.memory.embedding.manifest import NAME as MANIFEST
from openclaw_kernel.memory.embedding.manifest import Manifest, read_manifest
from openclaw_kernel.store.jsonl import read_jsonl
from openclaw_kernel.store.ledger import Ledger

FOLDER = ("models", "embedding")
NO_MODEL = (
    "Semantic search is off: no embedding model is installed; run `jupyter openclaw memory model add minilm` to install one "
    "(84 MB, works without an account)."
)
_ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Installed:
    """A model on the shelf. `problem` is a sentence when it cannot be used; `size` in bytes."""

    name: str
    folder: Path
    manifest: Manifest | None
    active: bool
    size: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """An embedder, or None with the reason for people."""

    embedder: Embedder | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Choice:
    id: str
    name: str


class Shelf:
    """Blocking, but cheap; safe to use from several threads."""

    def __init__(self, state_dir: Path) -> None:
        self.root = state_dir.joinpath(*FOLDER)
        self._lock = threading.Lock()
        self._open: tuple[str, tuple[int, int], LocalEmbedder] | None = None

    def open(self, name: str = "") -> Opened:
        """The model `name`, else the one in use. The same object as long as its manifest is the same."""
        chosen = name or self.active()
        if not chosen:
            return Opened(None, NO_MODEL)
        try:
            folder = self.folder(chosen)
            stamp = _stamp(folder / MANIFEST)
            with self._lock:
                if self._open is None or self._open[:2] != (chosen, stamp):
                    self._open = (chosen, stamp, open_folder(folder))
                return Opened(self._open[2])
        except EmbeddingError as error:
            return Opened(None, f"Semantic search is off: {error}")

    def embedder(self) -> Embedder | None:
        """The model in use, if any."""
        return self.open().embedder

    def installed(self) -> list[Installed]:
        """Every model, by name; one that is spoilt is listed with its problem."""
        active = self.active()
        return [self._installed(name, name == active) for name in self.names()]

    def names(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if path.is_dir() and not path.name.startswith("."))

    def active(self) -> str:
        """The name of the model in use, empty when there is none."""
        name = ""
        for record in read_jsonl(self._choices):
            name = str(record.get("name", "")) if record.get("id") == _ACTIVE else name
        return name

    def folder(self, name: str) -> Path:
        """Raises `EmbeddingError` for a name that is not on the shelf."""
        names = self.names()
        if name not in names:
            known = f"installed are {', '.join(names)}" if names else "none is installed"
            raise EmbeddingError(f"There is no embedding model {name!r}: {known}; add one with `memory model add`.")
        return self.root / name

    def use(self, name: str) -> Manifest:
        """Makes `name` the model in use. Raises `EmbeddingError` when it is not there or spoilt."""
        folder = self.folder(name)
        open_folder(folder)
        self._choose(name)
        return read_manifest(folder)

    def remove(self, name: str) -> None:
        """Deletes a model; if it was in use, none is. Raises `EmbeddingError` for an unknown name."""
        folder = self.folder(name)
        if self.active() == name:
            self._choose("")
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise EmbeddingError(f"{folder} cannot be removed ({error.strerror}); remove it by hand.") from error

    @property
    def _choices(self) -> Path:
        return self.root / "choice.jsonl"

    def _choose(self, name: str) -> None:
        ledger: Ledger[_Choice] = Ledger(self._choices, key=lambda row: row.id, encode=_encode, decode=_decode)
        try:
            ledger.put(_Choice(_ACTIVE, name))
        finally:
            ledger.close()

    def _installed(self, name: str, active: bool) -> Installed:
        folder = self.root / name
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        try:
            open_folder(folder)
            return Installed(name, folder, read_manifest(folder), active, size)
        except EmbeddingError as error:
            return Installed(name, folder, None, active, size, str(error))


def _encode(row: _Choice) -> dict[str, Any]:
    return {"id": row.id, "name": row.name}


def _decode(record: Mapping[str, Any]) -> _Choice:
    return _Choice(str(record["id"]), str(record["name"]))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
