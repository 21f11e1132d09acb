"""A pull of the last months: what of a fetched memory has to be here, and what stays with the remote.

All records come. The text of a session comes if something was captured into it within the time, or else when
it is read. The remote's own history says which these are, where it is long enough: what its tree of that
day had as it is now is old. Where it is not, as after an erasure, and where there is a memory here already,
the captures say when they were made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import Final, NamedTuple

from gitmem.format.memory import capture_of, open_memory
from gitmem.git.fetching import adopt_whole, fetch_whole
from gitmem.git.lean import days_kept, fetch_named, keep_all
from gitmem.git.transport import Remote
from gitmem.model.errors.sharing import FetchRefused
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.times import to_ms
from gitmem.objects import trees
from gitmem.objects.history import first_parents, read_commit
from gitmem.objects.storage import Storage
from gitmem.objects.trees import Path
from gitmem.verbs.absence import missing_below
from gitmem.verbs.absent_table import read_absent

_DAY_S: Final = 86_400
_ROUNDS: Final = 8
_IN_A_ROW: Final = 64
_FOLDER_DEPTH: Final = 4
"""Parts of the path of a session's folder; what else there is has no more, but for a note's registers."""
_DEEPEST: Final = 7
_SESSION_ID: Final = re.compile(r"[0-9a-f]{64}\Z")


class Kept(NamedTuple):
    """The sessions that are taken on their word, as their text is not here, and those of them of which it is
    here now; `note` says why nothing was left out, if that was not to be."""

    promised: frozenset[SessionId] = frozenset()
    arrived: frozenset[SessionId] = frozenset()
    note: str = ""


def choose(
    remote: Remote, storage: Storage, ref: str, theirs: Oid | None, now_s: float, *, is_first: bool
) -> Kept:
    """Bring all that has to be here of what was fetched; nothing is left out by a remote that is not lean.

    A remote that lets nothing be left out, or gives nothing by name, is lean no more: all is fetched.

    Raises:
        FetchRefused: It could not be fetched.
    """
    days = days_kept(remote)
    if days is None or theirs is None:
        return Kept()
    if is_first and not _lacks_trees(storage, theirs):
        adopt_whole(remote, storage, theirs)
        keep_all(remote.repository, remote.git, remote.name)
        return Kept(note=f"{remote.name} lets nothing be left out (uploadpack.allowFilter): all was pulled")
    choosing = _Choosing(remote, storage, ref, theirs, now_s - days * _DAY_S)
    try:
        return choosing.run()
    except FetchRefused as error:
        if not is_first:
            raise
        fetch_whole(remote, storage, [ref])
        keep_all(remote.repository, remote.git, remote.name)
        why = error.said or "git does not say why"
        return Kept(note=f"{remote.name} gives nothing by name ({why}): all was pulled")


def _lacks_trees(storage: Storage, commit: Oid) -> bool:
    root = trees.read_tree(storage, read_commit(storage, commit).tree)
    return not root or any(not storage.contains(entry.oid) for entry in root.values())


class _Choosing:
    def __init__(self, remote: Remote, storage: Storage, ref: str, theirs: Oid, from_s: float) -> None:
        self._remote, self._storage, self._from_s = remote, storage, from_s
        tip = storage.read_ref(ref)
        self._ours = open_memory(storage, ref).root if tip else None
        self._theirs = read_commit(storage, theirs).tree
        self._before = None if tip else self._tree_before(theirs)
        self._absent = read_absent(remote.repository.state_dir, ref)

    def run(self) -> Kept:
        sessions = self._sessions()
        kept: set[SessionId] = set()
        arrived: set[SessionId] = set()
        todo = sessions
        for _ in range(_ROUNDS):
            wanted: dict[SessionId, list[Oid]] = {}
            for session, folder in todo.items():
                stays, lacks = self._judge(session, folder)
                if stays:
                    kept.add(session)
                if lacks:
                    wanted[session] = lacks
                elif not stays and session in self._absent:
                    arrived.add(session)
            if not wanted:
                break
            kept -= wanted.keys()
            self._fetch(chain.from_iterable(wanted.values()))
            todo = {session: sessions[session] for session in wanted}
        return Kept(frozenset(kept | arrived), frozenset(arrived))

    def _tree_before(self, theirs: Oid) -> Oid | None:
        """Return the remote's tree of the day from which on text is wanted; None where nothing says that.

        One clock that is wrong decides nothing: many commits in a row have to be from before that day.
        """
        found, in_a_row = None, 0
        for oid in first_parents(self._storage, theirs):
            commit = read_commit(self._storage, oid)
            if commit.committer.time_s >= self._from_s:
                found, in_a_row = None, 0
                continue
            found, in_a_row = found or commit.tree, in_a_row + 1
            if in_a_row == _IN_A_ROW:
                break
        return found

    def _sessions(self) -> dict[SessionId, Oid]:
        """Return the folders of the sessions that differ from those here, with all trees above them here."""
        for _ in range(_ROUNDS):
            survey = _Survey(self._storage)
            survey.walk((), self._ours, self._theirs)
            if self._before is not None:
                top = trees.read_tree(self._storage, self._before).get("sessions")
                if top is not None and not self._storage.contains(top.oid):
                    survey.missing[top.oid] = None
            if not survey.missing:
                break
            self._fetch(survey.missing)
        return survey.sessions

    def _judge(self, session: SessionId, folder: Oid) -> tuple[bool, list[Oid]]:
        """Tell whether a session's text stays away, and what of it has to come and is not here."""
        try:
            entries = trees.read_tree(self._storage, folder)
            text = entries.pop("segments", None)
            lacks: list[Oid] = []
            for entry in entries.values():
                if entry.is_tree:
                    lacks += missing_below(self._storage, entry.oid)
                elif not self._storage.contains(entry.oid):
                    lacks.append(entry.oid)
            if text is None or next(iter(missing_below(self._storage, text.oid)), None) is None:
                return False, lacks
            if self._is_recent(session, folder):
                return False, [*lacks, *missing_below(self._storage, text.oid)]
        except ObjectDamaged:
            return False, []  # the union says what is wrong with it
        return True, lacks

    def _is_recent(self, session: SessionId, folder: Oid) -> bool:
        if self._before is not None:
            path = ("sessions", session[:2], session[2:4], session[4:])
            then = trees.find(self._storage, self._before, path)
            return then is None or then.oid != folder
        captures = trees.find(self._storage, folder, ("captures",))
        if captures is None or not captures.is_tree:
            return True
        for fan, entry in trees.read_tree(self._storage, captures.oid).items():
            for name, file in trees.read_tree(self._storage, entry.oid).items():
                if self._storage.contains(file.oid) and self._is_new(session, fan + name, file.oid):
                    return True
        return False

    def _is_new(self, session: SessionId, name: str, oid: Oid) -> bool:
        try:
            capture = capture_of(session, trees.read_blob(self._storage, oid), RecordId(name), name)
            return to_ms(capture.at) >= self._from_s * 1000
        except (ObjectDamaged, RecordRefused, ValueError, OverflowError):
            return True  # the union says what is wrong with it

    def _fetch(self, oids: Iterable[Oid]) -> None:
        fetch_named(self._remote, list(dict.fromkeys(oids)), small=True)


