"""The embedding model: how many turns a CPU-second, how near to the exact vectors, how soon it is open."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import load

from indexer.model.embedder import Embedder
from indexer.model.graph import build
from indexer.model.install import install
from tests.benchmarks.table import Row
from tests.conftest import IMPORTED_FROM
from tests.embedding.installed import FILES, Silent, published
from tests.embedding.sentences import SENTENCES

_TURNS = 400
_QUERY = "where did we cap the number of retries"

_OPEN = """
import sys, time
started, used = time.perf_counter(), time.process_time()
from pathlib import Path
from indexer.model.embedder import Embedder
embedder = Embedder.open(Path(sys.argv[1]))
embedder.embed_query(sys.argv[2])
opened, used = time.perf_counter(), time.process_time() - used
for _ in range(50):
    embedder.embed_query(sys.argv[2])
print((opened - started) * 1e3, used * 1e3, (time.perf_counter() - opened) / 50 * 1e3)
"""


def run(folder: Path) -> Iterator[Row]:
    """Install the model and embed turns whose lengths are spread as those of real ones."""
    files = published(folder, os.environ)
    install(folder / "models", str(files), None, Silent())
    embedder = Embedder.open(folder / "models")
    weights, tokenizer = ((files / name).read_bytes() for name in FILES)
    unquantised = Embedder.of(build(load(weights), is_quantised=False), tokenizer)

    turns = _turns(embedder)
    mean = statistics.fmean(len(embedder._tokens(turn)) for turn in turns)
    embedder.embed(turns[:50])
    rate, baseline = _per_cpu_second(embedder, turns), _per_cpu_second(unquantised, turns[::4])
    what = f"embed turns of {mean:.0f} tokens on average"
    yield Row(what, rate, "turns/CPU-s", 100, True, f"float32: {baseline:.0f}")

    texts = [*SENTENCES, *turns[:100]]
    cosines = (embedder.embed(texts) * unquantised.embed(texts)).sum(axis=1)
    yield Row("  cosine to float32", float(cosines.mean()), "", 0.99, True, f"the least: {cosines.min():.4f}")
    alone = np.array([embedder.embed_query(text) for text in texts])
    beside = f"texts embedded one by one: {(alone * embedder.embed(texts)).sum(axis=1).min():.6f} at worst"
    size = sum(path.stat().st_size for path in (folder / "models").rglob("*") if path.is_file())
    yield Row("  size of the model", size / 1e6, "MB", 24, False, beside)

    runs = [_opened(folder / "models") for _ in range(9)]
    opened, used, query = (statistics.median(run[n] for run in runs) for n in range(3))
    beside = f"libraries' imports included; of CPU: {used:.0f} ms"
    yield Row("  from a new process to the first query", opened, "ms", None, False, beside)
    yield Row("  a query", query, "ms", 10)


def _turns(embedder: Embedder) -> list[str]:
    """Return turns of words from the sentences, their lengths log-normal, with a mean of about 96 tokens."""
    source = random.Random(7)
    words = " ".join(SENTENCES).split()
    return [
        " ".join(source.choices(words, k=max(2, min(220, round(source.lognormvariate(4.09, 0.8))))))
        for _ in range(_TURNS)
    ]


def _per_cpu_second(embedder: Embedder, turns: list[str]) -> float:
    started = time.process_time()
    embedder.embed(turns)
    return len(turns) / (time.process_time() - started)


def _opened(model_dir: Path) -> list[float]:
    """Return what a new process needed until it had answered a query, wall and CPU, and for one more; in ms."""
    finished = subprocess.run(
        [sys.executable, "-P", "-c", _OPEN, str(model_dir), _QUERY],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    return [float(word) for word in finished.stdout.split()]
