"""A model that runs on this machine: fastembed over a folder of files that were put there by an explicit command.

Loading never asks the network: fastembed is always given a folder, so its download, which tries for 39 seconds when there is
no network, cannot begin.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.manifest import Manifest, check_files, read_manifest

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

THREADS = 2
BATCH = 32
"""Texts of one call of the model; they are sorted by length, because a batch is padded to its longest."""
NEEDED = ("tokenizer.json", "tokenizer_config.json")

_registering = threading.Lock()


class LocalEmbedder:
    """One installed model. Cheap to make; the weights load with the first text. Safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest, threads: int = THREADS) -> None:
        self._folder = folder
        self._manifest = manifest
        self._threads = threads
        self._loading = threading.Lock()
        self._model: Any = None

    @property
    def model_id(self) -> str:
        return self._manifest.model_id

    @property
    def dim(self) -> int:
        return self._manifest.dim

    @property
    def window(self) -> int:
        return self._manifest.window

    @property
    def floor(self) -> float:
        return self._manifest.floor

    def embed(self, texts: Sequence[str]) -> NDArray[float32]:
        """One row a text. A text longer than the window is read in windows of equal length, whose mean is its vector."""
        return self._rows(texts, self._manifest.passage_prefix)

    def embed_query(self, text: str) -> NDArray[float32]:
        rows = self._rows([text], self._manifest.query_prefix)
        row: NDArray[float32] = rows[0]
        return row

    def load(self) -> None:
        """Loads the weights now (about half a second). Raises `EmbeddingError`."""
        self._loaded()

    def _rows(self, texts: Sequence[str], prefix: str) -> NDArray[float32]:
        import numpy as np

        sums = np.zeros((len(texts), self.dim), np.float32)
        pieces = self._pieces(texts, prefix)
        if not pieces:
            return sums
        pieces.sort(key=lambda piece: len(piece[1]))
        model = self._loaded()
        vectors: Iterator[Any] = model.embed([piece for _, piece in pieces], batch_size=BATCH)
        try:
            for (index, _), vector in zip(pieces, vectors, strict=True):
                sums[index] += vector
        except (ValueError, RuntimeError) as error:
            raise EmbeddingError(f"The embedding model in {self._folder} failed: {_line(error)}") from error
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        rows: NDArray[float32] = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
        return rows

    def _pieces(self, texts: Sequence[str], prefix: str) -> list[tuple[int, str]]:
        """(row, what the model reads) of every text that says something."""
        pieces: list[tuple[int, str]] = []
        for index, text in enumerate(texts):
            if not text.strip():
                continue
            # A token takes at least one character, and two of the window are the model's own marks.
            if len(prefix) + len(text) <= self.window - 2:
                pieces.append((index, prefix + text))
            else:
                pieces.extend((index, prefix + window) for window in self._windows(text, prefix))
        return pieces

    def _windows(self, text: str, prefix: str) -> list[str]:
        tokenizer = self._loaded().model.tokenizer
        whole = tokenizer.encode(text, add_special_tokens=False)
        spans = [span for part in (whole, *whole.overflowing) for span in part.offsets if span[1] > span[0]]
        room = self.window - 2
        if prefix:
            room -= len(tokenizer.encode(prefix, add_special_tokens=False).ids)
        if len(spans) <= room:
            return [text]
        count = -(-len(spans) // max(1, room))
        cuts = [spans[len(spans) * number // count][0] for number in range(count)]
        return [text[first:end] for first, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]

    def _loaded(self) -> Any:
        with self._loading:
            if self._model is None:
                check_files(self._folder, self._manifest.files)
                self._model = load_folder(self._folder, self._manifest, self._threads)
            return self._model


def load_folder(folder: Path, manifest: Manifest, threads: int = THREADS) -> Any:
    """fastembed's model over `folder`. Raises `EmbeddingError`; never looks anywhere else."""
    missing = [name for name in (manifest.model_file, *NEEDED) if not (folder / name).is_file()]
    if missing:
        raise EmbeddingError(f"{folder} lacks {', '.join(missing)}; add the model again.")
    fastembed = import_fastembed()
    name = manifest.builtin or _registered(fastembed, manifest)
    try:
        return fastembed.TextEmbedding(name, specific_model_path=str(folder), threads=threads, local_files_only=True)
    except Exception as error:  # fastembed, onnxruntime and tokenizers each have their own
        raise EmbeddingError(f"The embedding model in {folder} cannot be loaded: {_line(error)}") from error


def import_fastembed() -> Any:
    """Raises `EmbeddingError` with the command that installs it."""
    try:
        import fastembed
    except ImportError as error:
        raise EmbeddingError(
            "Local embedding models need the package fastembed; install it with `pip install 'jupyter-openclaw[memory]'`."
        ) from error
    return fastembed


def open_folder(folder: Path) -> LocalEmbedder:
    """The model installed in `folder`. Raises `EmbeddingError` when there is none or a file of it is gone."""
    manifest = read_manifest(folder)
    missing = [name for name in manifest.files if not (folder / name).is_file()]
    if missing:
        raise EmbeddingError(f"{folder} lacks {', '.join(missing)}; add the model again.")
    return LocalEmbedder(folder, manifest)


def _registered(fastembed: Any, manifest: Manifest) -> str:
    """The name under which fastembed knows this model; a second registration of one name would be an error there."""
    from fastembed.common.model_description import ModelSource, PoolingType

    name = f"local/{manifest.pooling}/{manifest.dim}/{manifest.model_file}".lower()
    with _registering:
        if all(row["model"].lower() != name for row in fastembed.TextEmbedding.list_supported_models()):
            fastembed.TextEmbedding.add_custom_model(
                model=name,
                pooling=PoolingType[manifest.pooling.upper()],
                normalization=True,
                sources=ModelSource(url="unused://local"),
                dim=manifest.dim,
                model_file=manifest.model_file,
            )
    return name


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
