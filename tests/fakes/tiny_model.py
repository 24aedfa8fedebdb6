"""A real ONNX embedding model, built in code in a fraction of a second: a vector is the mean of its pieces' table rows.

    build_tiny(folder)                     # a folder that `open_folder` and `memory model add --path` take
    by_hand("a text")                      # what it must answer, computed without ONNX and without fastembed

It is a fixture, not a search model: texts are near each other exactly when they share pieces.
"""

from __future__ import annotations

import hashlib
import json
import string
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openclaw_kernel.memory.embedding.manifest import Manifest, hashes, write_manifest

DIM = 32
WINDOW = 64
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = ("the", "and", "plant", "water", "monday", "garden", "invoice", "berlin", "coffee", "train")
FILES = ("model.onnx", "tokenizer.json", "tokenizer_config.json")


@cache
def pieces() -> tuple[str, ...]:
    letters, signs = string.ascii_lowercase + string.digits, string.punctuation
    pairs = [first + second for first in string.ascii_lowercase for second in string.ascii_lowercase]
    plain = [*letters, *signs, *pairs, *WORDS]
    return (*SPECIALS, *plain, *(f"##{piece}" for piece in [*letters, *pairs]))


@cache
def table(dim: int = DIM) -> NDArray[np.float32]:
    """One row a piece, from a generator seeded with the piece; special pieces say nothing."""
    rows = np.zeros((len(pieces()), dim), np.float32)
    for index, piece in enumerate(pieces()):
        if piece not in SPECIALS:
            seed = int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=8).digest(), "big")
            rows[index] = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
    return rows


def build_tiny(folder: Path, *, dim: int = DIM, window: int = WINDOW, name: str = "tiny", manifest: bool = True) -> Path:
    """Writes the model's files, and with `manifest` the manifest of an installed model."""
    folder.mkdir(parents=True, exist_ok=True)
    _graph(folder / "model.onnx", dim)
    tokenizer().save(str(folder / "tokenizer.json"))
    settings = {"model_max_length": window, "pad_token": "[PAD]", "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    if manifest:
        files = hashes(folder, FILES)
        write_manifest(folder, Manifest(name, "fp32", files["model.onnx"][:12], dim, window, "model.onnx", files))
    return folder


def tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces())}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(piece, SPECIALS.index(piece)) for piece in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made.add_special_tokens(list(SPECIALS))
    return made


def by_hand(text: str, dim: int = DIM) -> NDArray[np.float64]:
    """The unit vector of a text that fits the window."""
    mean = table(dim)[tokenizer().encode(text).ids].astype(np.float64).mean(axis=0)
    unit: NDArray[np.float64] = mean / np.linalg.norm(mean)
    return unit


def _graph(path: Path, dim: int) -> None:
    from onnx import TensorProto, checker, helper, numpy_helper

    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", dim])
    node = helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])
    graph = helper.make_graph([node], "tiny", inputs, [output], [numpy_helper.from_array(table(dim), "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
