"""From a commit to the checkpoints that are about it, the nearest evidence first.

Commit ids do not last: an amend, a rebase, a squash or a cherry-pick makes new ones. So what git said of a
commit's origin, its tree and its patch lead back to the checkpoints of what it was made from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

from gitmem.checkpoints.table import Row
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Trigger
from gitmem.objects.encoding import Commit

Evidence = Literal["commit", "rewrite", "message", "tree", "patch", "content"]
"""commit: a checkpoint was made as the commit was; rewrite: git said which commits it took the place of;
message: its message names them; tree, patch: a checkpoint has the same; content: no checkpoint, the lines."""

_MOST = 50
_MOST_OLD = 2000

_RANKS: dict[Trigger, int] = {"post-commit": 0, "post-merge": 1, "post-rewrite": 1}
_LATER = 2
_NOT_ABOUT_HEAD: frozenset[Trigger] = frozenset({"pre-commit", "rewind"})
"""What these are about is still to come, or has been taken back."""

_NAMED = re.compile(
    r"\(cherry picked from commit (?P<picked>[0-9a-f]{40}(?:[0-9a-f]{24})?)\)"
    r"|^commit (?P<squashed>[0-9a-f]{40}(?:[0-9a-f]{24})?)\b",
    re.MULTILINE,
)


class Asking(Protocol):
    """What git is asked when the checkpoints alone do not tell."""

    def patch_ids(self, commits: Sequence[Oid]) -> dict[Oid, str]:
        """Return the stable patch ids of commits; a merge has none, nor has one that changes nothing."""
        ...

    def commits_of_branch(self, tip: Oid, merged: Oid) -> tuple[Oid, ...]:
        """Return a branch's commits, back to where it left what `merged` was put upon."""
        ...


class Link(NamedTuple):
    """A checkpoint that is about a commit, and why it is.

    `via` is the commit that the checkpoint itself names: the one asked about, or what that was made from.
    """

    evidence: Evidence
    row: Row
    via: Oid | None

    @property
    def is_of_making(self) -> bool:
        """Whether the checkpoint was made as its commit was, and not while it merely stood at it."""
        return self.row.trigger in _RANKS


class Links:
    """All checkpoints of a memory, ready to be asked; `rows` the newest first."""

    def __init__(self, rows: Sequence[Row], asking: Asking) -> None:
        self._rows, self._asking = rows, asking
        self._by_head: dict[Oid, list[Row]] = defaultdict(list)
        self._by_tree: dict[Oid, list[Row]] = defaultdict(list)
        self._by_patch: dict[str, list[Row]] = defaultdict(list)
        self._olds: dict[Oid, list[Oid]] = defaultdict(list)
        for row in reversed(rows):
            if row.head:
                self._by_head[row.head].append(row)
            if row.tree:
                self._by_tree[row.tree].append(row)
            for patch in row.patches:
                self._by_patch[patch].append(row)
            for rewrite in row.rewrites:
                self._olds[Oid(rewrite.new)].append(Oid(rewrite.old))

    def near(self, oid: Oid, commit: Commit | None) -> Iterator[list[Link]]:
        """Yield the checkpoints about a commit, by evidence, that can be told without asking git.

        `commit` is None where the object is not here any more.
        """
        yield self._about("commit", [oid])
        yield self._about("rewrite", self._made_from([oid]))
        if commit is not None:
            named = [Oid(found["picked"] or found["squashed"]) for found in _NAMED.finditer(commit.message)]
            yield self._about("message", [*named, *self._made_from(named)])
            yield [Link("tree", row, row.head) for row in self._by_tree.get(commit.tree, ())][:_MOST]

    def by_patch(self, oids: Sequence[Oid]) -> dict[Oid, list[Link]]:
        """Return the checkpoints that have the patches of commits, and those of the branches that do.

        git is asked for all commits at once, and not at all where no checkpoint has a patch.
        """
        patches = self._asking.patch_ids(oids) if oids and self._by_patch else {}
        found: dict[Oid, list[Link]] = {}
        for oid, patch in patches.items():
            links: dict[RecordId, Link] = {}
            for link in self._of_patch(oid, patch):
                links.setdefault(link.row.name, link)  # one may have the patch, and be of the branch
            if links:
                found[oid] = list(links.values())
        return found

    def before(self, row: Row) -> int | None:
        """Return when the commit before a checkpoint's was made, as the checkpoints of its branch tell."""
        for other in self._rows:
            if (
                other.at_ms < row.at_ms
                and other.trigger in _RANKS
                and other.head != row.head
                and other.branch == row.branch
            ):
                return other.at_ms
        return None

    def _about(self, evidence: Evidence, oids: Iterable[Oid]) -> list[Link]:
        """Return the checkpoints of commits: those made with a commit first, then by time."""
        found: list[Link] = []
        for oid in dict.fromkeys(oids):
            rows = [row for row in self._by_head.get(oid, ()) if row.trigger not in _NOT_ABOUT_HEAD]
            rows.sort(key=lambda row: (_RANKS.get(row.trigger, _LATER), row.at_ms))
            found += [Link(evidence, row, oid) for row in rows]
            if len(found) >= _MOST:
                break
        return found[:_MOST]

    def _made_from(self, oids: Iterable[Oid]) -> list[Oid]:
        """Return the commits that some took the place of, what those did, and so on; the nearest first."""
        return _reached(oids, self._olds)

    def _of_patch(self, oid: Oid, patch: str) -> Iterator[Link]:
        for row in reversed(self._by_patch.get(patch, ())[-_MOST:]):
            yield Link("patch", row, row.head)
            if row.head is None or row.head == oid:
                continue
            branch = self._asking.commits_of_branch(row.head, oid)
            if branch:
                commits = [*branch, *self._made_from(branch)]
            else:  # git has them no longer
                commits = [
                    other.head
                    for other in self._rows
                    if row.branch and other.branch == row.branch and other.at_ms <= row.at_ms and other.head
                ][:_MOST]
            yield from self._about("patch", commits)


def _reached(start: Iterable[Oid], steps: dict[Oid, list[Oid]]) -> list[Oid]:
    todo = list(start)
    seen = set(todo)
    found: list[Oid] = []
    while todo and len(found) < _MOST_OLD:
        for old in steps.get(todo.pop(0), ()):
            if old not in seen:
                seen.add(old)
                found.append(old)
                todo.append(old)
    return found
