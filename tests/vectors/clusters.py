"""Vectors that are made: near each other in groups, along some axes more than along others, as real ones are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.store import Vectors
from indexer.vectors.writing import append

MODEL = "made-of-noise"
DIMENSIONS = 384


def clustered(seed: int, count: int) -> NDArray[np.float32]:
    """Return unit vectors, float32 (count, DIMENSIONS), about twenty to a group."""
    dice = np.random.default_rng(seed)
    spread = np.arange(1, DIMENSIONS + 1) ** -0.5
    centres = dice.standard_normal((1 + count // 20, DIMENSIONS)) * spread
    around = 0.6 * dice.standard_normal((count, DIMENSIONS)) * spread
    vectors = centres[dice.integers(0, len(centres), count)] + around
    return unit(vectors)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Scale rows to length 1."""
    scaled: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled.astype(np.float32)


def keys_for(seed: int, count: int) -> NDArray[np.uint64]:
    """Return as many different keys."""
    keys = np.unique(np.random.default_rng(seed).integers(0, 1 << 64, 2 * count + 2, dtype=np.uint64))
    return np.random.default_rng(seed).permutation(keys)[:count]


def fill(folder: Path, seed: int, count: int, batch: int = 1 << 20) -> NDArray[np.uint64]:
    """Append clustered vectors to a store in batches; return their keys."""
    keys, vectors = keys_for(seed, count), clustered(seed, count)
    for at in range(0, count, batch):
        append(folder, MODEL, keys[at : at + batch], vectors[at : at + batch])
    return keys


def opened(folder: Path, *, with_graphs: bool = True) -> Vectors:
    """Take a snapshot."""
    return Vectors.open(folder, MODEL, with_graphs=with_graphs)


def stored(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what eight bits keep of vectors, in float64, as docs/formats/vectors.md says."""
    wide = vectors.astype(np.float64)
    codes = np.rint(vectors * (np.float32(127) / np.abs(vectors).max(axis=1, keepdims=True)))
    assert np.abs(codes / 127 * np.abs(wide).max(axis=1, keepdims=True) - wide).max() < 0.005
    scaled: NDArray[np.float64] = codes / np.linalg.norm(codes.astype(np.float64), axis=1, keepdims=True)
    return scaled


def nearest_by_scan(
    keys: NDArray[np.uint64], vectors: NDArray[np.float32], query: NDArray[np.float32], limit: int
) -> list[int]:
    """Return the nearest keys by an exact scan in float64 of what is stored."""
    scores = stored(vectors) @ query.astype(np.float64)
    order = np.lexsort((keys, -scores))[:limit]
    return [int(key) for key in keys[order]]
