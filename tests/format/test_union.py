"""The union of two memories: its laws, its outcomes by number, and what it keeps out."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest
import zstandard

from gitmem.format import codec, layout, records
from gitmem.format.outcomes import Union
from gitmem.format.union import union
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, StoreError
from gitmem.model.ids import Oid, RecordId, SegmentId, SessionId
from gitmem.model.records import Capture, Register, SegmentEntry, Tombstone
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry, ObjectKind, encode_tree
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Storage, add_all
from tests.sharing.samples import ADA, AT, Scribe, bomb, new_memory, segment_at, with_entry


@pytest.fixture
def storage() -> InProcessStorage:
    return InProcessStorage()


@pytest.fixture
def ours(storage: InProcessStorage) -> Scribe:
    """Return a memory of one session."""
    scribe = new_memory(storage)
    scribe.capture(scribe.begin("shared"), b"one\ntwo\n")
    return scribe


@pytest.fixture
def theirs(ours: Scribe) -> Scribe:
    return Scribe(ours.storage, ours.root)


def unite(one: Scribe | Oid | None, other: Scribe | Oid | None, storage: Storage | None = None) -> Union:
    """Unite two trees, both ways round, and check that it makes no difference."""
    for side in (one, other):
        storage = storage or (side.storage if isinstance(side, Scribe) else None)
    assert storage is not None
    first, second = (side.root if isinstance(side, Scribe) else side for side in (one, other))
    with storage.begin() as batch:
        united = union(storage, batch, first, second)
        mirrored = union(storage, batch, second, first)
        batch.publish()
    assert mirrored.root == united.root
    assert {refusal.path for refusal in mirrored.refused} == {refusal.path for refusal in united.refused}
    return united


def shared(scribe: Scribe) -> SessionId:
    return next(scribe.memory.folders()).session


class TestOutcomes:
    """The scenarios of the module's docstring, by number."""

    def test_1_and_2_a_session_of_one_side_is_new(self, ours: Scribe, theirs: Scribe) -> None:
        mine, other = ours.begin("mine"), theirs.begin("theirs")
        ours.capture(mine, b"a\n")
        theirs.capture(other, b"b\n")
        united = unite(ours, theirs)
        assert united.sessions == {mine: "new here", other: "new there"}
        both = Scribe(ours.storage, united.root)
        assert (both.text(mine), both.text(other)) == ([b"a\n"], [b"b\n"])
        assert united.arrived == {"session": 1, "capture": 1, "segment": 1}

    def test_3_and_4_a_session_that_one_side_went_on_with_has_grown(
        self, ours: Scribe, theirs: Scribe
    ) -> None:
        session = shared(ours)
        theirs.capture(session, b"three\n")
        assert unite(ours, theirs).sessions == {session: "grown there"}
        assert unite(ours, theirs).root == theirs.root
        assert unite(theirs, ours).sessions == {session: "grown here"}

    @pytest.mark.parametrize("change", ["stream", "register"])
    def test_5_other_streams_and_registers_do_not_fork(
        self, ours: Scribe, theirs: Scribe, change: str
    ) -> None:
        session = shared(ours)
        ours.capture(session, b"three\n")
        if change == "stream":
            theirs.capture(session, b"by a subagent\n", stream="agent-1")
        else:
            theirs.register(session, "A better title", 1)
        assert unite(ours, theirs).sessions == {session: "grown on both sides"}

    def test_6_a_stream_that_went_on_in_two_places_keeps_both_heads(
        self, ours: Scribe, theirs: Scribe
    ) -> None:
        session = shared(ours)
        ours.capture(session, b"three\n")
        theirs.capture(session, b"three, otherwise\n")
        united = unite(ours, theirs)
        assert united.sessions == {session: "forked"}
        texts = Scribe(ours.storage, united.root).text(session)
        assert sorted(texts) == [b"one\ntwo\nthree\n", b"one\ntwo\nthree, otherwise\n"]

    def test_7_a_tombstone_takes_what_grew_elsewhere(self, ours: Scribe, theirs: Scribe) -> None:
        session = shared(ours)
        ours.capture(session, b"three\n")
        theirs.bury(session)
        united = unite(ours, theirs)
        assert united.sessions == {session: "tombstoned"}
        assert Scribe(ours.storage, united.root).memory.find(session) is None
        assert unite(united.root, ours.root, ours.storage).root == united.root

    def test_7_a_tombstone_takes_a_session_that_both_sides_still_have(
        self, ours: Scribe, theirs: Scribe
    ) -> None:
        session = shared(ours)
        record = Tombstone(session, "team", AT, ADA)
        theirs.put_record(layout.tombstone_path(session, records.seal(record)[0]), record)
        united = unite(ours, theirs)
        assert united.sessions == {session: "tombstoned"}
        assert not list(Scribe(ours.storage, united.root).memory.folders())

    def test_7_a_tombstone_that_both_sides_have_keeps_its_session_out(
        self, ours: Scribe, theirs: Scribe
    ) -> None:
        session = shared(ours)
        before = ours.root
        ours.bury(session)
        theirs.root = ours.root
        back = Scribe(ours.storage, before)
        theirs.put(
            {path: trees.read_blob(ours.storage, oid) for path, oid in back.files() if path[0] == "sessions"}
        )
        assert unite(ours, theirs).sessions == {session: "tombstoned"}
        assert unite(ours, theirs).root == ours.root

    def test_8_a_session_of_which_nothing_is_accepted_is_refused(self, ours: Scribe, theirs: Scribe) -> None:
        session = theirs.begin("torn")
        path = layout.session_path(session)
        theirs.put({path: trees.read_blob(ours.storage, dict(theirs.files())[path])[:-3]})
        united = unite(ours, theirs)
        assert united.sessions == {session: "refused"}
        assert united.root == ours.root
        assert [refusal.path for refusal in united.refused] == ["/".join(path)]

    def test_9_of_two_versions_of_the_same_content_the_larger_id_stays(
        self, ours: Scribe, theirs: Scribe
    ) -> None:
        for path in [path for path, _ in theirs.files() if path[0] == "sessions"]:
            recompress(theirs, path)
        other = dict(theirs.files())
        changed = {path: {oid, other[path]} for path, oid in ours.files() if other[path] != oid}
        assert {path[4] for path in changed} == {"session", "captures", "segments"}
        united = unite(ours, theirs)
        assert united.sessions == {}
        found = dict(Scribe(ours.storage, united.root).files())
        assert all(found[path] == max(oids) for path, oids in changed.items())
        assert Scribe(ours.storage, united.root).text(shared(ours)) == [b"one\ntwo\n"]


