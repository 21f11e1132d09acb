"""Trees back into a working tree: what differs between two, and writing files of one as git would.

git writes the files, so that filters, modes and links are its business. It never is asked to write where
something stands that is not to be lost, for it would make room.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.snapshots import EMPTY_TREE, At, Change, read_changes, sizes
from gitmem.model.ids import Oid

Operation = Literal["merge", "rebase", "cherry-pick", "revert", "bisect"]

_IN_PROGRESS: Final[tuple[tuple[str, Operation], ...]] = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)
_ATTRIBUTES: Final = b".gitattributes"
_IGNORES: Final = b".gitignore"


def differences(at: At, old: Oid, new: Oid) -> list[Change]:
    """Return the paths that two trees differ at, in order.

    Raises:
        GitFailed: A tree is not there.
    """
    answer = at.run(
        ["diff-tree", "-r", "--raw", "-z", "--no-abbrev", "--no-renames", old, new], "compare two trees"
    )
    return list(read_changes(answer.stdout))


def lacking(at: At, oids: Iterable[Oid]) -> set[Oid]:
    """Return the objects that are not there."""
    return {oid for oid, size in sizes(at, oids) if size is None}


def tree_of(repository: Repository, git: Git, revision: str) -> Oid | None:
    """Return the tree of a commit, or of a tree itself; None where the repository has none such."""
    answer = git.run(
        ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}"],
        doing=f"look for {revision}",
        git_dir=repository.git_dir,
        accept=range(256),
    )
    # What it asks for may be no name of a tree at all, and rev-parse knows an id of the right length unseen.
    return Oid(answer.text) if not answer.status else None


def head_tree(repository: Repository, git: Git) -> Oid:
    """Return the tree of HEAD, the empty one where there is no commit."""
    return tree_of(repository, git, "HEAD") or EMPTY_TREE[repository.hash_name]


def head_of(repository: Repository, git: Git) -> tuple[Oid | None, str | None]:
    """Return the commit of HEAD and its branch, each None where there is none."""
    commit = git.run(
        ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
        doing="read HEAD",
        git_dir=repository.git_dir,
        accept=range(256),
    )
    branch = git.run(
        ["symbolic-ref", "--quiet", "HEAD"],
        doing="read HEAD",
        git_dir=repository.git_dir,
        accept=range(256),
    )
    return (
        Oid(commit.text) if not commit.status else None,
        branch.text.removeprefix("refs/heads/") if not branch.status else None,
    )


def operation_in_progress(repository: Repository) -> Operation | None:
    """Return what git is in the middle of in this working tree."""
    return next((name for file, name in _IN_PROGRESS if (repository.git_dir / file).exists()), None)


def tracked(at: At) -> set[bytes]:
    """Return the paths that an index lists."""
    answer = at.run(["ls-files", "--cached", "-z"], "list tracked files")
    return set(answer.stdout.split(b"\0")) - {b""}


def ignored_in(at: At, tree: Oid, paths: Collection[bytes]) -> set[bytes]:
    """Return the paths that a tree's own `.gitignore` files have git ignore, with the rules of the clone."""
    with disk.workroom(at.index_file.parent) as room, disk.workroom(at.index_file.parent) as top:
        at = at._replace(index_file=room / "index")
        list_tree(at, tree)
        rules = [path for path in tracked(at) if is_ignore_file(path)]
        there = at._replace(repository=at.repository._replace(top=top))
        if rules:
            there.run(["checkout-index", "-q", "-z", "--stdin"], "read a tree", _each(rules))
        disk.remove_file(at.index_file)  # git answers nothing about what is below a submodule
        answer = there.run(
            ["check-ignore", "--no-index", "-z", "--stdin"],
            "ask what is ignored",
            _each(sorted(paths)),
            accept=(0, 1),
        )
        return set(answer.stdout.split(b"\0")) - {b""}


def is_ignore_file(path: bytes) -> bool:
    """Whether a path is that of a `.gitignore` file."""
    return _basename(path) == _IGNORES


def in_the_way(top: Path, path: bytes, removed: Collection[bytes], *, is_replaced: bool) -> bool:
    """Tell whether something stands at a path, above or below it, that is not among what is removed first.

    A repository above it is in the way too: what is in it is its own business. A file at the very path is
    not where it `is_replaced`.
    """
    root = os.fsencode(top) + b"/"
    parts = path.split(b"/")
    for n in range(1, len(parts)):
        above = b"/".join(parts[:n])
        mode = mode_at(root + above)
        if mode is None or (not stat.S_ISDIR(mode) and above in removed):
            return False
        if not stat.S_ISDIR(mode) or mode_at(root + above + b"/.git") is not None:
            return True
    mode = mode_at(root + path)
    if mode is None or path in removed:
        return False
    if not stat.S_ISDIR(mode):
        return not is_replaced
    return any(below[len(root) :] not in removed for below in _files_below(root + path))


def mode_at(path: bytes) -> int | None:
    """Return the mode of what stands at a path, links not followed; None where nothing does."""
    try:
        return os.lstat(path).st_mode
    except OSError:
        return None


def is_private(path: bytes) -> bool:
    """Whether a file stands at a path that nobody but its owner may read, which git does not record."""
    mode = mode_at(path)
    return mode is not None and stat.S_ISREG(mode) and not mode & 0o077


def list_tree(at: At, tree: Oid) -> None:
    """Fill the index that `at` works with from a tree, as `write_files` needs it.

    Raises:
        GitFailed: The tree is not there, or has a path that leads out of a working tree or into `.git`.
    """
    at.run(["read-tree", tree], "read a tree")


def write_files(at: At, paths: Sequence[bytes]) -> None:
    """Write files of the tree that `at` lists into the working tree.

    Raises:
        GitFailed: Some were not written, and others may have been.
    """
    # What says how a file is to be written.
    first = [path for path in paths if _basename(path) == _ATTRIBUTES]
    rest = [path for path in paths if _basename(path) != _ATTRIBUTES]
    for some in (first, rest):
        if some:
            disk.announce("write", at.top)
            at.run(["checkout-index", "-f", "-q", "-z", "--stdin"], "write files", _each(some))


def _files_below(folder: bytes) -> Iterator[bytes]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path)
            else:
                yield entry.path


def _each(paths: Iterable[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)


def _basename(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
