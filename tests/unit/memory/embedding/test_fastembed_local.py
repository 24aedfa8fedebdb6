"""A local model through fastembed's real path, held against the computation by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.fastembed_local import BATCH, open_folder
from tests.fakes.tiny_model import DIM, WINDOW, build_tiny, by_hand

TEXTS = ["Water the plants on Monday", "invoice", "a train to Berlin, at 7:15", "coffee and garden", "zz top 99", "x"]


def test_rows_equal_the_computation_by_hand(tiny: Path, no_network: list[object]) -> None:
    rows = open_folder(tiny).embed(TEXTS)
    assert rows.shape == (len(TEXTS), DIM) and rows.dtype == np.float32
    assert np.abs(rows - np.stack([by_hand(text) for text in TEXTS])).max() < 1e-6


def test_sorting_by_length_keeps_each_text_its_row(tiny: Path) -> None:
    texts = [("garden " * (1 + (7 * n) % 9)) + chr(97 + n % 26) for n in range(3 * BATCH + 5)]
    rows = open_folder(tiny).embed(texts)
    assert np.abs(rows - np.stack([by_hand(text) for text in texts])).max() < 1e-6


def test_an_empty_text_is_a_zero_row(tiny: Path) -> None:
    embedder = open_folder(tiny)
    rows = embedder.embed(["", "plant", " \n\t"])
    assert np.all(rows[[0, 2]] == 0) and np.linalg.norm(rows[1]) == pytest.approx(1, abs=1e-6)
    assert embedder.embed([]).shape == (0, DIM)
    assert np.all(embedder.embed_query("") == 0)


def test_an_over_long_text_is_the_mean_of_windows_of_equal_length(tiny: Path) -> None:
    words = ["water", "plant", "monday", "garden"]
    first, second = " ".join(words * 12), " ".join(["invoice", "berlin", "coffee", "train"] * 12)
    assert len(first.split()) == 48 < WINDOW - 2 < 96
    row = open_folder(tiny).embed([f"{first} {second}"])[0]
    mean = by_hand(first) + by_hand(second)
    assert np.abs(row - mean / np.linalg.norm(mean)).max() < 1e-6


def test_a_text_of_exactly_the_window_is_one_window(tiny: Path) -> None:
    text = " ".join(["plant", "water"] * ((WINDOW - 2) // 2))
    assert np.abs(open_folder(tiny).embed([text])[0] - by_hand(text)).max() < 1e-6


def test_a_huge_text_and_odd_characters_are_read(tiny: Path) -> None:
    rows = open_folder(tiny).embed(["water " * 20_000, "\x00\ufffd\U0001f331", "植物", "a" * 5_000])
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows[0]) == pytest.approx(1, abs=1e-6)


def test_prefixes_dress_queries_and_passages_and_make_another_id(tmp_path: Path) -> None:
    folder = build_tiny(tmp_path / "dressed")
    plain = open_folder(folder).model_id
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"query_prefix": "coffee ", "passage_prefix": "train "}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    embedder = open_folder(folder)
    assert np.abs(embedder.embed_query("plant") - by_hand("coffee plant")).max() < 1e-6
    assert np.abs(embedder.embed(["plant"])[0] - by_hand("train plant")).max() < 1e-6
    long = embedder.embed(["plant water " * 60])[0]
    assert np.linalg.norm(long) == pytest.approx(1, abs=1e-6)
    assert embedder.model_id != plain and embedder.model_id.startswith("tiny/fp32@")


def test_two_models_of_one_process_do_not_mix(tiny: Path, tmp_path: Path) -> None:
    other = build_tiny(tmp_path / "wide", dim=48, name="wide")
    for folder, dim in ((tiny, DIM), (other, 48), (tiny, DIM)):
        assert np.abs(open_folder(folder).embed(["garden"])[0] - by_hand("garden", dim)).max() < 1e-6


@pytest.mark.parametrize("gone", ["model.onnx", "tokenizer.json", "tokenizer_config.json", "manifest.json"])
def test_a_missing_file_is_one_sentence_at_once(tiny: Path, tmp_path: Path, gone: str, no_network: list[object]) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    (folder / gone).unlink()
    begun = time.monotonic()
    with pytest.raises(EmbeddingError, match=gone.replace(".", r"\.")):
        open_folder(folder).embed(["plant"])
    assert time.monotonic() - begun < 3, "it waited for a download"


@pytest.mark.parametrize("spoilt", ["model.onnx", "tokenizer.json", "tokenizer_config.json"])
def test_a_file_with_another_hash_is_refused(tiny: Path, tmp_path: Path, spoilt: str, no_network: list[object]) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    with (folder / spoilt).open("ab") as file:
        file.write(b" ")
    with pytest.raises(EmbeddingError, match=r"sha256 differs.*add the model again"):
        open_folder(folder).embed(["plant"])


def test_nothing_heavy_is_loaded_before_the_first_text(tiny: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from openclaw_kernel.memory.embedding import choose, install, shelf, minilm, remote\n"
        "from openclaw_kernel.memory.embedding.fastembed_local import open_folder\n"
        f"embedder = open_folder(Path({str(tiny)!r}))\n"
        "assert embedder.model_id and embedder.dim\n"
        "print([name for name in ('numpy', 'fastembed', 'onnx', 'onnxruntime', 'httpx') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
