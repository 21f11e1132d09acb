"""Pushing: a remote's memory gets what it lacks, as a fast-forward, and what it has more comes in first.

Nothing goes to a remote that nobody named. The first try asks nobody: where all that was last fetched is in
what is here, it is sent on the condition that the remote still stands there, over one connection. Only where
it does not is it fetched from, and tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from gitmem.format.memory import Memory, changed_sessions, open_memory
from gitmem.git.fetching import fetch
from gitmem.git.lean import lean_remotes
from gitmem.git.sending import Move, PushAnswer, lacks_objects, pieces
from gitmem.git.sending import push as send
from gitmem.git.transport import Remote, has_branches
from gitmem.model.errors.sharing import PushRaced, PushRefused, RemoteEmpty, WholeNeeded
from gitmem.model.errors.store import NoMemory, RefMoved
from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import tracking_ref
from gitmem.objects.history import is_ancestor
from gitmem.objects.storage import Storage
from gitmem.sharing.pulling import Loss, Pulled, Sharing, alone, remote_of, take_in, with_text
from gitmem.sharing.yielding import OTHERS, let_others_go, note_others

_TRIES: Final = 16
_LONGEST_PAUSE_S: Final = 10.0
_SIGN_TRIES: Final = 4


class Pushed(NamedTuple):
    """What a push came to: where the remote's memory is now, what it had not had, and what came in before.

    `loss` is what had become of the memory that it had: this push has sent it again.
    """

    remote: str
    commit: Oid
    sent: tuple[SessionId, ...]
    is_up_to_date: bool
    pulled: tuple[Pulled, ...]
    loss: Loss | None = None


class PushedAll(NamedTuple):
    """What a push of several memories came to, in their order, and what was said to what went beside them.

    `tries` is how often it was tried: more than once where the remote was not where it was thought to be.
    """

    memories: tuple[Pushed, ...]
    beside: Mapping[str, PushAnswer]
    tries: int = 1


class _Way(NamedTuple):
    """One memory on its way: what the remote was found to have, and what came in so far."""

    sharing: Sharing
    theirs: Oid | None
    pulled: tuple[Pulled, ...] = ()
    loss: Loss | None = None
    is_leased: bool = False


def push(
    sharing: Sharing, named: str | None = None, *, pause: Callable[[float], object] = time.sleep
) -> Pushed:
    """Send a remote's memory what it lacks; what it has more is pulled first.

    Raises:
        NoMemory: There is none here.
        LevelNotShared: The remote was given other levels than this memory's.
        RemoteEmpty: The remote has no branch yet, and the memory must not become its default one.
        PushRefused: The remote refuses, for reasons of its own.
        PushRaced: Others were faster, again and again.
        SyncError: The remote is unknown, unreachable, or none was chosen.
        FormatNewer: A newer gitmem wrote there; nothing was sent.
    """
    return push_all(remote_of(sharing, named), [sharing], pause=pause).memories[0]


def push_all(
    remote: Remote,
    sharings: Sequence[Sharing],
    beside: Sequence[Move] = (),
    *,
    pause: Callable[[float], object] = time.sleep,
) -> PushedAll:
    """Push several memories to one remote, and other refs beside them, over one connection.

    All are looked at before the first is sent. What goes beside may be refused, and has no answer where it
    was not sent; the memories go all the same. There is at least one of `sharings`. Raises as `push` does.
    """
    storage = sharings[0].storage
    for sharing in sharings:
        if storage.read_ref(sharing.ref) is None:
            raise NoMemory(sharing.ref)
    ways = {sharing.ref: _Way(sharing, _tracked(remote, sharing)) for sharing in sharings}
    done: dict[str, Pushed] = {}
    told: dict[str, PushAnswer] = {}
    seen: set[tuple[Oid | None, ...]] = set()
    answers: dict[str, PushAnswer] = {}
    state_dir = remote.repository.state_dir
    let_others_go(state_dir, pause)
    tried_s = 0.0
    with alone(remote.repository):
        for tries in range(_TRIES):
            if tries > 1:
                import random  # few ever have to wait

                # Counted in tries, for what one takes is what the others need to get in between.
                longest_s = min(_LONGEST_PAUSE_S, tried_s * min(2**tries, OTHERS))
                pause(random.uniform(longest_s / 4, longest_s))  # noqa: S311 (jitter, not a secret)
            tried_from_s = time.monotonic()
            is_blind = not tries and all(_is_known(remote, way) for way in ways.values())
            if is_blind:
                ways = {ref: way._replace(is_leased=True) for ref, way in ways.items()}
            else:
                ways = _bring_in(remote, ways)
                seen.add(tuple(way.theirs for way in ways.values()))
            memories = {ref: _looked_at(remote, way) for ref, way in ways.items()}
            if not is_blind:
                for ref in [ref for ref, memory in memories.items() if memory.commit == ways[ref].theirs]:
                    done[ref] = _pushed(remote, ways.pop(ref), memories.pop(ref))
            answers = _send(remote, ways, memories, beside)
            told |= {move.ref: answers[move.ref] for move in beside if move.ref in answers}
            refused = [ref for ref in ways if answers[ref].outcome == "refused"]
            if refused and not beside:
                raise PushRefused(remote.name, refused[0], answers[refused[0]].why)
            for ref in [ref for ref in ways if answers[ref].outcome == "pushed"]:
                track(storage, tracking_ref(remote.name, ref), memories[ref].commit)
                done[ref] = _pushed(remote, ways.pop(ref), memories[ref])
            if not ways:
                if tries:
                    note_others(state_dir, OTHERS * (time.monotonic() - tried_from_s))
                return PushedAll(tuple(done[sharing.ref] for sharing in sharings), told, tries + 1)
            beside = ()  # a host may refuse all for what it refuses of them
            tried_s = time.monotonic() - tried_from_s
    ref = next(iter(ways))
    if len(seen) == 1:  # a lock that nobody holds refuses everybody
        raise PushRefused(remote.name, ref, answers[ref].why)
    raise PushRaced(remote.name, _TRIES)


def track(storage: Storage, tracking: str, commit: Oid) -> None:
    """Bring a tracking ref along where the remote's own refspecs do not: git does it for those alone."""
    found = storage.read_ref(tracking)
    if found != commit:
        storage.move_ref(tracking, commit, found, "gitmem: push")


