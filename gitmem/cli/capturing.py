"""Taking in what has happened meanwhile: for `capture`, and for commands that would miss it."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.opening import opened_storage
from gitmem.model.errors.store import StoreBusy
from gitmem.model.ids import RecordId
from gitmem.verbs.intake import Report

_BUSY_WAIT_S = 10.0


class TakenIn(NamedTuple):
    """What sessions have gained, and the checkpoints of what hooks had left."""

    report: Report
    checkpoints: tuple[RecordId, ...]

    @property
    def is_something(self) -> bool:
        """Whether the memory has anything that it had not."""
        return bool(self.report.commits or self.checkpoints)


def take_in(context: Context) -> TakenIn:
    """Capture what has grown of the repository's sessions, and take what hooks have left behind.

    Raises:
        NoMemory: There is no memory, and something to take in.
        GitmemError: Why something is left; what could be taken has been.
    """
    return TakenIn(_capture(context), _drain(context))


def _capture(context: Context) -> Report:
    from gitmem.cli.levels import take_sources
    from gitmem.git.worktrees import working_trees
    from gitmem.verbs.scanning import scan
    from gitmem.verbs.setback import is_set_back, note_tip

    state_dir, tops = context.repository.state_dir, working_trees(context.repository)
    ref = context.settings.memory_ref
    with opened_storage(context) as storage:
        anew = is_set_back(state_dir, storage, ref)
        found = scan(
            state_dir,
            tops,
            home_of(context),
            context.environ,
            context.now_ms() * 1_000_000,
            anew=anew,
        )
        if not found.grown:
            note_tip(state_dir, storage, ref)
            return Report()
        report = take_sources(context, storage, found.grown, whole=False, wait_s=_BUSY_WAIT_S)
        found.settle([refused.path for refused in report.refused])
        note_tip(state_dir, storage, ref)
    return report


def _drain(context: Context) -> tuple[RecordId, ...]:
    from gitmem.checkpoints import spool

    state_dir = context.repository.state_dir
    if not spool.state(state_dir).waiting:
        return ()
    from gitmem import disk
    from gitmem.cli.checkpointing import drained

    done = drained(context)
    if done.is_busy:  # another one is at it, and will be done soon
        with suppress(StoreBusy), disk.locked(state_dir / "spool.lock", _BUSY_WAIT_S):
            pass
    return done.checkpoints
