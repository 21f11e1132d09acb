"""The behaviour suite of the storage contract: every implementation's tests derive from it.

An implementation provides the fixture `storage`; one that other processes can open too provides `reopen`.
"""

from __future__ import annotations

import random
import threading

import pytest

from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RefMoved
from gitmem.model.ids import Oid
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Signature, encode_commit, object_id
from gitmem.objects.history import Distance, distance, is_ancestor, read_commit, walk_history
from gitmem.objects.storage import Storage, add_all

REF = "refs/heads/gitmem"
WHO = Signature("Ada", "ada@example.com", 1_700_000_000, 60)


def commit(storage: Storage, tree: Oid, *parents: Oid, time_s: int = 0, message: str = "x\n") -> Oid:
    who = WHO._replace(time_s=WHO.time_s + time_s)
    return add_all(storage, [("commit", encode_commit(Commit(tree, parents, who, who, message)))])[0]


def tree_of(storage: Storage, files: dict[str, bytes], base: Oid | None = None) -> Oid:
    with storage.begin() as batch:
        changes = {tuple(path.split("/")): batch.add("blob", data) for path, data in files.items()}
        root = trees.edit(storage, batch, base, changes)
        batch.publish()
    assert root
    return root


class StorageSuite:
    """What every storage does."""

    def test_objects_come_back_as_they_went_in(self, storage: Storage) -> None:
        for data in (b"", b"hello\n", bytes(range(256)) * 300):
            [oid] = add_all(storage, [("blob", data)])
            assert oid == object_id("blob", data, storage.hash_name)
            assert storage.read(oid) == ("blob", data)
            assert storage.contains(oid)

    def test_a_missing_object_is_a_named_error(self, storage: Storage) -> None:
        oid = object_id("blob", b"never stored", storage.hash_name)
        assert not storage.contains(oid)
        with pytest.raises(ObjectMissing) as caught:
            storage.read(oid)
        assert caught.value.oid == oid

    def test_a_batch_that_is_not_published_leaves_nothing(self, storage: Storage) -> None:
        with storage.begin() as batch:
            oid = batch.add("blob", b"dropped")
        assert not storage.contains(oid)

    def test_the_same_object_twice_is_one(self, storage: Storage) -> None:
        assert len(set(add_all(storage, [("blob", b"twice"), ("blob", b"twice")]))) == 1
        add_all(storage, [("blob", b"twice")])
        assert storage.read(object_id("blob", b"twice", storage.hash_name)) == ("blob", b"twice")

    def test_a_ref_moves_only_from_where_it_was_expected(self, storage: Storage) -> None:
        tree = tree_of(storage, {"a": b"1"})
        first, second = commit(storage, tree), commit(storage, tree, time_s=1)
        assert storage.read_ref(REF) is None
        storage.move_ref(REF, first, None, "start")
        with pytest.raises(RefMoved) as caught:
            storage.move_ref(REF, second, None, "start again")
        assert (caught.value.expected, caught.value.found) == (None, first)
        with pytest.raises(RefMoved):
            storage.move_ref(REF, first, second, "from elsewhere")
        assert storage.read_ref(REF) == first
        storage.move_ref(REF, second, first, "on")
        assert storage.read_ref(REF) == second

    def test_refs_are_listed_below_a_prefix(self, storage: Storage) -> None:
        oid = commit(storage, tree_of(storage, {"a": b"1"}))
        for ref in ("refs/gitmem/audit/x", "refs/gitmem/public", "refs/heads/gitmemory"):
            storage.move_ref(ref, oid, None, "start")
        assert list(storage.list_refs("refs/gitmem/")) == ["refs/gitmem/audit/x", "refs/gitmem/public"]
        assert storage.list_refs("refs/gitmem/public/") == {"refs/gitmem/public": oid}

    def test_racing_writers_lose_no_update(self, storage: Storage) -> None:
        tree = tree_of(storage, {"a": b"1"})
        storage.move_ref(REF, commit(storage, tree), None, "start")

        def write(writer: int) -> None:
            for n in range(5):
                with storage.lock():
                    tip = storage.read_ref(REF)
                    assert tip
                    new = commit(storage, tree, tip, time_s=n, message=f"{writer} {n}\n")
                    storage.move_ref(REF, new, tip, "on")

        threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        messages = {c.message for _, c in walk_history(storage, storage.read_ref(REF))}
        assert len(messages - {"x\n"}) == 15

    def test_who_holds_the_lock_may_take_it_again_and_others_still_wait(self, storage: Storage) -> None:
        order: list[str] = []

        def other() -> None:
            with storage.lock():
                order.append("other")

        thread = threading.Thread(target=other)
        with storage.lock():
            with storage.lock():
                thread.start()
            thread.join(0.05)
            order.append("first")
        thread.join()
        assert order == ["first", "other"]

    def test_an_edit_changes_what_it_names_and_nothing_else(self, storage: Storage) -> None:
        root = tree_of(storage, {"a/b/c": b"1", "a/d": b"2", "e": b"3"})
        edited = tree_of(storage, {"a/b/f": b"4", "e": b"5"}, base=root)
        names = {
            "/".join(path): trees.read_blob(storage, entry.oid) for path, entry in trees.walk(storage, edited)
        }
        assert names == {"a/b/c": b"1", "a/b/f": b"4", "a/d": b"2", "e": b"5"}
        changed = {
            ("/".join(c.path), c.old is None, c.new is None) for c in trees.diff(storage, root, edited)
        }
        assert changed == {("a/b/f", True, False), ("e", False, False)}

    def test_a_folder_left_empty_is_gone(self, storage: Storage) -> None:
        root = tree_of(storage, {"a/b/c": b"1", "d": b"2"})
        with storage.begin() as batch:
            pruned = trees.edit(storage, batch, root, {("a", "b", "c"): None})
            batch.publish()
        assert [path for path, _ in trees.walk(storage, pruned)] == [("d",)]
        assert trees.find(storage, pruned, ("a",)) is None

    def test_random_edits_agree_with_a_dictionary(self, storage: Storage, seed: int) -> None:
        rng = random.Random(seed)
        root: Oid | None = None
        model: dict[trees.Path, Oid] = {}
        for _ in range(12):
            with storage.begin() as batch:
                changes: dict[trees.Path, Oid | None] = {}
                for _ in range(rng.randrange(1, 9)):
                    path = (f"{rng.randrange(3)}", f"{rng.randrange(3)}", f"f{rng.randrange(4)}")
                    changes[path] = None if rng.random() < 0.3 else batch.add("blob", rng.randbytes(8))
                root = trees.edit(storage, batch, root, changes)
                batch.publish()
            model |= {path: oid for path, oid in changes.items() if oid}
            model = {path: oid for path, oid in model.items() if changes.get(path, oid)}
            assert {path: entry.oid for path, entry in trees.walk(storage, root)} == model

    def test_history_is_walked_once_and_compared(self, storage: Storage) -> None:
        tree = tree_of(storage, {"a": b"1"})
        base = commit(storage, tree)
        ours = commit(storage, tree, base, time_s=1)
        theirs = commit(storage, tree, base, time_s=2)
        far = commit(storage, tree, theirs, time_s=3)
        merged = commit(storage, tree, ours, far, time_s=4)
        assert [oid for oid, _ in walk_history(storage, merged)] == [merged, far, theirs, ours, base]
        assert distance(storage, ours, far) == Distance(1, 2)
        assert distance(storage, merged, base) == Distance(4, 0)
        assert is_ancestor(storage, base, merged)
        assert not is_ancestor(storage, far, ours)
        assert is_ancestor(storage, None, ours)

    def test_a_commit_comes_back_as_written(self, storage: Storage) -> None:
        tree = tree_of(storage, {"a": b"1"})
        oid = commit(storage, tree, message="première\n\nbody\n")
        assert read_commit(storage, oid) == Commit(tree, (), WHO, WHO, "première\n\nbody\n")

    def test_an_object_of_another_kind_is_refused(self, storage: Storage) -> None:
        [blob] = add_all(storage, [("blob", b"x")])
        with pytest.raises(ObjectDamaged, match="expected a tree, found a blob"):
            trees.read_tree(storage, blob)
        with pytest.raises(ObjectDamaged, match="expected a commit, found a blob"):
            read_commit(storage, blob)

    def test_tidying_changes_no_content(self, storage: Storage) -> None:
        tip: Oid | None = None
        tree: Oid | None = None
        for n in range(60):
            tree = tree_of(storage, {f"{n % 7}/{n % 5}/f{n}": b"%d" % n}, base=tree)
            new = commit(storage, tree, *([tip] if tip else []), time_s=n, message=f"{n}\n")
            storage.move_ref(REF, new, tip, "on")
            tip = new
            with storage.lock():
                storage.tidy()
        read = [
            (c.message, [trees.read_blob(storage, entry.oid) for _, entry in trees.walk(storage, c.tree)])
            for _, c in walk_history(storage, tip)
        ]
        assert [message for message, _ in read] == [f"{n}\n" for n in reversed(range(60))]
        assert all(sorted(blobs, key=int) == [b"%d" % k for k in range(int(m) + 1)] for m, blobs in read)
