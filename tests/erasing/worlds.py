"""Repositories with a memory whose history has been replaced, and things of the user's around it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.ids import Oid
from gitmem.objects import trees
from gitmem.objects.storage import Storage
from tests.conftest import RealGit
from tests.objects.storage_suite import REF, commit, tree_of


class World(NamedTuple):
    """A repository whose memory ref has been moved from `old` to a parentless commit `new`.

    `erased` are blobs of the session that is gone, `kept` one of another session's.
    """

    top: Path
    repository: Repository
    git: Git
    old: Oid
    new: Oid
    erased: tuple[Oid, ...]
    kept: Oid


def open_at(path: Path) -> tuple[Repository, GitStorage]:
    git = Git(dict(os.environ))
    repository = discover(path, git)
    return repository, open_storage(repository, git)


def grow(storage: Storage, sessions: int, *, ref: str = REF, random: Random | None = None) -> Oid:
    """Commit one session after another, three segments each, at `ref`."""
    random = random or Random(1)
    tip = storage.read_ref(ref)
    tree = trees_of(storage, tip)
    for n in range(sessions):
        folder = f"{random.randrange(256):02x}/{n:04}"
        tree = tree_of(
            storage,
            {f"s/{folder}/{k}": random.randbytes(300) for k in range(3)} | {"FORMAT": b"0"},
            base=tree,
        )
        new = commit(storage, tree, *([tip] if tip else []), time_s=n, message=f"session {n}\n")
        storage.move_ref(ref, new, tip, f"gitmem: session {n}")
        tip = new
    assert tip
    return tip


def trees_of(storage: Storage, tip: Oid | None) -> Oid | None:
    from gitmem.objects.history import read_commit

    return read_commit(storage, tip).tree if tip else None


def sessions_of(storage: Storage, tip: Oid) -> dict[tuple[str, ...], tuple[Oid, ...]]:
    """Return the blobs of each session, by its folder."""
    root = trees_of(storage, tip)
    assert root
    found: dict[tuple[str, ...], tuple[Oid, ...]] = {}
    top = trees.read_tree(storage, trees.read_tree(storage, root)["s"].oid)
    for fan, entry in top.items():
        for name, session in trees.read_tree(storage, entry.oid).items():
            blobs = trees.read_tree(storage, session.oid).values()
            found["s", fan, name] = tuple(blob.oid for blob in blobs)
    return found


def replace(storage: Storage, gone: Iterable[tuple[str, ...]], *, ref: str = REF) -> tuple[Oid, Oid]:
    """Move a ref to a parentless commit of its tree without some folders; return where it was and is."""
    old = storage.read_ref(ref)
    assert old
    with storage.begin() as batch:
        tree = trees.edit(storage, batch, trees_of(storage, old), dict.fromkeys(gone))
        batch.publish()
    assert tree
    new = commit(storage, tree, message="epoch\n")
    storage.move_ref(ref, new, old, "gitmem: epoch")
    return old, new


def make_world(
    tmp_path: Path, git: RealGit, *, sessions: int = 6, kind: str = "sha1", top: Path | None = None
) -> World:
    """Make a repository with two commits of the user's and a memory, of which the first session is gone."""
    if top is None:
        top = tmp_path / "r"
        git("init", "--quiet", f"--object-format={kind}", str(top), cwd=tmp_path)
        git.commit(top, "a.txt", "one\n")
        git.commit(top, "b.txt", "two\n")
    repository, storage = open_at(top)
    tip = grow(storage, sessions)
    found = sessions_of(storage, tip)
    gone, *others = sorted(found)
    old, new = replace(storage, [gone])
    storage.close()
    return World(top, repository, Git(dict(os.environ)), old, new, found[gone], found[others[0]][0])


def copy_world(world: World, to: Path) -> World:
    """Copy a world into another folder, at the first look."""
    top = to / "r"
    shutil.copytree(world.top, top, symlinks=True)
    return world._replace(top=top, repository=discover(top, world.git))


def all_objects(path: Path) -> set[str]:
    """Return the ids of all objects that a repository has."""
    return set(
        output(path, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered").split()
    )


def reached(path: Path, *tips: str) -> set[str]:
    return set(output(path, "rev-list", "--objects", "--no-object-names", *tips).split())


EVERYTHING = ("--all", "--reflog", "--indexed-objects")


def output(path: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout


def expect_sound(path: Path) -> None:
    """See that git has nothing to complain of, and that its housekeeping runs."""
    checked = subprocess.run(
        ["git", "fsck", "--strict", "--full", "--no-dangling"],
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr
    common = Path(output(path, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
    if (common / "objects/pack/multi-pack-index").exists():
        output(path, "multi-pack-index", "verify")
    if any((common / "objects/info" / name).exists() for name in ("commit-graph", "commit-graphs")):
        output(path, "commit-graph", "verify")
    assert not list((common / "objects/pack").glob("gitmem_tmp_*"))
