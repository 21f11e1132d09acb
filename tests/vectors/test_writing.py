"""Rows come, go and are merged; graphs are built over what is there, and nothing of what has gone stays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gitmem import disk
from indexer.vectors import arithmetic, writing
from indexer.vectors.graph import DIMENSIONS as GRAPH_DIMENSIONS
from indexer.vectors.store import Vectors
from indexer.vectors.writing import append, build_graphs, keep_only, remove_others
from tests.vectors.clusters import MODEL, clustered, fill, keys_for, opened


class Interrupted(Exception):
    """Stands for whoever ends the building of graphs."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


def content(folder: Path) -> bytes:
    """Return every byte of a folder's files, their names too."""
    return b"".join(path.name.encode() + path.read_bytes() for path in sorted(folder.rglob("*")))


def answers(store: Vectors, seed: int) -> list[list[int]]:
    return [store.nearest(query, 10)[0].tolist() for query in clustered(seed, 10)]


def test_a_key_keeps_its_vector(folder: Path, seed: int) -> None:
    keys, vectors = keys_for(seed, 10), clustered(seed, 20)
    assert append(folder, MODEL, np.append(keys, keys[0]), vectors[:11]) == 10
    before = opened(folder).scores(vectors[0], keys)
    assert append(folder, MODEL, keys, vectors[10:]) == 0
    assert (opened(folder).scores(vectors[0], keys) == before).all()


def test_small_blocks_are_merged(folder: Path, seed: int) -> None:
    keys, vectors = keys_for(seed, 400), clustered(seed, 400)
    expected = {}
    most = at = 0
    for n in range(100):
        count = 1 + n % 7
        append(folder, MODEL, keys[at : at + count], vectors[at : at + count])
        at += count
        store = opened(folder)
        most = max(most, len(store.blocks))
        expected.update(zip(keys[:at].tolist(), store.scores(vectors[0], keys[:at]).tolist(), strict=True))
        assert store.count == at
    assert most <= 15
    assert opened(folder).scores(vectors[0], list(expected)).tolist() == list(expected.values())
    assert len(list(folder.glob("rows-*"))) == len(opened(folder).blocks)


def test_many_rows_become_several_blocks(folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHARD_ROWS", 1000)
    keys = fill(folder, seed, 3500)
    store = opened(folder)
    assert [at.entry.rows for at in store.blocks] == [1000, 1000, 1000, 500]
    assert store.missing(keys.tolist()) == []


def test_appending_nothing_changes_nothing(folder: Path, seed: int) -> None:
    fill(folder, seed, 10)
    before = content(folder)
    assert append(folder, MODEL, np.empty(0, np.uint64), np.empty((0, 384), np.float32)) == 0
    assert content(folder) == before


def test_few_rows_get_no_graph(folder: Path, seed: int) -> None:
    fill(folder, seed, 500)
    assert build_graphs(folder, MODEL, crossover=500) == 0
    assert opened(folder).without_graph == 500
    assert build_graphs(folder, MODEL, crossover=499) == 1
    assert opened(folder).without_graph == 0
    assert build_graphs(folder, MODEL, crossover=0) == 0


def test_graphs_are_brought_up_to_what_they_should_cover(folder: Path, seed: int) -> None:
    keys, vectors = keys_for(seed, 6000), clustered(seed, 6000)
    for at in range(0, 6000, 250):
        append(folder, MODEL, keys[at : at + 250], vectors[at : at + 250])
        build_graphs(folder, MODEL, crossover=600, shard_rows=2000)
        store = opened(folder)
        assert store.without_graph <= 600
        assert store.missing(keys[: at + 250].tolist()) == []
        assert max(block.entry.rows for block in store.blocks) <= 2000
    assert len(store.blocks) <= 10
    found = store.nearest(vectors[17], 1)[0]
    assert found.tolist() == [keys[17]]


def test_the_same_rows_give_the_same_graph(tmp_path: Path, seed: int) -> None:
    digests = []
    for name in ("one", "two"):
        fill(tmp_path / name, seed, 1500)
        build_graphs(tmp_path / name, MODEL, crossover=0)
        (path,) = (tmp_path / name).glob("graph-*")
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def test_building_tells_how_far_it_is(folder: Path, seed: int) -> None:
    fill(folder, seed, 5000)
    told: list[tuple[int, int]] = []
    build_graphs(folder, MODEL, crossover=0, shard_rows=2500, progress=lambda *values: told.append(values))
    assert told == sorted(told)
    assert told[-1] == (5000, 5000)
    assert len(told) > 4


def test_building_that_is_ended_keeps_what_is_complete(folder: Path, seed: int) -> None:
    def end(done: int, total: int) -> None:
        if done > 2500:
            raise Interrupted

    fill(folder, seed, 5000)
    with pytest.raises(Interrupted):
        build_graphs(folder, MODEL, crossover=0, shard_rows=2500, progress=end)
    assert opened(folder).without_graph == 2500
    assert build_graphs(folder, MODEL, crossover=0, shard_rows=2500) == 1
    assert opened(folder).without_graph == 0


def test_rows_may_come_while_a_graph_is_built(folder: Path, seed: int) -> None:
    late = keys_for(seed + 1, 10)

    def come(done: int, total: int) -> None:
        append(folder, MODEL, late, clustered(seed + 1, 10))

    fill(folder, seed, 2000)
    assert build_graphs(folder, MODEL, crossover=0, progress=come) == 1
    store = opened(folder)
    assert (store.count, store.without_graph) == (2010, 10)
    assert store.missing(late.tolist()) == []


def test_rows_that_go_while_a_graph_is_built_are_not_shown_by_it(folder: Path, seed: int) -> None:
    keys = fill(folder, seed, 2000)
    live = set(keys[1:].tolist())

    def go(done: int, total: int) -> None:
        keep_only(folder, MODEL, live)

    assert build_graphs(folder, MODEL, crossover=0, progress=go) == 0
    assert not list(folder.glob("graph-*"))
    assert build_graphs(folder, MODEL, crossover=0) == 1
    assert opened(folder).count == 1999


@pytest.mark.parametrize("ask", [lambda live: live, lambda live: live.__contains__], ids=["set", "function"])
def test_what_is_not_kept_is_in_no_byte_of_the_folder(
    folder: Path, seed: int, ask: Callable[[set[int]], set[int] | Callable[[int], bool]]
) -> None:
    keys, vectors = keys_for(seed, 3000), clustered(seed, 3000)
    for at in range(0, 3000, 1000):
        append(folder, MODEL, keys[at : at + 1000], vectors[at : at + 1000])
    build_graphs(folder, MODEL, crossover=0, shard_rows=1500)
    (folder / f"{disk.UNPUBLISHED}left").write_bytes(b"by a process that was killed")
    gone = range(0, 1000, 100)
    codes = arithmetic.quantise(keys, vectors)
    place = {int(key): n for n, key in enumerate(codes.keys)}
    traces = [codes.codes[place[int(keys[n])]].tobytes() for n in gone] + [keys[n].tobytes() for n in gone]
    assert all(trace in content(folder) for trace in traces)
    graphs = sorted(folder.glob("graph-*"))
    before = opened(folder, with_graphs=False)
    untouched = [at.entry for at in before.blocks if not np.isin(keys[list(gone)], at.rows.keys).any()]
    live = set(keys.tolist()) - {int(keys[n]) for n in gone}
    assert keep_only(folder, MODEL, ask(live)) == len(gone)
    after = content(folder)
    assert not [trace for trace in traces if trace in after]
    assert not list(folder.glob(f"{disk.UNPUBLISHED}*"))
    assert len(sorted(folder.glob("graph-*"))) < len(graphs)
    store = opened(folder)
    assert (store.count, store.missing(live), store.damaged) == (2990, [], ())
    assert [at.entry for at in store.blocks if at.entry in untouched] == untouched
    expected = answers(opened(folder, with_graphs=False), seed)
    assert build_graphs(folder, MODEL, crossover=0, shard_rows=1500) >= 1
    found = answers(opened(folder), seed)
    assert np.mean([np.isin(a, b).mean() for a, b in zip(expected, found, strict=True)]) >= 0.95


def test_keeping_everything_changes_nothing(folder: Path, seed: int) -> None:
    keys = fill(folder, seed, 500)
    build_graphs(folder, MODEL, crossover=0)
    before = content(folder)
    assert keep_only(folder, MODEL, set(keys.tolist())) == 0
    assert content(folder) == before


def test_keeping_nothing_leaves_an_empty_store(folder: Path, seed: int) -> None:
    keys = fill(folder, seed, 500)
    assert keep_only(folder, MODEL, frozenset()) == 500
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "state.json"]
    assert opened(folder).missing(keys.tolist()) == keys.tolist()
    assert keep_only(folder / "nowhere", MODEL, frozenset()) == 0
    assert not (folder / "nowhere").exists()


