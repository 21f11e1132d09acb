"""History: real git walks the same commits and counts the same distances, and wrong clocks hide no ancestor."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing
from gitmem.model.ids import Oid
from gitmem.objects import history
from gitmem.objects.encoding import Commit, Signature, encode_commit, encode_tree, object_id
from gitmem.objects.history import Distance, distance, is_ancestor, read_commit, walk_history
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Storage, add_all
from tests.conftest import RealGit
from tests.objects.storage_suite import commit, tree_of


def commit_of(tree: Oid, parents: tuple[Oid, ...], time_s: int, message: str) -> bytes:
    who = Signature("Ada", "ada@example.org", time_s)
    return encode_commit(Commit(tree, parents, who, who, message))


def random_history(storage: Storage, rng: random.Random, count: int, skewed: bool = False) -> list[Oid]:
    """Add commits with none to three parents among the earlier ones; skewed clocks tell no order."""
    [tree] = add_all(storage, [("tree", encode_tree({}))])
    made: list[Oid] = []
    objects = []
    for n in range(count):
        parents = tuple(rng.sample(made[-6:], min(len(made[-6:]), rng.choice([0, 1, 1, 1, 2, 2, 3]))))
        time_s = rng.randrange(1000, 2000) if skewed else 1000 + n // 3
        data = commit_of(tree, parents, time_s, f"{n}\n")
        made.append(object_id("commit", data, storage.hash_name))
        objects.append(("commit", data))
    assert add_all(storage, objects) == made  # type: ignore[arg-type]
    return made


def ancestors(storage: Storage, oid: Oid) -> set[Oid]:
    found: set[Oid] = set()
    todo = [oid]
    while todo:
        at = todo.pop()
        if at not in found:
            found.add(at)
            todo += read_commit(storage, at).parents
    return found


def test_git_walks_and_counts_the_same(
    repository: Path, git: RealGit, environ: dict[str, str], seed: int
) -> None:
    here = Git(environ)
    storage = open_storage(discover(repository, here), here)
    made = random_history(storage, random.Random(seed), 40)
    walked = [oid for oid, _ in walk_history(storage, made[-1])]
    assert sorted(walked) == sorted(git("rev-list", made[-1], cwd=repository).split())
    rng = random.Random(seed + 1)
    for _ in range(12):
        ours, theirs = rng.choice(made), rng.choice(made)
        ahead, behind = git(
            "rev-list", "--left-right", "--count", f"{ours}...{theirs}", cwd=repository
        ).split()
        assert distance(storage, ours, theirs) == Distance(int(ahead), int(behind))
    storage.close()


@pytest.mark.parametrize("round_", range(6))
def test_clocks_that_tell_no_order_change_nothing_about_the_walk(seed: int, round_: int) -> None:
    storage = InProcessStorage()
    made = random_history(storage, random.Random(seed + round_), 30, skewed=True)
    for oid in made[::5]:
        walked = [found for found, _ in walk_history(storage, oid)]
        assert len(walked) == len(set(walked))
        assert set(walked) == ancestors(storage, oid)


@pytest.mark.parametrize("round_", range(6))
def test_distance_is_what_sets_of_ancestors_say(seed: int, round_: int) -> None:
    storage = InProcessStorage("sha256")
    made = random_history(storage, random.Random(seed + round_), 30)
    for ours in made[::4]:
        for theirs in made[1::4]:
            mine, other = ancestors(storage, ours), ancestors(storage, theirs)
            assert distance(storage, ours, theirs) == Distance(len(mine - other), len(other - mine))


def test_a_clock_that_runs_behind_hides_no_ancestor() -> None:
    storage = InProcessStorage()
    [tree] = add_all(storage, [("tree", b"")])
    tip: tuple[Oid, ...] = ()
    made: list[Oid] = []
    for n, time_s in enumerate([*range(5000, 5100), *range(1000, 1100)]):
        tip = tuple(add_all(storage, [("commit", commit_of(tree, tip, time_s, f"{n}\n"))]))
        made += tip
    for at in range(0, 199, 9):
        assert distance(storage, made[at], made[-1]) == Distance(0, 199 - at)
        assert is_ancestor(storage, made[at], made[-1])
        assert not is_ancestor(storage, made[-1], made[at])


@pytest.mark.parametrize("round_", range(8))
def test_two_machines_whose_clocks_differ_count_right(seed: int, round_: int) -> None:
    storage, rng = InProcessStorage(), random.Random(seed + round_)
    [tree] = add_all(storage, [("tree", b"")])
    tips: list[tuple[Oid, ...]] = [(), ()]
    made: list[Oid] = []
    for n in range(60):
        here = rng.randrange(2)
        if rng.random() < 0.2 and tips[1 - here]:
            tips[here] = tuple(dict.fromkeys((*tips[here], *tips[1 - here])))
        data = commit_of(tree, tips[here], 1000 + n + 300 * here, f"{n}\n")
        tips[here] = tuple(add_all(storage, [("commit", data)]))
        made += tips[here]
    for ours in made[::5]:
        for theirs in made[::7]:
            mine, other = ancestors(storage, ours), ancestors(storage, theirs)
            assert distance(storage, ours, theirs) == Distance(len(mine - other), len(other - mine))
            assert is_ancestor(storage, ours, theirs) == (ours in other)


def test_a_child_whose_clock_was_behind_has_its_parent() -> None:
    storage = InProcessStorage()
    tree = tree_of(storage, {"a": b"1"})
    root = commit(storage, tree, time_s=50)
    parent = commit(storage, tree, root, time_s=100)
    child = commit(storage, tree, parent, time_s=5)
    assert is_ancestor(storage, parent, child)
    assert not is_ancestor(storage, child, parent)
    assert distance(storage, child, parent) == Distance(1, 0)


def test_an_ancestor_that_is_found_ends_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = InProcessStorage()
    tree = tree_of(storage, {"a": b"1"})
    line = [commit(storage, tree, time_s=1)]
    for n in range(2, 100):
        line.append(commit(storage, tree, line[-1], time_s=n))
    read: list[Oid] = []
    monkeypatch.setattr(history, "read_commit", lambda at, oid: (read.append(oid), read_commit(at, oid))[1])
    assert is_ancestor(storage, line[-2], line[-1])
    assert set(read) <= set(line[-3:])


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


def test_nothing_is_everyones_ancestor_and_has_none() -> None:
    storage = InProcessStorage()
    [oid] = random_history(storage, random.Random(1), 1)
    assert is_ancestor(storage, None, oid)
    assert is_ancestor(storage, None, None)
    assert not is_ancestor(storage, oid, None)
    assert distance(storage, oid, None) == Distance(1, 0)
    assert list(walk_history(storage, None)) == []


def test_a_parent_that_is_not_here_ends_its_line() -> None:
    storage = InProcessStorage()
    [tree] = add_all(storage, [("tree", b"")])
    [old] = add_all(storage, [("commit", commit_of(tree, (Oid("ab" * 20),), 1, "old\n"))])
    [new] = add_all(storage, [("commit", commit_of(tree, (old,), 2, "new\n"))])
    assert [oid for oid, _ in walk_history(storage, new)] == [new, old]
    assert distance(storage, new, old) == Distance(1, 0)


def test_twenty_thousand_commits_in_a_line_are_walked_without_recursion() -> None:
    storage = InProcessStorage()
    [tree] = add_all(storage, [("tree", b"")])
    with storage.begin() as batch:
        tip: tuple[Oid, ...] = ()
        for n in range(20_000):
            tip = (batch.add("commit", commit_of(tree, tip, n, "")),)
        batch.publish()
    assert sum(1 for _ in walk_history(storage, tip[0])) == 20_000


def test_what_is_no_commit_is_named() -> None:
    storage = InProcessStorage()
    [blob] = add_all(storage, [("blob", b"x")])
    with pytest.raises(ObjectDamaged, match="expected a commit"):
        read_commit(storage, blob)
    with pytest.raises(ObjectMissing):
        read_commit(storage, Oid("ab" * 20))
    with pytest.raises(ObjectDamaged):
        list(walk_history(storage, blob))
