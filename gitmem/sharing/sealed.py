"""Sharing what is private: sealed sessions and keys go to a remote that was given that level, as they are.

Nothing of them is opened on the way; only where a session went on in two places, and can be opened here, are
the two united. Who cannot open one carries it along.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gitmem.format.memory import open_memory
from gitmem.git.fetching import fetch
from gitmem.git.sending import Move
from gitmem.git.sending import push as send
from gitmem.model.errors.sharing import PushRaced, PushRefused
from gitmem.model.ids import Oid
from gitmem.model.refs import KEYS_NAMESPACE, PRIVATE_REF, SEALED_NAMESPACE, key_ref, sealed_ref, tracking_ref
from gitmem.objects.storage import Storage
from gitmem.sealed.merging import Outcome, adopt, merge
from gitmem.sealed.ring import Ring
from gitmem.sealed.sent import root_of
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.tips import Tips, by_name, read_tips
from gitmem.sharing.pulling import Sharing, alone, remote_of

_PUSH_TRIES: Final = 8
_FIRST_PAUSE_S: Final = 0.05
SEALED_REFS: Final = (SEALED_NAMESPACE, KEYS_NAMESPACE)
"""The namespaces that a fetch of what is private brings."""
_NOTHING: Final = Tips(None, None)


class SealedPulled(NamedTuple):
    """What a pull of sealed sessions came to: how many of which outcome, and what was kept out, and why."""

    remote: str
    outcomes: Mapping[Outcome, int]
    refused: tuple[tuple[str, str], ...]


class SealedPushed(NamedTuple):
    """What a push of sealed sessions came to: how many were sent, and what came in before."""

    remote: str
    sent: int
    pulled: SealedPulled


def pull_sealed(
    sharing: Sharing, ring: Ring, named: str | None = None, *, is_fetched: bool = False
) -> SealedPulled:
    """Fetch a remote's sealed sessions, and unite those that went on in two places.

    `is_fetched` says that a fetch has just been there (SEALED_REFS).

    Raises:
        SyncError: The remote is unknown, unreachable, or was not given this level.
    """
    with alone(sharing.repository):
        return _pull(sharing, ring, named, is_fetched=is_fetched)


def check_sealed(sharing: Sharing, ring: Ring, named: str | None = None) -> None:
    """Look once more at what can be opened of what a push would send, as far as is known here; raises as
    `sharing.check` does."""
    remote = remote_of(sharing, named)
    if _moves(sharing, remote.name, frozenset()):
        _check(sharing, ring, remote.name)


def push_sealed(
    sharing: Sharing, ring: Ring, named: str | None = None, *, pause: Callable[[float], object] = time.sleep
) -> SealedPushed:
    """Send a remote the sealed sessions that it lacks; what it has more is pulled first.

    Raises:
        PushRefused: The remote refuses, for reasons of its own.
        PushRaced: Others were faster, again and again.
        SyncError: The remote is unknown, unreachable, or was not given this level.

    What can be opened is looked at by `sharing.check` first, and whatever that raises sends nothing.
    """
    remote = remote_of(sharing, named)
    with alone(sharing.repository):
        for tries in range(_PUSH_TRIES):
            if tries:
                pause(random.uniform(0, _FIRST_PAUSE_S * 2**tries))  # noqa: S311 (jitter, not a secret)
            pulled = _pull(sharing, ring, named)
            moves = _moves(sharing, remote.name, frozenset(name for name, _ in pulled.refused))
            if not moves:
                return SealedPushed(remote.name, 0, pulled)
            _check(sharing, ring, remote.name)
            # What is sealed anew has no history in common with what it takes the place of. So each ref is
            # moved only from where it was when last fetched: what nobody saw is never overwritten.
            answers = send(remote, moves, is_atomic=True)
            refused = {ref: answer for ref, answer in answers.items() if answer.outcome != "pushed"}
            if not refused:
                for move in moves:
                    _track(sharing, remote.name, move)
                sent = sum(move.ref.startswith(SEALED_NAMESPACE) for move in moves)
                return SealedPushed(remote.name, sent, pulled)
            for ref, answer in refused.items():
                if answer.outcome == "refused" and "atomic" not in answer.why:
                    raise PushRefused(remote.name, ref, answer.why)
    raise PushRaced(remote.name, _PUSH_TRIES)


def _pull(sharing: Sharing, ring: Ring, named: str | None, *, is_fetched: bool = False) -> SealedPulled:
    remote = remote_of(sharing, named)
    if not is_fetched:
        for error in fetch(remote, sharing.storage, (), SEALED_REFS).refused.values():
            raise error
    return unite_fetched_sealed(sharing, ring, remote.name)


def unite_fetched_sealed(sharing: Sharing, ring: Ring, remote: str) -> SealedPulled:
    """Unite the sealed sessions that a remote had when last fetched with those here; nobody is waited for."""
    storage = sharing.storage
    here = by_name(read_tips(storage))
    outcomes: Counter[Outcome] = Counter()
    refused: list[tuple[str, str]] = []
    for name, theirs in tips_of(storage, remote).items():
        if here.get(name, _NOTHING) == theirs:
            continue
        with storage.lock():
            ours = Tips(storage.read_ref(key_ref(name)), storage.read_ref(sealed_ref(name)))
            merged = merge(storage, ring, name, ours, theirs)
            outcomes[merged.outcome] += 1
            if merged.tips != ours:
                adopt(storage, name, merged.tips, ours)
        if merged.outcome in ("apart", "refused", "shed there"):
            refused.append((name, merged.why))
        refused += [(f"{name}/{one.path}", one.why) for one in merged.refused]
    return SealedPulled(remote, dict(outcomes), tuple(refused))


def _check(sharing: Sharing, ring: Ring, remote: str) -> None:
    sealed = SealedStorage(sharing.storage, ring)
    try:
        memory = open_memory(sealed, PRIVATE_REF)
        sharing.check(remote, memory, root_of(sealed, tips_of(sharing.storage, remote)))
    finally:
        sealed.close()


def tips_of(storage: Storage, remote: str) -> dict[str, Tips]:
    """Return the tips of what a remote had when last fetched, by names."""
    found: dict[str, Oid] = {}
    for ref in (SEALED_NAMESPACE, KEYS_NAMESPACE):
        prefix = tracking_ref(remote, ref)
        found |= {
            ref + tracked.removeprefix(prefix): oid for tracked, oid in storage.list_refs(prefix).items()
        }
    return by_name(found)


def lacks_sealed(storage: Storage, remote: str) -> bool:
    """Whether a remote lacked any ref of what is sealed here when it was last asked."""
    here, there = read_tips(storage), tips_of(storage, remote)
    return any(tips.content is not None and there.get(name) != tips for name, tips in by_name(here).items())


def _moves(sharing: Sharing, remote: str, kept_out: frozenset[str]) -> list[Move]:
    theirs = tips_of(sharing.storage, remote)
    moves = []
    for name, ours in by_name(read_tips(sharing.storage)).items():
        there = theirs.get(name, _NOTHING)
        if ours.content is None or name in kept_out:
            continue  # a key that waits for its session; one that has to be looked at first
        for ref, oid, expected in (
            (key_ref(name), ours.key, there.key),
            (sealed_ref(name), ours.content, there.content),
        ):
            if oid is not None and oid != expected:
                moves.append(Move(ref, oid, expected, is_leased=True))
    return moves


def _track(sharing: Sharing, remote: str, move: Move) -> None:
    tracking = tracking_ref(remote, move.ref)
    found = sharing.storage.read_ref(tracking)
    if found != move.oid:
        sharing.storage.move_ref(tracking, move.oid, found, "gitmem: push")
