"""The union of two memories: every record that either side has, and nothing that does not belong.

Equal trees are never opened, so that the cost follows what differs. Absence is never deletion, and no common
ancestor is asked for: the same two trees give the same third, whichever is called ours, in any order and any
number of times. What one side alone has is decoded before it is accepted (`gitmem.format.admission`); what
is refused stays out, whichever side it came from, and is reported.

A tree of a few kilobytes can unfold to any number of folders. So none is opened at two places, that of a
session or note only where its own record belongs, and no more than so many refusals are listed: the work is
that of the objects there are.

What becomes of a session that differs, by number as in the tests:

1. only theirs has it: "new there"
2. only ours has it: "new here"
3. only theirs has records that the other lacks: "grown there"
4. only ours has: "grown here"
5. both have, of different streams or registers: "grown on both sides"
6. both have captures of one stream, so that it has a head here and another there: "forked"; both are kept
7. an accepted tombstone of either side names it: "tombstoned", and it is gone
8. nothing of what is new could be accepted: "refused"
9. the same content under another version of zstd: the larger object id stays, and nothing is said

FORMAT is the higher one; the other files of the root come from the side that has it (ties: the larger id).

A memory's *epoch* is its set of tombstones. `Union.lacking` names the sides that lack one of the united set:
what is erased is still in their history, so that nobody goes on from it.
"""

from __future__ import annotations

from collections.abc import Container

from gitmem.format.lone import Vouch, vouch_for_none
from gitmem.format.outcomes import Accept, Union, accept_all
from gitmem.format.uniting import Uniting
from gitmem.model.ids import Oid, SessionId
from gitmem.model.settings import Level
from gitmem.objects.storage import Batch, Storage


def union(
    storage: Storage,
    batch: Batch,
    ours: Oid | None,
    theirs: Oid | None,
    *,
    level: Level = "team",
    accept: Accept = accept_all,
    promised: Container[SessionId] = frozenset(),
    vouch: Vouch = vouch_for_none,
) -> Union:
    """Unite the trees of two memories of a level; None is the empty one.

    Both formats have been read and accepted (`open_memory`). Trees are added to the batch only where the
    union is neither side's own. A tombstone for another level is refused, and so is one from there that
    `accept` does not let count; what it names stays. The text of `promised` sessions is not here: they are
    taken on their word, and have to be admitted before somebody reads them. What `vouch` knows to belong
    is not looked at again.

    Raises:
        ObjectMissing: An object is not here.
        StoreError: An object cannot be read.
    """
    if ours == theirs:
        return Union(ours, {}, (), {})
    return Uniting(storage, batch, level, accept, promised, vouch).unite(ours, theirs)
