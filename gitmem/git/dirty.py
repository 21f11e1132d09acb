"""The files that a working tree has changed, against what is committed."""

from __future__ import annotations

import os
from typing import Final

from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed

_CONFIG: Final = {"core.quotePath": "false", "core.fsmonitor": "false", "submodule.recurse": "false"}


def changed_files(repository: Repository, git: Git, timeout_s: float) -> tuple[str, ...]:
    """Return the paths of tracked files that differ from HEAD, staged or not, from the top; git's own order.

    None where there is no working tree or no commit yet, and where git cannot tell within the time.

    Raises:
        GitMissing: There is no git.
    """
    if repository.top is None:
        return ()
    arguments = ["diff-index", "--name-only", "--no-renames", "--ignore-submodules", "-z", "HEAD", "--"]
    try:
        answer = git.run(
            arguments,
            doing="find what has changed",
            cwd=repository.top,
            config=_CONFIG,
            timeout_s=timeout_s,
        )
    except GitFailed:
        return ()
    paths = (os.fsdecode(path) for path in answer.stdout.split(b"\0") if path)
    return tuple(path for path in paths if path.isprintable())
