"""The multi-pack index: git never finds a pack named in one that gitmem has removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.git.midx import drop_midx
from gitmem.git.packs import PackWriter
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.ids import Oid
from tests.conftest import RealGit
from tests.objects.storage_suite import REF, commit, tree_of


@pytest.fixture(params=["sha1", "sha256"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, git: RealGit) -> Iterator[GitStorage]:
    path = tmp_path / "r"
    git("init", "--quiet", f"--object-format={request.param}", str(path), cwd=tmp_path)
    real = Git(dict(os.environ))
    with closing(open_storage(discover(path, real), real)) as storage:
        yield storage


def folder(storage: GitStorage) -> Path:
    return storage.repository.common_dir / "objects/pack"


def grow(storage: GitStorage, count: int) -> None:
    tip = storage.read_ref(REF)
    tree: Oid | None = None
    for n in range(count):
        tree = tree_of(storage, {f"d{n % 3}/f{n}": b"%d" % n}, base=tree)
        new = commit(storage, tree, *([tip] if tip else []), time_s=n, message=f"{n}\n")
        storage.move_ref(REF, new, tip, "on")
        storage.tidy()
        tip = new


def two_packs(storage: GitStorage) -> list[Path]:
    """Write a pack, and one more that is not indexed by what the caller writes in between."""
    made = []
    for content in (b"one", b"two"):
        with PackWriter(folder(storage), storage.hash_name) as writer:
            writer.add("blob", content)
            path = writer.publish()
        assert path
        made.append(path)
    return made


def test_git_agrees_after_maintenance_indexed_packs_that_were_consolidated(
    storage: GitStorage, git: RealGit
) -> None:
    grow(storage, 10)
    git("maintenance", "run", "--task=incremental-repack", cwd=folder(storage))
    assert (folder(storage) / "multi-pack-index").exists()
    grow(storage, 60)
    git("fsck", "--full", "--strict", cwd=folder(storage))
    git("maintenance", "run", "--task=incremental-repack", cwd=folder(storage))
    git("multi-pack-index", "verify", cwd=folder(storage))
    git("fsck", "--full", "--strict", cwd=folder(storage))


def test_it_goes_with_its_bitmap_if_it_lists_a_pack(storage: GitStorage, git: RealGit) -> None:
    grow(storage, 2)
    packs = [file.with_suffix("") for file in folder(storage).glob("pack-*.idx")]
    git("multi-pack-index", "write", "--bitmap", cwd=folder(storage))
    assert len(list(folder(storage).glob("multi-pack-index*"))) > 1
    drop_midx(folder(storage), [packs[-1]])
    assert list(folder(storage).glob("multi-pack-index*")) == []
    assert len(packs) > 2


def test_it_stays_if_it_lists_other_packs_only(storage: GitStorage, git: RealGit) -> None:
    grow(storage, 2)
    git("multi-pack-index", "write", cwd=folder(storage))
    before = (folder(storage) / "multi-pack-index").read_bytes()
    drop_midx(folder(storage), two_packs(storage))
    assert (folder(storage) / "multi-pack-index").read_bytes() == before


def test_a_layer_that_lists_a_pack_takes_the_whole_chain(storage: GitStorage, git: RealGit) -> None:
    first, second = two_packs(storage)
    git("multi-pack-index", "write", cwd=folder(storage))
    layers = folder(storage) / "multi-pack-index.d"
    layers.mkdir()
    name = f"multi-pack-index-{'0' * 40}"
    (folder(storage) / "multi-pack-index").rename(layers / f"{name}.midx")
    for beside in (f"{name}.rev", "multi-pack-index-chain", "multi-pack-index-chain.lock"):
        (layers / beside).write_bytes(b"x")
    drop_midx(folder(storage), [folder(storage) / f"pack-{'1' * 40}"])
    assert len(list(layers.iterdir())) == 4
    drop_midx(folder(storage), [first, second])
    assert [file.name for file in layers.iterdir()] == ["multi-pack-index-chain.lock"]


@pytest.mark.parametrize("cut", ["empty", "header", "table", "version", "offsets"])
def test_one_that_cannot_be_read_goes(storage: GitStorage, git: RealGit, cut: str) -> None:
    packs = two_packs(storage)
    git("multi-pack-index", "write", cwd=folder(storage))
    index = folder(storage) / "multi-pack-index"
    whole = index.read_bytes()
    damaged = {
        "empty": b"",
        "header": whole[:9],
        "table": whole[:12],
        "version": whole[:4] + b"\x09" + whole[5:],
        "offsets": whole[:12] + b"\xff" * 48,
    }
    index.chmod(0o644)
    index.write_bytes(damaged[cut])
    drop_midx(folder(storage), packs)
    assert not index.exists()


def test_without_one_nothing_happens(storage: GitStorage) -> None:
    packs = two_packs(storage)
    before = sorted(folder(storage).iterdir())
    drop_midx(folder(storage), packs)
    assert sorted(folder(storage).iterdir()) == before