class TestRootFiles:
    def test_format_is_the_higher_and_the_readme_comes_with_it(self, ours: Scribe, theirs: Scribe) -> None:
        theirs.put({("FORMAT",): b"1\n", ("README.md",): b"newer\n"})
        theirs.remove([("vercel.json",)])
        found = dict(Scribe(ours.storage, unite(ours, theirs).root).files())
        assert found[("FORMAT",)] == dict(theirs.files())[("FORMAT",)]
        assert found[("README.md",)] == dict(theirs.files())[("README.md",)]
        assert ("vercel.json",) not in found

    def test_of_two_readmes_of_one_format_the_larger_id_stays(self, ours: Scribe, theirs: Scribe) -> None:
        theirs.put({("README.md",): b"otherwise\n"})
        oids = [dict(side.files())[("README.md",)] for side in (ours, theirs)]
        found = dict(Scribe(ours.storage, unite(ours, theirs).root).files())
        assert found[("README.md",)] == max(oids)

    def test_a_file_of_the_root_that_one_side_lacks_is_kept(self, ours: Scribe, theirs: Scribe) -> None:
        theirs.remove([("README.md",)])
        assert unite(ours, theirs).root == ours.root

    def test_a_huge_readme_is_kept_out(self, ours: Scribe, theirs: Scribe) -> None:
        theirs.put({("README.md",): b"x" * (65 << 10)})
        united = unite(ours, theirs)
        assert united.root == ours.root
        assert [refusal.path for refusal in united.refused] == ["README.md"]


