"""Erasing one session of many: out of gitmem's packs, and out of a clone's one pack; git's own gc beside it."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.ids import Oid
from gitmem.model.refs import DEFAULT_MEMORY_REF
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.history import read_commit
from tests.benchmarks import material
from tests.benchmarks.running import Run, measured
from tests.benchmarks.table import Row

_SESSIONS = 10_000
_BLOBS = 6
_BLOB_BYTES = 2200
_LATER = 20
"""How many captures came after the import, each in a pack of its own."""
_WHO = Signature("Ada Example", "ada@example.org", 1_700_000_000)
_ERASE = """
import os, sys
from pathlib import Path
from gitmem.erasing.erase import erase
from gitmem.git.process import Git
from gitmem.git.repository import discover
git = Git(dict(os.environ))
print(erase(discover(Path(sys.argv[1]), git), git, sys.argv[2], sys.argv[3:]).objects)
"""


def run(folder: Path) -> Iterator[Row]:
    """Erase a session from a memory of 10,000, as it was captured and as it was cloned."""
    captured = material.make_repository(folder / "captured")
    with closing(_open(captured)) as storage:
        old = _fill(storage)
    cloned = folder / "cloned"
    material.git("clone", "-q", f"file://{captured}", cloned, cwd=folder)
    material.git("branch", "-q", "gitmem", "origin/gitmem", cwd=cloned)
    for repository, what in ((captured, "gitmem's packs"), (cloned, "a clone's pack")):
        with closing(_open(repository)) as storage:
            new = _without_a_session(storage, old)
        if repository == cloned:
            material.git("update-ref", "refs/remotes/origin/gitmem", new, cwd=cloned)
        beside = folder / "beside"
        shutil.copytree(repository, beside)
        gc = _gc(beside)
        shutil.rmtree(beside)
        done = measured(
            [sys.executable, "-E", "-P", "-c", _ERASE, str(repository), DEFAULT_MEMORY_REF, old],
            repository,
            dict(os.environ),
        )
        baseline = f"git gc that drops all that nothing reaches: {gc.wall_s:.2f} s"
        yield Row(
            f"erase 1 of {_SESSIONS} sessions from {what}",
            done.wall_s / gc.wall_s,
            "times",
            None,
            False,
            baseline,
        )
        yield Row("  seconds", done.wall_s, "s")
        yield Row("  objects that went", float(done.stdout), "objects")
        yield Row("  memory held at most", done.peak_bytes / 1e6, "MB", 300)


def _gc(repository: Path) -> Run:
    for keep in (repository / ".git/objects/pack").glob("*.keep"):
        keep.unlink()
    material.git("reflog", "expire", "--expire=all", "--all", cwd=repository)
    return measured(["git", "gc", "-q", "--prune=now"], repository)


def _open(repository: Path) -> GitStorage:
    git = Git(dict(os.environ))
    return open_storage(discover(repository, git), git)


def _fill(storage: GitStorage) -> Oid:
    rng = random.Random(material.SEED)
    paths = [(f"{n:032x}"[-2:], f"{rng.getrandbits(112):028x}") for n in range(_SESSIONS)]
    root: Oid | None = None
    tip: Oid | None = None
    for n in range(_LATER + 1):
        chosen = paths if n == 0 else [paths[n]]
        with storage.begin() as batch:
            changes: dict[trees.Path, Oid | None] = {
                ("sessions", fan, rest[:2], rest[2:], f"{rng.getrandbits(32):08x}"): batch.add(
                    "blob", rng.randbytes(_BLOB_BYTES)
                )
                for fan, rest in chosen
                for _ in range(_BLOBS)
            }
            root = trees.edit(storage, batch, root, changes)
            assert root is not None
            new = batch.add("commit", encode_commit(Commit(root, (tip,) if tip else (), _WHO, _WHO, "x\n")))
            batch.publish()
        storage.move_ref(DEFAULT_MEMORY_REF, new, tip, "gitmem: capture")
        tip = new
    assert tip is not None
    return tip


def _without_a_session(storage: GitStorage, old: Oid) -> Oid:
    root = read_commit(storage, old).tree
    path: trees.Path = ("sessions",)
    for _ in range(3):
        entry = trees.find(storage, root, path)
        assert entry is not None
        path = (*path, min(trees.read_tree(storage, entry.oid)))
    with storage.begin() as batch:
        tree = trees.edit(storage, batch, root, {path: None})
        assert tree is not None
        new = batch.add("commit", encode_commit(Commit(tree, (), _WHO, _WHO, "epoch\n")))
        batch.publish()
    storage.move_ref(DEFAULT_MEMORY_REF, new, old, "gitmem: epoch")
    return new
