"""Rewinding: the working tree, or some paths of it, as they were at a checkpoint.

HEAD, branch and index stay. Nothing is overwritten or removed that the snapshot taken just before does not
hold, so every rewind can be undone: what it replaces is a checkpoint of its own before anything changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.checkpoints import listing, snapshots
from gitmem.checkpoints.snapshots import Taken
from gitmem.format import checkpoints, layout, records
from gitmem.format.memory import open_memory
from gitmem.git import restoring
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.restoring import Operation
from gitmem.git.snapshots import At, take
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.store import DiskRefused
from gitmem.model.errors.worktrees import (
    NothingToUndo,
    NoWorkingTree,
    RewindUnfinished,
    SnapshotIncomplete,
    SnapshotMissing,
    UncommittedWork,
)
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Checkpoint
from gitmem.model.times import to_text
from gitmem.objects.storage import Storage
from gitmem.rewinding import plans, rewound
from gitmem.rewinding.plans import Plan, Source, SourceKind
from gitmem.rewinding.rewound import Note, Rewound, Written
from gitmem.verbs.committing import SKIP_CI, Writer, commit

_WAIT_S: Final = 10.0


class Rewinder(NamedTuple):
    """Where to rewind, by whom, and what takes secrets out of a text. `stands` is a folder that stays."""

    repository: Repository
    git: Git
    storage: Storage
    ref: str
    writer: Writer
    redact: Callable[[str], str]
    stands: bytes = b""


class Asked(NamedTuple):
    """What is asked for: paths from the root, all if none are named; what was staged; and how far to go."""

    paths: tuple[bytes, ...] = ()
    is_staged: bool = False
    is_forced: bool = False
    is_dry: bool = False


class Outcome(NamedTuple):
    """What came of a rewind, or would come of it.

    `uncommitted` are the paths at which it undoes what no commit has. `before` is the checkpoint of what was
    replaced, None where nothing has changed.
    """

    source: Source
    plan: Plan
    uncommitted: tuple[bytes, ...]
    before: RecordId | None
    during: Operation | None


def rewind(rewinder: Rewinder, text: str, asked: Asked) -> Outcome:
    """Make the working tree what it was at a checkpoint, which is named or begun by `text`.

    Raises:
        CheckpointUnknown, CheckpointAmbiguous: It names none, or several.
        SnapshotMissing, SnapshotIncomplete: What the files were then is not known here, or not of all.
        PathUnknown: There is no such path, now or then.
        UncommittedWork: It would undo what no commit has, and nobody said to go on all the same.
        RewindUnfinished: Some files could not be written.
        NoWorkingTree: There is none.
    """
    memory = open_memory(rewinder.storage, rewinder.ref)
    name = listing.resolve(memory, text, rewinder.repository.state_dir)
    repository = rewinder.repository
    with snapshots.held(repository.state_dir, _WAIT_S):
        source = _source_of(rewinder, name, checkpoints.find(memory, name), is_staged=asked.is_staged)
        return _go(rewinder, source, asked, None)


def undo(rewinder: Rewinder, asked: Asked) -> Outcome:
    """Put back what the last rewind of this working tree changed, unless that has been undone.

    Nothing else is touched. Once more undoes the undoing.

    Raises:
        NothingToUndo: There is no such rewind.
        SnapshotMissing, SnapshotIncomplete, UncommittedWork, RewindUnfinished, NoWorkingTree: As `rewind`.
    """
    repository = rewinder.repository
    with snapshots.held(repository.state_dir, _WAIT_S):
        last = rewound.latest(repository)
        if last is None:
            raise NothingToUndo(str(repository.top or repository.git_dir))
        source = _source_of(rewinder, last.name, None, is_staged=False)
        outcome = _go(rewinder, source, asked, last)
        if outcome.before is None and not asked.is_dry:
            rewound.forget(last)  # It was killed before it changed anything, or somebody else undid it.
        return outcome


def _source_of(
    rewinder: Rewinder, name: RecordId, checkpoint: Checkpoint | None, *, is_staged: bool
) -> Source:
    repository = rewinder.repository
    kept = snapshots.find(repository.state_dir, name)
    if kept is not None:
        made = kept.snapshot
        tree = made.staged if is_staged else made.working
        if tree is None:
            raise SnapshotMissing(name, "in the middle of a merge nothing is staged as a tree")
        knows_untracked = made.has_untracked and not is_staged
        return Source(name, "snapshot", tree, (kept.store,), frozenset(made.omitted), knows_untracked)
    if checkpoint is None or checkpoint.trigger == "rewind":
        raise SnapshotMissing(name, "its snapshot is not in this clone, or was too old")
    candidates: list[tuple[SourceKind, str | None]] = [("tree", checkpoint.tree), ("head", checkpoint.head)]
    for kind, revision in candidates[:1] if is_staged else candidates:
        found = restoring.tree_of(repository, rewinder.git, revision) if revision else None
        if found is not None:
            return Source(name, kind, found)
    raise SnapshotMissing(name, "this clone has no snapshot of it, nor the tree that it names")


def _go(rewinder: Rewinder, source: Source, asked: Asked, undone: Rewound | None) -> Outcome:
    repository = rewinder.repository
    if repository.top is None:
        raise NoWorkingTree(str(repository.git_dir))
    at_ms = max(round(rewinder.writer.clock() * 1000), rewound.last_moment(repository) + 1)
    week = snapshots.week_at(repository.state_dir, at_ms)
    store = snapshots.store_of(week)
    written = frozenset(path.path for path in undone.note.written) if undone else frozenset()
    # Also where snapshots are turned off: this is the one that a rewind is undone by.
    now = take(repository, rewinder.git, store, is_thorough=True, also=written)
    assert now.working is not None, "there is a working tree"
    with disk.workroom(week) as room:
        beside = (*source.stores, repository.common_dir / "objects")
        at = At(rewinder.git, repository, room / "index", store, beside)
        plans.check_paths(at, asked.paths, source)
        only = frozenset(asked.paths) | written
        plan = plans.make(at, now, now.working, source, only or None, is_undo=undone is not None)
        uncommitted = plans.uncommitted(at, now.working, plan, _own(plan, undone))
        if uncommitted and not (asked.is_forced or asked.is_dry):
            raise UncommittedWork(_as_text(uncommitted))
        gone = restoring.lacking(at, (change.new for change in plan.writes))
        if gone:
            lost = (change.path for change in plan.writes if change.new in gone)
            raise SnapshotIncomplete(source.checkpoint, _as_text(lost))
        during = restoring.operation_in_progress(repository)
        if asked.is_dry or not (plan.writes or plan.removals):
            return Outcome(source, plan, uncommitted, None, during)
        restoring.list_tree(at, source.tree)
        begun = _begin(rewinder, source, Taken(week, now), plan, at_ms, undone)
        try:
            for change in plan.removals:
                disk.remove_below(at.top, change.path, rewinder.stands)
            restoring.write_files(at, [change.path for change in plan.writes])
            _keep_private(at, plan, begun, undone)
        except (GitFailed, DiskRefused) as error:
            raise RewindUnfinished(source.checkpoint, str(error)) from error
    rewound.finish(begun)
    return Outcome(source, plan, uncommitted, begun.name, during)


def _begin(
    rewinder: Rewinder, source: Source, taken: Taken, plan: Plan, at_ms: int, undone: Rewound | None
) -> Rewound:
    """Record what is about to be replaced as a checkpoint, and note down what is to become of it."""
    repository = rewinder.repository
    head, branch = restoring.head_of(repository, rewinder.git)
    what = "undoing the rewind at" if undone else "a rewind to"
    record = Checkpoint(
        at=to_text(at_ms),
        author=rewinder.writer.author,
        trigger="rewind",
        head=head,
        branch=rewinder.redact(branch) if branch else None,
        tree=restoring.tree_of(repository, rewinder.git, "HEAD"),
        message=f"Before {what} {source.checkpoint[:12]}",
    )
    name, blob = records.seal(record)
    snapshots.keep(repository.state_dir, name, taken)
    with rewinder.storage.begin() as batch:
        changes = {layout.checkpoint_path(name): batch.add("blob", blob)}
        message = f"Checkpoint {name[:12]} before a rewind {SKIP_CI}\n"
        commit(rewinder.storage, rewinder.ref, rewinder.writer, message, changes, batch)
    root = os.fsencode(repository.top or repository.git_dir) + b"/"
    written = (
        Written(change.path, change.new_mode, change.new, restoring.is_private(root + change.path))
        for change in (*plan.removals, *plan.writes)
    )
    worktree = rewound.worktree_of(repository)
    note = Note(at_ms, worktree, tuple(written), undone.name if undone else None)
    return rewound.begin(taken.week, name, note)


def _keep_private(at: At, plan: Plan, begun: Rewound, undone: Rewound | None) -> None:
    """Let nobody read a file that nobody could read, be it what stood there or what an undo brings back."""
    notes = (begun.note, *((undone.note,) if undone else ()))
    private = {written.path for note in notes for written in note.written if written.is_private}
    for change in plan.writes:
        if change.path in private and change.new_mode.startswith("100"):
            disk.make_private(at.top / os.fsdecode(change.path))


def _own(plan: Plan, undone: Rewound | None) -> dict[bytes, tuple[str, Oid]]:
    """Return what the rewind that is undone has written, which is nobody's work.

    One that was killed may have left half a file: then it is whatever stands where it was to write.
    """
    if undone is None:
        return {}
    if not undone.note.is_finished:
        return {change.path: (change.old_mode, change.old) for change in (*plan.writes, *plan.removals)}
    return {written.path: (written.mode, Oid(written.oid)) for written in undone.note.written}


def _as_text(paths: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(map(os.fsdecode, paths))