class TestLaws:
    def test_a_memory_united_with_nothing_or_itself_is_itself(self, ours: Scribe) -> None:
        assert unite(ours, None).root == ours.root
        assert unite(ours, ours) == Union(ours.root, {}, (), {})

    def test_random_memories_keep_the_laws_and_agree_with_a_union_of_sets(self, seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(15):
            clones = random_clones(rng, 3)
            one, two, three = (clone.root for clone in clones)
            storage = clones[0].storage
            united = unite(one, two, storage)
            assert not united.refused
            assert dict(Scribe(storage, united.root).files()) == plain_union(clones[:2])
            left = unite(united.root, three, storage).root
            right = unite(one, unite(two, three, storage).root, storage).root
            assert left == right
            assert unite(left, two, storage).root == left
            assert dict(Scribe(storage, left).files()) == plain_union(clones)

    def test_clones_that_sync_in_any_order_converge(self, seed: int) -> None:
        rng = random.Random(seed)
        for number in (2, 3, 4):
            clones = random_clones(rng, number)
            for _ in range(12):
                to, source = rng.sample(clones, 2)
                to.root = unite(to, source).root
                grow(rng, rng.choice(clones))
            for _ in range(2):
                for clone in rng.sample(clones, number):
                    for other in rng.sample(clones, number):
                        clone.root = unite(clone, other).root
            assert len({clone.root for clone in clones}) == 1
            memory = clones[0].memory
            for folder in memory.folders():
                for heads in memory.load(folder).heads().values():
                    assert all(b"".join(memory.text(folder, head)).endswith(b"\n") for head in heads)

    def test_what_both_sides_have_alike_is_never_opened(self) -> None:
        storage = CountingStorage()
        ours = new_memory(storage)
        for n in range(200):
            ours.capture(ours.begin(f"old {n}"), b"text\n")
        theirs = Scribe(storage, ours.root)
        ours.capture(ours.begin("mine"), b"a\n")
        theirs.capture(theirs.begin("theirs"), b"b\n")
        storage.reads = 0
        with storage.begin() as batch:
            union(storage, batch, ours.root, theirs.root)
        assert storage.reads < 60


class TestKeptOut:
    """What a stranger may have pushed."""

    @pytest.mark.parametrize(
        ("path", "entry"),
        [
            ("sessions", Entry(0o120000, Oid("f" * 40))),
            ("payload", Entry(FILE_MODE, Oid("f" * 40))),
            ("FORMAT2", Entry(FILE_MODE, Oid("f" * 40))),
            (".git", Entry(TREE_MODE, Oid("f" * 40))),
            ("..", Entry(TREE_MODE, Oid("f" * 40))),
            ("sessions/AB", Entry(TREE_MODE, Oid("f" * 40))),
            ("sessions/ab", Entry(FILE_MODE, Oid("f" * 40))),
            ("sessions/ab", Entry(0o160000, Oid("f" * 40))),
            ("sessions/ab/cd/" + "e" * 60 + "/session", Entry(0o100755, Oid("f" * 40))),
            ("sessions/ab/cd/" + "e" * 60 + "/segments/ab/" + "C" * 62, Entry(FILE_MODE, Oid("f" * 40))),
            ("tombstones/ab/cd/" + "e" * 60, Entry(0o120000, Oid("f" * 40))),
            ("notes/ab/cd/" + "e" * 60 + "/captures", Entry(TREE_MODE, Oid("f" * 40))),
            ("caf\udce9", Entry(FILE_MODE, Oid("f" * 40))),
        ],
        ids=lambda value: value if isinstance(value, str) else f"{value.mode:o}",
    )
    def test_an_entry_that_cannot_belong_is_never_followed(
        self, ours: Scribe, theirs: Scribe, path: str, entry: Entry
    ) -> None:
        theirs.root = with_entry(theirs, tuple(path.split("/")), entry)
        before = ours.root
        united = unite(ours, theirs)
        assert united.root == before
        [refusal] = united.refused
        assert (path.startswith(refusal.path), refusal.side) == (True, "there")

    @pytest.mark.parametrize("kind", ["tree", "blob"])
    def test_an_object_of_another_kind_than_its_mode_says_is_kept_out(
        self, ours: Scribe, theirs: Scribe, kind: ObjectKind
    ) -> None:
        [oid] = add_all(ours.storage, [(kind, encode_tree({"a": Entry(TREE_MODE, ours.root or Oid(""))}))])
        path = ("sessions", "ab") if kind == "blob" else ("tombstones", "ab", "cd", "e" * 60, "f" * 64)
        theirs.root = with_entry(theirs, path, Entry(TREE_MODE if kind == "blob" else FILE_MODE, oid))
        united = unite(ours, theirs)
        assert united.root == ours.root
        assert [refusal.why for refusal in united.refused] == [f"it is a {kind}"]

    def test_an_empty_folder_does_not_stay(self, ours: Scribe, theirs: Scribe) -> None:
        [empty] = add_all(ours.storage, [("tree", b"")])
        theirs.root = with_entry(theirs, ("sessions", "ab", "cd", "e" * 60), Entry(TREE_MODE, empty))
        assert unite(ours, theirs).root == ours.root

    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            (lambda blob: blob[:-5], "not|trailer|decode|cut short"),
            (lambda blob: b"", "not|trailer"),
            (lambda blob: b"plain text", "not|trailer"),
            (
                lambda blob: codec.attach_trailer(codec.compress(b"another text\n"), b""),
                "its content is named",
            ),
            (lambda blob: codec.attach_trailer(bomb(), b""), "more than|larger"),
            (lambda blob: codec.attach_trailer(codec.compress(b"x\n"), b"\7" * 32), "builds on segment"),
        ],
        ids=["truncated", "empty", "not zstd", "another segment", "bomb", "builds on nothing"],
    )
    def test_a_segment_that_does_not_decode_to_its_name_is_kept_out_with_what_needs_it(
        self, ours: Scribe, theirs: Scribe, spoil: Callable[[bytes], bytes], why: str
    ) -> None:
        session = theirs.begin("hostile")
        capture = theirs.capture(session, b"text\n")
        later = theirs.capture(session, b"more\n")
        good = theirs.begin("good")
        theirs.capture(good, b"fine\n")
        [entry] = theirs.memory.load(theirs.folder(session)).captures[capture].segments
        first = entry.name
        path = layout.segment_path(session, first)
        theirs.put({path: spoil(trees.read_blob(ours.storage, dict(theirs.files())[path]))})
        united = unite(ours, theirs)
        assert united.sessions == {session: "new there", good: "new there"}
        reasons = {refusal.path: refusal.why for refusal in united.refused}
        assert len(reasons) == 4
        assert any(word in reasons["/".join(path)] for word in why.split("|"))
        for name in (capture, later):
            assert "/".join(layout.capture_path(session, name)) in reasons
        both = Scribe(ours.storage, united.root)
        assert both.text(good) == [b"fine\n"]
        assert both.memory.load(both.folder(session)).captures == {}

    def test_a_record_bomb_is_kept_out(self, ours: Scribe, theirs: Scribe) -> None:
        path = layout.tombstone_path("cd" * 32, RecordId("ab" * 32))
        theirs.put({path: bomb()})
        united = unite(ours, theirs)
        assert united.root == ours.root
        assert "more than" in united.refused[0].why

    def test_a_record_that_is_not_what_its_name_says_is_kept_out(self, ours: Scribe, theirs: Scribe) -> None:
        session = shared(ours)
        _, blob = records.seal(Tombstone(session, "team", AT, ADA))
        theirs.put({layout.tombstone_path(session, RecordId("ab" * 32)): blob})
        united = unite(ours, theirs)
        assert united.root == ours.root
        assert "its content is named" in united.refused[0].why

    def test_a_record_of_another_session_is_kept_out(self, ours: Scribe, theirs: Scribe) -> None:
        other = theirs.begin("other")
        name = theirs.capture(other, b"text\n")
        blob = trees.read_blob(ours.storage, dict(theirs.files())[layout.capture_path(other, name)])
        register = Register(other, "title", "A title", 1, AT, ADA)
        session = shared(ours)
        theirs.put({layout.capture_path(session, name): blob})
        theirs.put_record(layout.session_register_path(session, records.seal(register)[0]), register)
        united = unite(ours, theirs)
        assert united.sessions == {session: "refused", other: "new there"}
        assert sorted(refusal.why[:10] for refusal in united.refused) == ["it is abou", "it is of s"]

    @pytest.mark.parametrize(
        ("make", "why"),
        [
            (lambda good, parent: fields(good, parents=(RecordId("ab" * 32),)), "which is not here"),
            (lambda good, parent: fields(good, parents=(RecordId("../.."),)), "not a record"),
            (lambda good, parent: fields(good, parents=(parent,), stream="other"), "of another stream"),
            (
                lambda good, parent: fields(good, parents=(parent,), keep=99),
                "it keeps 99 lines where there are 2",
            ),
            (lambda good, parent: fields(good, parents=(parent,), keep=-1), "not a record"),
            (lambda good, parent: fields(good, keep=1), "it keeps 1 lines where there are 0"),
            (lambda good, parent: listing(good, lines=3), "has other lines"),
            (lambda good, parent: listing(good, size_bytes=3), "has other lines"),
            (lambda good, parent: listing(good, name=SegmentId("cd" * 32)), "not here"),
            (lambda good, parent: listing(good, name=SegmentId("../../x")), "not a record"),
        ],
    )
    def test_a_capture_that_would_make_its_session_unreadable_is_kept_out(
        self, ours: Scribe, theirs: Scribe, make: Callable[[Capture, RecordId], Capture], why: str
    ) -> None:
        session = shared(ours)
        [(parent, good)] = ours.memory.load(ours.folder(session)).captures.items()
        bad = make(good, parent)
        theirs.put_record(layout.capture_path(session, records.seal(bad)[0]), bad)
        united = unite(ours, theirs)
        assert united.root == ours.root
        assert united.sessions == {session: "refused"}
        assert [why in refusal.why for refusal in united.refused] == [True]

    def test_captures_that_repeat_a_segment_without_bound_are_kept_out_however_they_come(
        self, ours: Scribe, theirs: Scribe
    ) -> None:
        session = theirs.begin("repetitive")
        capture = theirs.capture(session, b"x" * (200 << 10) + b"\n")
        good = theirs.memory.load(theirs.folder(session)).captures[capture]
        united = unite(ours, theirs)
        for _ in range(3):
            keep = good.keep + len(good.segments)
            good = fields(good, segments=good.segments[:1] * 4000, parents=(capture,), keep=keep)
            capture = records.seal(good)[0]
            theirs.put_record(layout.capture_path(session, capture), good)
            united = unite(Scribe(ours.storage, united.root), theirs)
        assert [refusal.why for refusal in united.refused] == ["its text repeats a few segments too often"]
        both = Scribe(ours.storage, united.root)
        [head] = both.memory.load(both.folder(session)).heads()[""]
        assert head.lines == 8001

    def test_a_capture_may_list_a_segment_that_both_sides_have(self, ours: Scribe, theirs: Scribe) -> None:
        session = shared(ours)
        [(_, good)] = ours.memory.load(ours.folder(session)).captures.items()
        again = fields(good, at="2026-02-02T00:00:00.000Z")
        theirs.put_record(layout.capture_path(session, records.seal(again)[0]), again)
        united = unite(ours, theirs)
        assert (united.root, united.refused) == (theirs.root, ())

    @pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
    def test_a_tree_that_unfolds_without_bound_costs_no_more_than_its_objects(self, depth: int) -> None:
        storage = CountingStorage()
        ours, theirs = new_memory(storage), new_memory(storage)
        session = theirs.begin("good")
        theirs.capture(session, b"fine\n")
        path = (*layout.session_folder(session), "captures", "ab")
        entry = trees.find(storage, theirs.root, path[:depth] if depth < 5 else path[:4])
        assert entry is not None
        tree = entry.oid
        for level in range(depth - 1, 0, -1):
            names = ["captures", "registers", "segments"]
            if level != 4:
                names = [f"{n:0{60 if level == 3 else 2}x}" for n in range(4000 if level == 3 else 250)]
            tree = add_all(storage, [("tree", encode_tree(dict.fromkeys(names, Entry(TREE_MODE, tree))))])[0]
        theirs.root = with_entry(theirs, ("sessions",), Entry(TREE_MODE, tree))
        storage.reads = 0
        united = unite(ours, theirs)
        assert storage.reads < 60
        assert len(united.refused) <= 1000
        assert len(united.sessions) <= 1001
        assert united.unlisted >= (3000 if depth >= 4 else 0)
        assert union_is_clean(storage, united)

    def test_a_session_is_found_where_it_belongs_although_it_stands_elsewhere_too(
        self, ours: Scribe, theirs: Scribe
    ) -> None:
        session = theirs.begin("good")
        theirs.capture(session, b"fine\n")
        entry = Entry(TREE_MODE, theirs.folder(session).tree)
        theirs.root = with_entry(theirs, ("sessions", "00", "00", "0" * 60), entry)
        united = unite(ours, theirs)
        assert Scribe(ours.storage, united.root).text(session) == [b"fine\n"]
        assert [refusal.why for refusal in united.refused] == [f"its content is named {session}"]

    def test_the_same_record_is_taken_at_one_place_only(self, ours: Scribe, theirs: Scribe) -> None:
        theirs.note("once")
        [path] = [path for path, _ in theirs.files() if path[0] == "notes"]
        blob = trees.read_blob(ours.storage, dict(theirs.files())[path])
        for n in range(5):
            theirs.put({("checkpoints", "00", f"{n:02x}", "0" * 60): blob})
        united = unite(ours, theirs)
        assert len(united.refused) == 5
        assert united.arrived["note"] == 1

    def test_a_folder_without_its_own_record_is_kept_out(self, ours: Scribe, theirs: Scribe) -> None:
        session = theirs.begin("headless")
        theirs.capture(session, b"text\n")
        theirs.remove([layout.session_path(session)])
        united = unite(ours, theirs)
        assert (united.root, united.sessions) == (ours.root, {session: "refused"})

    def test_a_tree_that_git_would_not_write_is_kept_out(self, ours: Scribe, theirs: Scribe) -> None:
        entries = trees.read_tree(ours.storage, ours.root)
        rows = [
            b"%06o %s\0" % (e.mode, n.encode()) + bytes.fromhex(e.oid) for n, e in sorted(entries.items())
        ]
        [root] = add_all(ours.storage, [("tree", b"".join(rows))])
        united = unite(ours.root, root, ours.storage)
        assert united.root == ours.root
        assert [refusal.why for refusal in united.refused] == ["its tree is not in canonical form"]

    def test_an_object_that_is_not_here_ends_the_union(self, ours: Scribe, theirs: Scribe) -> None:
        theirs.root = with_entry(theirs, ("sessions", "ab"), Entry(TREE_MODE, Oid("f" * 40)))
        with ours.storage.begin() as batch, pytest.raises(ObjectMissing):
            union(ours.storage, batch, ours.root, theirs.root)

    def test_a_blob_that_this_disk_has_spoilt_ends_the_union(self, ours: Scribe, theirs: Scribe) -> None:
        session = ours.begin("mine")
        path = layout.session_path(session)
        storage = DamagedStorage(ours.storage, dict(ours.files())[path])
        with ours.storage.begin() as batch, pytest.raises(StoreError, match="disk"):
            union(storage, batch, ours.root, theirs.root)

    def test_a_chain_with_many_branches_is_decoded_once_each(self, ours: Scribe, theirs: Scribe) -> None:
        session = theirs.begin("branching")
        root = theirs.capture(session, b"start\n" * 40)
        for n in range(30):
            theirs.capture(session, b"branch %d\n" % n, parents=(root,))
        united = unite(ours, theirs)
        assert not united.refused
        assert len(Scribe(ours.storage, united.root).text(session)) == 30

    def test_segments_behind_one_that_both_have_are_accepted(self, ours: Scribe, theirs: Scribe) -> None:
        session = shared(ours)
        _, first = segment_at(ours, session)
        theirs.capture(session, b"three\n")
        theirs.capture(session, b"four\n")
        united = unite(ours, theirs)
        assert (united.root, united.refused) == (theirs.root, ())
        [head] = theirs.memory.load(theirs.folder(session)).heads()[""]
        assert head.spans[0].segment == first


