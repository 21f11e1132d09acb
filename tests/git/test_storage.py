"""The git storage keeps the storage contract, in every kind of repository, and real git agrees."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from tests.objects.storage_suite import REF, StorageSuite, commit, tree_of


def run(*args: str | Path, cwd: Path) -> str:
    return subprocess.run(["git", *args], cwd=cwd, check=True, capture_output=True, text=True).stdout


def open_at(path: Path) -> GitStorage:
    git = Git(dict(os.environ))
    return open_storage(discover(path, git), git)


@pytest.fixture(params=["sha1", "sha256", "partial", "bare", "worktree", "shallow"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    kind = request.param
    origin = tmp_path / "origin"
    run(
        "init",
        "-q",
        "--object-format=sha256" if kind == "sha256" else "--object-format=sha1",
        origin,
        cwd=tmp_path,
    )
    for n in range(2):
        run("commit", "-q", "--allow-empty", "-m", f"{n}", cwd=origin)
    run("config", "uploadpack.allowFilter", "true", cwd=origin)
    path = tmp_path / "here"
    if kind in ("sha1", "sha256"):
        return origin
    if kind == "worktree":
        run("worktree", "add", "-q", "-b", "side", path, cwd=origin)
    else:
        option = {"partial": "--filter=blob:none", "bare": "--bare", "shallow": "--depth=1"}[kind]
        run("clone", "-q", option, f"file://{origin}", path, cwd=tmp_path)
    return path


@pytest.fixture
def storage(where: Path) -> Iterator[GitStorage]:
    with closing(open_at(where)) as storage:
        yield storage


class TestGitStorage(StorageSuite):
    """See the suite; and git itself is asked."""

    def test_git_reads_what_was_written(self, storage: GitStorage, where: Path) -> None:
        oid = commit(storage, tree_of(storage, {"a/b": b"hello\n"}), message="[skip ci] one\n")
        storage.move_ref(REF, oid, None, "start")
        assert run("show", "gitmem:a/b", cwd=where) == "hello\n"
        assert run("log", "--format=%s|%an|%ai", "gitmem", cwd=where).strip() == (
            "[skip ci] one|Ada|2023-11-14 23:13:20 +0100"
        )
        run("fsck", "--strict", "--full", cwd=where)

    def test_git_gc_keeps_it_all_and_fsck_passes_after_tidying(
        self, storage: GitStorage, where: Path
    ) -> None:
        self.test_tidying_changes_no_content(storage)
        assert len(list((storage.repository.common_dir / "objects/pack").glob("pack-*.keep"))) <= 25
        run("fsck", "--strict", "--full", cwd=where)
        run("gc", "-q", "--prune=now", cwd=where)
        assert run("rev-list", "--count", "gitmem", cwd=where).strip() == "60"

    @pytest.mark.parametrize("cleaning", [["prune", "--expire=now"], ["gc", "--quiet", "--prune=now"]])
    def test_a_batch_is_published_though_git_prunes_while_it_is_written(
        self, storage: GitStorage, where: Path, cleaning: list[str]
    ) -> None:
        with storage.begin() as batch:
            first = batch.add("blob", random.Random(1).randbytes(3 << 20))
            run(*cleaning, cwd=where)
            second = batch.add("blob", b"after")
            batch.publish()
        assert storage.read(second) == ("blob", b"after")
        assert run("cat-file", "-s", first, cwd=where).strip() == str(3 << 20)
        run("fsck", "--strict", "--full", cwd=where)

    def test_git_gc_auto_sees_nothing_to_do(self, storage: GitStorage, where: Path) -> None:
        run("config", "gc.autoPackLimit", "3", cwd=where)
        run("config", "gc.auto", "1", cwd=where)
        before = run("count-objects", "-v", cwd=where).splitlines()[0]
        for n in range(8):
            tree_of(storage, {f"f{n}": b"%d" % n})
        assert run("count-objects", "-v", cwd=where).splitlines()[0] == before
        packs = set(storage.repository.common_dir.glob("objects/pack/pack-*.pack"))
        run("-c", "gc.auto=6700", "gc", "--auto", "-q", cwd=where)
        assert set(storage.repository.common_dir.glob("objects/pack/pack-*.pack")) == packs
