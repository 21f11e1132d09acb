"""The working trees of a repository: the one it came with, and those that `git worktree` linked to it.

Nothing is asked of git: its files say where they are.
"""

from __future__ import annotations

import os
from pathlib import Path

from gitmem.git.repository import Repository


def working_trees(repository: Repository) -> tuple[Path, ...]:
    """Return the roots of all working trees that are there, the one at hand first."""
    found = dict.fromkeys(() if repository.top is None else (repository.top,))
    own = repository.config.get("core.worktree")  # a submodule's, mostly
    if own:
        found[(repository.common_dir / own[-1]).resolve()] = None
    elif repository.common_dir.name == ".git" and not repository.is_bare:
        found[repository.common_dir.parent] = None
    linked = repository.common_dir / "worktrees"
    for git_dir in sorted(linked.iterdir()) if linked.is_dir() else ():
        top = _top_of(git_dir)
        if top is not None:
            found[top] = None
    return tuple(found)


def _top_of(git_dir: Path) -> Path | None:
    """Return the root that a linked worktree's git directory names; None where it is gone."""
    try:
        named = (git_dir / "gitdir").read_bytes().removesuffix(b"\n")
    except OSError:
        return None
    pointer = git_dir / os.fsdecode(named)  # relative since git 2.48, where that is asked for
    return pointer.parent.resolve() if pointer.is_file() else None
