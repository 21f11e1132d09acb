"""Changing whom private sessions are sealed to: the key of each one that opens is wrapped or made anew."""

from __future__ import annotations

from typing import NamedTuple

from gitmem.objects.storage import Storage
from gitmem.sealed.ring import Ring


class Resealed(NamedTuple):
    """How many sealed sessions were changed, and how many could not be opened and are as they were."""

    changed: int
    unopened: int


def rewrap_all(base: Storage, ring: Ring) -> Resealed:
    """Wrap the secret of every session that opens for those on the ring: somebody was added.

    Raises:
        IdentityMissing, RecipientRefused: As `Ring.recipients` does.
    """
    raise NotImplementedError


def reseal_all(base: Storage, ring: Ring) -> Resealed:
    """Seal every session that opens with a new secret for those on the ring: somebody was removed.

    Who had a key may have kept what it opened; this undoes nothing of that.

    Raises:
        IdentityMissing, RecipientRefused: As `Ring.recipients` does.
    """
    raise NotImplementedError
