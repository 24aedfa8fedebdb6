"""Adding models: a folder of one's own, and one of fastembed's from a hub in one attempt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from openclaw_kernel.memory.embedding import install
from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.shelf import Shelf
from tests.fakes.model_hub import ModelHub
from tests.fakes.tiny_model import build_tiny, by_hand


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "state")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return build_tiny(tmp_path / "My Model", manifest=False)


def silent(_step: str) -> None:
    return


def test_a_folder_is_copied_measured_and_used(shelf: Shelf, source: Path, no_network: list[object]) -> None:
    steps: list[str] = []
    name = install.add_folder(shelf, source, steps.append)
    shutil.rmtree(source)
    assert name == "my-model" and shelf.active() == name and steps == ["Copying the model", "Trying the model"]
    embedder = shelf.embedder()
    assert embedder is not None and (embedder.dim, embedder.window) == (32, 64)
    assert np.abs(embedder.embed(["garden"])[0] - by_hand("garden")).max() < 1e-6


def test_the_second_model_waits_to_be_chosen(shelf: Shelf, source: Path, tmp_path: Path) -> None:
    install.add_folder(shelf, source, silent)
    other = install.add_folder(shelf, build_tiny(tmp_path / "other", dim=16, manifest=False), silent)
    assert shelf.active() == "my-model" and other in shelf.names()
    with pytest.raises(EmbeddingError, match="other is installed already"):
        install.add_folder(shelf, tmp_path / "other", silent)


def test_prefixes_are_part_of_the_id(shelf: Shelf, source: Path, tmp_path: Path) -> None:
    install.add_folder(shelf, source, silent, install.Dress("coffee ", "train "))
    twin = tmp_path / "twin" / "My Model"
    shutil.copytree(source, twin)
    other = Shelf(tmp_path / "other-state")
    install.add_folder(other, twin, silent)
    dressed, plain = shelf.embedder(), other.embedder()
    assert dressed is not None and plain is not None and dressed.model_id != plain.model_id
    assert np.abs(dressed.embed_query("plant") - by_hand("coffee plant")).max() < 1e-6


@pytest.mark.parametrize("gone", ["model.onnx", "tokenizer.json", "tokenizer_config.json"])
def test_a_folder_that_lacks_something_leaves_the_shelf_as_it_was(shelf: Shelf, source: Path, gone: str) -> None:
    (source / gone).unlink()
    with pytest.raises(EmbeddingError):
        install.add_folder(shelf, source, silent)
    assert shelf.names() == [] and (not shelf.root.exists() or list(shelf.root.iterdir()) == [])


def test_a_model_that_does_not_load_is_not_installed(shelf: Shelf, source: Path) -> None:
    (source / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(EmbeddingError, match="cannot be loaded"):
        install.add_folder(shelf, source, silent)
    settings = json.loads((source / "tokenizer_config.json").read_text())
    build_tiny(source, manifest=False)
    (source / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 0}))
    with pytest.raises(EmbeddingError, match="maximum context length"):
        install.add_folder(shelf, source, silent)
    assert shelf.names() == [] and list(shelf.root.iterdir()) == []


def test_no_folder_at_all(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="is not a folder"):
        install.add_folder(shelf, tmp_path / "nowhere", silent)


def test_a_builtin_name_is_fetched_once_and_loaded_from_its_folder(
    shelf: Shelf, source: Path, no_network: list[object]
) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def fetch(repository: str, names: Sequence[str], folder: Path) -> None:
        asked.append((repository, tuple(names)))
        for part in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(source / part, folder / part)
        shutil.copyfile(source / "model.onnx", folder / "model.onnx")

    name = install.add_builtin(shelf, "Sentence-Transformers/all-MiniLM-L6-v2", silent, fetch)
    assert name == "sentence-transformers-all-minilm-l6-v2" and len(asked) == 1
    assert "model.onnx" in asked[0][1] and "tokenizer.json" in asked[0][1]
    embedder = Shelf(shelf.root.parents[1]).embedder()
    assert embedder is not None and np.abs(embedder.embed(["garden"])[0] - by_hand("garden")).max() < 1e-6


def test_the_hubs_own_client_fetches_what_is_needed_and_no_more(shelf: Shelf, source: Path, tmp_path: Path) -> None:
    """In a process of its own, because the client reads its settings when it is imported."""
    (source / "README.md").write_text("not needed")
    state_dir = shelf.root.parents[1]
    with ModelHub("Qdrant/all-MiniLM-L6-v2-onnx", source) as hub:
        env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hub-home")}
        command = [sys.executable, "-m", "openclaw_gateway", "memory", "model", "add", "sentence-transformers/all-MiniLM-L6-v2"]
        done = subprocess.run([*command, "--state-dir", str(state_dir)], env=env, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0 and "It is in use." in done.stdout, done.stderr
        fetched = sorted(path.rsplit("/", 1)[1] for method, path in hub.requests if method == "GET" and "/resolve/" in path)
    assert fetched == ["model.onnx", "tokenizer.json", "tokenizer_config.json"]
    embedder = shelf.embedder()
    assert embedder is not None and np.abs(embedder.embed(["garden"])[0] - by_hand("garden")).max() < 1e-6
    assert {path.name for path in shelf.folder(shelf.active()).iterdir()} == {*fetched, "manifest.json"}


def test_an_unknown_name_says_what_is_known(shelf: Shelf, no_network: list[object]) -> None:
    with pytest.raises(EmbeddingError, match="fastembed knows no model 'nobody/nothing'"):
        install.add_builtin(shelf, "nobody/nothing", silent)


def test_without_a_hub_the_command_fails_soon_and_leaves_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    begun = time.monotonic()
    with pytest.raises(EmbeddingError, match=r"cannot be fetched from the model hub.*memory model add minilm"):
        install.add_builtin(shelf, "BAAI/bge-small-en-v1.5", silent)
    assert time.monotonic() - begun < 10, "it tried again and again"
    assert list(shelf.root.iterdir()) == []
