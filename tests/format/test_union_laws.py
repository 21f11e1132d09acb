"""The laws of the union, over random histories: order-free, idempotent, associative, and as it is defined."""

from __future__ import annotations

import random

import pytest

from gitmem.format.outcomes import Union
from gitmem.format.union import union
from gitmem.model.ids import Oid
from gitmem.model.records import Author
from gitmem.objects import trees
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Storage
from tests.sharing.histories import act, buried, by_definition, targets
from tests.sharing.samples import Scribe, new_memory


def histories(rng: random.Random, number: int) -> list[Scribe]:
    """Return clones of one memory that went on and erased by themselves, and met now and then."""
    storage = InProcessStorage()
    first = new_memory(storage)
    for _ in range(8):
        act(rng, first)
    clones = [Scribe(storage, first.root, Author(f"Clone {n}")) for n in range(number)]
    for _ in range(number * 8):
        clone = rng.choice(clones)
        if rng.random() < 0.15 and (found := targets(clone.files())):
            clone.bury(rng.choice(found))
        elif rng.random() < 0.1:
            clone.root = unite(storage, clone.root, rng.choice(clones).root).root
        else:
            act(rng, clone)
    return clones


def unite(storage: Storage, ours: Oid | None, theirs: Oid | None) -> Union:
    with storage.begin() as batch:
        united = union(storage, batch, ours, theirs)
        batch.publish()
    assert not united.refused
    return united


def files(storage: Storage, root: Oid | None) -> dict[trees.Path, Oid]:
    return dict(Scribe(storage, root).files())


@pytest.mark.parametrize("number", range(8))
def test_of_three_histories_any_order_gives_what_is_defined(seed: int, number: int) -> None:
    clones = histories(random.Random(seed * 100 + number), 3)
    storage = clones[0].storage
    one, two, three = (clone.root for clone in clones)
    united = unite(storage, one, two)
    assert files(storage, united.root) == by_definition([clones[0].files(), clones[1].files()])
    assert unite(storage, two, one).root == united.root
    left = unite(storage, united.root, three).root
    assert left == unite(storage, one, unite(storage, two, three).root).root
    assert left == unite(storage, unite(storage, three, one).root, two).root
    for known in (one, two, three, united.root, left):
        assert unite(storage, left, known).root == left == unite(storage, known, left).root
    assert files(storage, left) == by_definition([clone.files() for clone in clones])


@pytest.mark.parametrize("number", range(8))
def test_the_sides_that_lack_a_tombstone_are_told(seed: int, number: int) -> None:
    ours, theirs = histories(random.Random(seed * 100 + number), 2)
    united = unite(ours.storage, ours.root, theirs.root)
    here, there, both = (
        {path for path, _ in side if path[0] == "tombstones"}
        for side in (ours.files(), theirs.files(), Scribe(ours.storage, united.root).files())
    )
    assert here | there == both
    expected = {side for side, own in (("here", here), ("there", there)) if own != both}
    assert united.lacking == expected
    assert {record.target for record in united.tombstones} == {"".join(path[1:4]) for path in here ^ there}
    assert not buried(both_files := list(files(ours.storage, united.root).items())) & set(targets(both_files))


@pytest.mark.parametrize("number", range(2, 7))
def test_any_number_of_clones_that_meet_in_any_order_comes_to_the_same(seed: int, number: int) -> None:
    rng = random.Random(seed * 10 + number)
    clones = histories(rng, number)
    storage = clones[0].storage
    expected = by_definition([clone.files() for clone in clones])
    for _ in range(2):
        for clone in rng.sample(clones, number):
            for other in rng.sample(clones, number):
                clone.root = unite(storage, clone.root, other.root).root
    assert {clone.root for clone in clones} == {clones[0].root}
    assert files(storage, clones[0].root) == expected