def _tracked(remote: Remote, sharing: Sharing) -> Oid | None:
    return sharing.storage.read_ref(tracking_ref(remote.name, sharing.ref))


def _is_known(remote: Remote, way: _Way) -> bool:
    """Whether all that the remote had when it was last asked is in what is here."""
    storage = way.sharing.storage
    return way.theirs is not None and is_ancestor(storage, way.theirs, storage.read_ref(way.sharing.ref))


def _bring_in(remote: Remote, ways: Mapping[str, _Way]) -> dict[str, _Way]:
    """Fetch what the remote has now, and unite it with what is here."""
    storage = next(iter(ways.values())).sharing.storage
    before = {ref: _tracked(remote, way.sharing) for ref, way in ways.items()}
    fetched = fetch(remote, storage, list(ways))
    found = {}
    for ref, way in ways.items():
        theirs = fetched.tips[ref]
        if theirs is None and ref.startswith("refs/heads/") and not _may_be_first(remote):
            raise RemoteEmpty(remote.name)
        sharing = with_text(remote, way.sharing, theirs, before[ref])
        pulled = take_in(sharing, remote.name, theirs, before[ref])
        if pulled.behind_epoch and theirs is not None:
            way.sharing.replace(ref, theirs)
        changes = (*way.pulled, pulled) if pulled.how not in ("up to date", "no memory there") else way.pulled
        loss = pulled.loss or way.loss
        # A fast-forward, except where something was erased: then from that very commit to the new beginning.
        found[ref] = _Way(way.sharing, theirs, changes, loss, is_leased=pulled.behind_epoch)
    return found


def _may_be_first(remote: Remote) -> bool:
    return remote.is_dedicated or has_branches(remote)


def _looked_at(remote: Remote, way: _Way) -> Memory:
    """Return the memory that is to be sent: what the remote lacks of it is looked at, then it is signed."""
    sharing = way.sharing
    keepers = lean_remotes(remote.repository)
    for tries in range(_SIGN_TRIES):
        memory = open_memory(sharing.storage, sharing.ref)
        # The remote that keeps the rest has it, unless it has lost its memory.
        is_told = not keepers or (remote.name in keepers and way.theirs is not None)
        if not is_told and lacks_objects(remote, Move(sharing.ref, memory.commit, way.theirs)):
            raise WholeNeeded(remote.name, keepers[0])
        sharing.check(remote.name, memory, _root(memory, way.theirs))
        if memory.commit == way.theirs:
            return memory
        try:
            signed = sharing.sign(sharing.level, sharing.ref, memory.commit)
        except RefMoved:  # what came meanwhile has not been looked at yet
            if tries == _SIGN_TRIES - 1:
                raise
            continue
        return open_memory(sharing.storage, sharing.ref, signed)
    raise AssertionError("the last try returns or raises")


def _send(
    remote: Remote, ways: Mapping[str, _Way], memories: Mapping[str, Memory], beside: Iterable[Move]
) -> dict[str, PushAnswer]:
    """Push the memories, long histories in pieces, and what goes beside them with the last piece."""
    moves = []
    answers = {}
    for ref, way in ways.items():
        storage, theirs = way.sharing.storage, way.theirs
        move = Move(ref, memories[ref].commit, theirs, way.is_leased)
        for piece in pieces(remote, storage, move):
            answer = send(remote, [move._replace(oid=piece)])[ref]
            if answer.outcome != "pushed":
                answers[ref] = answer
                break
            track(storage, tracking_ref(remote.name, ref), piece)
            move = move._replace(expected=piece)
        else:
            moves.append(move)
    together = [*moves, *beside]
    return answers | (send(remote, together) if together else {})


def _pushed(remote: Remote, way: _Way, memory: Memory) -> Pushed:
    is_up_to_date = memory.commit == way.theirs
    sent = () if is_up_to_date else _lacked(way.theirs, memory)
    return Pushed(remote.name, memory.commit, sent, is_up_to_date, way.pulled, way.loss)


def _lacked(theirs: Oid | None, memory: Memory) -> tuple[SessionId, ...]:
    """Return the sessions of which a remote had less than the memory."""
    return tuple(session for session, folder in changed_sessions(memory, _root(memory, theirs)) if folder)


def _root(memory: Memory, theirs: Oid | None) -> Oid | None:
    return open_memory(memory.storage, memory.ref, theirs).root if theirs else None
