"""What the real model makes of texts is found through graphs as it is by a scan."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np

from indexer.model.embedder import Embedder
from indexer.vectors.store import Vectors
from indexer.vectors.writing import append, build_graphs

MODEL = "all-MiniLM-L6-v2"
WHO = ("the parser", "our cache", "a worker", "the login page", "this test", "the build", "the tide table")
DOES = ("drops", "repeats", "forgets", "rounds", "locks", "prints", "reads twice", "never closes")
WHAT = ("the last line", "a redirect", "its lock file", "every third row", "an empty folder", "the old name")
WHEN = (
    "after a restart",
    "on a slow disk",
    "when two come at once",
    "since yesterday",
    "with an older compiler",
)
HOW = (
    "Why is that?",
    "Please mend it.",
    "I cannot repeat it.",
    "See src/harbour/tide.py.",
    "It was my fault.",
)


def test_graphs_over_real_vectors_find_what_a_scan_finds(tmp_path: Path, model_dir: Path, seed: int) -> None:
    dice = random.Random(seed)
    texts = [f"{a} {b} {c} {d}. {e}" for a in WHO for b in DOES for c in WHAT for d in WHEN for e in HOW]
    texts = dice.sample(texts, 2000)
    questions = [
        "who forgets to close the lock",
        "slow disk",
        "tide tables",
        "compilers",
        *dice.sample(texts, 46),
    ]
    embedder = Embedder.open(model_dir, threads=2)
    keys = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") for text in texts]
    for at in range(0, len(texts), 512):
        append(
            tmp_path, MODEL, np.array(keys[at : at + 512], np.uint64), embedder.embed(texts[at : at + 512])
        )
    queries = [embedder.embed_query(question) for question in questions]
    scan = Vectors.open(tmp_path, MODEL, with_graphs=False)
    exact = [scan.nearest(query, 10)[0] for query in queries]
    assert build_graphs(tmp_path, MODEL, crossover=0, shard_rows=1000) == 2
    store = Vectors.open(tmp_path, MODEL, with_graphs=True)
    assert (store.count, store.without_graph) == (2000, 0)
    found = [store.nearest(query, 10)[0] for query in queries]
    assert np.mean([np.isin(a, b).mean() for a, b in zip(exact, found, strict=True)]) >= 0.95
    for question, best in zip(questions[4:], found[4:], strict=True):
        assert best[0] == keys[texts.index(question)]