class CountingStorage(InProcessStorage):
    reads = 0

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        self.reads += 1
        return super().read(oid)


def union_is_clean(storage: Storage, united: Union) -> bool:
    """Whether all that came of a union stands where it belongs."""
    return all(layout.place(path) for path, _ in trees.walk(storage, united.root))


class DamagedStorage:
    """A storage of which the disk has spoilt one object."""

    def __init__(self, storage: Storage, damaged: Oid) -> None:
        self._storage, self._damaged = storage, damaged

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        if oid == self._damaged:
            raise ObjectDamaged(oid, "the disk has spoilt it")
        return self._storage.read(oid)


def fields(capture: Capture, **changes: object) -> Capture:
    return msgspec.structs.replace(capture, **changes)


def listing(capture: Capture, lines: int = 2, size_bytes: int = 8, name: SegmentId | None = None) -> Capture:
    """Return a capture that says something else of its one segment."""
    [entry] = capture.segments
    return fields(capture, segments=(SegmentEntry(name or entry.name, lines, size_bytes),))


def recompress(scribe: Scribe, path: trees.Path) -> None:
    """Put the same content in another frame, as another version of zstd would; a prefixed one stays."""
    blob = trees.read_blob(scribe.storage, dict(scribe.files())[path])
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
    if layout.place(path).kind != "segment":
        scribe.put({path: compressor.compress(codec.decompress(blob, "it", 1 << 20))})
        return
    frame, before = codec.detach_trailer(blob, "it")
    if not before:
        plain = codec.decompress(frame, "it", 1 << 20)
        scribe.put({path: codec.attach_trailer(compressor.compress(plain), before)})


