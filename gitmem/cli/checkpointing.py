"""What commands that make checkpoints begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.checkpoints import snapshots
from gitmem.checkpoints.means import Means
from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.opening import opened_storage, redactor_of, sharing_of, writer_of
from gitmem.model.errors.withholding import LevelNotKept
from gitmem.verbs.enabling import note_ref

if TYPE_CHECKING:
    from gitmem.checkpoints.draining import Drained
    from gitmem.checkpoints.events import Event
    from gitmem.checkpoints.snapshots import Taken
    from gitmem.git.repository import Repository
    from gitmem.git.storage import GitStorage
    from gitmem.redaction.redactor import Redactor
    from gitmem.verbs.intake import Report, Source

_WAIT_S = 30.0


def drained(context: Context, *, carries: bool = False) -> Drained:
    """Drain the spool of the repository; raises as `drain` does.

    What that calls for at remotes is left to a process of its own, unless the caller `carries` it.
    """
    from gitmem.checkpoints.draining import drain, is_process
    from gitmem.cli.carrying import start_carrying

    try:
        return drain(
            context.repository.state_dir, lambda: opened_means(context), lambda: _now_ns(context), is_process
        )
    finally:
        if not carries:
            start_carrying(context)


def without_author(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return an environment without what git told a hook of the commit's author, who may be somebody else."""
    return {name: value for name, value in environ.items() if not name.startswith("GIT_AUTHOR_")}


@contextmanager
def opened_means(context: Context) -> Iterator[Means]:
    """Make ready to record checkpoints; where there is no memory, a remote's is taken over or one started.

    Raises:
        LevelNotKept: The settings ask for a level that no session gets by itself.
    """
    if context.settings.level == "public":
        raise LevelNotKept(context.settings.level)
    repository = context.repository
    with opened_storage(context) as storage:
        ref = context.settings.memory_ref
        note_ref(repository.state_dir, ref)
        is_new = storage.read_ref(ref) is None
        if is_new:
            _begin(context, storage)

        @cache
        def redactor() -> Redactor:
            return redactor_of(context)

        def take_in(sources: Sequence[Source]) -> Report:
            from gitmem.cli.levels import take_sources

            return take_sources(context, storage, sources, whole=False, wait_s=_WAIT_S)

        days = context.settings.snapshot_days

        def snapshot(at: Repository, index: Path | None, at_ms: int) -> Taken | None:
            now_ms = context.now_ms()
            return snapshots.snapshot(at, context.git.elsewhere(), repository.state_dir, now_ms, days, index)

        yield Means(
            repository=repository,
            git=context.git,
            storage=storage,
            ref=ref,
            writer=writer_of(context),
            redactor=redactor,
            take_in=take_in,
            home=home_of(context),
            environ=context.environ,
            now_ns=lambda: _now_ns(context),
            is_new=is_new,
            snapshot=snapshot,
            wish=lambda events: _leave_wishes(context, events),
        )
        snapshots.prune(repository.state_dir, context.now_ms(), days)


def _leave_wishes(context: Context, events: Sequence[Event]) -> None:
    from gitmem.checkpoints import wishes

    chosen = [remote.name for remote in context.settings.remotes] if context.settings.carry else []
    if chosen:
        wishes.leave(context.repository.state_dir, wishes.wishes_of(events, chosen))


def _begin(context: Context, storage: GitStorage) -> None:
    """Begin a memory as `gitmem init` does, in a clone whose hooks came with it."""
    from gitmem.sharing.pulling import adopt
    from gitmem.verbs.starting import start

    sharing = sharing_of(context, storage)
    adopt(sharing, _remotes(context))
    start(storage, context.settings.memory_ref, sharing.writer)


def _remotes(context: Context) -> tuple[str, ...]:
    """Return the names of the remotes, origin first."""
    names = {
        name.removeprefix("remote.").removesuffix(".url")
        for name in context.repository.config
        if name.startswith("remote.") and name.endswith(".url")
    }
    return tuple(sorted(names, key=lambda name: (name != "origin", name)))


def _now_ns(context: Context) -> int:
    return context.now_ms() * 1_000_000