class _Survey:
    """What differs between two trees, down to the folders of sessions, and what is not here on the way."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._seen: set[Oid] = set()
        self.missing: dict[Oid, None] = {}
        self.sessions: dict[SessionId, Oid] = {}

    def walk(self, path: Path, old: Oid | None, new: Oid) -> None:
        if new in self._seen:
            return
        self._seen.add(new)
        if not self._storage.contains(new):
            self.missing[new] = None
            return
        try:
            here = trees.read_tree(self._storage, old) if old and self._storage.contains(old) else {}
            there = trees.read_tree(self._storage, new)
        except ObjectDamaged:
            return  # the union says what is wrong with it
        for name, entry in there.items():
            was = here.get(name)
            if was == entry:
                continue
            below = (*path, name)
            if below[0] == "sessions" and len(below) == _FOLDER_DEPTH:
                session = "".join(below[1:])
                if not self._storage.contains(entry.oid):
                    self.missing[entry.oid] = None
                elif entry.is_tree and _SESSION_ID.match(session):
                    self.sessions[SessionId(session)] = entry.oid
            elif entry.is_tree and len(below) < _DEEPEST:
                self.walk(below, was.oid if was and was.is_tree else None, entry.oid)
            elif not entry.is_tree and not self._storage.contains(entry.oid):
                self.missing[entry.oid] = None
