"""The model once more, written from its definition (Devlin et al. 2018; mean pooling, Reimers 2019).

In plain numpy and float64, a text at a time, without padding or masks: slow, and easy to check by eye.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LAYERS, HEADS, SIZE = 6, 12, 384

_erf = np.vectorize(math.erf, otypes=[np.float64])


class Reference:
    """The model, from its published weights."""

    def __init__(self, weights: Path) -> None:
        self._weights = read_safetensors(weights)

    def embed(self, ids: Sequence[int]) -> Array:
        """Return the vector, of length 1, of a text of these tokens."""
        hidden = (
            self._weights["embeddings.word_embeddings.weight"][list(ids)]
            + self._weights["embeddings.position_embeddings.weight"][: len(ids)]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        hidden = self._norm("embeddings.LayerNorm", hidden)
        for n in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{n}", hidden)
        pooled: Array = hidden.mean(axis=0)
        return pooled / np.linalg.norm(pooled)

    def _layer(self, name: str, hidden: Array) -> Array:
        query, key, value = (
            self._linear(f"{name}.attention.self.{part}", hidden) for part in ("query", "key", "value")
        )
        mixed = np.empty_like(hidden)
        width = SIZE // HEADS
        for head in range(HEADS):
            at = slice(head * width, (head + 1) * width)
            scores = query[:, at] @ key[:, at].T / math.sqrt(width)
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            mixed[:, at] = shares / shares.sum(axis=1, keepdims=True) @ value[:, at]
        attended = self._linear(f"{name}.attention.output.dense", mixed)
        hidden = self._norm(f"{name}.attention.output.LayerNorm", hidden + attended)
        wide = self._linear(f"{name}.intermediate.dense", hidden)
        wide = wide * (1 + _erf(wide / math.sqrt(2))) / 2
        return self._norm(f"{name}.output.LayerNorm", hidden + self._linear(f"{name}.output.dense", wide))

    def _linear(self, name: str, rows: Array) -> Array:
        product: Array = rows @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _norm(self, name: str, rows: Array) -> Array:
        centred = rows - rows.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        normed: Array = centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return normed


def read_safetensors(path: Path) -> dict[str, Array]:
    """Read a file of tensors: the length of its header, the header in JSON, then their bytes."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, facts in json.loads(content[8:start]).items():
        if name != "__metadata__" and facts["dtype"] == "F32":
            first, last = facts["data_offsets"]
            values = np.frombuffer(content[start + first : start + last], "<f4")
            tensors[name] = values.reshape(facts["shape"]).astype(np.float64)
    return tensors
