"""What goes through git's plumbing, and what either backend makes of refs and objects that are damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.git.direct import DirectBackend
from gitmem.git.libgit import LibgitBackend
from gitmem.git.plumbing import PlumbingBackend
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import Backend, open_storage
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RefDamaged, RefMoved
from gitmem.model.ids import Oid
from tests.conftest import RealGit

REF = "refs/heads/gitmem"
GONE = Oid("ab" * 20)


@pytest.fixture(params=["libgit2", "plumbing", "direct"])
def backend(request: pytest.FixtureRequest, repository: Path) -> Iterator[Backend]:
    git = Git(dict(os.environ))
    found = discover(repository, git)
    made: dict[str, Callable[[], Backend]] = {
        "libgit2": lambda: LibgitBackend(found.common_dir),
        "plumbing": lambda: PlumbingBackend(found, git),
        "direct": lambda: DirectBackend(found, git),
    }
    with closing(made[request.param]()) as backend:
        yield backend


def head(repository: Path, git: RealGit) -> Oid:
    return Oid(git("rev-parse", "HEAD", cwd=repository))


def loose(repository: Path, oid: str) -> Path:
    return repository / ".git/objects" / oid[:2] / oid[2:]


@pytest.mark.parametrize(
    ("hash_name", "kind"), [("sha1", DirectBackend), ("sha256", PlumbingBackend)], ids=["sha1", "sha256"]
)
def test_libgit2_is_used_where_it_can_be(tmp_path: Path, git: RealGit, hash_name: str, kind: type) -> None:
    git("init", "--quiet", f"--object-format={hash_name}", str(tmp_path / "r"), cwd=tmp_path)
    here = Git(dict(os.environ))
    with closing(open_storage(discover(tmp_path / "r", here), here)) as storage:
        assert isinstance(storage._backend, kind)


def test_every_kind_of_object_is_read_as_git_has_it(backend: Backend, repository: Path, git: RealGit) -> None:
    git("tag", "-a", "-m", "a tag", "v1", cwd=repository)
    for name in ("HEAD", "HEAD^{tree}", "HEAD:a.txt", "v1"):
        oid = Oid(git("rev-parse", name, cwd=repository))
        kind, data = backend.read(oid)
        assert kind == git("cat-file", "-t", oid, cwd=repository)
        assert len(data) == int(git("cat-file", "-s", oid, cwd=repository))
        assert backend.contains(oid)


def test_objects_are_read_in_any_number_and_order(backend: Backend, repository: Path, git: RealGit) -> None:
    oids = [
        git("hash-object", "-w", "--stdin", cwd=repository, stdin=text)
        for text in ("", "a\n", "b" * 100_000, "\n\n")
    ]
    for oid in (*oids, *reversed(oids), oids[2]):
        assert len(backend.read(Oid(oid))[1]) == int(git("cat-file", "-s", oid, cwd=repository))
        with pytest.raises(ObjectMissing):
            backend.read(GONE)


def test_no_tag_or_branch_is_taken_for_a_ref_of_another_name(
    backend: Backend, repository: Path, git: RealGit
) -> None:
    oid = head(repository, git)
    for name in (f"refs/tags/{REF}", f"refs/heads/{REF}", f"refs/remotes/{REF}"):
        git("update-ref", name, oid, cwd=repository)
    assert backend.read_ref(REF) is None
    backend.move_ref(REF, oid, None, "start")
    assert backend.read_ref(REF) == oid


def test_a_symbolic_ref_is_followed(backend: Backend, repository: Path, git: RealGit) -> None:
    git("symbolic-ref", "refs/heads/also", "refs/heads/main", cwd=repository)
    assert backend.read_ref("refs/heads/also") == head(repository, git)


@pytest.mark.parametrize("content", ["", "garbage\n", "ab\n"])
def test_a_ref_whose_file_is_damaged_is_named(backend: Backend, repository: Path, content: str) -> None:
    (repository / ".git" / REF).write_text(content)
    with pytest.raises(RefDamaged) as caught:
        backend.read_ref(REF)
    assert caught.value.ref == REF
    assert list(backend.list_refs("refs/heads/")) == ["refs/heads/main"]


def test_a_ref_that_points_nowhere_is_still_a_ref(backend: Backend, repository: Path) -> None:
    (repository / ".git" / REF).write_text(f"{GONE}\n")
    assert backend.read_ref(REF) == GONE
    assert not backend.contains(GONE)


def test_a_ref_that_git_moved_meanwhile_is_not_moved(
    backend: Backend, repository: Path, git: RealGit
) -> None:
    oid = head(repository, git)
    new = Oid(git.commit(repository, content="two\n"))
    backend.move_ref(REF, oid, None, "start")
    git("update-ref", REF, new, cwd=repository)
    with pytest.raises(RefMoved) as caught:
        backend.move_ref(REF, new, oid, "on")
    assert (caught.value.expected, caught.value.found) == (oid, new)


def test_a_move_is_in_the_reflog(backend: Backend, repository: Path, git: RealGit) -> None:
    backend.move_ref(REF, head(repository, git), None, "gitmem: start")
    assert "gitmem: start" in git("reflog", "show", REF, cwd=repository)


def test_a_lock_that_somebody_holds_is_waited_for(backend: Backend, repository: Path, git: RealGit) -> None:
    lock = repository / ".git" / f"{REF}.lock"
    lock.touch()
    with pytest.raises(BlockingIOError):
        backend.move_ref(REF, head(repository, git), None, "start")
    lock.unlink()
    backend.move_ref(REF, head(repository, git), None, "start")


@pytest.mark.parametrize("keep", [0, 1, 5, -1, -3])
def test_a_loose_object_that_is_cut_short_is_damaged(
    backend: Backend, repository: Path, git: RealGit, keep: int
) -> None:
    # libgit2 never comes back from these.
    oid = Oid(git("hash-object", "-w", "--stdin", cwd=repository, stdin="some text\n" * 50))
    content = loose(repository, oid).read_bytes()
    loose(repository, oid).chmod(0o644)
    loose(repository, oid).write_bytes(content[:keep])
    with pytest.raises((ObjectDamaged, ObjectMissing)):
        backend.read(oid)
    whole = head(repository, git)
    assert backend.read(whole)[0] == "commit"


def test_a_loose_object_that_holds_something_else_is_damaged(repository: Path, git: RealGit) -> None:
    one, two = (
        git("hash-object", "-w", "--stdin", cwd=repository, stdin=text) for text in ("one\n", "two\n")
    )
    loose(repository, one).chmod(0o644)
    loose(repository, one).write_bytes(loose(repository, two).read_bytes())
    with (
        closing(LibgitBackend(repository / ".git")) as backend,
        pytest.raises(ObjectDamaged, match="something else"),
    ):
        backend.read(Oid(one))


def test_closing_twice_is_fine(repository: Path) -> None:
    git = Git(dict(os.environ))
    backend = PlumbingBackend(discover(repository, git), git)
    assert not backend.contains(GONE)
    backend.close()
    backend.close()