def test_another_models_vectors_do_not_count(folder: Path, seed: int) -> None:
    keys = fill(folder, seed, 50)
    assert Vectors.open(folder, "another", with_graphs=True).count == 0
    append(folder, "another", keys[:5], clustered(seed, 5))
    assert Vectors.open(folder, "another", with_graphs=True).count == 5
    assert opened(folder).count == 0
    assert len(list(folder.glob("rows-*"))) == 1


def test_vectors_of_other_dimensions_take_the_place_of_those_there(folder: Path, seed: int) -> None:
    keys = fill(folder, seed, 50)
    append(folder, MODEL, keys[:5], clustered(seed, 5)[:, :100])
    assert opened(folder).count == 5


def test_stores_of_other_models_are_removed(tmp_path: Path, seed: int) -> None:
    for name in ("one", "two", "three"):
        append(tmp_path / name, name, keys_for(seed, 5), clustered(seed, 5))
    assert remove_others(tmp_path, "two") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["two"]
    assert remove_others(tmp_path, "two") == 0
    assert remove_others(tmp_path / "nowhere", "two") == 0


def test_a_new_snapshot_loads_only_what_is_new(folder: Path, seed: int) -> None:
    fill(folder, seed, 1000)
    build_graphs(folder, MODEL, crossover=0)
    old = opened(folder)
    append(folder, MODEL, keys_for(seed + 1, 10), clustered(seed + 1, 10))
    new = old.refreshed()
    assert (old.count, new.count) == (1000, 1010)
    assert new.blocks[0].graph is old.blocks[0].graph is not None
    assert new.blocks[0].rows is old.blocks[0].rows
    build_graphs(folder, MODEL, crossover=0)
    newest = new.refreshed()
    assert newest.without_graph == 0
    assert newest.count == 1010


def test_rows_and_graphs_take_the_room_that_is_documented(folder: Path, seed: int) -> None:
    fill(folder, seed, 4000)
    assert opened(folder).size_bytes < 4000 * 400
    build_graphs(folder, MODEL, crossover=0)
    assert opened(folder).size_bytes < 4000 * (400 + 4 * GRAPH_DIMENSIONS + 130) + 384 * 4 * GRAPH_DIMENSIONS
