"""Putting a model on the shelf: the MiniLM recipe, one of fastembed's own by name, or a folder somebody has.

Only these functions may use the network, and only an explicit command calls them. A model appears on the shelf whole or not
at all.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from openclaw_kernel.memory.embedding import minilm
from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.converter import to_onnx
from openclaw_kernel.memory.embedding.fastembed_local import NEEDED, import_fastembed, load_folder
from openclaw_kernel.memory.embedding.manifest import Manifest, hashes, write_manifest
from openclaw_kernel.memory.embedding.shelf import Shelf

Fetch = Callable[[str, Sequence[str], Path], None]
"""(repository, file names, folder): puts the files into the folder. Raises `EmbeddingError`."""

OPTIONAL = ("config.json", "special_tokens_map.json", "preprocessor_config.json")
ONNX_NAMES = ("model.onnx", "onnx/model.onnx", "model_optimized.onnx")
WEIGHTS = "model.safetensors"

PREFIXES: Mapping[str, tuple[str, str]] = {
    "intfloat/": ("query: ", "passage: "),
    "nomic-ai/": ("search_query: ", "search_document: "),
    "baai/bge-small-en": ("Represent this sentence for searching relevant passages: ", ""),
    "baai/bge-base-en": ("Represent this sentence for searching relevant passages: ", ""),
    "baai/bge-large-en": ("Represent this sentence for searching relevant passages: ", ""),
    "snowflake/": ("Represent this sentence for searching relevant passages: ", ""),
    "mixedbread-ai/": ("Represent this sentence for searching relevant passages: ", ""),
}
"""Beginning of a model's name → what its makers say to put before a query and before a passage."""


@dataclass(frozen=True, slots=True)
class Dress:
    """How texts are dressed for a model of one's own; None keeps what is known."""

    query_prefix: str | None = None
    passage_prefix: str | None = None


def add_minilm(shelf: Shelf, precision: minilm.Precision, progress: minilm.Progress) -> str:
    """Fetches and converts; returns the name on the shelf. Raises `EmbeddingError`."""
    import_fastembed()
    name = f"minilm-{precision}"
    with _new(shelf, name) as folder:
        minilm.install(folder, precision, progress)
        _probe(folder, progress)
    return name


def add_builtin(shelf: Shelf, model: str, progress: minilm.Progress, fetch: Fetch | None = None) -> str:
    """Fetches one of fastembed's own models from its hub, once and without a second try. Raises `EmbeddingError`."""
    row = _described(model)
    name = _slug(str(row["model"]))
    with _new(shelf, name) as folder:
        progress(f"Fetching {row['model']} ({row['size_in_GB'] * 1000:.0f} MB)")
        needed = [row["model_file"], *row["additional_files"], *NEEDED, *OPTIONAL]
        (fetch or from_hub)(row["sources"]["hf"], needed, folder)
        query, passage = next((pair for head, pair in PREFIXES.items() if model.lower().startswith(head)), ("", ""))
        _finish(folder, _plain(row["model"], row["model_file"], row["license"], query, passage, builtin=row["model"]), progress)
    return name


def add_folder(shelf: Shelf, source: Path, progress: minilm.Progress, dress: Dress | None = None) -> str:
    """Copies a folder with an ONNX file, or with BERT weights to convert, and its tokenizer. Raises `EmbeddingError`."""
    import_fastembed()
    if not source.is_dir():
        raise EmbeddingError(f"{source} is not a folder; give the folder with the model's files.")
    missing = [name for name in NEEDED if not (source / name).is_file()]
    if missing:
        raise EmbeddingError(f"{source} lacks {' and '.join(missing)}; give a folder with the model and its tokenizer.")
    name = _slug(source.resolve().name)
    dress = dress or Dress()
    with _new(shelf, name) as folder:
        progress("Copying the model")
        model_file = _take_model(source, folder)
        for part in (*NEEDED, *OPTIONAL):
            if (source / part).is_file():
                shutil.copyfile(source / part, folder / part)
        manifest = _plain(name, model_file, "", dress.query_prefix or "", dress.passage_prefix or "")
        _finish(folder, replace(manifest, pooling=_pooling(source)), progress)
    return name


