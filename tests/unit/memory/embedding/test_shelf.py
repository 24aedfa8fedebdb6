"""Installed models: which is in use, what a spoilt one says, and that asking for one never needs the network."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.choose import EmbedderSource
from openclaw_kernel.memory.embedding.shelf import Shelf
from tests.fakes.tiny_model import build_tiny, by_hand


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "state")


def put(shelf: Shelf, name: str, **changed: int) -> None:
    build_tiny(shelf.root / name, name=name, **changed)


def test_an_empty_shelf_says_how_to_fill_it(shelf: Shelf, no_network: list[object]) -> None:
    opened = shelf.open()
    assert opened.embedder is None
    assert opened.reason.startswith(
        "Semantic search is off: no embedding model is installed; run `jupyter openclaw memory model add"
    )
    assert shelf.installed() == [] and not shelf.root.exists(), "asking made a folder"


def test_the_chosen_model_is_opened_once(shelf: Shelf, no_network: list[object]) -> None:
    put(shelf, "a")
    put(shelf, "b", dim=16)
    assert shelf.open().embedder is None, "none is chosen yet"
    shelf.use("a")
    first = shelf.open().embedder
    assert first is not None and first is shelf.embedder() and first.dim == 32
    assert np.abs(first.embed(["garden"])[0] - by_hand("garden")).max() < 1e-6
    Shelf(shelf.root.parents[1]).use("b")
    other = shelf.embedder()
    assert other is not None and other.dim == 16 and other.model_id != first.model_id
    assert [(row.name, row.active) for row in shelf.installed()] == [("a", False), ("b", True)]


def test_a_removed_model_is_not_in_use(shelf: Shelf) -> None:
    put(shelf, "a")
    shelf.use("a")
    shelf.remove("a")
    assert shelf.active() == "" and shelf.open().embedder is None and not (shelf.root / "a").exists()


@pytest.mark.parametrize("name", ["../../outside", "..", ".", "", "a/../../outside", "choice.jsonl", ".new-x"])
def test_only_names_on_the_shelf_are_touched(shelf: Shelf, tmp_path: Path, name: str) -> None:
    put(shelf, "a")
    shelf.use("a")
    (shelf.root / ".new-x").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    for act in (shelf.remove, shelf.use):
        with pytest.raises(EmbeddingError, match="There is no embedding model"):
            act(name)
    assert outside.is_dir() and shelf.active() == "a" and (shelf.root / ".new-x").is_dir()


def test_a_spoilt_model_is_listed_with_its_problem(shelf: Shelf) -> None:
    put(shelf, "a")
    shelf.use("a")
    (shelf.root / "a" / "model.onnx").unlink()
    assert "lacks model.onnx" in shelf.installed()[0].problem
    assert "lacks model.onnx" in shelf.open().reason and shelf.open().reason.startswith("Semantic search is off:")
    with pytest.raises(EmbeddingError, match=r"lacks model\.onnx"):
        shelf.use("a")


def test_a_torn_line_of_the_choice_is_passed_over(shelf: Shelf) -> None:
    put(shelf, "a")
    shelf.use("a")
    with (shelf.root / "choice.jsonl").open("ab") as file:
        file.write(b'{"id":"active","na')
    assert shelf.active() == "a"
    shelf.use("a")
    assert shelf.active() == "a"


def test_what_a_configuration_means(shelf: Shelf, no_network: list[object]) -> None:
    put(shelf, "a")
    shelf.use("a")
    auto = EmbedderSource(shelf)
    assert auto.opened().embedder is shelf.embedder()
    assert "There is no embedding model 'zz'" in EmbedderSource(shelf, "local", model="zz").opened().reason
    assert "needs memory.embedding.model" in EmbedderSource(shelf, "openai").opened().reason
    assert "provider is none" in EmbedderSource(shelf, "none").opened().reason
    remote = EmbedderSource(shelf, "ollama", model="m")
    assert remote.opened().embedder is remote.opened().embedder is not None
    remote.close()


def test_a_replaced_model_is_opened_anew(shelf: Shelf) -> None:
    put(shelf, "a")
    shelf.use("a")
    before = shelf.embedder()
    shutil.rmtree(shelf.root / "a")
    put(shelf, "a", dim=16)
    after = shelf.embedder()
    assert before is not None and after is not None and (before.dim, after.dim) == (32, 16)
