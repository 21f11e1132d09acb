"""The model as an ONNX graph, made from its published weights: six layers of BERT, mean pooling, unit length.

The graph takes `input_ids` and `attention_mask`, int64 of shape (texts, tokens), and gives `embedding`,
float32 of shape (texts, 384). Layers work on a matrix with one row for each token of each text.

Quantised, the embedding table is int8 with a scale for each row, the layers' weights are int8 with a scale
for each column, and what goes into a layer becomes uint8 with a scale for each token. With one scale for the
whole batch, as `onnxruntime.quantization` has it, a text's vector would depend on the texts beside it (alone
and among seven others: a cosine of .991) and be further from the exact one (.992 on average, not .997).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from indexer.model.pinned import DIMENSIONS, MOST_TOKENS

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]

_LAYERS: Final = 6
_HEADS: Final = 12
_HEAD_DIMENSIONS: Final = DIMENSIONS // _HEADS
_EPSILON: Final = 1e-12
_MASKED: Final = -1e9
"""What is added to padding's scores before softmax: nothing is left of them, and nothing is infinite."""

_OPSET: Final = 20  # the first that has Gelu
_IR_VERSION: Final = 10  # of that time, so that older runtimes open it


def build(weights: Weights, *, is_quantised: bool) -> bytes:
    """Return the graph as a serialised ONNX model.

    Raises:
        KeyError: The weights are of another model.
    """
    content: bytes = _Graph(weights, is_quantised).model().SerializeToString()
    return content


