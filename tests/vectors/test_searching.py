"""Scores are exact, whatever a row stands beside; a graph finds what a scan finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.vectors import arithmetic
from indexer.vectors.store import Vectors
from indexer.vectors.writing import append, build_graphs
from tests.conftest import IMPORTED_FROM
from tests.vectors.clusters import (
    DIMENSIONS,
    MODEL,
    clustered,
    fill,
    keys_for,
    nearest_by_scan,
    opened,
    stored,
    unit,
)

_LOADED = """
import sys
from pathlib import Path
import numpy
from indexer.vectors.store import Vectors
store = Vectors.open(Path(sys.argv[1]), sys.argv[2], with_graphs=False)
assert len(store.nearest(numpy.ones(384, numpy.float32), 10)[0]) == 10
assert "hnswlib" not in sys.modules
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


def test_scan_finds_what_a_scan_in_float64_finds(folder: Path, seed: int) -> None:
    keys, vectors = keys_for(seed, 3000), clustered(seed, 3000)
    for at in range(0, 3000, 700):
        append(folder, MODEL, keys[at : at + 700], vectors[at : at + 700])
    store = opened(folder)
    assert store.count == 3000
    for query in clustered(seed + 1, 20):
        found, scores = store.nearest(query, 10)
        expected = nearest_by_scan(keys, vectors, query, 10)
        # Two whose scores are nearer than float32 tells apart may have changed places.
        assert len(set(found.tolist()) & set(expected)) >= 9
        place = {int(key): n for n, key in enumerate(keys)}
        wide = stored(vectors)[[place[int(key)] for key in found]] @ query.astype(np.float64)
        assert np.abs(scores - wide).max() < 1e-6
        assert np.abs(scores - vectors[[place[int(key)] for key in found]] @ query).max() < 0.005


def test_eight_bits_change_a_score_by_less_than_a_thousandth(folder: Path, seed: int) -> None:
    keys, vectors = keys_for(seed, 2000), clustered(seed, 2000)
    append(folder, MODEL, keys, vectors)
    errors = np.abs(opened(folder).scores(vectors[0], keys) - vectors @ vectors[0])
    assert errors.mean() < 0.001
    assert opened(folder).scores(vectors[0], keys[:1])[0] == pytest.approx(1, abs=0.0005)


@pytest.mark.parametrize("shard_rows", [6000, 2000])
def test_graphs_find_what_a_scan_finds(folder: Path, seed: int, shard_rows: int) -> None:
    keys = fill(folder, seed, 6000)
    queries = [*clustered(seed, 6000)[:50], *clustered(seed + 1, 50)]
    exact = [opened(folder, with_graphs=False).nearest(query, 10)[0] for query in queries]
    assert build_graphs(folder, MODEL, crossover=0, shard_rows=shard_rows) == 6000 // shard_rows
    store = opened(folder)
    assert (store.count, store.without_graph) == (6000, 0)
    recalls = []
    for query, expected in zip(queries, exact, strict=True):
        found, scores = store.nearest(query, 10)
        recalls.append(np.isin(expected, found).mean())
        assert (np.diff(scores) <= 0).all()
        assert (scores == store.scores(query, found)).all()
    assert np.mean(recalls) >= 0.95
    assert set(keys.tolist()) == set(store.nearest(queries[0], 6000)[0].tolist())


def test_rows_without_a_graph_are_found_beside_those_with_one(folder: Path, seed: int) -> None:
    fill(folder, seed, 2000)
    build_graphs(folder, MODEL, crossover=0)
    late, vectors = keys_for(seed + 1, 30), clustered(seed + 1, 30)
    append(folder, MODEL, late, vectors)
    store = opened(folder)
    assert (store.count, store.without_graph) == (2030, 30)
    for key, vector in zip(late, vectors, strict=True):
        assert store.nearest(vector, 1)[0].tolist() == [key]


def test_a_score_does_not_depend_on_who_asks(folder: Path, seed: int) -> None:
    keys = fill(folder, seed, 3000, batch=1000)
    store = opened(folder)
    query = clustered(seed + 2, 1)[0]
    whole = store.scores(query, keys)
    for chosen in (keys[5:6], keys[::7], keys[::-1]):
        by_key = dict(zip(keys.tolist(), whole.tolist(), strict=True))
        assert store.scores(query, chosen).tolist() == [by_key[key] for key in chosen.tolist()]
    found, scores = store.nearest(query, 100)
    assert (scores == store.scores(query, found)).all()


@pytest.mark.parametrize("has_graph", [False, True])
def test_equal_scores_come_by_key(folder: Path, seed: int, has_graph: bool) -> None:
    vector = clustered(seed, 1)
    for keys in ([7, 3, (1 << 64) - 1], [5, 0], [4, 9]):
        append(folder, MODEL, np.array(keys, np.uint64), np.repeat(vector, len(keys), axis=0))
    if has_graph:
        build_graphs(folder, MODEL, crossover=0)
    assert opened(folder).nearest(vector[0], 5)[0].tolist() == [0, 3, 4, 5, 7]
    (page,) = opened(folder).ordered(vector[0])
    assert page[0].tolist() == [0, 3, 4, 5, 7, 9, (1 << 64) - 1]


