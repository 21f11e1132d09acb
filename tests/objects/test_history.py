"""Who descends from whom, where the commits' clocks cannot be trusted."""

from __future__ import annotations

import random

from gitmem.model.ids import Oid
from gitmem.objects.history import Distance, distance, is_ancestor, read_commit
from gitmem.objects.inprocess import InProcessStorage
from tests.objects.storage_suite import commit, tree_of


def test_a_child_whose_clock_was_behind_has_its_parent() -> None:
    storage = InProcessStorage()
    tree = tree_of(storage, {"a": b"1"})
    root = commit(storage, tree, time_s=50)
    parent = commit(storage, tree, root, time_s=100)
    child = commit(storage, tree, parent, time_s=5)
    assert is_ancestor(storage, parent, child)
    assert not is_ancestor(storage, child, parent)
    assert distance(storage, child, parent) == Distance(1, 0)


def test_descent_agrees_with_all_ancestors_under_random_clocks(seed: int) -> None:
    rng = random.Random(seed)
    storage = InProcessStorage()
    tree = tree_of(storage, {"a": b"1"})
    for _ in range(40):
        commits: list[Oid] = []
        for n in range(14):
            parents = rng.sample(commits, min(len(commits), rng.choice([0, 1, 1, 1, 2])))
            commits.append(
                commit(storage, tree, *parents, time_s=rng.randrange(9), message=f"{n} {rng.random()}\n")
            )
        for one in commits:
            for other in commits:
                assert is_ancestor(storage, one, other) == (one in ancestors(storage, other))


def ancestors(storage: InProcessStorage, tip: Oid) -> set[Oid]:
    return {tip}.union(*(ancestors(storage, parent) for parent in read_commit(storage, tip).parents))
