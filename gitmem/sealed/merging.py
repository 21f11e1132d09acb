"""Uniting the two sides of one sealed session: what stands here, and what a remote has."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gitmem.format.union import Refusal
from gitmem.objects.storage import Storage
from gitmem.sealed.ring import Ring
from gitmem.sealed.tips import Tips

Outcome = Literal["same", "new there", "grown there", "grown here", "united", "apart", "refused"]


class Merged(NamedTuple):
    """What two sides come to.

    `tips` is what the refs of the session are to point at: published already, and moved there by
    `adopt(base, name, merged.tips, ours)`. Of "apart" and "refused" they are ours, and `why` says more.
    `refused` lists what of theirs did not belong there.
    """

    outcome: Outcome
    tips: Tips
    why: str = ""
    refused: tuple[Refusal, ...] = ()


def merge(base: Storage, ring: Ring, name: str, ours: Tips, theirs: Tips) -> Merged:
    """Unite what is sealed under one name here and there; publishes what it makes, and moves no ref.

    Where the ring opens both, the result has what either has, sealed with the newer of two keys: the one with
    the higher number, ties by id. Where it does not, only a side that goes on from the other one is taken.
    `Tips(None, None)` is a side that has nothing.

    Raises:
        ObjectMissing: An object of ours is not here.
    """
    raise NotImplementedError


def adopt(base: Storage, name: str, tips: Tips, expected: Tips) -> None:
    """Point the refs of a sealed session at what a merge came to, the key first.

    Raises:
        RefMoved: One of them is no longer where it was expected.
    """
    raise NotImplementedError
