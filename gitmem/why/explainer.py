"""From lines of code to the turns of sessions that wrote them.

A line's commit leads to checkpoints, these to the sessions that were under way, and there the line is looked
for by its text. Evidence that has no text gives way to the next kind; what nobody wrote is said to be so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gitmem.checkpoints import table
from gitmem.checkpoints.table import Row
from gitmem.format import checkpoints
from gitmem.format.memory import Memory
from gitmem.git.blame import Line
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.records import Position
from gitmem.objects.encoding import Commit
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Storage
from gitmem.why import touched
from gitmem.why.lines import belong_together, count_letters
from gitmem.why.links import Asking, Evidence, Link, Links
from gitmem.why.matching import Match, Matcher, Scope
from gitmem.why.touched import Toucher
from gitmem.why.wanted import Wanted, wanted_lines


class Written(NamedTuple):
    """The turn that wrote a line, and how that is known.

    `checkpoint` led to it, and `via` is the commit which that checkpoint names. `is_sure` unless the line, or
    what the turn wrote of it, is such as many turns write.
    """

    match: Match
    evidence: Evidence
    checkpoint: RecordId | None
    via: Oid | None
    is_sure: bool


class Explained(NamedTuple):
    """A line, and the turn that wrote it, if that is known."""

    line: Line
    written: Written | None


class Circumstances(NamedTuple):
    """What is known of a commit besides: the checkpoint made with it, and sessions that were under way."""

    commit: Commit | None
    checkpoint: Row | None
    under_way: tuple[Toucher, ...]


_FEW = 8
"""Commits whose patch ids git is asked for; where there are more, content finds their lines as well."""


class _Group:
    """The lines that one commit brought into a file: what is left to be found, where it was looked for."""

    def __init__(self, commit: Oid | None, paths: tuple[str, ...]) -> None:
        self.commit, self.paths = commit, paths
        self.left: dict[int, Wanted] = {}
        self.found: dict[int, Written] = {}
        self.scopes: list[tuple[Link | None, Scope]] = []

    def take(self, link: Link | None, matches: Mapping[int, Match]) -> None:
        """Take what was found where a checkpoint led to, or anywhere."""
        for at, match in matches.items():
            is_sure = match.is_telling and not self.left[at].is_common
            if link is not None:
                written = Written(match, link.evidence, link.row.name, link.via, is_sure)
            elif (match.has_path or match.beside > 1) and (match.is_telling or self.commit is None):
                written = Written(match, "content", None, None, is_sure)
            else:
                continue  # too little, without a checkpoint
            self.found[at] = written
            del self.left[at]


class Explainer:
    """Explains lines of one repository by one memory."""

    def __init__(
        self,
        memory: Memory,
        state_dir: Path | None,
        asking: Asking,
        tell: Callable[[int, int], None] = lambda done, total: None,
        code: Storage | None = None,
    ) -> None:
        """Read the tables of checkpoints and of sessions; `tell` is called as sessions are read anew.

        `code` has the commits, where they are not of the repository that the memory is of.

        Raises:
            StoreError: The memory itself cannot be read.
        """
        self._memory = memory
        self._code = code or memory.storage
        self._rows = table.rows(memory, state_dir)
        self._links = Links(self._rows, asking)
        self._touchers = touched.touchers(memory, state_dir, tell)
        self._matcher = Matcher(memory, state_dir)
        self._commits: dict[Oid, Commit | None] = {}
        self._positions: dict[RecordId, tuple[Position, ...]] = {}
        self._by_patch: dict[Oid, Sequence[Link]] = {}

    def explain(
        self,
        lines: Sequence[Line],
        numbers: Collection[int],
        counts: Mapping[bytes, int],
        path: str,
        head: Oid | None = None,
    ) -> list[Explained]:
        """Explain the lines of one file that have these numbers, in order.

        `lines` may hold those around them, which tell more; `counts` says how often a line stands in the
        file, `path` what it is called now, and `head` which commit uncommitted lines stand upon.
        """
        asked = [at for at, line in enumerate(lines) if line.number in numbers]
        wanted = wanted_lines(lines, {lines[at].number for at in asked}, counts)
        says_little = (at for at in asked if at not in wanted or wanted[at].is_common)
        around = {n for at in says_little for n in _around(lines, at)} - wanted.keys()
        if around:
            wanted |= wanted_lines(lines, {lines[at].number for at in around}, counts)
        groups: dict[tuple[Oid | None, str], _Group] = {}
        for at, each in wanted.items():
            commit, then = each.line.commit, each.line.path
            if (commit, then) not in groups:
                groups[commit, then] = _Group(commit, tuple(dict.fromkeys((then, path))))
            groups[commit, then].left[at] = each
        found = self._find(list(groups.values()), head)
        return [Explained(lines[at], found.get(at) or _of_beside(lines, at, found)) for at in asked]

    def circumstances(self, oid: Oid) -> Circumstances:
        """Say what is known of a commit: who was at work as it was made, whether or not they wrote it."""
        commit = self.commit(oid)
        for stage in self._links.near(oid, None):
            for link in stage:
                # A merge that only went forward stands at a commit which somebody else had made.
                is_forward = link.row.trigger == "post-merge" and commit and len(commit.parents) < 2
                if link.is_of_making and not is_forward:
                    sessions = dict.fromkeys(position.session for position in self._positions_of(link.row))
                    return Circumstances(commit, link.row, tuple(self._shown(sessions)))
        at_ms = commit.committer.time_s * 1000 if commit else None
        under_way = (
            [row for row in self._touchers.values() if row.was_under_way(at_ms) and not row.hidden]
            if at_ms is not None
            else []
        )
        under_way.sort(key=lambda row: (row.started_ms or 0, row.key))
        return Circumstances(commit, None, tuple(under_way))

    def commit(self, oid: Oid) -> Commit | None:
        """Return a commit; None where it is not here, or is none that can be read."""
        if oid not in self._commits:
            try:
                self._commits[oid] = read_commit(self._code, oid)
            except (ObjectMissing, ObjectDamaged):
                self._commits[oid] = None
        return self._commits[oid]

    def _find(self, groups: Sequence[_Group], head: Oid | None) -> dict[int, Written]:
        """Look for lines, in what is near first; what wrote all of a line goes before what wrote a part."""
        for group in groups:
            for stage in self._links.near(group.commit, self.commit(group.commit)) if group.commit else ():
                self._look(group, self._scopes(stage))
                if not group.left:
                    break
        left = [group for group in groups if group.left]
        if len(groups) <= _FEW:
            self._ask_for_patches(left)
        for group in left:
            if group.commit is not None:
                self._look(group, self._scopes(self._by_patch.get(group.commit, ())))
            self._look(group, [(None, self._anywhere(group.commit, head))])
            for link, scope in group.scopes if group.left else ():
                group.take(link, self._matcher.find_parts(group.left, group.paths, scope))
        return {at: written for group in groups for at, written in group.found.items()}

    def _ask_for_patches(self, groups: Sequence[_Group]) -> None:
        commits = [group.commit for group in groups if group.commit and group.commit not in self._by_patch]
        self._by_patch |= dict.fromkeys(commits, ())
        self._by_patch |= self._links.by_patch(list(dict.fromkeys(commits)))

    def _look(self, group: _Group, scopes: Iterable[tuple[Link | None, Scope]]) -> None:
        if group.left:
            for link, scope in scopes:
                group.scopes.append((link, scope))
                group.take(link, self._matcher.find_whole(group.left, group.paths, scope))
                if not group.left:
                    break

    def _scopes(self, stage: Sequence[Link]) -> Iterator[tuple[Link, Scope]]:
        """Yield where each checkpoint leads to, leaving out what one before it has led to."""
        seen: set[frozenset[Position]] = set()
        for link in stage:
            positions = self._positions_of(link.row)
            if frozenset(positions) in seen:
                continue
            seen.add(frozenset(positions))
            limits: dict[SessionId, dict[str, int]] = defaultdict(dict)
            for position in positions:
                limits[position.session][position.stream] = position.lines
            sessions = [(row, limits[row.session]) for row in self._shown(limits)]
            since_ms = self._links.before(link.row)
            if since_ms is None and link.via:
                since_ms = self._parents_ms(self.commit(link.via))
            yield link, Scope(sessions, since_ms, link.row.at_ms, is_near=True)

    def _anywhere(self, oid: Oid | None, head: Oid | None) -> Scope:
        """Return all sessions, as far as they had come by a commit, or since HEAD for what is in none."""
        until_ms = since_ms = None
        commit = self.commit(oid) if oid else None
        if commit is not None:
            author_ms, committer_ms = commit.author.time_s * 1000, commit.committer.time_s * 1000
            until_ms, since_ms = max(author_ms, committer_ms), self._parents_ms(commit)
            if since_ms is not None:
                # What was rebased may stand upon what is younger than itself.
                since_ms = min(since_ms, author_ms)
        elif oid is None and head is not None and (last := self.commit(head)):
            since_ms = last.committer.time_s * 1000
        sessions = [
            (row, None)
            for row in self._touchers.values()
            if until_ms is None or row.started_ms is None or row.started_ms <= until_ms + 999
        ]
        return Scope(sessions, since_ms, until_ms, is_near=oid is None)

    def _parents_ms(self, commit: Commit | None) -> int | None:
        parent = self.commit(commit.parents[0]) if commit and commit.parents else None
        return parent.committer.time_s * 1000 if parent else None

    def _positions_of(self, row: Row) -> tuple[Position, ...]:
        if row.name not in self._positions:
            try:
                checkpoint = checkpoints.find(self._memory, row.name) if row.session_count else None
            except (RecordRefused, ObjectMissing, ObjectDamaged):
                checkpoint = None  # `verify` reports it
            self._positions[row.name] = checkpoint.positions if checkpoint else ()
        return self._positions[row.name]

    def _shown(self, sessions: Collection[SessionId]) -> Iterator[Toucher]:
        """Yield those sessions that are in this memory, and not hidden."""
        rows = (self._touchers.get(session) for session in sessions)
        return (row for row in rows if row is not None and not row.hidden)


def _around(lines: Sequence[Line], at: int) -> Iterator[int]:
    """Yield the nearest line above and the nearest below that say something, of the same commit."""
    for step in (-1, 1):
        n = at + step
        while 0 <= n < len(lines) and belong_together(lines[n], lines[at]):
            if count_letters(lines[n].text) > 1:
                yield n
                break
            n += step


def _of_beside(lines: Sequence[Line], at: int, found: Mapping[int, Written]) -> Written | None:
    """Take an empty or common line for part of what stands on both sides of it."""
    if count_letters(lines[at].text) > 1:
        return None
    near = list(_around(lines, at))
    written = [found.get(n) for n in near]
    first = written[0] if written else None
    if first is None or any(
        each is None or each.match.session.session != first.match.session.session for each in written
    ):
        return None
    return first._replace(is_sure=False)
