"""Consolidating: fewer and smaller packs, the same content, nobody else's files, and no harm when it is stopped."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.git.consolidate import consolidate, sweep
from gitmem.git.packs import KEEP_MARK, list_kept_packs, list_objects
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.ids import Oid
from gitmem.objects.storage import add_all
from tests.conftest import RealGit
from tests.objects.storage_suite import REF, commit, tree_of


class Killed(BaseException):
    """Stands for a process that ends here."""


def open_at(path: Path) -> GitStorage:
    git = Git(dict(os.environ))
    return open_storage(discover(path, git), git)


@pytest.fixture(params=["sha1", "sha256"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, git: RealGit) -> Iterator[GitStorage]:
    path = tmp_path / "r"
    git("init", "--quiet", f"--object-format={request.param}", str(path), cwd=tmp_path)
    with closing(open_at(path)) as storage:
        yield storage


def folder(storage: GitStorage) -> Path:
    return storage.repository.common_dir / "objects/pack"


def grow(storage: GitStorage, count: int) -> None:
    """Commit many times to a tree of a hundred files, a file a time."""
    tip = storage.read_ref(REF)
    tree: Oid | None = None
    for n in range(count):
        files = {f"d{n % 3}/f{n % 100:02}": b"%d" % n}
        tree = tree_of(
            storage, files | ({f"d{k % 3}/f{k:02}": b"" for k in range(100)} if n == 0 else {}), base=tree
        )
        new = commit(storage, tree, *([tip] if tip else []), time_s=n, message=f"{n}\n")
        storage.move_ref(REF, new, tip, "on")
        tip = new


def content(storage: GitStorage) -> bytes:
    """Return every object that git can reach, as git has it."""
    where = storage.repository.common_dir
    names = subprocess.run(
        ["git", "rev-list", "--objects", "--all"], cwd=where, capture_output=True, check=True
    ).stdout
    asked = b"".join(line.split(b" ")[0] + b"\n" for line in names.splitlines())
    answer = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=where, input=asked, capture_output=True, check=True
    )
    return answer.stdout


def test_packs_become_fewer_and_smaller_with_the_same_content(storage: GitStorage, git: RealGit) -> None:
    grow(storage, 40)
    before, size = content(storage), sum(pack.size_bytes for pack in list_kept_packs(folder(storage)))
    replaced = consolidate(storage, folder(storage), few=5)
    assert len(replaced) > 50
    [pack] = list_kept_packs(folder(storage))
    assert pack.size_bytes < 0.6 * size
    assert content(storage) == before
    git("verify-pack", str(pack.path.with_suffix(".idx")), cwd=pack.path.parent)
    git("fsck", "--full", "--strict", cwd=pack.path.parent)


def test_few_packs_are_left_as_they_are(storage: GitStorage) -> None:
    grow(storage, 3)
    before = sorted(folder(storage).iterdir())
    assert consolidate(storage, folder(storage), few=100) == []
    assert sorted(folder(storage).iterdir()) == before


def test_objects_that_nothing_refers_to_are_copied_too(storage: GitStorage) -> None:
    grow(storage, 4)
    [orphan] = add_all(storage, [("blob", b"nobody's")])
    consolidate(storage, folder(storage), few=1)
    [pack] = list_kept_packs(folder(storage))
    assert orphan in (list_objects(pack, storage.hash_name) or ())


def test_a_tree_that_comes_back_later_is_no_circle(storage: GitStorage, git: RealGit) -> None:
    first = tree_of(storage, {f"f{n:02}": b"1" for n in range(20)})
    second = tree_of(storage, {"f00": b"2"}, base=first)
    tip: Oid | None = None
    for n in range(6):
        new = commit(storage, second if n % 2 else first, *([tip] if tip else []), time_s=n)
        storage.move_ref(REF, new, tip, "on")
        tip = new
    before = content(storage)
    assert consolidate(storage, folder(storage), few=1)
    assert content(storage) == before
    git("fsck", "--full", "--strict", cwd=folder(storage))


def test_other_peoples_packs_are_left_alone(storage: GitStorage) -> None:
    grow(storage, 10)
    theirs = list_kept_packs(folder(storage))[:2]
    (theirs[0].path.with_suffix(".keep")).unlink()
    keep = theirs[1].path.with_suffix(".keep")
    keep.chmod(0o644)
    keep.write_bytes(b"because I say so\n")
    files = {
        file: file.read_bytes() for pack in theirs for file in folder(storage).glob(f"{pack.path.name}.*")
    }
    consolidate(storage, folder(storage), few=1)
    sweep(folder(storage))
    assert len(files) == 5
    assert {file: file.read_bytes() for file in files} == files
    assert len(list_kept_packs(folder(storage))) == 1


def test_stopped_at_any_effect_nothing_is_broken(storage: GitStorage, git: RealGit) -> None:
    grow(storage, 6)
    before = content(storage)
    effects = 0
    while True:
        countdown = effects

        def stop(effect: disk.Effect, path: Path) -> None:
            nonlocal countdown
            if countdown == 0:
                raise Killed
            countdown -= 1

        try:
            with disk.observe(stop):
                consolidate(storage, folder(storage), few=1)
            break
        except Killed:
            effects += 1
        with closing(open_at(storage.repository.common_dir)) as again:
            assert content(again) == before
        git("fsck", "--full", cwd=folder(storage))
    assert effects > 5
    with closing(open_at(storage.repository.common_dir)) as again:
        sweep(folder(again))
        assert content(again) == before
    assert not list(folder(storage).glob(f"{disk.UNPUBLISHED}*"))


def test_a_damaged_pack_stops_nobody_who_writes(storage: GitStorage) -> None:
    grow(storage, 30)
    largest = list_kept_packs(folder(storage))[-1].path.with_suffix(".pack")
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 0xFF
    largest.chmod(0o644)
    largest.write_bytes(data)
    with closing(open_at(storage.repository.common_dir)) as again:
        before = sorted(folder(again).iterdir())
        again.tidy()
        assert sorted(folder(again).iterdir()) == before


CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")


@pytest.mark.skipif(not CHILDREN.exists(), reason="what is open is counted in Linux's /proc")
def test_packs_that_are_gone_are_let_go_of(storage: GitStorage) -> None:
    open_at_once = []
    for n in range(120):
        [oid] = add_all(storage, [("blob", b"%d" % n)])
        assert storage.read(oid) == ("blob", b"%d" % n)
        storage.tidy()
        open_at_once.append(len(open_packs(folder(storage))))
    assert len(list_kept_packs(folder(storage))) <= 25
    assert 0 < max(open_at_once) <= 2 * 25  # pack and index


def open_packs(packs: Path) -> list[str]:
    """Return what this process and those that it started hold open of a packs' folder, gone or not."""
    names: list[str] = []
    for process in ("self", *CHILDREN.read_text().split()):
        for handle in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):  # the listing's own
                names.append(str(handle.readlink()))
        maps = Path(f"/proc/{process}/maps").read_text().splitlines()
        names += {line.split(maxsplit=5)[5] for line in maps if ".idx" in line}
    return [name for name in names if name.startswith(str(packs))]


