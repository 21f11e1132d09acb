"""A memory at one commit: what is read of it is what was written, and nothing else is let in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.format import layout, records
from gitmem.format.memory import Memory, changed_sessions, open_memory, require
from gitmem.format.segments import name_of
from gitmem.model.errors.naming import SessionUnknown
from gitmem.model.errors.store import (
    FormatNewer,
    FormatUnreadable,
    NoMemory,
    NotAMemory,
    ObjectDamaged,
    ObjectMissing,
    RecordRefused,
)
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.model.records import Register
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Commit, Entry, Signature, encode_commit, encode_tree
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import add_all
from tests.verify.memories import ADA, AT, REF, Draft, lines_of, session, write

WHO = Signature("Ada", "ada@example.org", 1)


@pytest.fixture(params=["sha1", "sha256"])
def storage(request: pytest.FixtureRequest) -> InProcessStorage:
    return InProcessStorage(request.param)


def memory_of(storage: InProcessStorage, *drafts: Draft) -> Memory:
    write(storage, drafts)
    return open_memory(storage, REF)


def with_entry(storage: InProcessStorage, path: trees.Path, entry: Entry) -> Memory:
    """Put any entry at any path of the memory, whatever gitmem would say."""

    def put(oid: Oid | None, path: trees.Path) -> Oid:
        entries = trees.read_tree(storage, oid)
        below = entries.get(path[0])
        entries[path[0]] = (
            entry if len(path) == 1 else Entry(TREE_MODE, put(below.oid if below else None, path[1:]))
        )
        return add_all(storage, [("tree", encode_tree(entries))])[0]

    memory = open_memory(storage, REF)
    root = put(memory.root, path)
    [commit] = add_all(storage, [("commit", encode_commit(Commit(root, (memory.commit,), WHO, WHO, "x\n")))])
    storage.move_ref(REF, commit, memory.commit, "x")
    return open_memory(storage, REF)


def blob_of(storage: InProcessStorage, data: bytes) -> Entry:
    return Entry(FILE_MODE, add_all(storage, [("blob", data)])[0])


# --- the format version ---


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"one\n", b"-1\n", b"0 \n", b"0\n\n", b"\xb2\n", b"100000\n", b"0x0"]
)
def test_a_format_version_that_is_no_number_is_named(storage: InProcessStorage, content: bytes) -> None:
    memory_of(storage)
    with pytest.raises(FormatUnreadable) as caught:
        with_entry(storage, ("FORMAT",), blob_of(storage, content))
    assert caught.value.content == content


def test_a_newer_format_is_refused_before_anything_else_is_read(storage: InProcessStorage) -> None:
    memory_of(storage)
    with_entry(storage, ("sessions",), blob_of(storage, b"a form that is not known yet"))
    with pytest.raises(FormatNewer) as caught:
        with_entry(storage, ("FORMAT",), blob_of(storage, b"7\n"))
    assert (caught.value.found, caught.value.supported) == (7, 0)


def test_a_ref_that_is_no_memory_is_not_taken_for_one(storage: InProcessStorage) -> None:
    with pytest.raises(NoMemory):
        open_memory(storage, REF)
    [blob] = add_all(storage, [("blob", b"x")])
    with pytest.raises(NotAMemory):
        open_memory(storage, REF, blob)
    [tree] = add_all(storage, [("tree", encode_tree({"a": Entry(FILE_MODE, blob)}))])
    [commit] = add_all(storage, [("commit", encode_commit(Commit(tree, (), WHO, WHO, "x\n")))])
    with pytest.raises(NotAMemory, match="no FORMAT"):
        open_memory(storage, REF, commit)


@pytest.mark.parametrize("mode", [TREE_MODE, 0o120000, 0o160000, 0o100755])
def test_a_format_that_is_no_plain_file_is_not_followed(storage: InProcessStorage, mode: int) -> None:
    memory = memory_of(storage)
    entry = trees.find(storage, memory.root, ("FORMAT",))
    assert entry
    with pytest.raises(NotAMemory):
        with_entry(storage, ("FORMAT",), Entry(mode, entry.oid))


# --- finding and loading ---


def test_sessions_are_found_by_id_by_key_and_by_the_beginning_of_an_id(storage: InProcessStorage) -> None:
    drafts = [session(n) for n in range(40)]
    memory = memory_of(storage, *drafts)
    assert [folder.session for folder in memory.folders()] == sorted(draft.id for draft in drafts)
    for draft in drafts:
        folder = memory.find(draft.id)
        assert folder
        assert memory.find_key(SessionKey(draft.agent, draft.native_id)) == (folder,)
        assert memory.find_prefix(draft.id[:9]) == (folder,)
        assert require(memory, draft.id) == folder
    nobody = SessionId("0" * 64)
    assert memory.find(nobody) is None
    assert memory.find_key(SessionKey("claude-code", "session-40")) == ()
    with pytest.raises(SessionUnknown):
        require(memory, nobody)


def test_sessions_of_one_key_that_began_differently_are_both_found(storage: InProcessStorage) -> None:
    one, two = Draft("codex", "a/b", b"one"), Draft("codex", "a/b", b"two")
    memory = memory_of(storage, one, two)
    assert {folder.session for folder in memory.find_key(SessionKey("codex", "a/b"))} == {one.id, two.id}


def test_all_records_of_a_session_are_loaded(storage: InProcessStorage) -> None:
    draft = session(1)
    memory = memory_of(storage, draft, session(2))
    folder = require(memory, draft.id)
    stored = memory.load(folder)
    assert stored.key == SessionKey("claude-code", "session-1")
    assert stored.captures == draft.captures
    for name, capture in draft.captures.items():
        assert memory.capture(folder, name) == capture
    assert memory.capture(folder, records.RecordId("0" * 64)) is None


def test_of_registers_the_highest_clock_holds_and_of_equal_clocks_the_higher_id(
    storage: InProcessStorage,
) -> None:
    draft = session(1)
    assert (
        memory_of(storage, Draft("codex", "none"))
        .load(require(open_memory(storage, REF), Draft("codex", "none").id))
        .next_clock()
        == 1
    )
    draft.register("title", "later", 5)
    draft.register("tags", ("a", "b"), 9)
    names = {draft.register("title", title, 7): title for title in ("one", "two", "three")}
    memory = memory_of(storage, draft)
    stored = memory.load(require(memory, draft.id))
    assert stored.value("title") == names[max(names)]
    assert stored.value("tags") == ("a", "b")
    assert stored.value("hidden") is None
    assert stored.next_clock() == 10


# --- text ---


@settings(max_examples=40)
@given(st.lists(st.text("ab\n", max_size=12).map(str.encode), min_size=1, max_size=8), st.integers(0, 2**32))
def test_lines_are_the_slice_of_all_the_text(pieces: list[bytes], seed: int) -> None:
    rng = random.Random(seed)
    draft = Draft("generic", "1")
    last = None
    for piece in pieces:
        before = draft.texts[last].count(b"\n") if last else 0
        keep = rng.randint(0, before) if rng.random() < 0.3 else before
        last = draft.capture(piece, [last] if last else [], keep=keep)
    assert last
    memory = memory_of(InProcessStorage(), draft)
    folder = require(memory, draft.id)
    [head] = memory.load(folder).heads()[""]
    text = draft.texts[last]
    assert b"".join(memory.text(folder, head)) == text
    lines = lines_of(text)
    for start in range(len(lines) + 2):
        for stop in range(start, len(lines) + 3):
            assert memory.lines(folder, head, start, stop) == b"".join(lines[start:stop]), (start, stop)


def test_a_line_longer_than_a_segment_is_one_line(storage: InProcessStorage, seed: int) -> None:
    long = random.Random(seed).randbytes(700_000).replace(b"\n", b" ") + b"\n"
    draft = Draft("generic", "1")
    draft.capture(b"one\n" + long + b"three\n" + long + b"five")
    memory = memory_of(storage, draft)
    folder = require(memory, draft.id)
    [head] = memory.load(folder).heads()[""]
    assert len(head.spans) > 5
    lines = [b"one\n", long, b"three\n", long, b"five"]
    for start in range(6):
        for stop in range(start, 7):
            assert memory.lines(folder, head, start, stop) == b"".join(lines[start:stop])


def test_reading_some_lines_opens_no_other_segments(storage: InProcessStorage) -> None:
    draft = Draft("generic", "1")
    text = b"".join(b"%0100d\n" % n for n in range(60_000))
    draft.capture(text)
    memory = memory_of(storage, draft)
    folder = require(memory, draft.id)
    [head] = memory.load(folder).heads()[""]
    read: list[Oid] = []

    class Watched(InProcessStorage):
        def read(self, oid):  # type: ignore[no-untyped-def]
            read.append(oid)
            return storage.read(oid)

    watched = memory._replace(storage=Watched(storage.hash_name))
    lines = lines_of(text)
    assert watched.lines(folder, head, 59_990, 60_000) == b"".join(lines[59_990:60_000])
    assert len(read) < 2 * 9 + 3  # a group, and the trees above it


# --- what does not belong ---


def places_of(draft: Draft) -> dict[str, trees.Path]:
    """Return one file of each kind of a session."""
    return {layout.place(path).kind: path for path in draft.files}


@pytest.mark.parametrize("kind", ["session", "capture", "register"])
@pytest.mark.parametrize("mode", [0o120000, 0o100755, 0o160000])
def test_a_record_that_is_no_plain_file_is_refused(storage: InProcessStorage, kind: str, mode: int) -> None:
    draft = session(1)
    memory = memory_of(storage, draft)
    path = places_of(draft)[kind]
    entry = trees.find(storage, memory.root, path)
    assert entry
    memory = with_entry(storage, path, Entry(mode, entry.oid))
    with pytest.raises(RecordRefused, match="mode"):
        memory.load(require(memory, draft.id))


def test_a_segment_that_is_a_link_is_not_read(storage: InProcessStorage) -> None:
    draft = session(1)
    memory = memory_of(storage, draft)
    path = places_of(draft)["segment"]
    entry = trees.find(storage, memory.root, path)
    assert entry
    memory = with_entry(storage, path, Entry(0o120000, entry.oid))
    folder = require(memory, draft.id)
    with pytest.raises(RecordRefused, match="mode"):
        list(memory.text(folder, memory.load(folder).heads()[""][0]))


@pytest.mark.parametrize("name", ["other", "Session", "captures2", "session\n", "..", "\udcff"])
def test_a_file_that_nobody_knows_is_refused(storage: InProcessStorage, name: str) -> None:
    draft = session(1)
    memory_of(storage, draft)
    memory = with_entry(storage, (*layout.session_folder(draft.id), name), blob_of(storage, b"x"))
    with pytest.raises(RecordRefused):
        memory.load(require(memory, draft.id))


def test_a_stranger_among_the_sessions_is_refused(storage: InProcessStorage) -> None:
    draft = session(1)
    memory_of(storage, draft)
    for path in (
        ("sessions", "zz"),
        ("sessions", draft.id[:2], "link"),
        (*layout.session_folder(draft.id)[:3], "x"),
    ):
        memory = with_entry(storage, path, blob_of(storage, b"x"))
        with pytest.raises(RecordRefused):
            list(memory.folders())


def test_a_session_by_the_beginning_of_its_id_is_no_file_and_no_link(storage: InProcessStorage) -> None:
    draft = session(1)
    memory_of(storage, draft)
    for mode in (FILE_MODE, 0o120000, 0o160000):
        name = draft.id[4:-1] + "0"
        memory = with_entry(
            storage, (*layout.session_folder(draft.id)[:3], name), Entry(mode, blob_of(storage, b"x").oid)
        )
        with pytest.raises(RecordRefused):
            memory.find_prefix(draft.id[:8])


def test_records_of_another_session_are_refused(storage: InProcessStorage) -> None:
    draft, other = session(1), session(2)
    memory_of(storage, draft, other)
    for kind in ("capture", "register"):
        path = places_of(other)[kind]
        moved = (*layout.session_folder(draft.id), *path[4:])
        memory = with_entry(storage, moved, blob_of(storage, other.files[path]))
        with pytest.raises(RecordRefused, match=other.id):
            memory.load(require(memory, draft.id))


def test_a_register_about_something_else_is_refused(storage: InProcessStorage) -> None:
    draft = session(1)
    draft.put(layout.session_register_path, Register("0" * 64, "title", "x", 9, AT, ADA))
    memory = memory_of(storage, draft)
    with pytest.raises(RecordRefused, match="about 0000"):
        memory.load(require(memory, draft.id))


def test_a_session_without_its_own_record_is_refused(storage: InProcessStorage) -> None:
    draft = session(1)
    del draft.files[layout.session_path(draft.id)]
    memory = memory_of(storage, draft)
    with pytest.raises(RecordRefused, match="no session record"):
        memory.load(require(memory, draft.id))


def test_a_segment_that_is_not_here_is_named(storage: InProcessStorage) -> None:
    draft = Draft("generic", "1")
    draft.capture(b"text\n")
    name = name_of(None, b"text\n")
    del draft.files[layout.segment_path(draft.id, name)]
    memory = memory_of(storage, draft)
    folder = require(memory, draft.id)
    with pytest.raises(ObjectMissing, match=name[2:]):
        list(memory.text(folder, memory.load(folder).heads()[""][0]))


def test_a_capture_that_lists_other_lines_than_there_are_is_found_out(storage: InProcessStorage) -> None:
    draft = Draft("generic", "1")
    name = draft.capture(b"1\n2\n")
    capture = draft.captures.pop(name)
    del draft.files[layout.capture_path(draft.id, name)]
    entry = capture.segments[0]
    lying = type(entry)(entry.name, 5, entry.bytes)
    draft.put(layout.capture_path, type(capture)(draft.id, AT, ADA, "t", "r", (lying,)))
    memory = memory_of(storage, draft)
    folder = require(memory, draft.id)
    [head] = memory.load(folder).heads()[""]
    with pytest.raises(ObjectDamaged, match="bytes and lines"):
        memory.lines(folder, head, 3, 4)


# --- what changed ---


def test_changed_sessions_are_those_whose_folders_differ(storage: InProcessStorage, seed: int) -> None:
    rng = random.Random(seed)
    drafts = [session(n) for n in range(12)]
    memory = memory_of(storage)
    roots: list[tuple[Oid | None, dict[SessionId, Oid]]] = [(None, {}), (memory.root, {})]
    there: set[int] = set()
    for _ in range(8):
        more: dict[trees.Path, bytes | None] = {}
        chosen = set(rng.sample(range(12), rng.randint(0, 4)))
        for n in chosen & there:
            if rng.random() < 0.4:
                more |= dict.fromkeys(drafts[n].files, None)
                there.discard(n)
            else:
                drafts[n].register("title", f"{rng.random()}", 2)
        write(storage, [drafts[n] for n in chosen if not set(drafts[n].files) & set(more)], more=more)
        there |= {n for n in chosen if not set(drafts[n].files) & set(more)}
        memory = open_memory(storage, REF)
        roots.append((memory.root, {folder.session: folder.tree for folder in memory.folders()}))
    for old_root, old in roots:
        for new_root, new in roots[1:]:
            assert new_root
            found = dict(changed_sessions(memory._replace(root=new_root), old_root))
            differ = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
            assert found.keys() == differ
            assert {name: folder.tree if folder else None for name, folder in found.items()} == {
                name: new.get(name) for name in differ
            }
