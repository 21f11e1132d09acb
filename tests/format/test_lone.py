"""Which sessions one of two memories alone has, and what is vouched for is what a union would accept."""

from __future__ import annotations

import random

import pytest

from gitmem.format import layout, lone
from gitmem.format.lone import Looker, lone_sessions
from gitmem.format.union import union
from gitmem.model.ids import Oid
from gitmem.objects import trees
from gitmem.objects.encoding import TREE_MODE, Entry, encode_tree
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import add_all
from tests.format.test_union_laws import histories
from tests.sharing.samples import Scribe, new_memory, segment_at


def vouching(storage: InProcessStorage, ours: Oid | None, theirs: Oid | None) -> lone.Vouch:
    looker = Looker(storage)
    known = {each: looker.look(each) for each in lone_sessions(storage, ours, theirs)}
    return lambda path, folder: known.get(lone.Lone(path, folder))


@pytest.mark.parametrize("number", range(4))
def test_a_union_with_what_was_vouched_for_comes_to_the_same(seed: int, number: int) -> None:
    ours, theirs = histories(random.Random(seed * 100 + number), 2)
    storage = ours.storage
    assert isinstance(storage, InProcessStorage)
    for here, there in ((ours.root, theirs.root), (None, theirs.root), (ours.root, None)):
        with storage.begin() as batch:
            alone = union(storage, batch, here, there)
            vouched = union(storage, batch, here, there, vouch=vouching(storage, here, there))
        assert vouched == alone


def test_every_session_of_the_only_memory_is_lone_and_what_both_have_is_none() -> None:
    storage = InProcessStorage()
    ours = new_memory(storage)
    for n in range(30):
        ours.capture(ours.begin(f"shared {n}"), b"text\n")
    theirs = Scribe(storage, ours.root)
    assert {each.path for each in lone_sessions(storage, None, ours.root)} == {
        layout.session_folder(folder.session) for folder in ours.memory.folders()
    }
    mine, other = ours.begin("mine"), theirs.begin("theirs")
    theirs.capture(next(ours.memory.folders()).session, b"more\n")
    found = [each.path for each in lone_sessions(storage, ours.root, theirs.root)]
    assert found == sorted(layout.session_folder(session) for session in (mine, other))


def test_a_session_of_which_anything_is_refused_is_not_vouched_for() -> None:
    storage = InProcessStorage()
    theirs = new_memory(storage)
    good, torn = theirs.begin("good"), theirs.begin("torn")
    for session in (good, torn):
        theirs.capture(session, b"text\n")
    path, _ = segment_at(theirs, torn)
    theirs.put({path: trees.read_blob(storage, dict(theirs.files())[path])[:-3]})
    [gone] = add_all(storage, [("tree", encode_tree({"session": Entry(0o100644, Oid("ab" * 20))}))])
    missing = lone.Lone(("sessions", "ab", "cd", "e" * 60), gone)
    looker = Looker(storage)
    found = {"".join(each.path[1:]): looker.look(each) for each in lone_sessions(storage, None, theirs.root)}
    assert found == {good: {"session": 1, "capture": 1, "segment": 1}, torn: None}
    assert looker.look(missing) is None
    with storage.begin() as batch:
        alone = union(storage, batch, None, theirs.root)
        vouched = union(storage, batch, None, theirs.root, vouch=vouching(storage, None, theirs.root))
    assert vouched == alone
    assert alone.refused


def test_few_trees_that_unfold_to_many_sessions_are_looked_at_once() -> None:
    storage = InProcessStorage()
    names = [f"{n:02x}" for n in range(256)]
    [deep] = add_all(storage, [("tree", encode_tree({"e" * 60: Entry(TREE_MODE, Oid("ab" * 20))}))])
    for _ in range(2):
        [deep] = add_all(storage, [("tree", encode_tree({name: Entry(TREE_MODE, deep) for name in names}))])
    [root] = add_all(storage, [("tree", encode_tree({"sessions": Entry(TREE_MODE, deep)}))])
    assert len(list(lone_sessions(storage, None, root))) == 1


def test_what_cannot_belong_is_passed_over() -> None:
    storage = InProcessStorage()
    [empty, blob] = add_all(storage, [("tree", b""), ("blob", b"text")])
    for bad in (
        Entry(0o100644, blob),
        Entry(TREE_MODE, blob),
        Entry(TREE_MODE, empty),
        Entry(0o120000, blob),
    ):
        for name in ("ab", "AB"):
            [top] = add_all(storage, [("tree", encode_tree({name: bad}))])
            [root] = add_all(storage, [("tree", encode_tree({"sessions": Entry(TREE_MODE, top)}))])
            assert not list(lone_sessions(storage, None, root))
        [root] = add_all(storage, [("tree", encode_tree({"sessions": bad}))])
        assert not list(lone_sessions(storage, None, root))
