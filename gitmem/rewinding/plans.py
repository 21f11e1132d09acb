"""What a rewind would change: which files it writes and removes, and which it leaves alone and why.

Invariant: a plan touches nothing that the snapshot of this moment does not hold. What git ignores, what was
left out of a snapshot, submodules and other repositories stay as they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem.git import restoring
from gitmem.git.snapshots import GITLINK, At, Change, Snapshot
from gitmem.model.errors.worktrees import PathUnknown
from gitmem.model.ids import Oid, RecordId

SourceKind = Literal["snapshot", "tree", "head"]
"""What a rewind goes by: a snapshot, else the checkpoint's tree, else the tree of its commit."""
Reason = Literal["ignored", "in the way", "left out", "submodule"]
"""Why a path stays: git ignores what is there, or did then; something that stays has its place; one of the
snapshots does not have it; it is a repository."""

NO_FILE: Final = "000000"


class Source(NamedTuple):
    """What a rewind goes back to: a tree, the stores that it is in, and what was left out of it.

    One without `knows_untracked` says nothing of files that were not tracked.
    """

    checkpoint: RecordId
    kind: SourceKind
    tree: Oid
    stores: tuple[Path, ...] = ()
    omitted: frozenset[bytes] = frozenset()
    knows_untracked: bool = False


class Plan(NamedTuple):
    """What a rewind writes, removes and leaves alone, in order of paths."""

    writes: tuple[Change, ...]
    removals: tuple[Change, ...]
    kept: tuple[tuple[bytes, Reason], ...]


def make(
    at: At, now: Snapshot, working: Oid, source: Source, only: Collection[bytes] | None, *, is_undo: bool
) -> Plan:
    """Plan a rewind of all paths, or `only` of some files and folders; `working` is the tree of `now`.

    An undo takes away what the rewind has written also where git was told to ignore it before.
    """
    changes = restoring.differences(at, working, source.tree)
    # Nobody knows whether these have changed since.
    kept: dict[bytes, Reason] = {path: "left out" for path in source.omitted if _is_within(path, only)}
    left = []
    for change in changes:
        if not _is_within(change.path, only):
            continue
        if GITLINK in (change.old_mode, change.new_mode):
            kept[change.path] = "submodule"
        elif change.path in now.omitted:
            kept[change.path] = "left out"
        elif change.path not in kept and (change.old_mode == NO_FILE or _stands(at, change.path)):
            left.append(change)  # else it is not checked out
    removals = [change for change in left if change.new_mode == NO_FILE]
    if removals and not is_undo:
        rules_differ = any(restoring.is_ignore_file(change.path) for change in changes)
        removals = _sift(at, removals, source, kept, rules_differ=rules_differ)
    removed = frozenset(change.path for change in removals)
    writes = []
    for change in left:
        if change.new_mode == NO_FILE:
            continue
        if restoring.in_the_way(at.top, change.path, removed, is_replaced=change.old_mode != NO_FILE):
            kept[change.path] = "ignored" if _is_file(at, change.path) else "in the way"
        else:
            writes.append(change)
    return Plan(tuple(writes), tuple(removals), tuple(sorted(kept.items())))


def check_paths(at: At, asked: Iterable[bytes], source: Source) -> None:
    """Refuse a path that is neither in the working tree nor in what a rewind goes back to.

    Raises:
        PathUnknown: There is one.
    """
    for path in asked:
        if path and not _stands(at, path) and path not in source.omitted:
            listed = at.run(["ls-tree", "-z", source.tree, "--", os.fsdecode(path)], "look for a path")
            if not listed.stdout:
                raise PathUnknown(os.fsdecode(path), source.checkpoint)


def uncommitted(at: At, working: Oid, plan: Plan, own: dict[bytes, tuple[str, Oid]]) -> tuple[bytes, ...]:
    """Return the paths at which a plan undoes what no commit has, but for what is `own`: mode and blob.

    What somebody has removed is no such work: to bring it back loses nothing.
    """
    replaced = [change for change in (*plan.writes, *plan.removals) if change.old_mode != NO_FILE]
    if not replaced:
        return ()
    head = restoring.head_tree(at.repository, at.git)
    differing = {change.path for change in restoring.differences(at, head, working)}
    return tuple(
        sorted(
            change.path
            for change in replaced
            if change.path in differing and own.get(change.path) != (change.old_mode, change.old)
        )
    )


def _sift(
    at: At, removals: list[Change], source: Source, kept: dict[bytes, Reason], *, rules_differ: bool
) -> list[Change]:
    """Take out of the removals what may have been there then all the same."""
    tracked = restoring.tracked(
        at._replace(index_file=at.repository.git_dir / "index", store=None, beside=())
    )
    untracked = {change.path for change in removals} - tracked
    if not source.knows_untracked:
        return [change for change in removals if change.path not in untracked]
    if untracked and rules_differ:
        # What was ignored then is in no snapshot of then, whether it was there or not.
        for path in restoring.ignored_in(at, source.tree, untracked):
            kept[path] = "ignored"
    return [change for change in removals if change.path not in kept]


def _is_within(path: bytes, only: Collection[bytes] | None) -> bool:
    if only is None or b"" in only or path in only:
        return True
    at = path.rfind(b"/")
    while at > 0:
        if path[:at] in only:
            return True
        at = path.rfind(b"/", 0, at)
    return False


def _is_file(at: At, path: bytes) -> bool:
    mode = restoring.mode_at(os.fsencode(at.top) + b"/" + path)
    return mode is not None and not stat.S_ISDIR(mode)


def _stands(at: At, path: bytes) -> bool:
    return restoring.mode_at(os.fsencode(at.top) + b"/" + path) is not None