@pytest.mark.parametrize("damage", ["empty", "short", "cut", "garbage", "fewer objects", "another pack's"])
def test_a_pack_whose_index_is_damaged_stays_and_the_others_are_consolidated(
    storage: GitStorage, damage: str
) -> None:
    grow(storage, 12)
    damaged, other = (pack.path.with_suffix(".idx") for pack in list_kept_packs(folder(storage))[3:5])
    whole = damaged.read_bytes()
    content = {
        "empty": b"",
        "short": whole[:500],
        "cut": whole[:-1],
        "garbage": random.Random(1).randbytes(len(whole)),
        "fewer objects": whole[:8] + bytes(1024) + whole[1032:],
        "another pack's": other.read_bytes(),
    }
    damaged.chmod(0o644)
    storage.close()  # what is mapped in memory must not be cut short
    damaged.write_bytes(content[damage])
    before = {file: file.read_bytes() for file in folder(storage).glob(f"{damaged.stem}.*")}
    with closing(open_at(storage.repository.common_dir)) as again:
        replaced = consolidate(again, folder(again), few=1)
    assert len(replaced) > 10
    assert len(list_kept_packs(folder(storage))) == 2
    assert len(before) == 3
    assert {file: file.read_bytes() for file in before} == before


def test_a_damaged_index_does_not_stop_packs_from_being_kept_few(storage: GitStorage) -> None:
    grow(storage, 4)
    index = list_kept_packs(folder(storage))[0].path.with_suffix(".idx")
    index.chmod(0o644)
    storage.close()
    index.write_bytes(index.read_bytes()[:500])
    with closing(open_at(storage.repository.common_dir)) as again:
        for n in range(60):
            add_all(again, [("blob", b"%d" % n)])
            again.tidy()
    assert index.exists()
    assert len(list_kept_packs(folder(storage))) <= 25


def test_a_pack_that_vanished_after_it_was_listed_names_nothing(storage: GitStorage) -> None:
    grow(storage, 1)
    packs = list_kept_packs(folder(storage))
    packs[0].path.with_suffix(".idx").unlink()
    assert [list_objects(pack, storage.hash_name) is None for pack in packs] == [True] + [False] * (
        len(packs) - 1
    )


def test_sweeping_passes_over_what_vanishes_meanwhile(storage: GitStorage) -> None:
    packs = folder(storage)
    grow(storage, 1)
    # What a folder lists and nobody can open any more: a link to nowhere stands for it at every look.
    gone = packs / f"{disk.UNPUBLISHED}gone", packs / f"pack-{'2' * 40}.keep"
    for file in gone:
        file.symlink_to(packs / "nowhere")
    before = content(storage)
    sweep(packs)
    assert [file.is_symlink() for file in gone] == [True, True]
    assert content(storage) == before


def test_what_a_process_that_died_left_is_swept_up(storage: GitStorage) -> None:
    grow(storage, 2)
    packs = folder(storage)
    alone = packs / f"pack-{'0' * 40}.keep"
    alone.write_bytes(KEEP_MARK)
    foreign = packs / f"pack-{'1' * 40}.keep"
    foreign.write_bytes(b"theirs\n")
    old, fresh, theirs = packs / "gitmem_tmp_old", packs / "gitmem_tmp_new", packs / "tmp_pack_theirs"
    for file in (old, fresh, theirs):
        file.write_bytes(b"x")
    room = packs / "gitmem_tmp_room"
    room.mkdir()
    (room / "pack").write_bytes(b"x")
    for file in (old, theirs, room):
        os.utime(file, (time.time() - 90_000,) * 2)
    before = content(storage)
    sweep(packs)
    assert not room.exists()
    assert [file.exists() for file in (alone, foreign, old, fresh, theirs)] == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert content(storage) == before
