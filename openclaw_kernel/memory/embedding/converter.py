"""BERT weights (safetensors) to an ONNX graph, with numpy and onnx alone: no torch, no network.

    to_onnx(folder / "model.safetensors", json.loads(config), folder / "model.onnx")

The same weights give the same bytes. The graph's inputs are `input_ids`, `attention_mask` and `token_type_ids` (int64,
batch × sequence), its output `last_hidden_state` (float32, batch × sequence × width); pooling is the caller's.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.memory.embedding.api import EmbeddingError

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Array = NDArray[float32]

OPSET = 20
"""The first one with Gelu."""
IR_VERSION = 9
_MASKED = -1e9
_MAX_HEADER = 100_000_000
_DTYPES = {"F32": "<f4", "F16": "<f2"}


def read_safetensors(path: Path) -> dict[str, Array]:
    """Name → float32 array, a leading `bert.` dropped; arrays of other types are left out. Raises `EmbeddingError`."""
    import numpy as np

    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        (length,) = struct.unpack_from("<Q", data, 0)
        if length > min(_MAX_HEADER, len(data) - 8):
            raise ValueError("its header is longer than the file")
        header = json.loads(data[8 : 8 + length])
        tensors: dict[str, Array] = {}
        for name, row in header.items():
            if name == "__metadata__" or row["dtype"] not in _DTYPES:
                continue
            first, end = row["data_offsets"]
            kind = np.dtype(_DTYPES[row["dtype"]])
            flat = np.frombuffer(data, kind, (end - first) // kind.itemsize, 8 + length + first)
            tensors[name.removeprefix("bert.")] = flat.reshape(row["shape"]).astype(np.float32, copy=False)
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise EmbeddingError(f"{path} is not a readable safetensors file ({error}); download the model again.") from error
    return tensors


def to_onnx(weights: Path, config: Mapping[str, Any], target: Path) -> None:
    """Writes the graph of `weights` to `target`. `config` is the model's config.json. Raises `EmbeddingError` for a model
    that is no BERT with the exact GELU, or whose weights are incomplete."""
    import onnx

    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise EmbeddingError(
            f"{weights} is a {config.get('model_type')} model with {config.get('hidden_act')} activation; only BERT models "
            "with gelu can be converted, so give a folder that has an ONNX file already."
        )
    try:
        graph = _Graph(read_safetensors(weights), config)
        graph.build()
    except KeyError as error:
        raise EmbeddingError(f"{weights} lacks {error}; it is no complete BERT model.") from error
    model = graph.model()
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString(deterministic=True))


@dataclass
class _Graph:
    """Nodes and constants as they are laid down; a step returns the name of its output."""

    tensors: Mapping[str, Array]
    config: Mapping[str, Any]
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    _count: int = 0

    def build(self) -> None:
        self._constants()
        mask = self._mask()
        hidden = self._embeddings()
        for layer in range(int(self.config["num_hidden_layers"])):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, mask)
        self._add("Identity", [hidden], output="last_hidden_state")

    def model(self) -> Any:
        from onnx import TensorProto, helper

        shape = ["batch", "sequence"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            for name in ("input_ids", "attention_mask", "token_type_ids")
        ]
        width = int(self.config["hidden_size"])
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, width])
        graph = helper.make_graph(self.nodes, "bert", inputs, [output], self.constants)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="jupyter-openclaw"
        )

    def _constants(self) -> None:
        heads, width = int(self.config["num_attention_heads"]), int(self.config["hidden_size"])
        self._whole("split", [0, 0, heads, width // heads])
        self._whole("join", [0, 0, width])
        for number in (0, 1):
            self._whole(f"at_{number}", [number])
        self._number("one", 1.0)
        self._number("masked", _MASKED)
        self._number("scale", 1.0 / float(width // heads) ** 0.5)

    def _mask(self) -> str:
        """(1 − mask) × −1e9 as [batch, 1, 1, sequence], added to the scores."""
        number = self._add("Cast", ["attention_mask"], to=1)
        away = self._add("Mul", [self._add("Sub", ["one", number]), "masked"])
        return self._add("Unsqueeze", [self._add("Unsqueeze", [away, "at_1"]), "at_1"])

    def _embeddings(self) -> str:
        words = self._add("Gather", [self._tensor("embeddings.word_embeddings.weight"), "input_ids"])
        kinds = self._add("Gather", [self._tensor("embeddings.token_type_embeddings.weight"), "token_type_ids"])
        length = self._add("Gather", [self._add("Shape", ["input_ids"]), "at_1"])
        table = self._tensor("embeddings.position_embeddings.weight")
        places = self._add("Slice", [table, "at_0", length, "at_0"])
        total = self._add("Add", [self._add("Add", [words, kinds]), places])
        return self._norm("embeddings.LayerNorm", total)

    def _layer(self, name: str, hidden: str, mask: str) -> str:
        attended = self._dense(f"{name}.attention.output.dense", self._attention(f"{name}.attention.self", hidden, mask))
        hidden = self._norm(f"{name}.attention.output.LayerNorm", self._add("Add", [attended, hidden]))
        inner = self._add("Gelu", [self._dense(f"{name}.intermediate.dense", hidden)], approximate="none")
        return self._norm(f"{name}.output.LayerNorm", self._add("Add", [self._dense(f"{name}.output.dense", inner), hidden]))

    def _attention(self, name: str, hidden: str, mask: str) -> str:
        query = self._heads(f"{name}.query", hidden, [0, 2, 1, 3])
        key = self._heads(f"{name}.key", hidden, [0, 2, 3, 1])
        value = self._heads(f"{name}.value", hidden, [0, 2, 1, 3])
        scores = self._add("Mul", [self._add("MatMul", [query, key]), "scale"])
        shares = self._add("Softmax", [self._add("Add", [scores, mask])], axis=-1)
        mixed = self._add("Transpose", [self._add("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        return self._add("Reshape", [mixed, "join"])

    def _heads(self, name: str, hidden: str, order: list[int]) -> str:
        return self._add("Transpose", [self._add("Reshape", [self._dense(name, hidden), "split"])], perm=order)

    def _dense(self, name: str, hidden: str) -> str:
        product = self._add("MatMul", [hidden, self._tensor(f"{name}.weight", turned=True)])
        return self._add("Add", [product, self._tensor(f"{name}.bias")])

    def _norm(self, name: str, hidden: str) -> str:
        inputs = [hidden, self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias")]
        return self._add("LayerNormalization", inputs, axis=-1, epsilon=float(self.config["layer_norm_eps"]))

    def _add(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        from onnx import helper

        self._count += 1
        output = output or f"{kind.lower()}_{self._count}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"node_{self._count}", **attributes))
        return output

    def _tensor(self, name: str, *, turned: bool = False) -> str:
        import numpy as np
        from onnx import numpy_helper

        array = self.tensors[name]
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array.T if turned else array), name))
        return name

    def _whole(self, name: str, values: list[int]) -> None:
        import numpy as np
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(values, np.int64), name))

    def _number(self, name: str, value: float) -> None:
        import numpy as np
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))


def quantize(source: Path, target: Path) -> None:
    """The graph with its matrices in int8, a scale a column: a quarter of the size."""
    import logging

    from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises a preparation that changes nothing here
    try:
        quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)
    finally:
        root.setLevel(level)
