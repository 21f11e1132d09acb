"""Epochs: from which commit a memory's history goes on once something was erased from it.

A history never changes its set of tombstones, so that no commit that leads to the tip holds what one of
them names: where the set grows, it begins anew with a commit that has no parents. That says nothing but its
tree and the moment of the latest of the tombstones that are new in it, so that it is the same wherever it is
made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gitmem.format.burial import names_all
from gitmem.model.errors.store import ObjectMissing
from gitmem.model.ids import Oid
from gitmem.model.records import Tombstone
from gitmem.model.times import to_ms
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.history import of_one_side, read_commit
from gitmem.objects.storage import Batch, Storage
from gitmem.verbs.committing import SKIP_CI, to_git_s

_NOBODY: Final = ("gitmem", "gitmem@localhost")


def begin_epoch(batch: Batch, root: Oid, tombstones: Iterable[Tombstone]) -> Oid:
    """Add the commit without parents from which a memory goes on, and return its name.

    `tombstones` are those that are new in it: those that any of the sides that it unites lacks.
    """
    latest = max(to_ms(tombstone.at) for tombstone in tombstones)
    who = Signature(*_NOBODY, to_git_s(latest // 1000))
    message = f"Begin anew without what was erased {SKIP_CI}\n"
    return batch.add("commit", encode_commit(Commit(root, (), who, who, message)))


def has_more_tombstones(storage: Storage, earlier: Oid, tip: Oid) -> bool:
    """Whether a commit has a tombstone that a tip lacks, as one has that was refused when it was united."""
    return earlier != tip and not names_all(
        storage, read_commit(storage, tip).tree, read_commit(storage, earlier).tree
    )


def has_strays(storage: Storage, ours: Oid | None, theirs: Oid) -> bool:
    """Whether a commit that leads to theirs, and not to ours, lacks a tombstone that theirs has.

    `ours` is where we go on from; what it leads to counts as none of theirs. Nothing of gitmem's makes such
    a history, but a merge by hand does.
    """
    root = read_commit(storage, theirs).tree
    if trees.find(storage, root, ("tombstones",)) is None:
        return False
    return any(_lacks_some(storage, oid, root) for oid in of_one_side(storage, ours, theirs))


def _lacks_some(storage: Storage, commit: Oid, root: Oid) -> bool:
    try:
        return not names_all(storage, read_commit(storage, commit).tree, root)
    except ObjectMissing:
        return False  # a partial clone that left out trees cannot tell