class _Graph:
    """The nodes and constants so far; values go by name."""

    def __init__(self, weights: Weights, is_quantised: bool) -> None:
        self._weights, self._is_quantised = weights, is_quantised
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def model(self) -> ModelProto:
        shape = self._op("Shape", "input_ids")
        mask = self._op("Cast", "attention_mask", to=TensorProto.FLOAT)
        hidden = self._embed(shape)
        hidden = self._rows(self._norm(hidden, "embeddings.LayerNorm"))
        scores_mask = self._scores_mask(mask)
        for n in range(_LAYERS):
            hidden = self._layer(f"encoder.layer.{n}.", hidden, shape, scores_mask)
        self._pool(hidden, shape, mask)
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", DIMENSIONS])
        graph = helper.make_graph(self._nodes, "sentence embedding", inputs, [output], self._constants)
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)

    def _embed(self, shape: str) -> str:
        """Look up tokens and positions; every token is of the first of two types, which only pairs need."""
        table = self._weights["embeddings.word_embeddings.weight"]
        if self._is_quantised:
            values, scales = _quantised(table, axis=1)
            rows = self._op("Gather", self._constant(values), "input_ids")
            tokens = self._op(
                "Mul",
                self._op("Cast", rows, to=TensorProto.FLOAT),
                self._op("Gather", self._constant(scales), "input_ids"),
            )
        else:
            tokens = self._op("Gather", self._constant(table), "input_ids")
        positions = self._weights["embeddings.position_embeddings.weight"][:MOST_TOKENS]
        types = self._weights["embeddings.token_type_embeddings.weight"]
        length = self._op("Slice", shape, self._integers(1), self._integers(2))
        used = self._op("Slice", self._constant(positions + types[0]), self._integers(0), length)
        return self._op("Add", tokens, used)

    def _scores_mask(self, mask: str) -> str:
        padding = self._op("Sub", self._constant(np.float32(1)), mask)
        return self._op(
            "Unsqueeze", self._op("Mul", padding, self._constant(np.float32(_MASKED))), self._integers(1, 2)
        )

    def _layer(self, name: str, hidden: str, shape: str, scores_mask: str) -> str:
        attended = self._linear(
            self._attention(f"{name}attention.self.", hidden, shape, scores_mask),
            *self._parameters(f"{name}attention.output.dense"),
        )
        hidden = self._norm(self._op("Add", attended, hidden), f"{name}attention.output.LayerNorm")
        wide = self._op("Gelu", self._linear(hidden, *self._parameters(f"{name}intermediate.dense")))
        narrow = self._linear(wide, *self._parameters(f"{name}output.dense"))
        return self._norm(self._op("Add", narrow, hidden), f"{name}output.LayerNorm")

    def _attention(self, name: str, hidden: str, shape: str, scores_mask: str) -> str:
        """Attend with all heads at once; the projections are one product, and queries come scaled."""
        scale = np.float32(_HEAD_DIMENSIONS**-0.5)
        query, key, value = (self._parameters(f"{name}{part}") for part in ("query", "key", "value"))
        projected = self._linear(
            hidden,
            np.concatenate([query[0] * scale, key[0], value[0]], axis=1),
            np.concatenate([query[1] * scale, key[1], value[1]]),
        )
        heads = self._op(
            "Concat", shape, self._integers(3 * _HEADS, _HEAD_DIMENSIONS), axis=0
        )  # texts, tokens, all heads' queries then keys then values, dimensions
        queries, keys, values = self._ops(
            3, "Split", self._op("Reshape", projected, heads), axis=2, num_outputs=3
        )
        scores = self._op(
            "MatMul",
            self._op("Transpose", queries, perm=[0, 2, 1, 3]),
            self._op("Transpose", keys, perm=[0, 2, 3, 1]),
        )
        shares = self._op("Softmax", self._op("Add", scores, scores_mask), axis=-1)
        mixed = self._op("MatMul", shares, self._op("Transpose", values, perm=[0, 2, 1, 3]))
        return self._rows(self._op("Transpose", mixed, perm=[0, 2, 1, 3]))

    def _pool(self, hidden: str, shape: str, mask: str) -> None:
        """Sum over the tokens that count; their number cancels out where the length becomes 1."""
        texts = self._op("Reshape", hidden, self._op("Concat", shape, self._integers(DIMENSIONS), axis=0))
        total = self._op("MatMul", self._op("Unsqueeze", mask, self._integers(1)), texts)
        pooled = self._op("Squeeze", total, self._integers(1))
        self._nodes.append(helper.make_node("LpNormalization", [pooled], ["embedding"], axis=-1, p=2))

    def _linear(self, rows: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        if not self._is_quantised:
            return self._op("Add", self._op("MatMul", rows, self._constant(weight)), self._constant(bias))
        values, scales = _quantised(weight, axis=0)
        coded, row_scales, zero = self._coded(rows)
        product = self._op("MatMulInteger", coded, self._constant(values), zero)
        # Rows first, in a product of its own: where the scales are multiplied first, onnxruntime 1.32 puts a
        # kernel in place of all of it that takes one row's scale for every row.
        product = self._op("Mul", self._op("Cast", product, to=TensorProto.FLOAT), row_scales)
        return self._op("Add", self._op("Mul", product, self._constant(scales)), self._constant(bias))

    def _coded(self, rows: str) -> tuple[str, str, str]:
        """Return rows as uint8 around 128, the scale of each as a column, and that 128."""
        highest = self._op("ReduceMax", rows, self._integers(1), keepdims=0)
        lowest = self._op("ReduceMin", rows, self._integers(1), keepdims=0)
        largest = self._op("Max", highest, self._op("Neg", lowest))
        scales = self._op("Mul", largest, self._constant(np.float32(1 / 127)))
        zeros = self._op("Expand", self._constant(np.array([128], np.uint8)), self._op("Shape", scales))
        coded = self._op("QuantizeLinear", rows, scales, zeros, axis=0)
        return coded, self._op("Unsqueeze", scales, self._integers(1)), self._constant(np.uint8(128))

    def _norm(self, hidden: str, name: str) -> str:
        return self._op(
            "LayerNormalization",
            hidden,
            self._constant(self._weights[f"{name}.weight"]),
            self._constant(self._weights[f"{name}.bias"]),
            axis=-1,
            epsilon=_EPSILON,
        )

    def _rows(self, hidden: str) -> str:
        return self._op("Reshape", hidden, self._integers(-1, DIMENSIONS))

    def _parameters(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a layer's weight, of shape (from, to), and its bias."""
        return self._weights[f"{name}.weight"].T, self._weights[f"{name}.bias"]

    def _integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _constant(self, value: NDArray[np.generic] | np.generic) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        (output,) = self._ops(1, kind, *inputs, **attributes)
        return output

    def _ops(self, count: int, kind: str, *inputs: str, **attributes: Any) -> list[str]:
        outputs = [f"{kind}_{len(self._nodes)}_{n}" for n in range(count)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs


def _quantised(matrix: NDArray[np.float32], *, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix as int8 and the scale of each line along `axis`; those of rows stand as a column."""
    scales = np.abs(matrix).max(axis=axis, keepdims=True) / np.float32(127)
    values = np.rint(matrix / np.where(scales == 0, np.float32(1), scales)).astype(np.int8)
    return values, scales if axis == 1 else scales[0]
