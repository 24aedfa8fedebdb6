"""The converter, held against BERT's formulas in numpy: on a small random model always, on MiniLM where it can be had."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.converter import quantize, read_safetensors, to_onnx
from openclaw_kernel.memory.embedding.fastembed_local import open_folder
from tests.fakes.numpy_bert import REFERENCE, forward, save_safetensors
from tests.minilm import minilm_folder
from tests.needs import need

CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "layer_norm_eps": 1e-12,
}
WORDS, PLACES = 50, 20


def weights() -> dict[str, Any]:
    random = np.random.default_rng(5)
    width, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, width),
        "embeddings.position_embeddings.weight": (PLACES, width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }
    for layer in range(CONFIG["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            shapes |= {f"{at}.attention.self.{part}.weight": (width, width), f"{at}.attention.self.{part}.bias": (width,)}
        shapes |= {f"{at}.attention.output.dense.weight": (width, width), f"{at}.attention.output.dense.bias": (width,)}
        shapes |= {f"{at}.intermediate.dense.weight": (inner, width), f"{at}.intermediate.dense.bias": (inner,)}
        shapes |= {f"{at}.output.dense.weight": (width, inner), f"{at}.output.dense.bias": (width,)}
        for norm in ("attention.output", "output"):
            shapes |= {f"{at}.{norm}.LayerNorm.weight": (width,), f"{at}.{norm}.LayerNorm.bias": (width,)}
    shapes |= {"embeddings.LayerNorm.weight": (width,), "embeddings.LayerNorm.bias": (width,)}
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def run(path: Path, ids: list[list[int]], mask: list[list[int]]) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    named = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    return session.run(["last_hidden_state"], {name: np.asarray(value, np.int64) for name, value in named.items()})[0]


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_a_small_model_answers_as_the_formulas(tmp_path: Path, prefix: str) -> None:
    tensors = weights()
    save_safetensors(tmp_path / "model.safetensors", tensors, prefix)
    to_onnx(tmp_path / "model.safetensors", CONFIG, tmp_path / "model.onnx")
    long, short = [3, 14, 15, 9, 26, 5], [8, 7, 9]
    found = run(tmp_path / "model.onnx", [long, [*short, 0, 0, 0]], [[1] * 6, [1, 1, 1, 0, 0, 0]])
    doubles = {name: array.astype(np.float64) for name, array in tensors.items()}
    assert np.abs(found[0] - forward(doubles, CONFIG, long)).max() < 1e-4
    assert np.abs(found[1][:3] - forward(doubles, CONFIG, short)).max() < 1e-4, "padding is seen"


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    save_safetensors(tmp_path / "model.safetensors", weights())
    for name in ("a.onnx", "b.onnx"):
        to_onnx(tmp_path / "model.safetensors", CONFIG, tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_int8_is_smaller_and_near(tmp_path: Path) -> None:
    save_safetensors(tmp_path / "model.safetensors", weights())
    to_onnx(tmp_path / "model.safetensors", CONFIG, tmp_path / "model.onnx")
    quantize(tmp_path / "model.onnx", tmp_path / "small.onnx")
    ids = [[3, 14, 15, 9, 26, 5]]
    exact, rounded = run(tmp_path / "model.onnx", ids, [[1] * 6]), run(tmp_path / "small.onnx", ids, [[1] * 6])
    assert 0 < np.abs(exact - rounded).max() < 0.5


@pytest.mark.parametrize("change", [{"hidden_act": "relu"}, {"hidden_act": "gelu_new"}, {"model_type": "roberta"}])
def test_another_kind_of_model_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    save_safetensors(tmp_path / "model.safetensors", weights())
    with pytest.raises(EmbeddingError, match="only BERT models with gelu"):
        to_onnx(tmp_path / "model.safetensors", {**CONFIG, **change}, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("blob", [b"", b"\x00\x01", b"\xff" * 64, b"\x02" + b"\0" * 7 + b"{]" + b"\0" * 8])
def test_a_spoilt_file_is_one_sentence(tmp_path: Path, blob: bytes) -> None:
    (tmp_path / "w").write_bytes(blob)
    with pytest.raises(EmbeddingError, match="not a readable safetensors file"):
        read_safetensors(tmp_path / "w")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    tensors = weights()
    del tensors["encoder.layer.1.output.dense.bias"]
    save_safetensors(tmp_path / "model.safetensors", tensors)
    with pytest.raises(EmbeddingError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        to_onnx(tmp_path / "model.safetensors", CONFIG, tmp_path / "model.onnx")


def reference() -> tuple[list[str], Any]:
    rows = json.loads(REFERENCE.read_text("utf-8"))
    return [row["text"] for row in rows], np.asarray([row["vector"] for row in rows])


def test_minilm_equals_the_stored_reference_vectors() -> None:
    folder, reason = minilm_folder()
    need("minilm", folder, reason)
    assert folder is not None
    texts, vectors = reference()
    found = open_folder(folder).embed(texts)
    assert found.shape == (8, 384)
    assert np.abs(found - vectors).max() < 1e-4


def test_minilm_in_int8_is_near_and_another_model() -> None:
    folder, reason = minilm_folder("int8")
    need("minilm", folder, reason)
    exact, reason = minilm_folder()
    need("minilm", exact, reason)
    assert folder is not None and exact is not None
    texts, vectors = reference()
    small = open_folder(folder)
    assert (small.embed(texts) * vectors).sum(axis=1).min() > 0.95
    assert small.model_id != open_folder(exact).model_id
    assert (folder / "model.onnx").stat().st_size < (exact / "model.onnx").stat().st_size / 3
