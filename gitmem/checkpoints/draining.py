"""Draining the spool: every event becomes one checkpoint, or none where it adds nothing, and is removed.

In this order, so that a kill anywhere loses nothing and makes nothing twice: what grew is captured; beside
each event stands which checkpoint it is about to become; one commit has them all; the events are removed. An
event beside which a checkpoint stands that the memory has is only removed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.checkpoints import spool
from gitmem.checkpoints.events import Event
from gitmem.checkpoints.means import Means, Occasion
from gitmem.checkpoints.recording import Prepared, keep, prepare
from gitmem.checkpoints.spool import Waiting
from gitmem.checkpoints.worktrees import Worktree, worktree_of
from gitmem.format import checkpoints
from gitmem.format.memory import open_memory
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.intake import EventRefused
from gitmem.model.errors.store import DiskRefused, StoreBusy
from gitmem.model.ids import RecordId

CHUNK: Final = 500
"""Events at a time: what is held in memory at once, and what one commit has."""
_DAY_NS: Final = 86_400_000_000_000


class Drained(NamedTuple):
    """What a drain came to.

    `checkpoints` are the names of those that were made, in order; `without` counts events that added
    nothing, or whose working tree is gone; `bad` those that were none; `left` those that wait for something.
    """

    checkpoints: tuple[RecordId, ...] = ()
    without: int = 0
    bad: int = 0
    left: int = 0
    is_busy: bool = False
    """Another process drains, and looks once more before it ends."""


def drain(
    state_dir: Path,
    open_means: Callable[[], AbstractContextManager[Means]],
    now_ns: Callable[[], int],
    is_alive: Callable[[int], bool],
) -> Drained:
    """Drain a repository's spool until nothing waits that can be taken.

    `open_means` makes ready, and a memory where there is none; it is called when there is something to do.

    Raises:
        GitmemError: Why something is left, which the spool says as well; everything else has been taken.
    """
    folder = spool.folder_of(state_dir)
    run = _Drain(folder, now_ns, is_alive)
    if not folder.is_dir():
        return run.drained()
    while True:
        with ExitStack() as held:
            try:
                held.enter_context(spool.held(state_dir))
            except StoreBusy:
                return run.drained()._replace(is_busy=True)
            run.once(open_means)
        # What came after the last look, and found the lock held, has started nobody that will take it.
        if not run.waiting():
            break
    if run.failure is not None:
        raise run.failure
    return run.drained()


def is_process(pid: int) -> bool:
    """Whether a process is there, whoever's it is."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid > 0


