"""What git knows of the moments that checkpoints are about, asked for all of a working tree's at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem.checkpoints.events import Event, is_oid
from gitmem.checkpoints.underway import FRESH_MS
from gitmem.checkpoints.worktrees import Worktree, index_of
from gitmem.git import code, heads, staged
from gitmem.git.code import Changes, CommitFacts, Pair
from gitmem.git.heads import Moves, Standpoint
from gitmem.git.process import Git
from gitmem.model.ids import Oid
from gitmem.model.records import Trigger

_COMPARED: Final[frozenset[Trigger]] = frozenset({"post-commit", "post-merge"})
_MAX_REWRITTEN: Final = 1_000
"""New commits of one rewrite whose patch ids are kept."""
_MAX_PUSHES: Final = 50
"""Distinct heads that were pushed, of so many events at once, whose branches are compared: the last ones."""
_SQUASH_BYTES: Final = 4 << 20

TreeFrom = Literal["commit", "index", "found"]


class Facts(NamedTuple):
    """What git knows of a moment.

    `parent` is the first of the commit that `head` is. `squashed` are the commits that it says it is made of,
    or of a merge, those that the next one will be made of.
    """

    head: Oid | None
    branch: str | None
    tree: Oid | None
    tree_from: TreeFrom
    parent: Oid | None = None
    changes: Changes = Changes()
    patches: tuple[str, ...] = ()
    squashed: tuple[Oid, ...] = ()


def gather(
    git: Git, worktree: Worktree, events: Sequence[Event], now_ns: int, staged_now: Callable[[], Oid | None]
) -> list[Facts]:
    """Return the facts of each event of a working tree.

    `staged_now` returns the tree of what is staged, if somebody has made it already.

    Raises:
        GitFailed: git cannot read the repository.
    """
    return _Gathering(git, worktree, events, now_ns, staged_now).run()


class _Gathering:
    def __init__(
        self,
        git: Git,
        worktree: Worktree,
        events: Sequence[Event],
        now_ns: int,
        staged_now: Callable[[], Oid | None],
    ) -> None:
        self._git, self._worktree, self._events = git, worktree, events
        self._repository = worktree.repository
        self._now_ns, self._staged_now = now_ns, staged_now
        self._now: Standpoint | None = None
        self._moves: Moves | None = None
        self._made: dict[str, int | None] | None = None
        self._trees: dict[Path | None, Oid | None] = {}
        self._changes: dict[Path | None, Changes] = {}

    def run(self) -> list[Facts]:
        """Ask git, and put its answers together."""
        stand = [self._standpoint(event) for event in self._events]
        wanted = [one.commit for one in stand if one.commit]
        for event in self._events:
            wanted += [Oid(pair.new) for pair in event.rewrites[:_MAX_REWRITTEN]]
        known = code.commits(self._repository, self._git, wanted)
        parents = [facts.parents[0] for facts in known.values() if facts.parents]
        # What a shallow clone has cut off cannot be compared with.
        here = code.commits(self._repository, self._git, parents) if self._repository.is_shallow else None

        def pair_of(commit: Oid | None) -> Pair | None:
            facts = known.get(commit) if commit else None
            if facts is None:
                return None
            base = facts.parents[0] if facts.parents else None
            return (
                None if here is not None and base is not None and base not in here else Pair(facts.oid, base)
            )

        compared = [
            pair_of(one.commit) if event.hook in _COMPARED else None
            for event, one in zip(self._events, stand, strict=True)
        ]
        patched = self._patched(stand, known, pair_of)
        changes = code.changes(self._repository, self._git, filter(None, compared))
        patches = code.patch_ids(self._repository, self._git, (pair for row in patched for pair in row))
        return [
            self._facts(event, one, known, changes.get(pair) if pair else None, row, patches)
            for event, one, pair, row in zip(self._events, stand, compared, patched, strict=True)
        ]

    def _facts(
        self,
        event: Event,
        stand: Standpoint,
        known: Mapping[str, CommitFacts],
        changes: Changes | None,
        patched: Iterable[Pair],
        patches: Mapping[Pair, str],
    ) -> Facts:
        commit = known.get(stand.commit) if stand.commit else None
        facts = Facts(
            head=stand.commit,
            branch=stand.branch,
            tree=commit.tree if commit else None,
            tree_from="commit",
            parent=commit.parents[0] if commit and commit.parents else None,
            changes=changes or Changes(),
            patches=tuple(dict.fromkeys(patches[pair] for pair in patched if pair in patches)),
            squashed=self._squashed(event, commit),
        )
        if not self._is_staged(event):
            return facts
        is_at_head = stand.commit == self._standing_now().commit
        return facts._replace(
            tree=self._staged_tree(event),
            tree_from="found" if event.hook == "pre-commit" else "index",
            changes=self._staged_changes(event) if is_at_head else Changes(),
        )

    def _standpoint(self, event: Event) -> Standpoint:
        """Return where HEAD was at an event: what the stub saw, what the reflog says, or where it is now."""
        if event.hook == "post-checkout" and len(event.args) > 1 and is_oid(event.args[1]):
            return Standpoint(Oid(event.args[1]), event.branch)
        if event.head is not None:
            return Standpoint(event.head, event.branch)
        if self._worktree.is_gone:
            return Standpoint(None, event.branch)
        made = self._made_by(event) if event.hook == "post-commit" else None
        if made is not None:
            return made
        if self._is_fresh(event):
            now = self._standing_now()
            return Standpoint(now.commit, event.branch or now.branch)
        found = self._moved().at(event.at_ns // 1_000_000_000)
        return Standpoint(found or self._standing_now().commit, event.branch)

    def _made_by(self, event: Event) -> Standpoint | None:
        """Return the commit that an event is about whose stub could not tell: where refs are tables, mostly.

        HEAD may be further by now, and its reflog counts in seconds: several commits come in their order.
        """
        if self._made is None:
            alike = [one for one in self._events if one.hook == "post-commit" and one.head is None]
            made = self._moved().made_at([one.at_ns // 1_000_000_000 for one in alike])
            self._made = {one.stem: place for one, place in zip(alike, made, strict=True)}
        place = self._made[event.stem]
        if place is None:
            return None
        moves = self._moved()
        now = self._standing_now().branch if place >= moves.stays_since else None
        return Standpoint(moves.commits[place], event.branch or now)

    def _moved(self) -> Moves:
        if self._moves is None:
            self._moves = heads.moves(self._repository, self._git)
        return self._moves

    def _patched(
        self,
        stand: Sequence[Standpoint],
        known: Mapping[str, CommitFacts],
        pair_of: Callable[[Oid | None], Pair | None],
    ) -> list[list[Pair]]:
        """Return, for each event, the pairs whose patch ids its checkpoint lists."""
        last = {
            one.commit: (event, one.branch)
            for event, one in zip(self._events, stand, strict=True)
            if event.hook == "pre-push" and one.commit in known
        }
        branches: dict[Oid | None, list[Pair]] = {}
        for commit in list(last)[-_MAX_PUSHES:]:
            event, branch = last[commit]
            branches[commit] = list(self._branch_pairs(event, commit, branch))
        rows: list[list[Pair]] = []
        for event, one in zip(self._events, stand, strict=True):
            match event.hook:
                case "post-commit":
                    asked = [pair_of(one.commit)]
                case "post-rewrite":
                    new = dict.fromkeys(Oid(pair.new) for pair in event.rewrites[:_MAX_REWRITTEN])
                    asked = [pair_of(commit) for commit in new]
                case "pre-push":
                    asked = [*branches.get(one.commit, ())]
                case _:
                    asked = []
            rows.append([pair for pair in asked if pair is not None])
        return rows

    def _branch_pairs(self, event: Event, head: Oid | None, branch: str | None) -> Iterator[Pair]:
        if head is not None:
            remote = event.args[0] if event.args and not event.args[0].startswith("-") else ""
            for base in heads.bases(self._repository, self._git, head, branch, remote):
                yield Pair(head, base)

    def _is_fresh(self, event: Event) -> bool:
        return abs(self._now_ns - event.at_ns) <= FRESH_MS * 1_000_000

    def _is_staged(self, event: Event) -> bool:
        """Whether what is staged is what an event's checkpoint is about, and can still be told."""
        if self._worktree.is_gone or self._repository.top is None:
            return False
        if event.hook == "pre-commit":
            return True
        return (event.is_of_agent or event.hook in ("manual", "rewind")) and self._is_fresh(event)

    def _standing_now(self) -> Standpoint:
        if self._now is None:
            self._now = heads.standpoint(self._repository, self._git)
        return self._now

    def _staged_tree(self, event: Event) -> Oid | None:
        index = index_of(self._worktree, event)
        if index not in self._trees:
            made = self._staged_now() if index is None else None
            self._trees[index] = made or staged.staged_tree(self._repository, self._git, index)
        return self._trees[index]

    def _staged_changes(self, event: Event) -> Changes:
        index = index_of(self._worktree, event)
        if index not in self._changes:
            head = self._standing_now().commit
            self._changes[index] = staged.staged_changes(self._repository, self._git, head, index)
        return self._changes[index]

    def _squashed(self, event: Event, commit: CommitFacts | None) -> tuple[Oid, ...]:
        """Return the commits that a commit was made of, or that a `git merge --squash` has just staged."""
        if event.hook == "post-commit":
            return commit.squashed if commit else ()
        if event.hook != "post-merge" or event.args[:1] != ("1",) or not self._is_fresh(event):
            return ()
        try:
            with (self._repository.git_dir / "SQUASH_MSG").open("rb") as file:
                said = file.read(_SQUASH_BYTES)
        except OSError:
            return ()
        return code.squashed_in(said)
