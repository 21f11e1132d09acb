"""The storage that seals keeps the storage contract, shows one memory, and leaves nothing readable behind."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.format.memory import changed_sessions, open_memory
from gitmem.git.storage import GitStorage
from gitmem.model.errors.store import NotSealed, ObjectMissing, RecordRefused, RefMoved
from gitmem.model.refs import KEYS_NAMESPACE, PRIVATE_REF, SEALED_NAMESPACE, sealed_ref
from gitmem.objects import trees
from gitmem.objects.encoding import TREE_MODE, Entry, encode_tree
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Storage
from gitmem.sealed.keeping import write_commit
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.tips import read_tips, virtual_commit
from gitmem.sealed.writing import Writing, move_all
from gitmem.verbs.naming import Naming, set_title, title_of
from gitmem.verbs.starting import start
from tests.conftest import RealGit
from tests.importing import samples
from tests.objects.storage_suite import REF, StorageSuite, commit, tree_of
from tests.sealed.conftest import WHO, Person, every_object, holds, open_at

MEMORY = {"FORMAT": b"0\n", "README.md": b"x"}


def session_path(n: int) -> str:
    return f"sessions/{n:02x}/00/{'0' * 60}/session"


class SealedSuite(StorageSuite):
    """See the suite; what is about refs is asked of the private memory's, with a memory's files in it."""

    def test_a_ref_moves_only_from_where_it_was_expected(self, storage: Storage) -> None:
        first = commit(storage, tree_of(storage, MEMORY | {session_path(1): b"1"}))
        second = commit(storage, tree_of(storage, MEMORY | {session_path(1): b"2"}), time_s=1)
        assert storage.read_ref(PRIVATE_REF) is None
        storage.move_ref(PRIVATE_REF, first, None, "start")
        at = storage.read_ref(PRIVATE_REF)
        assert at
        with pytest.raises(RefMoved) as caught:
            storage.move_ref(PRIVATE_REF, second, None, "start again")
        assert (caught.value.expected, caught.value.found) == (None, at)
        with pytest.raises(RefMoved):
            storage.move_ref(PRIVATE_REF, first, second, "from elsewhere")
        assert storage.read_ref(PRIVATE_REF) == at
        storage.move_ref(PRIVATE_REF, second, at, "on")
        assert read_back(storage) == {session_path(1): b"2"}

    def test_refs_are_listed_below_a_prefix(self, storage: Storage) -> None:
        assert storage.list_refs("refs/gitmem/") == {}
        storage.move_ref(PRIVATE_REF, commit(storage, tree_of(storage, MEMORY)), None, "start")
        shown = {PRIVATE_REF: storage.read_ref(PRIVATE_REF)}
        for prefix in ("refs/gitmem/", "refs/", SEALED_NAMESPACE):
            found = storage.list_refs(prefix)
            assert {ref: oid for ref, oid in found.items() if "gitmem" in ref} == shown
        assert storage.list_refs(KEYS_NAMESPACE) == {}

    def test_racing_writers_lose_no_update(self, storage: Storage) -> None:
        storage.move_ref(PRIVATE_REF, commit(storage, tree_of(storage, MEMORY)), None, "start")

        def write(writer: int) -> None:
            for n in range(5):
                with storage.lock():
                    tip = storage.read_ref(PRIVATE_REF)
                    assert tip
                    root = open_memory(storage, PRIVATE_REF, tip).root
                    tree = tree_of(storage, {session_path(5 * writer + n): b"%d" % n}, base=root)
                    storage.move_ref(PRIVATE_REF, commit(storage, tree, tip), tip, "on")

        threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert read_back(storage) == {session_path(n): b"%d" % (n % 5) for n in range(15)}

    def test_tidying_changes_no_content(self, storage: Storage) -> None:
        tip, root, expected = None, None, {}
        for n in range(60):
            files = {session_path(n % 7): b"%d" % n} | (MEMORY if root is None else {})
            root = tree_of(storage, files, base=root)
            storage.move_ref(PRIVATE_REF, commit(storage, root), tip, "on")
            tip = storage.read_ref(PRIVATE_REF)
            root = open_memory(storage, PRIVATE_REF).root
            expected[session_path(n % 7)] = b"%d" % n
            with storage.lock():
                storage.tidy()
        assert read_back(storage) == expected


def read_back(storage: Storage) -> dict[str, bytes]:
    root = open_memory(storage, PRIVATE_REF).root
    return {
        "/".join(path): trees.read_blob(storage, entry.oid)
        for path, entry in trees.walk(storage, root)
        if path[0] == "sessions"
    }


class TestSealedStorageInProcess(SealedSuite):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Iterator[SealedStorage]:
        base: Storage = InProcessStorage()
        with closing(SealedStorage(base, Person(base, tmp_path / "ada").ring())) as storage:  # type: ignore[arg-type]
            yield storage


class TestSealedStorageInGit(SealedSuite):
    @pytest.fixture(params=["sha1", "sha256"])
    def storage(
        self, request: pytest.FixtureRequest, tmp_path: Path, git: RealGit
    ) -> Iterator[SealedStorage]:
        git("init", "-q", f"--object-format={request.param}", str(tmp_path / "here"), cwd=tmp_path)
        with closing(open_at(tmp_path / "here")) as base:
            yield Person(base, tmp_path / "ada").storage()

    def test_git_finds_nothing_wrong(self, storage: SealedStorage, git: RealGit, tmp_path: Path) -> None:
        self.test_racing_writers_lose_no_update(storage)
        assert "error" not in git("fsck", "--strict", "--full", cwd=tmp_path / "here")


def test_a_transcript_goes_in_grows_and_comes_out(ada: Person, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 10))
    other = samples.write(tmp_path / "b.jsonl", samples.codex(6))
    assert len(ada.take(path, other).new_sessions) == 2
    assert set(ada.texts().values()) == {samples.lines(0, 10), samples.codex(6)}
    samples.write(path, samples.lines(0, 25))
    report = ada.take(path, other)
    assert (len(report.grown_sessions), report.unchanged, report.lines) == (1, 1, 15)
    assert set(ada.texts().values()) == {samples.lines(0, 25), samples.codex(6)}
    assert ada.take(path, other).commits == []


def test_each_session_is_sealed_on_its_own_and_an_append_is_a_fast_forward(
    ada: Person, base: GitStorage, tmp_path: Path, git: RealGit
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 10))
    ada.take(path, samples.write(tmp_path / "b.jsonl", samples.codex(6)))
    before = read_tips(base)
    assert len(before) == 4
    samples.write(path, samples.lines(0, 20))
    ada.take(path)
    after = read_tips(base)
    [moved] = [ref for ref in after if after[ref] != before[ref]]
    assert moved.startswith(SEALED_NAMESPACE)
    top = base.repository.top
    assert top
    git("merge-base", "--is-ancestor", before[moved], after[moved], cwd=top)
    kept = set(git("ls-tree", "-r", before[moved], cwd=top).splitlines())
    now = set(git("ls-tree", "-r", after[moved], cwd=top).splitlines())
    assert len([line for line in kept - now if "\tblobs/" in line]) == 0
    for ref, oid in after.items():
        if ref.startswith(KEYS_NAMESPACE):
            assert git("rev-list", "--count", oid, cwd=top) == "1"


def test_the_commit_shown_follows_from_the_refs_alone(ada: Person, base: GitStorage, tmp_path: Path) -> None:
    assert ada.storage().read_ref(PRIVATE_REF) is None
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 4))
    ada.take(path)
    shown = ada.storage().read_ref(PRIVATE_REF)
    everything = base.list_refs("refs/")
    assert shown == virtual_commit(everything, base.hash_name)
    samples.write(path, samples.lines(0, 8))
    ada.take(path)
    assert ada.storage().read_ref(PRIVATE_REF) not in (None, shown)


def test_a_title_is_given_and_only_that_session_changes(ada: Person, tmp_path: Path) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(6)))
    storage = ada.storage()
    before = open_memory(storage, PRIVATE_REF)
    folder = next(before.folders())
    set_title(Naming(storage, PRIVATE_REF, WHO, str), folder.session, "Tides")
    memory = open_memory(storage, PRIVATE_REF)
    assert [session for session, _ in changed_sessions(memory, before.root)] == [folder.session]
    again = open_memory(ada.storage(), PRIVATE_REF)
    found = again.find(folder.session)
    assert found
    assert title_of(again.load(found)) == "Tides"


def test_one_session_can_be_looked_at_without_opening_the_others(
    ada: Person, base: GitStorage, tmp_path: Path
) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(6)))
    storage = ada.storage()
    names = [opened.name for opened in storage.opened()]
    folders = set(open_memory(storage, PRIVATE_REF).folders())
    assert {storage.folder_of(name) for name in names} == folders
    assert storage.folder_of("0" * 64) is None


def test_a_session_taken_out_is_shed_with_its_key(ada: Person, base: GitStorage, tmp_path: Path) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    ada.take(samples.write(tmp_path / "b.jsonl", samples.codex(6)))
    storage = ada.storage()
    memory = open_memory(storage, PRIVATE_REF)
    gone = next(memory.folders())
    with storage.begin() as batch:
        path = ("sessions", gone.session[:2], gone.session[2:4], gone.session[4:], "session")
        files = {entry: None for entry, _ in trees.walk(storage, memory.root) if entry[:4] == path[:4]}
        root = trees.edit(storage, batch, memory.root, files)
        batch.publish()
    assert root
    storage.move_ref(PRIVATE_REF, commit(storage, root), memory.commit, "shed")
    for each in (storage, ada.storage()):
        assert gone.session not in [folder.session for folder in open_memory(each, PRIVATE_REF).folders()]
        assert each.unopened() == ()
        assert not each.damaged()
    assert len(ada.texts()) == 1


def test_only_sessions_can_be_private_and_only_here(ada: Person, base: GitStorage) -> None:
    storage = ada.storage()
    start(storage, PRIVATE_REF, WHO)
    tip = storage.read_ref(PRIVATE_REF)
    for files in ({"notes/00/00/" + "0" * 60 + "/note": b"x"}, {"FORMAT": b"9\n"}, {"sessions/x": b""}):
        new = commit(storage, tree_of(storage, MEMORY | files))
        with pytest.raises(RecordRefused):
            storage.move_ref(PRIVATE_REF, new, tip, "no")
    with pytest.raises(NotSealed):
        storage.move_ref(REF, commit(storage, tree_of(storage, MEMORY)), None, "no")
    assert base.read_ref(REF) is None
    head = base.read_ref("refs/heads/main")
    assert head
    storage.move_ref("refs/heads/other", head, None, "what is there already may be named")
    assert base.read_ref("refs/heads/other") == head == storage.read_ref("refs/heads/other")


def test_after_closing_nothing_opened_is_left(ada: Person, tmp_path: Path) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 4)))
    storage = ada.storage()
    memory = open_memory(storage, PRIVATE_REF)
    storage.close()
    with pytest.raises(ObjectMissing):
        storage.read(memory.root)


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_no_word_of_it_stands_anywhere(hash_name: str, tmp_path: Path, git: RealGit, home: Path) -> None:
    top = tmp_path / "here"
    git("init", "-q", f"--object-format={hash_name}", str(top), cwd=tmp_path)
    canary = b"zanzibar-canary-7741"
    with closing(open_at(top)) as base:
        ada = Person(base, tmp_path / "ada")
        text = samples.line(0, pad=canary.decode()) + samples.lines(1, 12)
        ada.take(samples.write(tmp_path / "a" / "t.jsonl", text))
        samples.write(tmp_path / "a" / "t.jsonl", text + samples.line(12, pad=canary.decode() * 2))
        ada.take(tmp_path / "a" / "t.jsonl")
        assert canary * 2 in next(iter(ada.texts().values()))
        session = next(open_memory(ada.storage(), PRIVATE_REF).folders()).session
        objects = every_object(top)
        assert len(objects) > 10
        for word in (canary, samples.NAME.encode(), session.encode(), b"ada@example.org", b"claude-code"):
            assert not [oid for oid, content in objects.items() if holds(content, word)], word
        files = [path for path in top.rglob("*") if path.is_file()]
        assert not [path for path in files if canary in path.read_bytes()]
    assert "error" not in git("fsck", "--strict", "--full", cwd=top)


def test_a_session_that_two_devices_began_to_seal_is_shown_as_one(
    ada: Person, tmp_path: Path, repository: Path, git: RealGit
) -> None:
    git("clone", "-q", str(repository), str(tmp_path / "second"), cwd=tmp_path)
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 8))
    with closing(open_at(tmp_path / "second")) as there:
        Person(there, ada.user_dir).take(path)
    samples.write(path, samples.lines(0, 12))
    ada.take(path)
    refspec = "+refs/gitmem/*:refs/gitmem/*"
    git("fetch", "-q", str(tmp_path / "second"), refspec, cwd=repository)
    ada.base.close()
    with closing(open_at(repository)) as base:
        again = Person(base, ada.user_dir)
        assert len(again.storage().opened()) == 2
        [text] = again.texts().values()
        assert samples.lines(0, 12) in text
        samples.write(path, samples.lines(0, 16))
        assert len(again.take(path).grown_sessions) == 1
        [text] = again.texts().values()
        assert samples.lines(0, 16) in text


def test_a_second_sealing_that_is_damaged_does_not_hide_the_first(
    ada: Person, base: GitStorage, tmp_path: Path
) -> None:
    ada.take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 8)))
    [opened] = ada.storage().opened()
    assert opened.session
    # Anybody who has the public key can seal one more of the same session.
    storage = ada.storage()
    assert storage.folder_of(opened.name)
    with base.begin() as batch:
        writing = Writing(base, ada.ring(), storage, batch)
        writing.put(opened.session.session, opened.session.folder, writing.make_key())
        batch.publish()
    move_all(base, writing.moves, "seal it again")
    assert list(ada.texts().values()) == [samples.lines(0, 8)]
    [again] = [each for each in ada.storage().opened() if each.name != opened.name]
    assert again.session
    top = trees.read_tree(base, again.session.real_root)
    with base.begin() as batch:
        files = {path: None for path, _ in trees.walk(base, top["blobs"].oid)}
        gone = trees.edit(base, batch, top["blobs"].oid, dict(list(files.items())[:1]))
        assert gone
        tree = batch.add("tree", encode_tree({**top, "blobs": Entry(TREE_MODE, gone)}))
        broken = write_commit(batch, tree, ())
        batch.publish()
    base.move_ref(sealed_ref(again.name), broken, again.session.content, "damage")
    assert list(ada.texts().values()) == [samples.lines(0, 8)]
    assert list(ada.storage().damaged()) == [again.name]


def test_git_gc_loses_nothing(ada: Person, repository: Path, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 4))
    for n in range(2, 8):
        samples.write(path, samples.lines(0, 2 * n))
        ada.take(path)
    subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=repository, check=True)
    assert list(ada.texts().values()) == [samples.lines(0, 14)]
