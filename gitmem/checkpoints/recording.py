"""Making checkpoints: first what has grown of the sessions is captured, then each moment becomes a record.

Two commits of the memory at most, however many moments there are: one of captures, one of checkpoints.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.checkpoints.capturing import capture
from gitmem.checkpoints.events import Event
from gitmem.checkpoints.facts import Facts, gather
from gitmem.checkpoints.means import Kept, Means, Occasion
from gitmem.checkpoints.underway import DAY_MS, Underway
from gitmem.checkpoints.worktrees import Standing, Worktree, index_of, read_standing, write_standing
from gitmem.format import layout, records
from gitmem.format.memory import open_memory
from gitmem.git.settings import load
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.store import RecordRefused
from gitmem.model.errors.withholding import CheckpointNotKept, LevelNotKept, RedactionFailed
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Checkpoint, PathChange, Position, Rewrite
from gitmem.model.times import to_text
from gitmem.objects.trees import Path as TreePath
from gitmem.verbs.committing import SKIP_CI, commit

MAX_MESSAGE: Final = 4_096
"""Characters of what an author says; redaction may lengthen it."""
_LONGEST_BRANCH: Final = 1_024
_SNAPSHOT_MS: Final = 60_000
"""A working tree so long after an event is not what it was."""
_NAMED: Final = 20


class Made(NamedTuple):
    """What came of an occasion: a checkpoint to be committed, none where nothing had changed, or why not."""

    occasion: Occasion
    name: RecordId | None = None
    blob: bytes = b""
    error: GitmemError | None = None


class Prepared(NamedTuple):
    """Checkpoints on their way into the memory, and what is to be remembered once they are there."""

    made: tuple[Made, ...]
    standings: tuple[tuple[Worktree, Standing], ...]
    kept: tuple[tuple[Kept, RecordId], ...]


def prepare(means: Means, occasions: Sequence[Occasion]) -> Prepared:
    """Capture what has grown, and make a checkpoint of every occasion that needs one.

    Occasions come in the order of their moments. One that fails keeps none from the others.

    Raises:
        StoreError: The memory cannot be read or written.
        StoreBusy: Another import goes on.
    """
    found = capture(means, occasions)
    memory = open_memory(means.storage, means.ref)
    underway = Underway(means.repository.state_dir, memory, found)
    by_worktree: dict[tuple[Path, Path | None], list[Occasion]] = {}
    for occasion in occasions:
        at = occasion.worktree.repository
        by_worktree.setdefault((at.git_dir, at.top), []).append(occasion)
    made: list[Made] = []
    standings: list[tuple[Worktree, Standing]] = []
    kept: list[tuple[Kept, RecordId]] = []
    for some in by_worktree.values():
        run = _Worktree(means, underway, some)
        try:
            made += run.make()
        except GitmemError as error:
            made += [Made(occasion, error=error) for occasion in some]
            continue
        standings.append((some[0].worktree, run.standing))
        kept += [run.kept] if run.kept else []
    return Prepared(tuple(made), tuple(standings), tuple(kept))


def keep(means: Means, prepared: Prepared) -> None:
    """Commit checkpoints, all at once, and remember where their working trees stand.

    Raises:
        StoreError: The memory cannot be written; nothing of it is there.
    """
    new = [one for one in prepared.made if one.name]
    for kept, name in prepared.kept:
        kept.tie(name)  # first: one without a checkpoint is pruned in time, and one that is lost is lost
    if new:
        with means.storage.begin() as batch:
            changes: dict[TreePath, Oid | None] = {
                layout.checkpoint_path(one.name): batch.add("blob", one.blob) for one in new if one.name
            }
            commit(means.storage, means.ref, means.writer, _message(new), changes, batch)
    for worktree, standing in prepared.standings:
        write_standing(worktree, standing)


def record(means: Means, occasion: Occasion) -> RecordId:
    """Make one checkpoint and commit it, whatever the last one was.

    Raises:
        CheckpointNotKept: Sessions of this working tree are not the team's.
        GitmemError: It cannot be made; nothing of it is there.
    """
    prepared = prepare(means, [occasion])
    [made] = prepared.made
    if made.error is not None:
        raise made.error
    if made.name is None:
        raise CheckpointNotKept(load(occasion.worktree.repository, means.environ).level)
    keep(means, prepared)
    return made.name


class _Worktree:
    """The checkpoints of one working tree, in order; `standing` is where the last one leaves it."""

    def __init__(self, means: Means, underway: Underway, occasions: Sequence[Occasion]) -> None:
        self._means, self._underway, self._occasions = means, underway, occasions
        self._worktree = occasions[0].worktree
        self._now_ns = means.now_ns()
        self.standing = read_standing(self._worktree)
        self.kept: tuple[Kept, RecordId] | None = None

    def make(self) -> list[Made]:
        """Make them all.

        Raises:
            LevelNotKept, BadSetting, SettingRefused: Nothing of this working tree may be kept.
            GitFailed: git cannot read it.
        """
        means, last = self._means, self._occasions[-1]
        level = load(self._worktree.repository, means.environ).level
        if level == "public":
            raise LevelNotKept(level)
        if level != "team":
            return [Made(occasion) for occasion in self._occasions]  # checkpoints are the team's
        snapshot = self._snapshot(last.event)
        events = [occasion.event for occasion in self._occasions]
        staged = snapshot.staged if snapshot else None
        facts = gather(means.git, self._worktree, events, self._now_ns, lambda: staged)
        made = []
        for occasion, fact in zip(self._occasions, facts, strict=True):
            made.append(self._make(occasion, fact, snapshot if occasion is last else None))
        names = [one.name for one in made if one.name]
        if snapshot and names:
            self.kept = (snapshot, names[-1])  # what came behind it has changed nothing
        return made

    def _snapshot(self, event: Event) -> Kept | None:
        """Take a snapshot for an event; None where things may be others by now, or git can take none."""
        repository, take = self._worktree.repository, self._means.snapshot
        age_ms = abs(self._now_ns - event.at_ns) // 1_000_000
        if take is None or self._worktree.is_gone or repository.top is None or age_ms > _SNAPSHOT_MS:
            return None
        try:
            return take(repository, index_of(self._worktree, event), event.at_ns // 1_000_000)
        except GitFailed:
            return None  # a file that may not be read, say: the checkpoint itself does without

    def _make(self, occasion: Occasion, facts: Facts, snapshot: Kept | None) -> Made:
        event = occasion.event
        at_ms = event.at_ns // 1_000_000
        before = self.standing
        since_ms = min(at_ms - DAY_MS, before.committed_ms if before.committed_ms is not None else at_ms)
        positions = self._underway.positions(
            self._worktree.repository.top, at_ms, since_ms, self._now_ns // 1_000_000
        )
        is_commit = event.hook == "post-commit"
        after = Standing(
            head=facts.head,
            branch=facts.branch,
            staged=facts.tree,
            working=snapshot.working if snapshot else before.working,
            positions=_digest(positions),
            committed_ms=at_ms if is_commit else before.committed_ms,
            squashed=() if is_commit else facts.squashed or before.squashed,
            squashed_onto=facts.head if facts.squashed else before.squashed_onto,
        )
        if _adds_nothing(event, before, after, facts):
            return Made(occasion)
        rewrites = event.rewrites
        if is_commit and facts.head:
            is_on_top = facts.parent is not None and facts.parent == before.squashed_onto
            squashed = facts.squashed or (before.squashed if is_on_top else ())
            rewrites = tuple(Rewrite(old, facts.head) for old in squashed)
        try:
            name, blob = self._seal(occasion, facts, positions, rewrites)
        except (RedactionFailed, RecordRefused) as error:
            return Made(occasion, error=error)
        self.standing = after
        return Made(occasion, name, blob)

    def _seal(
        self,
        occasion: Occasion,
        facts: Facts,
        positions: tuple[Position, ...],
        rewrites: tuple[Rewrite, ...],
    ) -> tuple[RecordId, bytes]:
        redact = self._means.redactor().text
        branch = facts.branch[:_LONGEST_BRANCH] if facts.branch else None
        return records.seal(
            Checkpoint(
                at=to_text(occasion.event.at_ns // 1_000_000),
                author=self._means.writer.author,
                trigger=occasion.event.hook,
                head=facts.head,
                branch=redact(branch) if branch else None,
                tree=facts.tree,
                tree_from=facts.tree_from,
                changes=tuple(
                    PathChange(redact(change.path), change.added, change.removed)
                    for change in facts.changes.listed
                ),
                more_changes=facts.changes.more,
                positions=positions,
                rewrites=rewrites,
                patches=facts.patches,
                message=redact(occasion.message) if occasion.message else "",
            )
        )


def _adds_nothing(event: Event, before: Standing, after: Standing, facts: Facts) -> bool:
    """Whether a moment is as the last checkpoint left it, and nobody needs to come back to it."""
    is_same = (before.head, before.branch) == (after.head, after.branch) and before.positions != ""
    if event.hook == "post-checkout":
        return is_same and before.positions == after.positions
    if not event.is_of_agent:
        return False
    if facts.tree_from != "commit":
        is_same = is_same and before.staged == after.staged
    is_same = is_same and before.working == after.working
    return is_same and (event.hook != "session-end" or before.positions == after.positions)


def _digest(positions: Iterable[Position]) -> str:
    told = "\n".join(f"{one.session} {one.stream} {one.lines}" for one in positions)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _message(made: Sequence[Made]) -> str:
    """Say what was recorded, for people who read `git log`."""
    if len(made) == 1:
        return f"Checkpoint: {made[0].occasion.event.hook} {SKIP_CI}\n"
    shown = [f"- {one.occasion.event.hook}" for one in made[:_NAMED]]
    if len(made) > len(shown):
        shown.append(f"- and {len(made) - len(shown)} more")
    return "\n".join([f"{len(made)} checkpoints {SKIP_CI}", "", *shown]) + "\n"
