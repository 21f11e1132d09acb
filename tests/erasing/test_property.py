"""Whatever a repository holds: the user's is all there afterwards, and what was erased is nowhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from random import Random

import pytest

from gitmem.erasing.erase import erase, still_here
from gitmem.git.process import Git
from gitmem.model.ids import Oid
from tests.conftest import RealGit
from tests.erasing.worlds import (
    EVERYTHING,
    all_objects,
    expect_sound,
    grow,
    open_at,
    output,
    reached,
    replace,
    sessions_of,
)
from tests.objects.storage_suite import REF

ROUNDS = 6


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_exactly_what_the_old_history_alone_reaches_goes(
    tmp_path: Path, git: RealGit, seed: int, round_: int
) -> None:
    random = Random(seed + round_)
    top = tmp_path / "r"
    git("init", "--quiet", f"--object-format={random.choice(['sha1', 'sha256'])}", str(top), cwd=tmp_path)
    git.commit(top, "a.txt", "one\n")
    repository, storage = open_at(top)
    old: list[Oid] = []
    for _ in range(random.randint(1, 2)):
        grow(storage, random.randint(1, 4), random=random)
        for _ in range(random.randint(2, 6)):
            random.choice(THINGS)(top, git, random)
        found = sorted(sessions_of(storage, storage.read_ref(REF) or Oid("")))
        old.append(replace(storage, random.sample(found, min(len(found) - 1, random.randint(0, 2))))[0])
    for _ in range(random.randint(0, 3)):
        random.choice(THINGS)(top, git, random)
    storage.close()
    before, reached_before = all_objects(top), reached(top, *old, *logged(top))
    theirs = reached(top, "--all", "--indexed-objects") | reached(top, *users_reflogs(top))
    done = erase(repository, Git(dict(os.environ)), REF, old)
    after = all_objects(top)
    gone = before - after
    assert gone == (reached_before & before) - theirs
    assert len(gone) == done.objects
    assert not still_here(repository, Git(dict(os.environ)), [Oid(oid) for oid in sorted(gone)])
    expect_sound(top)
    assert reached(top, *EVERYTHING) <= after
    git("gc", "--quiet", cwd=top)
    expect_sound(top)


def logged(top: Path) -> list[str]:
    return output(top, "reflog", "show", "--format=%H", REF).split()


def users_reflogs(top: Path) -> list[str]:
    """Return the ids in all reflogs but the memory's own."""
    found = {"HEAD"}
    for file in (top / ".git/logs").rglob("*"):
        if file.is_file() and file.name != "gitmem":
            for line in file.read_text().splitlines():
                found |= {oid for oid in line.split(" ")[:2] if oid.strip("0")}
    return sorted(found)


def make_commit(top: Path, git: RealGit, random: Random) -> None:
    name = f"f{random.randrange(5)}"
    (top / name).write_bytes(random.randbytes(100))
    git("add", name, cwd=top)
    git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=top)


def make_tag(top: Path, git: RealGit, random: Random) -> None:
    what = random.choice(["HEAD", f"{REF}", f"{REF}^{{tree}}", f"{REF}:s"])
    git("tag", "--force", *random.choice([(), ("-a", "-m", "x")]), f"t{random.randrange(3)}", what, cwd=top)


def make_stash(top: Path, git: RealGit, random: Random) -> None:
    (top / "a.txt").write_bytes(random.randbytes(50))
    git("stash", "--quiet", cwd=top)
    if random.random() < 0.5:
        git("stash", "drop", "--quiet", cwd=top)


def make_orphan(top: Path, git: RealGit, random: Random) -> None:
    git("hash-object", "-w", "--stdin", cwd=top, stdin=f"{random.random()}")


def reset_hard(top: Path, git: RealGit, random: Random) -> None:
    make_commit(top, git, random)
    git("reset", "--quiet", "--hard", "HEAD~1", cwd=top)


def take_a_file_of_the_memory(top: Path, git: RealGit, random: Random) -> None:
    rows = output(top, "ls-tree", "-r", REF).splitlines()
    if rows:
        oid = random.choice(rows).split()[2]
        data = subprocess.run(["git", "cat-file", "blob", oid], cwd=top, capture_output=True, check=True)
        (top / "copied").write_bytes(data.stdout)
        git("add", "copied", cwd=top)


def look_at_the_memory(top: Path, git: RealGit, random: Random) -> None:
    git("worktree", "add", "--quiet", "--force", "--detach", f"../w{random.random()}", REF, cwd=top)


def pack_all(top: Path, git: RealGit, random: Random) -> None:
    if random.random() < 0.5:
        for keep in (top / ".git/objects/pack").glob("*.keep"):
            keep.unlink()
    git(
        "repack",
        "-q",
        *random.choice([("-a", "-d", "-k"), ("-d",), ("-A", "-d"), ("--cruft", "-d")]),
        cwd=top,
    )


def index_packs(top: Path, git: RealGit, random: Random) -> None:
    if list((top / ".git/objects/pack").glob("*.pack")):
        git("multi-pack-index", "write", cwd=top)
    git("commit-graph", "write", "--reachable", *random.choice([(), ("--split",)]), cwd=top)


THINGS = (
    make_commit,
    make_tag,
    make_stash,
    make_orphan,
    reset_hard,
    take_a_file_of_the_memory,
    look_at_the_memory,
    pack_all,
    pack_all,
    index_packs,
)
