"""What is staged: its tree and what that changes, without a trace in the user's repository.

Neither its index, which git would lock and write, nor its objects get anything of this.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.git.code import Changes, read_numstat
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.ids import Oid
from gitmem.objects.encoding import object_id

_COPIED_BYTES: Final = 1 << 20


def staged_tree(repository: Repository, git: Git, index: Path | None = None) -> Oid | None:
    """Return the tree of what is staged; None where git can make none, as of a merge that has conflicts.

    `index` is the index to look at, where it is not the working tree's own.
    """
    try:
        source = (index or repository.git_dir / "index").open("rb")
    except FileNotFoundError:
        return object_id("tree", b"", repository.hash_name)
    except OSError:
        return None
    with source, tempfile.TemporaryDirectory(prefix="gitmem-") as folder:
        copied = Path(folder) / "index"
        with disk.NewFile(copied.parent) as copy:
            while piece := source.read(_COPIED_BYTES):
                copy.write(piece)
            copy.publish(copied, durable=False, mode=0o600)
        environ = {
            **git.elsewhere().environ,
            "GIT_DIR": str(repository.git_dir),
            "GIT_INDEX_FILE": str(copied),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository.common_dir / "objects"),
        }
        try:
            answer = Git(environ).run(["write-tree", "--missing-ok"], doing="make a tree of what is staged")
        except GitFailed:
            return None
    return Oid(answer.text)


def staged_changes(repository: Repository, git: Git, head: Oid | None, index: Path | None = None) -> Changes:
    """Return what is staged against a commit, or against nothing."""
    environ = {**git.elsewhere().environ, "GIT_DIR": str(repository.git_dir)}
    if index is not None:
        environ["GIT_INDEX_FILE"] = str(index)
    base = head or object_id("tree", b"", repository.hash_name)
    try:
        answer = Git(environ).run(
            [
                "diff-index",
                "--cached",
                "--numstat",
                "-z",
                "-M",
                "-l400",
                "--no-ext-diff",
                "--no-textconv",
                base,
            ],
            doing="compare what is staged",
        )
    except GitFailed:
        return Changes()
    return read_numstat(answer.stdout)
