"""What a plain `git fetch` of a remote brings along: whether the memory is part of it, and seeing that it is.

A clone of one branch fetches that branch, and no default refspec fetches a memory that is no branch.
"""

from __future__ import annotations

import re
from typing import Final

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.refs import lasting_refspec, maps, tracking_ref

_TRUE: Final = ("true", "yes", "on", "1")


def bring_along(repository: Repository, git: Git, remote: str, ref: str) -> str | None:
    """See that a plain fetch of a remote brings the tracking ref of a memory along; idempotent.

    A bare clone fetches nothing by itself, a mirror all refs onto its own; they are left as they are.

    Returns:
        The refspec that was added; None where none was needed.

    Raises:
        GitFailed: git does not let it.
    """
    refspecs = _values(repository, git, f"remote.{remote}.fetch")
    mirrors = _values(repository, git, f"remote.{remote}.mirror")
    if not refspecs or (mirrors and mirrors[-1].lower() in _TRUE):
        return None
    if any(maps(refspec, ref, tracking_ref(remote, ref)) for refspec in refspecs):
        return None
    added = lasting_refspec(remote, ref)
    _config(repository, git, ["--add", f"remote.{remote}.fetch", added])
    return added


def leave_behind(repository: Repository, git: Git, ref: str) -> list[str]:
    """Take out what `bring_along` added, for every remote, and return their names."""
    found = []
    for name in repository.config:
        remote = name.removeprefix("remote.").removesuffix(".url")
        if name != f"remote.{remote}.url":
            continue
        refspec = lasting_refspec(remote, ref)
        if refspec in _values(repository, git, f"remote.{remote}.fetch"):
            pattern = "^" + re.escape(refspec) + "$"
            _config(repository, git, ["--unset-all", f"remote.{remote}.fetch", pattern])
            found.append(remote)
    return found


def _values(repository: Repository, git: Git, name: str) -> list[str]:
    answer = git.run(
        ["config", "--null", "--get-all", name],
        doing=f"read {name}",
        git_dir=repository.git_dir,
        accept=(0, 1),
    )
    return answer.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _config(repository: Repository, git: Git, args: list[str]) -> None:
    disk.announce("write", repository.common_dir / "config")
    git.run(
        ["config", "--local", *args],
        doing=f"write {args[1]} in the configuration of {repository.common_dir}",
        git_dir=repository.common_dir,
    )
