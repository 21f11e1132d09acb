"""A snapshot has what is staged and what stands there, and leaves everything of the user's as it is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitmem.git import snapshots
from gitmem.model.errors.repositories import GitFailed
from tests.conftest import RealGit
from tests.snapshots.conftest import Camera, listing, repository_at, write


def test_what_is_staged_and_what_stands_there_are_two_trees(
    camera: Camera, repository: Path, git: RealGit
) -> None:
    write(repository / "a.txt", "staged\n")
    write(repository / "b.txt", "also staged\n")
    git("add", ".", cwd=repository)
    write(repository / "a.txt", "edited\n")
    write(repository / "deep/new.txt", "untracked\n")
    (repository / "b.txt").unlink()
    snapshot = camera.take(repository)
    assert camera.files(repository, snapshot.staged) == {"a.txt": "staged", "b.txt": "also staged"}
    assert camera.files(repository, snapshot.working) == {"a.txt": "edited", "deep/new.txt": "untracked"}
    assert snapshot.left_out == 0


def test_what_is_committed_is_one_tree_and_copies_no_file(
    camera: Camera, repository: Path, git: RealGit
) -> None:
    snapshot = camera.take(repository)
    tree = git("rev-parse", "HEAD^{tree}", cwd=repository)
    assert (snapshot.staged, snapshot.working) == (tree, tree)
    assert camera.has(repository, tree)
    assert not camera.has(repository, git("rev-parse", "HEAD:a.txt", cwd=repository))


def test_what_only_the_index_has_is_copied_once(camera: Camera, repository: Path, git: RealGit) -> None:
    write(repository / "a.txt", "staged\n")
    git("add", ".", cwd=repository)
    oid = git("rev-parse", ":a.txt", cwd=repository)
    write(repository / "a.txt", "edited\n")
    camera.take(repository)
    assert camera.has(repository, oid)
    before = listing(camera.store)
    camera.take(repository)
    assert listing(camera.store) == before
    write(repository / "a.txt", "one\n")
    git("add", ".", cwd=repository)
    git("reflog", "expire", "--expire=now", "--all", cwd=repository)
    git("gc", "--quiet", "--prune=now", cwd=repository)
    assert camera.within(repository, "cat-file", "blob", oid, alone=True) == "staged"


def test_ignored_files_are_never_in_the_store(camera: Camera, repository: Path, git: RealGit) -> None:
    write(repository / ".gitignore", "*.env\nbuild/\n")
    write(repository / "sub/.gitignore", "secret\n")
    write(repository / "sub/secret", "hunter2\n")
    write(repository / "my.env", "hunter2\n")
    write(repository / "build/out", "hunter2\n")
    write(repository / ".git/info/exclude", "excluded\n")
    write(repository / "excluded", "hunter2\n")
    snapshot = camera.take(repository)
    assert sorted(camera.files(repository, snapshot.working)) == [".gitignore", "a.txt", "sub/.gitignore"]
    oid = git("hash-object", "my.env", cwd=repository)
    assert not camera.has(repository, oid)


def test_links_modes_and_odd_names_are_kept(camera: Camera, repository: Path) -> None:
    (repository / "link").symlink_to("a.txt")
    (repository / "nowhere").symlink_to("/no/such/place")
    write(repository / "run", "#!/bin/sh\n")
    (repository / "run").chmod(0o755)
    odd = os.fsencode(repository) + b'/odd\n"name\xff'
    Path(os.fsdecode(odd)).write_text("odd\n")
    snapshot = camera.take(repository)
    found = camera.files(repository, snapshot.working)
    assert found["link"] == "120000 a.txt"
    assert found["nowhere"] == "120000 /no/such/place"
    assert found["run"] == "100755 #!/bin/sh"
    assert len(found) == 5


def test_a_repository_without_a_commit_is_taken(camera: Camera, tmp_path: Path, git: RealGit) -> None:
    top = tmp_path / "new"
    git("init", "--quiet", str(top), cwd=tmp_path)
    assert camera.take(top).working == snapshots.EMPTY_TREE["sha1"]
    write(top / "staged", "staged\n")
    git("add", ".", cwd=top)
    write(top / "untracked", "untracked\n")
    snapshot = camera.take(top)
    assert camera.files(top, snapshot.staged) == {"staged": "staged"}
    assert camera.files(top, snapshot.working) == {"staged": "staged", "untracked": "untracked"}
    assert camera.has(top, git("rev-parse", ":staged", cwd=top))


def test_a_bare_repository_has_nothing_to_take(camera: Camera, tmp_path: Path, git: RealGit) -> None:
    git("init", "--quiet", "--bare", str(tmp_path / "bare.git"), cwd=tmp_path)
    found = snapshots.take(repository_at(tmp_path / "bare.git"), _git(), camera.store)
    assert found == snapshots.Snapshot(None, None)
    assert not camera.store.exists()


def test_in_the_middle_of_a_merge_only_what_stands_there_is_taken(
    camera: Camera, repository: Path, git: RealGit
) -> None:
    git("switch", "--quiet", "-c", "other", cwd=repository)
    git.commit(repository, content="theirs\n")
    git("switch", "--quiet", "main", cwd=repository)
    git.commit(repository, content="ours\n")
    git("config", "alias.conflict", "!git merge other || true", cwd=repository)
    assert "CONFLICT" in git("conflict", cwd=repository)
    snapshot = camera.take(repository)
    assert snapshot.staged is None
    assert "<<<<<<<" in camera.files(repository, snapshot.working)["a.txt"]


def test_intent_to_add_is_not_staged_and_stands_there(camera: Camera, repository: Path, git: RealGit) -> None:
    write(repository / "new", "new\n")
    git("add", "-N", "new", cwd=repository)
    snapshot = camera.take(repository)
    assert camera.files(repository, snapshot.staged) == {"a.txt": "one"}
    assert camera.files(repository, snapshot.working) == {"a.txt": "one", "new": "new"}


def test_submodules_are_as_staged_and_nested_repositories_are_left_out(
    camera: Camera, repository: Path, git: RealGit, tmp_path: Path
) -> None:
    git("init", "--quiet", str(tmp_path / "lib"), cwd=tmp_path)
    head = git.commit(tmp_path / "lib")
    git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(tmp_path / "lib"),
        "lib",
        cwd=repository,
    )
    git.commit(repository / "lib", content="further\n")
    git("init", "--quiet", str(repository / "nested"), cwd=tmp_path)
    git("init", "--quiet", str(repository / "empty"), cwd=tmp_path)
    git.commit(repository / "nested")
    write(repository / "nested/untracked", "x\n")
    snapshot = camera.take(repository)
    assert sorted(camera.files(repository, snapshot.working)) == [".gitmodules", "a.txt", "lib"]
    assert head in camera.within(repository, "ls-tree", str(snapshot.working))


def test_a_submodule_and_a_linked_worktree_are_taken_as_any_other(
    camera: Camera, repository: Path, git: RealGit, tmp_path: Path
) -> None:
    git("init", "--quiet", str(tmp_path / "lib"), cwd=tmp_path)
    git.commit(tmp_path / "lib")
    git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(tmp_path / "lib"),
        "lib",
        cwd=repository,
    )
    git("worktree", "add", "--quiet", str(tmp_path / "linked"), cwd=repository)
    for top in (repository / "lib", tmp_path / "linked"):
        write(top / "b.txt", "here\n")
        assert camera.files(top, camera.take(top).working) == {"a.txt": "one", "b.txt": "here"}


def test_what_replaced_a_file_is_what_stands_there(camera: Camera, repository: Path, git: RealGit) -> None:
    for name in ("file", "folder/one", "linked/x", "pipe", "inner"):
        write(repository / name, f"{name}\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "x", cwd=repository)
    (repository / "file").unlink()
    write(repository / "file/below", "below\n")
    shutil.rmtree(repository / "folder")
    write(repository / "folder", "a file now\n")
    (repository / "linked").rename(repository / "moved")
    (repository / "linked").symlink_to("moved")
    (repository / "pipe").unlink()
    os.mkfifo(repository / "pipe")
    (repository / "inner").unlink()
    git("init", "--quiet", str(repository / "inner"), cwd=repository)
    git.commit(repository / "inner")
    assert camera.files(repository, camera.take(repository).working) == {
        "a.txt": "one",
        "file/below": "below",
        "folder": "a file now",
        "linked": "120000 moved",
        "moved/x": "linked/x",
    }


def test_filters_apply_and_one_that_fails_leaves_its_file_out(
    camera: Camera, repository: Path, git: RealGit
) -> None:
    git("config", "filter.up.clean", "tr a-z A-Z", cwd=repository)
    git("config", "filter.bad.clean", "false", cwd=repository)
    git("config", "filter.bad.required", "true", cwd=repository)
    git("config", "core.safecrlf", "true", cwd=repository)
    write(repository / ".gitattributes", "*.up filter=up\n*.bad filter=bad\n*.crlf text\n")
    write(repository / "x.up", "loud\n")
    (repository / "y.crlf").write_bytes(b"one\r\ntwo\r\n")
    for n in range(20):
        write(repository / f"n{n:02}{'.bad' if n in (3, 11) else ''}", f"{n}\n")
    write(repository / "a.bad", "tracked before it was filtered\n")
    git("-c", "filter.bad.clean=cat", "add", "a.bad", cwd=repository)
    write(repository / "a.bad", "changed\n")
    snapshot = snapshots.take(repository_at(repository), _git(), camera.store)
    found = camera.files(repository, snapshot.working)
    assert (found["x.up"], found["y.crlf"]) == ("LOUD", "one\ntwo")
    assert len(found) == 22
    assert snapshot.omitted == (b"a.bad", b"n03.bad", b"n11.bad")


def test_a_filter_that_fails_everywhere_does_not_make_git_try_for_ever(
    camera: Camera, repository: Path, git: RealGit
) -> None:
    git("config", "filter.bad.clean", "false", cwd=repository)
    git("config", "filter.bad.required", "true", cwd=repository)
    write(repository / ".git/info/attributes", "*.bad filter=bad\n")
    for n in range(200):
        write(repository / f"{n}.bad", f"{n}\n")
    assert camera.take(repository).left_out == 200


def test_large_and_unreadable_files_are_left_out_and_counted(
    camera: Camera, repository: Path, git: RealGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "LARGEST_BYTES", 1000)
    write(repository / "large", "x" * 1001)
    write(repository / "staged-large", "y" * 1001)
    write(repository / "fits", "x" * 1000)
    write(repository / "unreadable", "z")
    git("add", "staged-large", cwd=repository)
    access = os.access
    # Root may read everything.
    monkeypatch.setattr(os, "access", _unless_named(access))
    write(repository / "a.txt", "tracked and grown" * 100)
    snapshot = camera.take(repository)
    assert snapshot.omitted == (b"a.txt", b"large", b"staged-large", b"unreadable")
    assert list(camera.files(repository, snapshot.working)) == ["fits"]


def test_of_many_untracked_files_the_smallest_are_taken(
    camera: Camera, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in (5, 3, 1, 4, 2):
        write(repository / f"u{n}", "x" * n * 10)
    write(repository / "a.txt", "tracked and changed" * 10)
    monkeypatch.setattr(snapshots, "UNTRACKED_BYTES", 60)
    assert camera.take(repository).omitted == (b"u4", b"u5")
    monkeypatch.setattr(snapshots, "UNTRACKED_FILES", 2)
    snapshot = camera.take(repository)
    assert snapshot.omitted == (b"u3", b"u4", b"u5")
    assert sorted(camera.files(repository, snapshot.working)) == ["a.txt", "u1", "u2"]


def test_a_partial_clone_is_taken_without_asking_its_remote(
    camera: Camera, repository: Path, git: RealGit, tmp_path: Path
) -> None:
    git.commit(repository, "b.txt", "older\n")
    git.commit(repository, "b.txt", "newer\n")
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    top = tmp_path / "partial"
    git("clone", "--quiet", "--filter=blob:none", repository.as_uri(), str(top), cwd=tmp_path)
    repository.rename(tmp_path / "away")
    write(top / "a.txt", "staged\n")
    git("add", ".", cwd=top)
    write(top / "new", "new\n")
    snapshot = camera.take(top)
    assert camera.files(top, snapshot.working) == {"a.txt": "staged", "b.txt": "newer", "new": "new"}


def test_a_split_index_is_read_and_not_written_beside(camera: Camera, repository: Path, git: RealGit) -> None:
    for n in range(50):
        write(repository / f"{n}.txt", f"{n}\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "x", cwd=repository)
    git("config", "core.splitIndex", "true", cwd=repository)
    git("update-index", "--split-index", cwd=repository)
    write(repository / "1.txt", "staged\n")
    git("add", ".", cwd=repository)
    shared = sorted((repository / ".git").glob("sharedindex.*"))
    assert shared
    write(repository / "2.txt", "edited\n")
    snapshot = camera.take(repository)
    assert sorted((repository / ".git").glob("sharedindex.*")) == shared
    found = camera.files(repository, snapshot.working)
    assert (found["1.txt"], found["2.txt"], len(found)) == ("staged", "edited", 51)
    assert camera.files(repository, snapshot.staged)["2.txt"] == "2"


def test_a_monitor_of_files_is_not_asked(
    camera: Camera, repository: Path, git: RealGit, tmp_path: Path
) -> None:
    monitor = tmp_path / "monitor"
    # It says that nothing has changed, whatever has.
    monitor.write_text(f"#!/bin/sh\necho ran >> {tmp_path}/ran\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    git("config", "core.fsmonitor", str(monitor), cwd=repository)
    git("update-index", "--fsmonitor", cwd=repository)
    git("status", cwd=repository)
    write(repository / "a.txt", "two\n")
    (tmp_path / "ran").unlink()
    snapshot = snapshots.take(repository_at(repository), _git(), camera.store)
    assert camera.files(repository, snapshot.working) == {"a.txt": "two"}
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("sparse_index", ["true", "false"])
def test_what_a_sparse_checkout_leaves_out_is_as_staged(
    camera: Camera, repository: Path, git: RealGit, sparse_index: str
) -> None:
    for name in ("in/a", "out/a", "out/deep/b"):
        write(repository / name, f"{name}\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "x", cwd=repository)
    git("config", "index.sparse", sparse_index, cwd=repository)
    git("sparse-checkout", "set", "--cone", "in", cwd=repository)
    assert not (repository / "out").exists()
    write(repository / "in/a", "edited\n")
    snapshot = camera.take(repository)
    assert camera.files(repository, snapshot.working) == {
        "a.txt": "one",
        "in/a": "edited",
        "out/a": "out/a",
        "out/deep/b": "out/deep/b",
    }
    # What comes to stand there all the same is seen.
    write(repository / "out/new", "new\n")
    again = snapshots.take(repository_at(repository), _git(), camera.store)
    assert camera.files(repository, again.working)["out/new"] == "new"


def test_a_repository_with_sha256_names_is_taken(camera: Camera, tmp_path: Path, git: RealGit) -> None:
    top = tmp_path / "new"
    git("init", "--quiet", "--object-format=sha256", str(top), cwd=tmp_path)
    git.commit(top)
    git.commit(top, "b.txt")
    write(top / "c.txt", "staged\n")
    git("add", ".", cwd=top)
    (top / "b.txt").unlink()
    snapshot = camera.take(top)
    assert len(snapshot.staged or "") == 64
    assert camera.files(top, snapshot.working) == {"a.txt": "one", "c.txt": "staged"}


def test_a_commits_own_index_can_be_looked_at(camera: Camera, repository: Path, git: RealGit) -> None:
    own = repository / ".git/next-index-1.lock"
    shutil.copy(repository / ".git/index", own)
    write(repository / "b.txt", "partly\n")
    git("add", "b.txt", cwd=repository, environ={"GIT_INDEX_FILE": str(own)})
    assert camera.files(repository, camera.take(repository, own).staged) == {
        "a.txt": "one",
        "b.txt": "partly",
    }
    own.unlink()
    assert camera.files(repository, camera.take(repository, own).staged) == {"a.txt": "one"}


def test_a_file_that_changed_as_it_was_staged_is_seen(camera: Camera, repository: Path, git: RealGit) -> None:
    for n in range(30):
        write(repository / "a.txt", f"{n:03}\n")
        git("add", "a.txt", cwd=repository)
        write(repository / "a.txt", f"{n + 1:03}\n")
        # As on a disk whose clock counts in seconds.
        status = (repository / ".git/index").stat()
        moment = status.st_mtime_ns // 10**9 * 10**9
        os.utime(repository / "a.txt", ns=(moment, moment))
        os.utime(repository / ".git/index", ns=(moment, moment))
        snapshot = snapshots.take(repository_at(repository), _git(), camera.store)
        assert camera.files(repository, snapshot.working)["a.txt"] == f"{n + 1:03}"
        assert time.time_ns() > moment


def test_a_locked_index_is_in_nobodys_way(camera: Camera, repository: Path) -> None:
    lock = repository / ".git/index.lock"
    lock.write_text("somebody commits\n")
    write(repository / "new", "new\n")
    assert camera.files(repository, camera.take(repository).working) == {"a.txt": "one", "new": "new"}
    assert lock.read_text() == "somebody commits\n"


def test_several_may_be_taken_at_once(camera: Camera, repository: Path, git: RealGit) -> None:
    for n in range(30):
        write(repository / f"staged{n}", f"{n}\n")
    git("add", ".", cwd=repository)
    for n in range(30):
        write(repository / f"untracked{n}", f"u{n}\n")
    found = repository_at(repository)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: snapshots.take(found, _git(), camera.store), range(8)))
    assert len(set(made)) == 1
    assert len(camera.files(repository, made[0].working)) == 61
    camera.within(repository, "fsck", "--strict", "--full", str(made[0].working))


def test_no_hook_runs(camera: Camera, repository: Path, git: RealGit, tmp_path: Path) -> None:
    hook = repository / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho ran > {tmp_path}/ran\n")
    hook.chmod(0o755)
    git("config", "hook.spy.event", "post-index-change", cwd=repository)
    git("config", "hook.spy.command", f"echo ran > {tmp_path}/ran", cwd=repository)
    write(repository / "new", "new\n")
    snapshots.take(repository_at(repository), _git(), camera.store)
    assert not (tmp_path / "ran").exists()


def test_what_git_says_of_another_repository_is_not_heeded(
    camera: Camera, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = repository_at(repository)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, "/nowhere")
    made = snapshots.take(found, _git(), camera.store)
    monkeypatch.undo()
    assert made.working is not None


def test_the_store_stands_whole_and_the_user_s_own_too(
    camera: Camera, repository: Path, git: RealGit
) -> None:
    write(repository / "b.txt", "staged\n")
    git("add", ".", cwd=repository)
    write(repository / "c.txt", "untracked\n")
    snapshot = camera.take(repository)
    camera.within(repository, "fsck", "--strict", "--full", str(snapshot.working), str(snapshot.staged))
    assert git("fsck", "--strict", cwd=repository) == ""
    assert not list((repository / ".git").rglob("alternates"))
    assert oct(camera.store.parent.stat().st_mode)[-3:] == "700"
    assert listing(camera.store.parent) & {"index", "index.lock"} == set()


def test_a_store_that_cannot_be_written_is_named(camera: Camera, repository: Path) -> None:
    camera.store.parent.mkdir(parents=True)
    camera.store.mkdir()
    (camera.store / "xx").touch()
    write(repository / "b.txt", "x\n")
    for n in range(256):
        (camera.store / f"{n:02x}").touch()
    with pytest.raises(GitFailed):
        snapshots.take(repository_at(repository), _git(), camera.store)


def _unless_named(access: Callable[[str | bytes, int], bool]) -> Callable[[str | bytes, int], bool]:
    return lambda path, mode: not os.fsdecode(path).endswith("/unreadable") and access(path, mode)


def _git() -> snapshots.Git:
    return snapshots.Git(dict(os.environ))
