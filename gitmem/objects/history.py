"""History: walk commits and tell who descends from whom, over any storage."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from gitmem.model.errors.store import ObjectDamaged
from gitmem.model.ids import Oid
from gitmem.objects.encoding import Commit, decode_commit
from gitmem.objects.storage import Storage

_OURS, _THEIRS = 1, 2
_BOTH = _OURS | _THEIRS
_SPARE = 64
"""How many commits of both sides are looked at after the last of one: one of the same second, or of a clock
that runs behind, may have it among its ancestors."""


class Distance(NamedTuple):
    """How many commits only one side has."""

    ahead: int
    behind: int


def read_commit(storage: Storage, oid: Oid) -> Commit:
    """Return a commit.

    Raises:
        ObjectMissing: It is not here.
        ObjectDamaged: The object is no commit.
    """
    kind, data = storage.read(oid)
    if kind != "commit":
        raise ObjectDamaged(oid, f"expected a commit, found a {kind}")
    return decode_commit(data, oid)


def walk_history(storage: Storage, tip: Oid | None) -> Iterator[tuple[Oid, Commit]]:
    """Yield a commit and all its ancestors once each, newest first by committer time.

    A parent that a shallow clone does not have ends its line.
    """
    queue: list[tuple[int, Oid, Commit]] = []
    seen: set[Oid] = set()

    def push(oid: Oid) -> None:
        if oid not in seen and storage.contains(oid):
            seen.add(oid)
            commit = read_commit(storage, oid)
            heapq.heappush(queue, (-commit.committer.time_s, oid, commit))

    if tip:
        push(tip)
    while queue:
        _, oid, commit = heapq.heappop(queue)
        yield oid, commit
        for parent in commit.parents:
            push(parent)


def first_parents(storage: Storage, tip: Oid, until: Oid | None = None) -> Iterator[Oid]:
    """Yield a commit and its first parents, as far as they are here and before one of them."""
    oid: Oid | None = tip
    while oid is not None and oid != until and storage.contains(oid):
        yield oid
        parents = read_commit(storage, oid).parents
        oid = parents[0] if parents else None


def distance(storage: Storage, ours: Oid | None, theirs: Oid | None) -> Distance:
    """Count the commits that only one of two tips has among its ancestors.

    Stops soon after the two histories meet, as `git rev-list --left-right --count` does. Where clocks were
    very wrong it may count some that both have; `is_ancestor` is not misled.
    """
    sides = _paint(storage, ours, theirs).values()
    return Distance(sum(side == _OURS for side in sides), sum(side == _THEIRS for side in sides))


def of_one_side(storage: Storage, ours: Oid | None, theirs: Oid) -> list[Oid]:
    """Return the commits that only theirs has among its ancestors, itself among them; as `distance` does."""
    return [oid for oid, side in _paint(storage, ours, theirs).items() if side == _THEIRS]


def is_ancestor(storage: Storage, ancestor: Oid | None, descendant: Oid | None) -> bool:
    """Whether `descendant` is `ancestor` or has it in its history; nothing is everyone's ancestor."""
    if ancestor is None or ancestor == descendant:
        return True
    # What leads from the one to the other is known to one side alone, so that the walk cannot end before.
    return _paint(storage, ancestor, descendant, sought=ancestor).get(ancestor) == _BOTH


def _paint(
    storage: Storage, ours: Oid | None, theirs: Oid | None, sought: Oid | None = None
) -> dict[Oid, int]:
    """Return which side has each commit among its ancestors, down to where the histories meet.

    Goes no further where both are found to have the one that is `sought`.
    """
    flags: dict[Oid, int] = {}
    if ours == theirs:
        return flags
    queue: list[tuple[int, Oid]] = []
    pending: dict[Oid, Commit] = {}
    unsettled = 0  # entries in the queue that are not known to both sides, or were passed too early
    passed: set[Oid] = set()

    def counts(oid: Oid) -> bool:
        return flags[oid] != _BOTH or oid in passed

    def reach(oid: Oid, side: int) -> None:
        nonlocal unsettled
        before = flags.get(oid, 0)
        if before | side == before or not (before or storage.contains(oid)):
            return
        if oid in pending:
            unsettled -= counts(oid)
            flags[oid] = before | side
            unsettled += counts(oid)
            return
        flags[oid] = before | side
        commit = read_commit(storage, oid)
        pending[oid] = commit
        unsettled += counts(oid)
        heapq.heappush(queue, (-commit.committer.time_s, oid))

    for tip, side in ((ours, _OURS), (theirs, _THEIRS)):
        if tip:
            reach(tip, side)
    spare = _SPARE
    while (unsettled or (queue and spare)) and (sought is None or flags.get(sought) != _BOTH):
        _, oid = heapq.heappop(queue)
        commit = pending.pop(oid)
        spare = _SPARE if counts(oid) else spare - 1
        unsettled -= counts(oid)
        passed.add(oid)
        for parent in commit.parents:
            reach(parent, flags[oid])
    return flags