class _Drain:
    """One run: events that fail are not tried again, and those of commits that go on are looked at again."""

    def __init__(self, folder: Path, now_ns: Callable[[], int], is_alive: Callable[[int], bool]) -> None:
        self._folder, self._now_ns, self._is_alive = folder, now_ns, is_alive
        self._failed: set[str] = set()
        self._going_on: set[str] = set()
        self._come_about: set[str] = set()
        self._worktrees: dict[tuple[Path, Path, bool], Worktree | None] = {}
        self._made: list[RecordId] = []
        self._without = self._bad = 0
        self.failure: GitmemError | None = None

    def drained(self) -> Drained:
        """Return what it has come to so far."""
        return Drained(tuple(self._made), self._without, self._bad, self._left)

    @property
    def _left(self) -> int:
        return len(self._failed | self._going_on)

    def waiting(self) -> list[Waiting]:
        """Return the events that wait and have not been looked at."""
        left = self._failed | self._going_on
        return [one for one in spool.waiting(self._folder) if one.stem not in left]

    def once(self, open_means: Callable[[], AbstractContextManager[Means]]) -> None:
        """Take all that waits now. The lock is held."""
        try:
            spool.claim(self._folder, os.getpid())
            spool.sweep(self._folder, self._now_ns())
            events = self._events()
            if events:
                with open_means() as means:
                    for start in range(0, len(events), CHUNK):
                        self._take(means, events[start : start + CHUNK])
                        behind = len(events) - start - CHUNK
                        if behind > 0:
                            spool.write_count(self._folder, behind + self._left)
            spool.write_count(self._folder, self._left)
            if self.failure is None:
                spool.clear_failure(self._folder)
        except Exception as error:
            spool.write_failure(self._folder, _told(error))  # nobody looks at what a drain prints
            raise
        finally:
            spool.disclaim(self._folder)
        if self.failure is not None:
            spool.write_failure(self._folder, _told(self.failure))

    def _events(self) -> list[Event]:
        """Return the events that can be taken, in order; the beginnings of commits that go on stay.

        The folder is listed until nothing more comes: a commit's end may have been left since its beginning
        was seen, or its beginning have been missed where its end was seen.
        """
        found: list[Event] = []
        seen = set(self._failed)
        while new := [one for one in spool.waiting(self._folder) if one.stem not in seen]:
            seen.update(one.stem for one in new)
            found += self._read(new)
            found.sort(key=lambda event: event.order)
            self._come_about, alone = _pair_up(found)
            self._going_on = {event.stem for event in alone if self._goes_on(event)}
        return [event for event in found if event.stem not in self._going_on]

    def _read(self, waits: Iterable[Waiting]) -> Iterator[Event]:
        """Read events; what is none is set aside."""
        for one in waits:
            try:
                yield spool.read(self._folder, one)
            except EventRefused:
                self._set_aside(one.stem)
            except FileNotFoundError:
                continue

    def _set_aside(self, stem: str) -> None:
        try:
            spool.set_aside(self._folder, stem)
        except DiskRefused as error:
            self._fail(stem, error)
        else:
            self._bad += 1

    def _goes_on(self, event: Event) -> bool:
        """Whether a commit may still come about."""
        return self._now_ns() - event.at_ns < _DAY_NS and self._is_alive(event.pid)

    def _take(self, means: Means, events: Sequence[Event]) -> None:
        """Make checkpoints of some events, and remove them."""
        taken = {event.stem: spool.taken(self._folder, event.stem) for event in events}
        memory = open_memory(means.storage, means.ref)
        occasions: list[Occasion] = []
        for event in events:
            names = taken[event.stem]
            if names and all(checkpoints.contains(memory, name) for name in names):
                continue
            worktree = self._worktree_of(means, event)
            if worktree is not None and self._calls_for_one(event, worktree):
                occasions.append(Occasion(worktree, event))
            else:
                self._without += 1
        prepared = prepare(means, occasions) if occasions else Prepared((), (), ())
        for one in prepared.made:
            if one.error is not None:
                self._fail(one.occasion.event.stem, one.error)
            elif one.name:
                spool.take(self._folder, one.occasion.event.stem, [one.name])
                taken[one.occasion.event.stem] = (one.name,)
        keep(means, prepared)
        self._made += [one.name for one in prepared.made if one.name]
        self._without += sum(one.name is None and one.error is None for one in prepared.made)
        means.wish([event for event in events if event.stem not in self._failed])
        # A commit's beginning goes before its end: left alone, it would look like one that came to nothing.
        for event in sorted(events, key=lambda event: event.stem not in self._come_about):
            if event.stem not in self._failed:
                spool.remove(self._folder, event.stem, is_taken=bool(taken[event.stem]))

    def _worktree_of(self, means: Means, event: Event) -> Worktree | None:
        key = (event.git_dir, event.cwd, event.is_of_agent or event.head is None)
        if key not in self._worktrees:
            self._worktrees[key] = worktree_of(means.repository, event)
        return self._worktrees[key]

    def _calls_for_one(self, event: Event, worktree: Worktree) -> bool:
        if event.stem in self._come_about:
            return False
        return not (event.hook == "pre-commit" and (worktree.is_gone or worktree.repository.top is None))

    def _fail(self, stem: str, error: GitmemError) -> None:
        """Leave an event, and others their turn; the first failure is told."""
        self._failed.add(stem)
        self.failure = self.failure or error


def _pair_up(events: Iterable[Event]) -> tuple[set[str], list[Event]]:
    """Tell which commits came about: of each post-commit event, the pre-commit event that it ends.

    That is the one of the same process, or else the last one before it in the same working tree: a hook
    manager's process is another each time. A clock that was set back is no matter to the former.

    Returns:
        The stems of those that came about, and the pre-commit events that nothing follows.
    """
    begun: dict[Path, list[Event]] = {}
    ended: dict[tuple[Path, int], list[int]] = {}
    come_about: set[str] = set()
    for event in events:
        if event.hook == "pre-commit":
            begun.setdefault(event.git_dir, []).append(event)
        elif event.hook == "post-commit":
            before = begun.get(event.git_dir)
            if before:
                n = next((n for n, one in enumerate(before) if one.pid == event.pid), len(before) - 1)
                come_about.add(before.pop(n).stem)
            else:
                ended.setdefault((event.git_dir, event.pid), []).append(event.at_ns)
    alone = []
    for git_dir, left in begun.items():
        for event in left:
            if any(event.at_ns - at_ns < _DAY_NS for at_ns in ended.get((git_dir, event.pid), ())):
                come_about.add(event.stem)
            else:
                alone.append(event)
    return come_about, alone


def _told(error: Exception) -> str:
    """Return why a drain failed, and what helps."""
    if isinstance(error, GitmemError):
        return f"{error}\n{error.hint}".strip()
    return f"{type(error).__name__}: {error}"
