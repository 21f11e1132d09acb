"""What reflogs name, of all working trees, and cutting gitmem's own to what its refs reach.

git keeps them as files, a line for an entry: the old id, the new one, who, when and why; or in a reftable,
which only git reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid

_LINE: Final = re.compile(rb"([0-9a-f]{40}(?:[0-9a-f]{24})?) ([0-9a-f]{40}(?:[0-9a-f]{24})?) ")


def git_dirs(repository: Repository) -> Iterator[Path]:
    """Yield the git directory of each working tree, the one that all share first."""
    yield repository.common_dir
    linked = repository.common_dir / "worktrees"
    if linked.is_dir():
        yield from (path for path in sorted(linked.iterdir()) if (path / "HEAD").exists())


def read_reflogs(repository: Repository, git: Git) -> Iterator[tuple[str, tuple[Oid, ...]]]:
    """Yield each entry: the ref, as `worktrees/<name>/HEAD` where it is a linked working tree's, and the ids.

    Where git has to be asked, an entry has the new id alone: the old one is that of the entry before.
    """
    for git_dir in git_dirs(repository):
        mark = "" if git_dir == repository.common_dir else f"worktrees/{git_dir.name}/"
        if repository.ref_format == "files":
            for name, oids in _read_files(git_dir / "logs"):
                yield mark + name, oids
        else:
            for name, oid in _ask(git_dir, git):
                yield (mark if not name.startswith("refs/") else "") + name, (oid,)


def cut_reflogs(repository: Repository, git: Git, refs: Sequence[str]) -> None:
    """Drop each entry of these refs' reflogs that names a commit which the ref does not reach."""
    if refs:
        disk.announce("write", repository.common_dir / "logs" / refs[0])
        git.run(
            ["reflog", "expire", "--expire=never", "--expire-unreachable=now", *refs],
            doing="shorten the memory's reflogs",
            git_dir=repository.common_dir,
        )


def _read_files(logs: Path) -> Iterator[tuple[str, tuple[Oid, ...]]]:
    for file in sorted(logs.rglob("*")):
        name = file.relative_to(logs).as_posix()
        try:
            lines = file.open("rb")
        except (FileNotFoundError, IsADirectoryError):
            continue  # it may have gone with its ref meanwhile
        with lines:
            for line in lines:
                if found := _LINE.match(line):
                    yield name, tuple(Oid(oid.decode()) for oid in found.groups() if oid.strip(b"0"))


def _ask(git_dir: Path, git: Git) -> Iterator[tuple[str, Oid]]:
    doing = "read reflogs"
    for name in git.run(["reflog", "list"], doing=doing, git_dir=git_dir).text.splitlines():
        entries = git.run(
            ["rev-list", "--walk-reflogs", "--ignore-missing", name, "--"], doing=doing, git_dir=git_dir
        )
        for oid in entries.text.split():
            yield name, Oid(oid)
