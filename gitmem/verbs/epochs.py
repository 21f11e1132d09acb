"""Epochs: from which commit a memory's history goes on once something was erased from it.

A history never changes its set of tombstones, so that no commit that leads to the tip holds what one of
them names: where the set grows, it begins anew with a commit that has no parents. That says nothing but its
tree and the moment of the latest of the tombstones that are new in it, so that it is the same wherever it is
made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gitmem.model.ids import Oid
from gitmem.model.records import Tombstone
from gitmem.model.times import to_ms
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.storage import Batch
from gitmem.verbs.committing import SKIP_CI

_NOBODY: Final = ("gitmem", "gitmem@localhost")


def begin_epoch(batch: Batch, root: Oid, tombstones: Iterable[Tombstone]) -> Oid:
    """Add the commit without parents from which a memory goes on, and return its name.

    `tombstones` are those that are new in it: those that any of the sides that it unites lacks.
    """
    latest = max(to_ms(tombstone.at) for tombstone in tombstones)
    # git knows no moment before 1970.
    who = Signature(*_NOBODY, max(0, latest // 1000))
    message = f"Begin anew without what was erased {SKIP_CI}\n"
    return batch.add("commit", encode_commit(Commit(root, (), who, who, message)))
