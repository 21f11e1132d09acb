"""Working trees as events name them, and what is remembered of each: where it stood at its last checkpoint.

What is remembered is a hint in a local file. Without it a checkpoint more is made, and none is lost.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gitmem.checkpoints.events import Event
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid
from gitmem.verbs import caching

_KIND: Final = "standing 1"
_GITFILE: Final = "gitdir: "
_MAX_GITFILE_BYTES: Final = 1 << 16


class Worktree(NamedTuple):
    """A working tree of a repository; `repository.top` is None where there is none, as in a bare one.

    One that is gone has left its commits behind, and the transcripts of its sessions: `repository.top` is
    where it was.
    """

    repository: Repository
    is_gone: bool = False


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a working tree stood at its last checkpoint; `committed_ms` is the moment of its last commit's.

    `positions` is a digest of how far its sessions had come, `squashed` are commits that a merge has staged
    as one, which was on top of `squashed_onto`.
    """

    head: Oid | None = None
    branch: str | None = None
    staged: Oid | None = None
    working: Oid | None = None
    positions: str = ""
    committed_ms: int | None = None
    squashed: tuple[Oid, ...] = ()
    squashed_onto: Oid | None = None


def worktree_of(repository: Repository, event: Event) -> Worktree | None:
    """Return the working tree that an event is about; None where it cannot be one of this repository's.

    `repository` may be any of the repository's working trees, or its git directory.
    """
    git_dir = Path(os.path.realpath(event.git_dir))
    common = Path(os.path.realpath(repository.common_dir))
    is_main = git_dir == common
    if not is_main and git_dir.parent != common / "worktrees":
        return None
    here = repository._replace(git_dir=git_dir, top=None)
    if not event.cwd.is_dir() or not git_dir.is_dir():
        if event.is_of_agent or event.head is None:
            return None
        return Worktree(here._replace(git_dir=git_dir if git_dir.is_dir() else common, top=event.cwd), True)
    return Worktree(here._replace(top=_top_of(here, event.cwd)))


def index_of(worktree: Worktree, event: Event) -> Path | None:
    """Return the index that an event was about, where it is not the working tree's own and still there."""
    index, own = event.index_file, worktree.repository.git_dir / "index"
    if index is None or not index.is_file() or index.resolve() == own.resolve():
        return None
    return index


def key_of(worktree: Worktree) -> str:
    """Return what a working tree is known by here."""
    return hashlib.sha256(os.fsencode(worktree.repository.git_dir)).hexdigest()[:16]


def read_standing(worktree: Worktree) -> Standing:
    """Return where a working tree stood, as far as that is known."""
    payload = caching.read_derived(_path(worktree), _KIND)
    if payload is None:
        return Standing()
    try:
        return msgspec.json.decode(payload, type=Standing)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Standing()


def write_standing(worktree: Worktree, standing: Standing) -> None:
    """Remember where a working tree stands."""
    caching.write_derived(_path(worktree), _KIND, msgspec.json.encode(standing))


def _path(worktree: Worktree) -> Path:
    return worktree.repository.state_dir / "standing" / key_of(worktree)


def _top_of(repository: Repository, cwd: Path) -> Path | None:
    """Return the root of the working tree that a directory is in, if it is this git directory's.

    git starts its hooks in the root; an agent may be in any directory below.
    """
    at = Path(os.path.realpath(cwd))
    if at == repository.git_dir or repository.git_dir in at.parents:
        return None
    for folder in (at, *at.parents):
        named = folder / ".git"
        if os.path.lexists(named):
            return folder if _names(named, repository.git_dir) else None
    return None


def _names(pointer: Path, git_dir: Path) -> bool:
    """Whether a working tree's `.git`, a folder or a file that names one, is a git directory."""
    if pointer.is_dir():
        return Path(os.path.realpath(pointer)) == git_dir
    try:
        with pointer.open("rb") as file:
            said = os.fsdecode(file.read(_MAX_GITFILE_BYTES)).removesuffix("\n")
    except OSError:
        return False
    named = pointer.parent / said.removeprefix(_GITFILE)
    return said.startswith(_GITFILE) and Path(os.path.realpath(named)) == git_dir
