"""Changing whom private sessions are sealed to: the key of each one that opens is wrapped or made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """How many sealed sessions were changed, and how many others there are: those whose keys somebody else
    made, which only they change, and those that could not be opened."""

    changed: int
    others: int
    unopened: int


def rewrap_all(base: Storage, ring: Ring) -> Resealed:
    """Wrap the secret of every session of this user's for those on the ring: somebody was added.

    Raises:
        IdentityMissing, RecipientRefused: As `Ring.recipients` does.
    """

    def rewrap(writing: Writing, held: Opened) -> None:
        if held.is_by_former:
            writing.reseal(held)
        else:
            writing.rewrap(held)

    return _change_all(base, ring, rewrap, "gitmem: add a recipient")


def reseal_all(base: Storage, ring: Ring) -> Resealed:
    """Seal every session of this user's with a new secret for those on the ring: somebody was removed.

    Who had a key may have kept what it opened; this undoes nothing of that. A kill in between leaves each
    session open to this user: its new key has the former one beside it until its content is sealed anew.

    Raises:
        IdentityMissing, RecipientRefused: As `Ring.recipients` does.
    """
    return _change_all(base, ring, Writing.reseal, "gitmem: remove a recipient")


def _change_all(
    base: Storage, ring: Ring, change: Callable[[Writing, Opened], object], reason: str
) -> Resealed:
    with base.lock():
        sealed = SealedStorage(base, ring)
        opened = sealed.opened()
        own = [each for each in opened if each.known.is_own]
        for some in _cut(own, _AT_ONCE):
            with base.begin() as batch:
                writing = Writing(base, ring, sealed, batch)
                for held in some:
                    change(writing, held)
                batch.publish()
            move_all(base, writing.moves, reason)
        base.tidy()
        return Resealed(_sessions(own), _sessions(opened) - _sessions(own), len(sealed.unopened()))


def _sessions(opened: Iterable[Opened]) -> int:
    return sum(each.session is not None for each in opened)


def _cut(opened: Sequence[Opened], size: int) -> Iterator[list[Opened]]:
    rest = iter(opened)
    while some := list(islice(rest, size)):
        yield some
