"""Snapshots of a working tree: what is staged and what stands there, as trees in a store of their own.

The store is apart from the repository: nothing in the repository refers to it, and nothing of it is pushed.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid


class Snapshot(NamedTuple):
    """The trees of a moment, None where git could not make one; `left_out` counts files too large for it."""

    staged: Oid | None
    working: Oid | None
    left_out: int = 0


def take(repository: Repository, git: Git, store: Path, index: Path | None = None) -> Snapshot:
    """Write what is staged and what stands in the working tree into a store, which is made if need be.

    `index` is the index to look at, where it is not the working tree's own.
    """
    raise NotImplementedError