def from_hub(repository: str, names: Sequence[str], folder: Path) -> None:
    """One attempt at the model hub."""
    from huggingface_hub import constants, snapshot_download

    constants.HF_HUB_DISABLE_TELEMETRY = True  # the command fetches files and says nothing about who fetches them
    try:
        snapshot_download(repository, allow_patterns=list(names), local_dir=folder)
    except Exception as error:  # the hub's client, its HTTP library and the file system each have their own
        reason = " ".join(str(error).split())[:200]
        raise EmbeddingError(
            f"{repository} cannot be fetched from the model hub ({type(error).__name__}: {reason}); check the network, or use "
            "`memory model add minilm`, which needs no hub."
        ) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)


@contextmanager
def _new(shelf: Shelf, name: str) -> Iterator[Path]:
    """An empty folder that becomes `name` on the shelf when the block ends well, and vanishes when it does not."""
    if (shelf.root / name).exists():
        raise EmbeddingError(
            f"The model {name} is installed already; remove it first, or use it with `memory model use {name}`."
        )
    shelf.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = Path(mkdtemp(prefix=".new-", dir=shelf.root))
    try:
        yield scratch
        os.replace(scratch, shelf.root / name)
    except OSError as error:
        raise EmbeddingError(f"The model {name} cannot be written to {shelf.root}: {error}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not shelf.active():
        shelf.use(name)


def _described(model: str) -> dict[str, Any]:
    """fastembed's row of a text model it can fetch."""
    rows: list[dict[str, Any]] = import_fastembed().TextEmbedding.list_supported_models()
    for row in rows:
        if row["model"].lower() == model.lower() and row["sources"].get("hf"):
            return row
    some = "BAAI/bge-small-en-v1.5, intfloat/multilingual-e5-large, nomic-ai/nomic-embed-text-v1.5"
    raise EmbeddingError(f"fastembed knows no model {model!r}; name one such as {some}, or give a folder with --path.")


def _take_model(source: Path, folder: Path) -> str:
    """The ONNX file with its data, or one made of the weights."""
    names = [name for name in ONNX_NAMES if (source / name).is_file()]
    names = names or sorted(path.name for path in source.glob("*.onnx"))
    if not names:
        if not (source / WEIGHTS).is_file() or not (source / "config.json").is_file():
            raise EmbeddingError(f"{source} has neither an ONNX file nor {WEIGHTS} with config.json.")
        try:
            config = json.loads((source / "config.json").read_text("utf-8"))
        except ValueError as error:
            raise EmbeddingError(f"{source / 'config.json'} is not JSON ({error}).") from error
        to_onnx(source / WEIGHTS, config, folder / "model.onnx")
        return "model.onnx"
    chosen = source / names[0]
    for path in (chosen, *chosen.parent.glob(f"{chosen.name}_data*"), *chosen.parent.glob(f"{chosen.name}.data")):
        shutil.copyfile(path, folder / path.name)
    return chosen.name


def _pooling(source: Path) -> str:
    """What the sentence-transformers file beside a model says; mean without one."""
    try:
        settings = json.loads((source / "1_Pooling" / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return "mean"
    return "cls" if settings.get("pooling_mode_cls_token") else "mean"


def _plain(name: str, model_file: str, license: str, query: str, passage: str, *, builtin: str = "") -> Manifest:
    return Manifest(
        name, "fp32", "", 0, 0, model_file, builtin=builtin, query_prefix=query, passage_prefix=passage, license=license
    )


def _finish(folder: Path, manifest: Manifest, progress: minilm.Progress) -> None:
    """Measures what only the loaded model tells, then writes the manifest."""
    progress("Trying the model")
    model = load_folder(folder, manifest)
    dim = len(next(iter(model.embed(["a first sentence"]))))
    tokenizer = getattr(model.model, "tokenizer", None)
    window = int(tokenizer.truncation["max_length"]) if tokenizer is not None and tokenizer.truncation else 512
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    files = hashes(folder, names)
    revision = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
    precision = "int8" if _rounded(folder / manifest.model_file) else "fp32"
    write_manifest(folder, replace(manifest, dim=dim, window=window, files=files, revision=revision, precision=precision))


def _probe(folder: Path, progress: minilm.Progress) -> None:
    from openclaw_kernel.memory.embedding.fastembed_local import open_folder

    progress("Trying the model")
    open_folder(folder).load()


def _rounded(path: Path) -> bool:
    """Whether the graph multiplies in int8."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"MatMulInteger") >= 0


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.")
    if not slug:
        raise EmbeddingError(f"{name!r} gives no usable name for the model; rename the folder.")
    return slug
