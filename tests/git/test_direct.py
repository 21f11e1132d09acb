"""Reading git's files by hand: what git has, without libgit2; and all that is unusual is left to it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.git.direct import DirectBackend
from gitmem.git.packreading import OpenPack, PackUnread
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RefDamaged, RefMoved
from gitmem.model.ids import Oid
from gitmem.objects.encoding import object_id
from tests.conftest import RealGit
from tests.objects.storage_suite import REF

OWN = "refs/gitmem/audit/a"


@pytest.fixture
def backend(repository: Path) -> Iterator[DirectBackend]:
    git = Git(dict(os.environ))
    with closing(DirectBackend(discover(repository, git), git)) as backend:
        yield backend


@pytest.fixture
def objects(repository: Path, git: RealGit, seed: int) -> list[Oid]:
    """Commit versions of a large file, so that git makes deltas of them; return all objects there are."""
    text = [f"{random.Random(seed).getrandbits(64):x}\n" for _ in range(3000)]
    for n in range(12):
        text[n * 200] = f"version {n}\n"
        (repository / "large.txt").write_text("".join(text))
        git("add", ".", cwd=repository)
        git("commit", "-q", "-m", f"version {n}", cwd=repository)
    git("tag", "-a", "-m", "a tag", "v1", cwd=repository)
    listed = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", cwd=repository)
    return [Oid(name) for name in listed.split()]


@pytest.mark.parametrize("by_offset", ["true", "false"])
def test_every_object_of_a_pack_is_read_without_libgit2(
    backend: DirectBackend, objects: list[Oid], repository: Path, git: RealGit, by_offset: str
) -> None:
    git("-c", f"repack.useDeltaBaseOffset={by_offset}", "repack", "-a", "-d", "-f", "-q", cwd=repository)
    deltas = git("cat-file", "--batch-all-objects", "--batch-check=%(deltabase)", cwd=repository).split()
    assert len([base for base in deltas if base.strip("0")]) > 8
    for oid in objects:
        kind, data = backend.read(oid)
        assert object_id(kind, data, "sha1") == oid
        assert kind == git("cat-file", "-t", oid, cwd=repository)
        assert backend.contains(oid)
    assert backend._library is None


def test_a_pack_that_came_meanwhile_is_found(
    backend: DirectBackend, objects: list[Oid], repository: Path, git: RealGit
) -> None:
    git("repack", "-a", "-d", "-q", cwd=repository)
    backend.read(objects[0])
    (repository / "new.txt").write_text("new\n")
    git("add", "new.txt", cwd=repository)
    git("commit", "-q", "-m", "new", cwd=repository)
    oid = Oid(git("rev-parse", "HEAD:new.txt", cwd=repository))
    git("repack", "-d", "-q", cwd=repository)
    assert backend.read(oid) == ("blob", b"new\n")
    git("gc", "-q", "--prune=now", cwd=repository)
    assert backend.read(oid) == ("blob", b"new\n")
    assert backend._library is None


def test_what_is_not_there_is_for_libgit2_to_say(backend: DirectBackend, objects: list[Oid]) -> None:
    gone = Oid("ab" * 20)
    assert not backend.contains(gone)
    assert backend._library is not None
    with pytest.raises(ObjectMissing):
        backend.read(gone)


def test_what_takes_long_by_hand_is_left_to_libgit2(
    backend: DirectBackend,
    objects: list[Oid],
    repository: Path,
    git: RealGit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git("repack", "-a", "-d", "-f", "-q", "--window=0", cwd=repository)
    monkeypatch.setattr("gitmem.git.direct._MOST_STEPS", 3)
    for n, oid in enumerate(objects[:6]):
        backend.read(oid)
        assert (backend._library is None) == (n < 3)


def test_a_damaged_pack_is_never_read_as_something_else(
    backend: DirectBackend, objects: list[Oid], repository: Path, git: RealGit, seed: int
) -> None:
    whole = {oid: backend.read(oid) for oid in objects}
    git("repack", "-a", "-d", "-f", "-q", cwd=repository)
    [path] = (repository / ".git/objects/pack").glob("*.pack")
    content, made = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(200):
        content[made.randrange(12, len(content))] ^= 1 << made.randrange(8)
    path.chmod(0o644)
    path.write_bytes(content)
    damaged = 0
    for oid, was in whole.items():
        try:
            assert backend.read(oid) == was
        except (ObjectDamaged, ObjectMissing):
            damaged += 1
    assert damaged


@pytest.mark.parametrize("size", [0, 7, 1031, 1040])
def test_an_index_that_is_cut_short_is_not_read(
    objects: list[Oid], repository: Path, git: RealGit, size: int
) -> None:
    git("repack", "-a", "-d", "-q", cwd=repository)
    [path] = (repository / ".git/objects/pack").glob("*.idx")
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:size])
    try:
        with closing(OpenPack(path)) as pack:
            assert all(pack.find(bytes.fromhex(oid)) is None for oid in objects)
    except PackUnread:
        pass


def test_objects_of_another_repository_are_found(repository: Path, git: RealGit, tmp_path: Path) -> None:
    git("repack", "-a", "-d", "-q", cwd=repository)
    git("clone", "-q", "--shared", str(repository), str(tmp_path / "shared"), cwd=tmp_path)
    here = Git(dict(os.environ))
    head = Oid(git("rev-parse", "HEAD", cwd=repository))
    with closing(DirectBackend(discover(tmp_path / "shared", here), here)) as backend:
        assert backend.contains(head)
        assert backend.read(head)[0] == "commit"


def test_refs_are_read_where_they_stand(backend: DirectBackend, repository: Path, git: RealGit) -> None:
    head = Oid(git("rev-parse", "HEAD", cwd=repository))
    for name in ("refs/gitmem/a/one", "refs/gitmem/a/two", "refs/gitmem/ab"):
        git("update-ref", name, head, cwd=repository)
    git("tag", "-a", "-m", "a tag", "v1", cwd=repository)
    git("pack-refs", "--all", cwd=repository)
    git("update-ref", "refs/gitmem/a/three", head, cwd=repository)
    tag = Oid(git("rev-parse", "v1", cwd=repository))
    assert backend.list_refs("refs/gitmem/a/") == {
        f"refs/gitmem/a/{name}": head for name in ("one", "three", "two")
    }
    assert backend.list_refs("refs/gitmem/ab/") == {"refs/gitmem/ab": head}
    assert backend.read_ref("refs/tags/v1") == tag
    assert backend.read_ref("refs/gitmem/a") is None
    git("commit", "-q", "--allow-empty", "-m", "more", cwd=repository)
    more = Oid(git("rev-parse", "HEAD", cwd=repository))
    git("update-ref", "refs/gitmem/a/one", more, cwd=repository)
    git("pack-refs", "--all", cwd=repository)
    assert backend.read_ref("refs/gitmem/a/one") == more
    git("update-ref", "-d", "refs/gitmem/a/two", cwd=repository)
    assert backend.read_ref("refs/gitmem/a/two") is None
    assert backend._library is None


def test_symbolic_and_damaged_refs_are_left_to_libgit2(
    backend: DirectBackend, repository: Path, git: RealGit
) -> None:
    git("symbolic-ref", "refs/gitmem/link", git("symbolic-ref", "HEAD", cwd=repository), cwd=repository)
    assert backend.read_ref("refs/gitmem/link") == git("rev-parse", "HEAD", cwd=repository)
    assert backend._library is not None
    (repository / ".git/refs/gitmem/bad").write_text("no id\n")
    with pytest.raises(RefDamaged):
        backend.read_ref("refs/gitmem/bad")


def test_refs_move_without_libgit2(backend: DirectBackend, repository: Path, git: RealGit) -> None:
    head = Oid(git("rev-parse", "HEAD", cwd=repository))
    backend.move_ref(REF, head, None, "start")
    assert git("reflog", "--format=%gs", "gitmem", cwd=repository) == "start"
    with pytest.raises(RefMoved):
        backend.move_ref(REF, head, None, "again")
    lock = repository / f".git/{REF}.lock"
    lock.touch()
    with pytest.raises(BlockingIOError):
        backend.move_ref(REF, head, head, "on")
    assert backend._library is None
    backend.move_ref("refs/gitmem/audit/a", head, None, "audit")
    assert not (repository / ".git/logs/refs/gitmem").exists(), (
        "libgit2 and git write one where git is told to"
    )


def test_a_ref_of_gitmem_s_own_moves_without_git_and_git_sees_it(repository: Path, git: RealGit) -> None:
    head = Oid(git("rev-parse", "HEAD", cwd=repository))
    other = Oid(git("commit-tree", "-m", "other", "HEAD^{tree}", cwd=repository))
    backend = DirectBackend(discover(repository, Git(dict(os.environ))), Git({"PATH": "/nowhere"}))
    backend.move_ref(OWN, head, None, "start")
    with pytest.raises(RefMoved):
        backend.move_ref(OWN, other, None, "again")
    assert git("rev-parse", OWN, cwd=repository) == head
    git("pack-refs", "--all", cwd=repository)
    with pytest.raises(RefMoved):
        backend.move_ref(OWN, head, other, "from elsewhere")
    backend.move_ref(OWN, other, head, "on")
    assert git("rev-parse", OWN, cwd=repository) == other
    lock = repository / f".git/{OWN}.lock"
    lock.touch()
    with pytest.raises(BlockingIOError):
        backend.move_ref(OWN, head, other, "on")
    assert lock.exists(), "it is another's"
    assert backend._library is None


@pytest.mark.parametrize("name", ["core.logAllRefUpdates", "core.sharedRepository"])
def test_a_ref_of_gitmem_s_own_is_git_s_to_move_where_more_than_its_file_changes(
    repository: Path, git: RealGit, name: str
) -> None:
    git("config", name, "always" if "log" in name else "group", cwd=repository)
    head, real = Oid(git("rev-parse", "HEAD", cwd=repository)), Git(dict(os.environ))
    backend = DirectBackend(discover(repository, real), real)
    backend.move_ref(OWN, head, None, "start")
    log = repository / ".git/logs" / OWN
    assert log.exists() == ("log" in name)
    mode = (repository / ".git" / OWN).stat().st_mode
    assert bool(mode & 0o020) == ("shared" in name), "the group may write"


@pytest.mark.parametrize(("there", "moved"), [(OWN, f"{OWN}/below"), (f"{OWN}/below", OWN)])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_ref_that_stands_in_the_way_of_one_of_gitmem_s_own_is_told_by_git(
    backend: DirectBackend, repository: Path, git: RealGit, there: str, moved: str, is_packed: bool
) -> None:
    head = Oid(git("rev-parse", "HEAD", cwd=repository))
    git("update-ref", there, head, cwd=repository)
    if is_packed:
        git("pack-refs", "--all", cwd=repository)
    with pytest.raises(GitFailed, match=there):
        backend.move_ref(moved, head, None, "start")
    assert git("for-each-ref", "--format=%(refname)", OWN, cwd=repository) == there


def test_an_object_whose_pack_is_just_replaced_is_found_in_the_new_one(
    backend: DirectBackend,
    objects: list[Oid],
    repository: Path,
    git: RealGit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git("repack", "-a", "-d", "-q", cwd=repository)
    opened = OpenPack.__init__

    def replaced_first(self: OpenPack, path: Path) -> None:
        monkeypatch.setattr(OpenPack, "__init__", opened)
        git("commit", "-q", "--allow-empty", "-m", "more", cwd=repository)
        git("repack", "-a", "-d", "-q", cwd=repository)
        opened(self, path)

    monkeypatch.setattr(OpenPack, "__init__", replaced_first)
    assert backend.read(objects[0])[0]
    assert backend._library is None


def test_an_index_whose_pack_is_lost_keeps_nobody(
    backend: DirectBackend, objects: list[Oid], repository: Path, git: RealGit
) -> None:
    git("repack", "-a", "-d", "-q", cwd=repository)
    [path] = (repository / ".git/objects/pack").glob("*.pack")
    path.rename(path.with_suffix(".lost"))
    assert not backend.contains(objects[0])
