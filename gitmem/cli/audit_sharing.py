"""Audits on their way: they go and come with the team's memory, over the same connection.

Nothing about them ends a pull or a push. What there is to tell comes back as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.cli.auditing import log_of
from gitmem.cli.context import Context
from gitmem.git.fetching import fetch
from gitmem.git.sending import Move, PushAnswer, push
from gitmem.git.transport import Remote
from gitmem.model.errors.base import GitmemError
from gitmem.model.refs import AUDIT_NAMESPACE, tracking_ref
from gitmem.sharing.pushing import track

if TYPE_CHECKING:
    from gitmem.objects.storage import Storage

_TRIES: Final = 4


class Published(NamedTuple):
    """What is to be sent of this clone's audit, or why that cannot be said."""

    moves: tuple[Move, ...] = ()
    why: str = ""


NOTHING: Final = Published()


def publish(context: Context, storage: Storage, remote: str) -> Published:
    """Bring the clone's refs of its audit up, and return what a remote lacks of them."""
    from gitmem.auditing import publishing

    try:
        published = publishing.publish(storage, log_of(context), remote)
    except GitmemError as error:
        return Published(why=_unsent(remote, str(error)))
    return Published(tuple(Move(ref, commit) for ref, commit in published))


def settle(
    context: Context,
    storage: Storage,
    remote: Remote,
    published: Published,
    answers: Mapping[str, PushAnswer],
) -> tuple[str, ...]:
    """Note what was sent beside the memory, and send the rest by itself; return what is to be told."""
    if published.why:
        return (published.why,)
    told = _settle(context, storage, remote, published.moves, answers)
    if published.moves:
        with storage.lock():
            storage.tidy()
    return told


def _settle(
    context: Context,
    storage: Storage,
    remote: Remote,
    moves: tuple[Move, ...],
    answers: Mapping[str, PushAnswer],
) -> tuple[str, ...]:
    from gitmem.auditing import publishing

    told = list[str]()
    try:
        for tries in range(_TRIES):
            moves = tuple(move for move in moves if not _is_sent(context, storage, remote, move, answers))
            if not moves:
                break
            if tries:
                told += accept(context, storage, remote.name, _fetched(remote, storage))
                now = publishing.publish(storage, log_of(context), remote.name)
                moves = tuple(Move(ref, commit) for ref, commit in now)
            answers = push(remote, moves) if moves else {}
            refused = [answer.why for answer in answers.values() if answer.outcome == "refused"]
            if refused:
                return (*told, _unsent(remote.name, refused[0]))
        else:
            left = [answers[move.ref].why for move in moves if answers[move.ref].outcome != "pushed"]
            told += [_unsent(remote.name, why) for why in left[:1]]
    except GitmemError as error:
        told.append(_unsent(remote.name, str(error)))
    return tuple(told)


def accept(context: Context, storage: Storage, remote: str, refused: GitmemError | None) -> tuple[str, ...]:
    """Take in the audits that were fetched from a remote; return what does not hold, as people are told."""
    from gitmem.auditing import peers

    try:
        if refused is not None:
            raise refused
        findings = peers.accept(storage, log_of(context), remote)
    except GitmemError as error:
        return (f"the audits of {remote} were not taken in: {error}",)
    return tuple(f"audit: {finding.kind}, {finding.where}: {finding.why}" for finding in findings)


def _is_sent(
    context: Context, storage: Storage, remote: Remote, move: Move, answers: Mapping[str, PushAnswer]
) -> bool:
    from gitmem.auditing import peers

    answer = answers.get(move.ref)
    if answer is None or answer.outcome != "pushed":
        return False
    track(storage, tracking_ref(remote.name, move.ref), move.oid)
    peers.note_sent(storage, log_of(context), remote.name, move.ref)
    return True


def _fetched(remote: Remote, storage: Storage) -> GitmemError | None:
    return fetch(remote, storage, (), (AUDIT_NAMESPACE,)).refused.get(AUDIT_NAMESPACE)


def _unsent(remote: str, why: str) -> str:
    return f"the audit was not sent to {remote}: {why}"
