"""How a memory stands, and what each of its commits brought."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.format import layout
from gitmem.format.layout import tombstone_path
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage, pack_folder
from gitmem.model.ids import Oid, RecordId, SessionKey
from gitmem.model.records import Author
from gitmem.model.refs import tracking_ref
from gitmem.model.settings import ChosenRemote, Settings
from gitmem.objects import trees
from gitmem.objects.encoding import TREE_MODE, Entry, ObjectKind, encode_commit, encode_tree
from gitmem.objects.history import read_commit
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import add_all
from gitmem.verbs.listing import Summaries
from gitmem.verbs.naming import set_tags, set_title
from gitmem.verbs.reporting import IndexState, MemoryState, RemoteState, describe_memory, log
from tests.conftest import RealGit
from tests.reading.book import REF, Book, said, talk

ORIGIN = ChosenRemote("origin", frozenset({"team", "public"}))


def state_of(book: Book, tmp_path: Path, *remotes: ChosenRemote) -> MemoryState:
    packs, state = tmp_path / "packs", tmp_path / "state"
    if isinstance(book.storage, GitStorage):
        packs, state = pack_folder(book.storage.repository), book.storage.repository.state_dir
    return describe_memory(book.memory(), state, packs, tmp_path / "user", Settings(remotes=remotes))


def test_sessions_are_counted_by_agent_whether_or_not_anything_is_remembered_of_them(
    book: Book, tmp_path: Path
) -> None:
    book.capture(talk(2), "one")
    book.capture(talk(2), "two")
    book.capture(["{}"], "three", agent="agent-of-tomorrow")
    expected = {"agent-of-tomorrow": 1, "claude-code": 2}
    assert state_of(book, tmp_path).agents == expected
    Summaries(book.memory(), tmp_path / "state").all()
    book.capture(talk(2), "four")
    assert state_of(book, tmp_path).agents == expected | {"claude-code": 3}


def test_a_session_whose_record_is_damaged_is_counted_apart(book: Book, tmp_path: Path) -> None:
    book.capture(talk(2), "one")
    damaged, _ = book.capture(talk(2), "two")
    book.put(damaged, layout.session_path(damaged), b"junk")
    state = state_of(book, tmp_path)
    assert (state.agents, state.unreadable) == ({"claude-code": 1}, 1)


def test_the_last_capture_is_no_title_and_no_tag(book: Book, tmp_path: Path) -> None:
    assert state_of(book, tmp_path).captured_s is None
    session, _ = book.capture(talk(2))
    captured_s = book.clock_s
    set_title(book.naming(), session, "tides")
    state = state_of(book, tmp_path)
    assert (state.captured_s, state.committed_s > captured_s) == (captured_s, True)


def test_packs_are_gitmems_own(real_book: Book, tmp_path: Path) -> None:
    real_book.capture(talk(2))
    state = state_of(real_book, tmp_path)
    assert state.packs == 2
    assert state.packs_bytes > 500


def test_ahead_and_behind_are_gits_own_counts(
    real_book: Book, tmp_path: Path, repository: Path, git: RealGit
) -> None:
    assert state_of(real_book, tmp_path, ORIGIN).remotes == (
        RemoteState("origin", ("public", "team"), None, None),
    )
    shared = real_book.memory().commit
    tracking = tracking_ref("origin", REF)
    real_book.capture(talk(2), "theirs")
    git("update-ref", tracking, real_book.memory().commit, cwd=repository)
    git("update-ref", REF, shared, cwd=repository)
    for n in range(3):
        real_book.capture(talk(2), f"ours {n}")
    counts = git("rev-list", "--left-right", "--count", f"{REF}...{tracking}", cwd=repository)
    [remote] = state_of(real_book, tmp_path, ORIGIN).remotes
    assert (remote.ahead, remote.behind) == tuple(map(int, counts.split())) == (3, 1)


def test_a_remote_that_has_the_memory_is_named_though_nobody_chose_it(
    real_book: Book, tmp_path: Path
) -> None:
    tip = real_book.memory().commit
    real_book.storage.move_ref("refs/remotes/elsewhere/gitmem", tip, None, "as if pushed")
    real_book.storage.move_ref("refs/remotes/elsewhere/main", tip, None, "as if fetched")
    [remote] = state_of(real_book, tmp_path).remotes
    assert (remote.name, remote.levels, remote.ahead, remote.behind) == ("elsewhere", (), 0, 0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, IndexState("missing")),
        ("", IndexState("unreadable")),
        ("[]", IndexState("unreadable")),
        ('{"ref": 1}', IndexState("unreadable")),
        ({"ref": REF, "commit": "TIP"}, IndexState("current", "TIP", 0)),
        ({"ref": REF, "commit": "FIRST", "more": []}, IndexState("behind", "FIRST", 2)),
        ({"ref": "refs/heads/other", "commit": "FIRST"}, IndexState("behind", "FIRST")),
        ({"ref": REF, "commit": "0" * 40}, IndexState("behind", "0" * 40)),
        ({"ref": REF, "commit": "../../x"}, IndexState("behind", "../../x")),
        ({"ref": REF, "commit": "TREE"}, IndexState("behind", "TREE")),
    ],
)
def test_the_index_is_as_its_state_says(
    book: Book, tmp_path: Path, content: dict[str, object] | str | None, expected: IndexState
) -> None:
    first = book.memory().commit
    book.capture(talk(2), "one")
    book.capture(talk(2), "two")
    stands = {"TIP": book.memory().commit, "FIRST": first, "TREE": book.memory().root}
    file = tmp_path / "state" / "index" / "lexical" / "state.json"
    file.parent.mkdir(parents=True)
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        for word, oid in stands.items():
            text = text.replace(word, oid)
        file.write_text(text)
    wanted = expected._replace(commit=stands.get(expected.commit or "", expected.commit))
    assert state_of(book, tmp_path).index_state == wanted


def test_the_key_is_there_when_both_its_halves_are(book: Book, tmp_path: Path) -> None:
    assert not state_of(book, tmp_path).has_key
    for file in (tmp_path / "user" / "redaction-key", tmp_path / "state" / "repository-name"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    assert state_of(book, tmp_path).has_key


def test_the_log_says_what_each_commit_brought(book: Book) -> None:
    session, base = book.capture(talk(4), "one")
    book.author = Author("Grace", "grace@example.net")
    book.capture([said(9, "user", "more")], "one", parents=(base,), keep=4)
    set_tags(book.naming(), session, ["deep"])
    newest, grown, new, start = log(book.memory())
    assert (newest.commit, newest.author, newest.email) == (
        book.memory().commit,
        "Grace",
        "grace@example.net",
    )
    changes = [
        (e.sessions[0].change, e.sessions[0].lines, e.sessions[0].registers) for e in (newest, grown, new)
    ]
    assert changes == [("named", 0, ("tags",)), ("grown", 1, ()), ("new", 4, ())]
    assert {str(e.sessions[0].key) for e in (newest, grown, new)} == {"claude-code/one"}
    assert (start.sessions, start.subject, start.parents) == ((), "Start a memory [skip ci]", ())
    assert [entry.commit for entry in log(book.memory(), 2)] == [newest.commit, grown.commit]


def test_the_log_is_gits_own(real_book: Book, repository: Path, git: RealGit) -> None:
    for n in range(4):
        real_book.capture(talk(n + 1), f"s{n}")
    lines = [f"{e.commit} {e.at_s} {e.author} {e.subject}" for e in log(real_book.memory())]
    assert lines == git("log", "--format=%H %at %an %s", "gitmem", cwd=repository).split("\n")


def test_damaged_and_foreign_things_do_not_stop_the_log(book: Book) -> None:
    session, capture = book.capture(talk(2), "one")
    book.put(session, layout.capture_path(session, capture), b"junk")
    book.put(session, layout.session_path(session), b"junk")
    book.put(session, ("elsewhere", "file"), b"foreign")
    book.put(session, tombstone_path("cd" * 32, RecordId("ab" * 32)), b"junk")
    tombstone, foreign, record, damaged, *_ = log(book.memory())
    assert tombstone.others == {"tombstone": 1}
    assert (foreign.sessions, foreign.others) == ((), {})
    assert (record.sessions[0].key, damaged.sessions[0].lines) == (None, 0)


@pytest.mark.parametrize(
    "names",
    [
        ["zz", *(f"d{n}" for n in range(1100))],
        ["zz", *["*"] * 12],
        ["sessions", "*", "*", "*", "captures", "*"],
        ["sessions", "*", "*", "*", "*", "*"],
        ["checkpoints", "*", "*", "*"],
    ],
    ids=["deep", "wide", "wide captures", "wide anything", "wide checkpoints"],
)
def test_a_tree_in_history_that_unfolds_without_bound_costs_no_more_than_its_objects(
    tmp_path: Path, names: list[str]
) -> None:
    book = Book(CountingStorage())
    book.capture(talk(2), "one")
    made = put_in_history(book, names)
    assert isinstance(book.storage, CountingStorage)
    book.storage.reads = 0
    restored, hostile, one, _ = log(book.memory())
    named = {change.key for entry in (restored, hostile) for change in entry.sessions if change.key}
    assert named <= {SessionKey("claude-code", "one")}
    assert len(hostile.sessions) <= 2
    assert [str(change.key) for change in one.sessions] == ["claude-code/one"]
    assert state_of(book, tmp_path).captured_s is not None
    assert book.storage.reads < 100 + 8 * made


def test_a_session_that_is_gone_is_named_by_what_it_was(book: Book) -> None:
    session, capture = book.capture(talk(2), "one")
    for path in (layout.capture_path(session, capture), layout.session_path(session)):
        book.put(session, path, None)
    [change] = next(log(book.memory())).sessions
    assert (change.change, str(change.key)) == ("gone", "claude-code/one")


def test_a_shallow_clone_tells_what_it_has(
    real_book: Book, repository: Path, tmp_path: Path, git: RealGit
) -> None:
    for n in range(3):
        real_book.capture(talk(2), f"s{n}")
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth=1", "--branch=gitmem", f"file://{repository}", str(clone), cwd=tmp_path)
    asked = Git(dict(os.environ))
    with closing(open_storage(discover(clone, asked), asked)) as storage:
        [entry] = log(open_memory(storage, REF))
    assert entry.sessions == ()
    assert entry.parents


class CountingStorage(InProcessStorage):
    reads = 0

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        self.reads += 1
        return super().read(oid)


def put_in_history(book: Book, names: list[str]) -> int:
    """Commit a tree that has folders in folders (`*`: forty, all the same), then the tree as it was.

    Returns:
        How many objects that took.
    """
    memory = book.memory()
    tip = read_commit(book.storage, memory.commit)
    entries = trees.read_tree(book.storage, memory.root)
    [blob] = add_all(book.storage, [("blob", b"nothing")])
    [tree] = add_all(book.storage, [("tree", encode_tree({"ab" * 31: Entry(0o100644, blob)}))])
    digits = {1: 2, 2: 2, 3: 60, 5: 2}
    for depth, name in reversed([*enumerate(names)][1:]):
        width = digits.get(depth, 2)
        copies = [f"{n:0{width}x}" for n in range(40)] if name == "*" else [name]
        if name == "*" and depth == 4:
            copies = ["captures", "registers", "segments"]
        [tree] = add_all(book.storage, [("tree", encode_tree(dict.fromkeys(copies, Entry(TREE_MODE, tree))))])
    [root] = add_all(book.storage, [("tree", encode_tree(entries | {names[0]: Entry(TREE_MODE, tree)}))])
    at = memory.commit
    for found in (root, memory.root):
        [at] = add_all(
            book.storage, [("commit", encode_commit(tip._replace(tree=found, parents=(at,), message="x\n")))]
        )
    book.storage.move_ref(REF, at, memory.commit, "by hand")
    return len(names) + 5
