"""A block is the bytes that docs/formats/vectors.md tells of, and its checksum sees what a disk does."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np

from indexer.vectors import arithmetic, block, graph
from tests.vectors.clusters import DIMENSIONS, MODEL, clustered, keys_for


def test_a_block_is_read_as_the_document_tells(tmp_path: Path, seed: int) -> None:
    keys, vectors = keys_for(seed, 101), clustered(seed, 101)
    content = (tmp_path / block.write(tmp_path, MODEL, arithmetic.quantise(keys, vectors))).read_bytes()
    magic, version, dimensions, count, checksum = struct.unpack_from("<8sIIQQ", content)
    assert (magic, version, dimensions, count) == (b"gm-rows\n", 1, DIMENSIONS, 101)
    assert content[32:64] == hashlib.sha256(MODEL.encode()).digest()
    words = struct.unpack(f"<{(len(content) - 64) // 8}Q", content[64:])
    pages = [words[at : at + 512] for at in range(0, len(words), 512)]
    assert checksum == sum((2 * n + 1) * sum(page) for n, page in enumerate(pages)) % (1 << 64)
    order = np.argsort(keys)
    assert list(struct.unpack_from("<101Q", content, 64)) == keys[order].tolist()
    scales = np.array(struct.unpack_from("<101f", content, 64 + 808))
    codes = np.frombuffer(content, np.int8, 101 * DIMENSIONS, 64 + 808 + 408).reshape(101, DIMENSIONS)
    assert len(content) == 64 + 808 + 408 + 101 * DIMENSIONS
    assert np.abs(codes).max(axis=1).tolist() == [127] * 101
    assert np.allclose(np.linalg.norm(codes * scales[:, None], axis=1), 1, atol=1e-6)
    assert np.abs(codes * scales[:, None] - vectors[order]).max() < 0.005


def test_the_least_a_checksum_must_see(seed: int) -> None:
    words = np.random.default_rng(seed).integers(0, 1 << 64, 2000, dtype=np.uint64)
    whole = block.checksum(words)
    for n in (0, 511, 512, 1999):
        for bit in (0, 8, 63):
            changed = words.copy()
            changed[n] ^= np.uint64(1 << bit)
            assert block.checksum(changed) != whole
    swapped = np.concatenate([words[512:1024], words[:512], words[1024:]])
    assert block.checksum(swapped) != whole
    assert block.checksum(np.zeros(0, np.uint64)) == 0


def test_axes_are_at_right_angles(seed: int) -> None:
    rows = arithmetic.quantise(keys_for(seed, 400), clustered(seed, 400))
    axes = graph.principal_axes(rows).astype(np.float64)
    assert axes.shape == (DIMENSIONS, graph.DIMENSIONS)
    assert np.allclose(axes.T @ axes, np.eye(graph.DIMENSIONS), atol=1e-5)