@pytest.mark.parametrize("limit", [1, 10, 1000])
def test_rows_that_no_link_leads_to_are_scanned(folder: Path, seed: int, limit: int) -> None:
    vectors = np.repeat(clustered(seed, 3), 1000, axis=0)
    keys = keys_for(seed, 3000)
    append(folder, MODEL, keys, vectors)
    build_graphs(folder, MODEL, crossover=0)
    found, scores = opened(folder).nearest(vectors[1500], limit)
    assert len(found) == limit
    assert np.ptp(scores) == 0
    assert set(found.tolist()) <= set(keys[1000:2000].tolist())


def test_pages_hold_every_row_once_in_descending_order(folder: Path, seed: int) -> None:
    keys = fill(folder, seed, 9000, batch=4500)
    build_graphs(folder, MODEL, crossover=4000)
    query = clustered(seed + 1, 1)[0]
    store = opened(folder)
    pages = list(store.ordered(query))
    assert [len(page[0]) for page in pages] == [1000, 4000, 4000]
    ordered = np.concatenate([page[0] for page in pages])
    scores = np.concatenate([page[1] for page in pages])
    expected = arithmetic.best(keys, store.scores(query, keys), 9000)
    assert ordered.tolist() == expected[0].tolist()
    assert (scores == expected[1]).all()


def test_a_key_without_a_vector_has_no_score(folder: Path, seed: int) -> None:
    keys, vectors = keys_for(seed, 12), clustered(seed, 12)
    append(folder, MODEL, keys[:10], vectors[:10])
    store = opened(folder)
    wanted = [int(keys[11]), int(keys[3]), int(keys[10]), int(keys[3])]
    assert np.isnan(store.scores(vectors[3], wanted)).tolist() == [True, False, True, False]
    assert store.missing([*wanted, *wanted]) == [int(keys[11]), int(keys[10])]
    assert int(keys[3]) in store
    assert int(keys[10]) not in store


@pytest.mark.parametrize("with_graphs", [False, True])
def test_a_store_that_is_not_there_is_empty(folder: Path, with_graphs: bool) -> None:
    store = opened(folder, with_graphs=with_graphs)
    query = np.ones(DIMENSIONS, np.float32)
    assert (store.count, store.size_bytes, store.damaged) == (0, 0, ())
    assert [len(values) for values in store.nearest(query, 10)] == [0, 0]
    assert np.isnan(store.scores(query, [1, 2])).all()
    assert len(store.scores(query, [])) == 0
    assert store.missing([3, 1, 3]) == [3, 1]
    assert store.missing([]) == []
    assert list(store.ordered(query)) == []
    assert build_graphs(folder, MODEL, crossover=0) == 0
    assert not folder.exists()


@pytest.mark.parametrize("limit", [0, -1])
def test_who_wants_none_gets_none(folder: Path, seed: int, limit: int) -> None:
    fill(folder, seed, 20)
    assert len(opened(folder).nearest(clustered(seed, 1)[0], limit)[0]) == 0


def test_a_process_that_does_not_stay_loads_no_graphs(folder: Path, seed: int) -> None:
    fill(folder, seed, 500)
    build_graphs(folder, MODEL, crossover=0)
    subprocess.run(
        [sys.executable, "-P", "-c", _LOADED, str(folder), MODEL],
        env={"PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )


_KEYS = st.lists(st.integers(0, (1 << 64) - 1), max_size=30)
_ROWS = arrays.arrays(
    np.float64, (5, 8), elements=st.floats(-1, 1, width=32).map(lambda x: 0.0 if abs(x) < 1e-6 else x)
)


@settings(max_examples=50)
@given(batches=st.lists(_KEYS, max_size=4), rows=_ROWS)
def test_what_is_appended_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], rows: np.ndarray
) -> None:
    folder = tmp_path_factory.mktemp("store")
    lengths = np.linalg.norm(rows, axis=1)
    rows[lengths > 0] = unit(rows[lengths > 0])
    rows = np.tile(rows, (6, 1))
    expected: dict[int, np.ndarray] = {}
    for keys in batches:
        new = [key for key in dict.fromkeys(keys) if key not in expected]
        assert append(folder, MODEL, np.array(keys, np.uint64), rows[: len(keys)].astype(np.float32)) == len(
            new
        )
        for n, key in enumerate(keys):
            expected.setdefault(key, rows[n])
    store = Vectors.open(folder, MODEL, with_graphs=False)
    assert (store.count, store.damaged, store.missing(expected)) == (len(expected), (), [])
    for key, row in expected.items():
        length = np.linalg.norm(row)
        assert store.scores(row.astype(np.float32), [key])[0] == pytest.approx(length, abs=0.01)
