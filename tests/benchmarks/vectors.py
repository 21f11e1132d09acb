"""Vectors: from how many rows on a graph is worth it; what it costs to build, to keep and to load.

The vectors are made, seeded, in groups as real ones come; recall is that of the exact scan's ten.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.store import Vectors
from indexer.vectors.writing import CROSSOVER_ROWS, append, build_graphs
from tests.benchmarks.table import Row
from tests.vectors.clusters import DIMENSIONS, clustered, keys_for

_MODEL = "made"
_SIZES = (10_000, 30_000, 100_000, 250_000)
_QUERIES = 50
_SCAN_MS = 80
_RECALL = 0.95
_MADE_ROWS = 10_000

_PROCESS = """
import json, sys, time
from pathlib import Path
import numpy
from indexer.vectors.store import Vectors

def held():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))

queries = numpy.load(sys.argv[1])
before, started = held(), time.perf_counter()
store = Vectors.open(Path(sys.argv[2]), sys.argv[3], with_graphs=sys.argv[4] == "graphs")
opened = time.perf_counter()
store.nearest(queries[0], 10)
first = time.perf_counter()
for query in queries:
    store.nearest(query, 10)
print(json.dumps({"open_s": opened - started, "both_s": first - started, "bytes": held() - before}))
"""


def run(folder: Path) -> Iterator[Row]:
    """Search the same rows by scanning and through graphs, at several sizes."""
    queries = clustered(1, _QUERIES // 2)
    for count in _SIZES:
        yield from _at_size(folder / str(count), count, queries)


def _at_size(folder: Path, count: int, queries: NDArray[np.float32]) -> Iterator[Row]:
    keys = keys_for(count, count)
    for at in range(0, count, _MADE_ROWS):
        append(folder, _MODEL, keys[at : at + _MADE_ROWS], clustered(at, _MADE_ROWS))
    # Half of the queries have no relatives among the rows, half are of a group that is there.
    queries = np.concatenate([queries, clustered(0, _MADE_ROWS)[: _QUERIES // 2]])
    np.save(folder.with_suffix(".npy"), queries)
    exact = Vectors.open(folder, _MODEL, with_graphs=False)
    scan_ms, expected = _search(exact, queries)
    rows_bytes = exact.size_bytes
    del exact  # what two processes have mapped counts half for each
    once = _process(folder, "scan")
    cpu_s = time.process_time()
    built = build_graphs(folder, _MODEL, crossover=0)
    cpu_s = time.process_time() - cpu_s
    with_graphs = Vectors.open(folder, _MODEL, with_graphs=True)
    graph_ms, found = _search(with_graphs, queries)
    recall = float(np.mean([np.isin(a, b).mean() for a, b in zip(expected, found, strict=True)]))
    all_bytes = with_graphs.size_bytes
    del with_graphs
    staying = _process(folder, "graphs")
    advised = "a graph" if count > CROSSOVER_ROWS else "the scan"
    beside = (
        f"exact scan {scan_ms:.2f} ms, recall 1; float32 in BLAS {_blas_ms(count):.1f} ms; taken: {advised}"
    )
    yield Row(f"nearest ten of {count:,} vectors, {built} graphs", graph_ms, "ms", scan_ms, baseline=beside)
    yield Row("  recall@10 through graphs alone", recall, "", _RECALL, True)
    yield Row("  building the graphs", cpu_s, "CPU seconds")
    yield Row(
        "  on the disk, with graphs",
        all_bytes / 1e6,
        "MB",
        None,
        False,
        f"{rows_bytes / 1e6:.1f} MB without",
    )
    yield Row(
        "  memory of a process that stays",
        staying["bytes"] / 1e6,
        "MB",
        None,
        False,
        f"loaded in {staying['open_s'] * 1e3:.0f} ms",
    )
    yield Row(
        "  a process that runs once: opened, checked, scanned",
        once["both_s"] * 1e3,
        "ms",
        _SCAN_MS,
        False,
        f"{once['open_s'] * 1e3:.1f} ms to open; {once['bytes'] / 1e6:.0f} MB mapped",
    )


def _search(store: Vectors, queries: NDArray[np.float32]) -> tuple[float, list[NDArray[np.uint64]]]:
    """Return the median time of a search, and what each found."""
    times, found = [], []
    for query in queries:
        started = time.perf_counter()
        found.append(store.nearest(query, 10)[0])
        times.append(time.perf_counter() - started)
    return median(times) * 1e3, found


def _blas_ms(count: int) -> float:
    """Return what numpy takes for the product alone, where all rows are in memory as float32."""
    rows = np.ones((count, DIMENSIONS), np.float32)
    query = np.ones(DIMENSIONS, np.float32)
    times = []
    for _ in range(9):
        started = time.perf_counter()
        rows @ query
        times.append(time.perf_counter() - started)
    return median(times) * 1e3


def _process(folder: Path, how: str) -> dict[str, float]:
    """Search in a process of its own, and return what it says of itself."""
    arguments = [folder.with_suffix(".npy"), folder, _MODEL, how]
    finished = subprocess.run(
        [
            sys.executable,
            "-E",
            "-P",
            "-c",
            f"import sys; sys.path[:] = {sys.path!r}\n{_PROCESS}",
            *map(str, arguments),
        ],
        capture_output=True,
        check=True,
    )
    told: dict[str, float] = json.loads(finished.stdout)
    return told