def random_clones(rng: random.Random, number: int) -> list[Scribe]:
    """Return clones of one memory that each went on by themselves."""
    storage = InProcessStorage()
    first = new_memory(storage)
    for _ in range(6):
        grow(rng, first)
    clones = [Scribe(storage, first.root) for _ in range(number)]
    for _ in range(number * 8):
        grow(rng, rng.choice(clones))
    return clones


def grow(rng: random.Random, clone: Scribe) -> None:
    """Do to a memory what captures and people do."""
    sessions = [folder.session for folder in clone.memory.folders()]
    act = rng.choices(
        ["begin", "capture", "register", "note", "recompress", "bury"],
        [4, 8, 2, 1, 2, 0.5 if sessions else 0],
    )[0]
    if act == "begin" or not sessions:
        buried = {record.target for record in tombstones(clone)}
        before = clone.root
        if clone.begin(f"s{rng.randrange(12)}") in buried:
            clone.root = before
    elif act == "capture":
        session = rng.choice(sessions)
        captures = clone.memory.load(clone.folder(session)).captures
        stream = rng.choice(["", "", "agent-1"])
        fitting = [name for name, capture in captures.items() if capture.stream == stream]
        parents = (rng.choice(fitting),) if fitting and rng.random() < 0.3 else None
        clone.capture(session, b"line %d\n" % rng.randrange(5) * rng.randrange(1, 4), stream, parents)
    elif act == "register":
        clone.register(rng.choice(sessions), f"title {rng.randrange(5)}", rng.randrange(4))
    elif act == "note":
        clone.note(f"note {rng.randrange(5)}")
    elif act == "bury":
        clone.bury(rng.choice(sessions))
    else:
        recompress(clone, rng.choice([path for path, _ in clone.files() if len(path) > 1]))


def tombstones(clone: Scribe) -> list[Tombstone]:
    return [
        records.unseal(trees.read_blob(clone.storage, oid), path[-1], "it", Tombstone)
        for path, oid in clone.files()
        if path[0] == "tombstones"
    ]


def plain_union(clones: list[Scribe]) -> dict[trees.Path, Oid]:
    """Return what the union is by definition: every path of any clone, less what is buried in any."""
    found: dict[trees.Path, Oid] = {}
    for clone in clones:
        for path, oid in clone.files():
            found[path] = max(oid, found.get(path, Oid("")))
    gone = {
        layout.session_folder(SessionId(record.target)) for clone in clones for record in tombstones(clone)
    }
    return {path: oid for path, oid in found.items() if path[:4] not in gone}
