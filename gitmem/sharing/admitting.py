"""Decoding what came in, several sessions at once, each in a process beside this one.

A pull of few sessions forks nothing: a process takes longer to fork than a few sessions to decode.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.format.layout import EntryKind
from gitmem.format.lone import Lone, Looker, Vouch, lone_sessions, vouch_for_none
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid, SessionId
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

_FORK_PAYS: Final = 96
"""Sessions. They take some 20 ms to decode, and that is what it takes to fork."""
_AT_ONCE: Final = 16
"""Sessions that are handed to a process at a time."""
_AHEAD: Final = 4
"""How many such pieces wait for each process."""

_Found = dict[Lone, Mapping[EntryKind, int] | None]


class Crew(NamedTuple):
    """Who may decode beside this process: so many processes, each of which opens the repository anew."""

    repository: Repository
    git: Git
    workers: int


@contextmanager
def decoding_beside(
    storage: Storage, crew: Crew, ours: Oid | None, theirs: Oid, promised: Container[SessionId]
) -> Iterator[Vouch]:
    """Begin to decode the sessions that one of two memories alone has; in the context it is known of each."""
    lone = (
        each
        for each in lone_sessions(storage, ours, theirs)
        if SessionId("".join(each.path[1:])) not in promised
    )
    first = list(islice(lone, _FORK_PAYS)) if crew.workers > 1 else []
    if len(first) < _FORK_PAYS:
        yield vouch_for_none
        return
    from gitmem.verbs.workers import end_pool, fork_pool, may_fork

    if not may_fork():
        yield vouch_for_none
        return
    pool = fork_pool(crew.workers, _begin, crew)
    try:
        yield _Ahead(pool, chain(first, lone), crew.workers * _AHEAD).vouch
    finally:
        end_pool(pool)


@contextmanager
def loading_beside() -> Iterator[None]:
    """Load what a large pull takes while the context waits for git: a third of the time of a small clone."""
    loading = threading.Thread(target=_load, daemon=True)
    loading.start()
    try:
        yield
    finally:
        loading.join()


def _load() -> None:
    import concurrent.futures.process  # noqa: F401

    import gitmem.verbs.workers  # noqa: F401


class _Ahead:
    """Keeps the processes at work a few pieces ahead of who asks, in the same order."""

    def __init__(self, pool: ProcessPoolExecutor, lone: Iterator[Lone], ahead: int) -> None:
        self._pool, self._lone = pool, lone
        self._waiting: deque[Future[_Found]] = deque()
        self._known: _Found = {}
        for _ in range(ahead):
            self._hand_out()

    def vouch(self, path: Path, folder: Oid) -> Mapping[EntryKind, int] | None:
        from concurrent.futures.process import BrokenProcessPool

        lone = Lone(path, folder)
        while lone not in self._known and self._waiting:
            try:
                self._known.update(self._waiting.popleft().result())
                self._hand_out()
            except BrokenProcessPool:
                # A worker was killed, as systems do that run out of memory: this process goes on alone.
                self._waiting.clear()
        return self._known.pop(lone, None)

    def _hand_out(self) -> None:
        piece = list(islice(self._lone, _AT_ONCE))
        if piece:
            self._waiting.append(self._pool.submit(_look, piece))


_lookers: list[Looker] = []
"""A worker process's own; the pool gives its processes no other place for one."""


def _begin(crew: Crew) -> None:
    from gitmem.git.storage import open_storage

    # What the fork brought along of the storage is the parent's: files at a place, and pipes to its git.
    _lookers.append(Looker(open_storage(crew.repository, crew.git)))


def _look(piece: Sequence[Lone]) -> _Found:
    return {lone: _lookers[0].look(lone) for lone in piece}
