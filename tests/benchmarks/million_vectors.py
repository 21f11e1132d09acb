"""Vectors for the messages of an index, put into the store beside it: `-m … REPOSITORY ENTRIES`.

Embedding them all would take most of an hour. Some real messages are embedded, and every message has the vector
of one of them, moved a little at random, the same way each time. Prints what it took as one line of JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.benchmarks import million_turns
from tests.benchmarks.million_planting import place_of

EMBEDDED: Final = 1_500
NOISE: Final = 0.6
"""The length of what is added to a unit vector: its cosine to the real one is then about .86."""

_TOGETHER: Final = 50_000


def plant(repository: Path, entries: Path) -> dict[str, float]:
    """Put a vector into a repository's store for every message among ready entries.

    Returns:
        How many vectors there are, CPU seconds of writing them and of their graphs, and the bytes they take.
    """
    import numpy as np

    from indexer.model.embedder import Embedder
    from indexer.upkeep.embedding import folder_of
    from indexer.vectors.store import Vectors
    from indexer.vectors.writing import append, build_graphs

    embedder = Embedder.open(Path(os.environ["GITMEM_MODEL_DIR"]))
    folder = folder_of(Path(place_of(repository).common_dir), embedder.id)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(million_turns.SEED)
    said = [text for _, text in itertools.islice(_messages(entries), 20 * EMBEDDED)]
    real = embedder.embed(rng.sample(said, min(EMBEDDED, len(said))))
    noise = np.random.default_rng(million_turns.SEED)
    begun = time.process_time()
    messages = _messages(entries)
    while some := list(itertools.islice(messages, _TOGETHER)):
        keys = np.array([key for key, _ in some], np.uint64)
        rows = real[noise.integers(len(real), size=len(keys))]
        moved = noise.standard_normal(rows.shape, np.float32)
        rows = rows + moved * (NOISE / np.sqrt(rows.shape[1], dtype=np.float32))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        append(folder, embedder.id, keys, rows.astype(np.float32))
    written = time.process_time()
    build_graphs(folder, embedder.id)
    linked = time.process_time()
    found = Vectors.open(folder, embedder.id, with_graphs=False)
    took: dict[str, Any] = {"vectors": found.count, "size_bytes": found.size_bytes}
    return {**took, "append_cpu_s": written - begun, "graphs_cpu_s": linked - written}


def _messages(entries: Path) -> Iterator[tuple[int, str]]:
    for chunk in million_turns.read(entries):
        for entry in chunk:
            if entry.meaning:
                yield entry.meaning, entry.body


if __name__ == "__main__":
    print(json.dumps(plant(Path(sys.argv[1]), Path(sys.argv[2]))))
