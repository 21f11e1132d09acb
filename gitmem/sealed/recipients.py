"""Changing whom private sessions are sealed to: the key of each one that opens is wrapped or made anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from gitmem.objects.storage import Storage
from gitmem.sealed.ring import Ring
from gitmem.sealed.sessions import Opened
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.writing import Writing, move_all

_AT_ONCE = 50
"""Sessions in one pack: neither a pack for each, nor all of them in memory."""


class Resealed(NamedTuple):
    """How many sealed sessions were changed, and how many could not be opened and are as they were."""

    changed: int
    unopened: int


def rewrap_all(base: Storage, ring: Ring) -> Resealed:
    """Wrap the secret of every session that opens for those on the ring: somebody was added.

    Raises:
        IdentityMissing, RecipientRefused: As `Ring.recipients` does.
    """
    with base.lock():
        sealed = SealedStorage(base, ring)
        opened = sealed.opened()
        for some in _cut(opened, _AT_ONCE):
            with base.begin() as batch:
                writing = Writing(base, ring, sealed, batch)
                for held in some:
                    writing.rewrap(held)
                batch.publish()
            move_all(base, writing.moves, "gitmem: add a recipient")
        base.tidy()
        return Resealed(_sessions(opened), len(sealed.unopened()))


def reseal_all(base: Storage, ring: Ring) -> Resealed:
    """Seal every session that opens with a new secret for those on the ring: somebody was removed.

    Who had a key may have kept what it opened; this undoes nothing of that. A kill in between leaves each
    session open to this user: its new key has the former one beside it until its content is sealed anew.

    Raises:
        IdentityMissing, RecipientRefused: As `Ring.recipients` does.
    """
    with base.lock():
        sealed = SealedStorage(base, ring)
        opened = sealed.opened()
        for some in _cut(opened, _AT_ONCE):
            with base.begin() as batch:
                writing = Writing(base, ring, sealed, batch)
                steps = [writing.reseal(held) for held in some]
                batch.publish()
            for moves in steps:
                for move in moves:
                    base.move_ref(move.ref, move.new, move.expected, "gitmem: remove a recipient")
        base.tidy()
        return Resealed(_sessions(opened), len(sealed.unopened()))


def _sessions(opened: Iterable[Opened]) -> int:
    return sum(each.session is not None for each in opened)


def _cut(opened: Sequence[Opened], size: int) -> Iterator[list[Opened]]:
    rest = iter(opened)
    while some := list(islice(rest, size)):
        yield some
