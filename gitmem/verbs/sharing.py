"""Sharing: `pull` brings in what a remote's memory has, `push` sends it what it lacks.

Nothing goes to a remote that nobody named. What comes in is united with what is here before the memory ref
moves, a fast-forward too, so that a pull never takes anything away and lets nothing in that does not belong.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, Literal, NamedTuple

from gitmem import disk
from gitmem.format import layout, records
from gitmem.format.layout import EntryKind
from gitmem.format.memory import Memory, changed_sessions, open_memory
from gitmem.format.union import Outcome, Refusal, Union, union
from gitmem.git import transport
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.transport import PushAnswer, Remote, Tell, find_remote
from gitmem.model.errors import (
    LevelNotShared,
    NoMemory,
    NoRemoteChosen,
    ObjectDamaged,
    PushRaced,
    PushRefused,
    RecordRefused,
    RefMoved,
    RemoteAmbiguous,
    RemoteEmpty,
)
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.model.records import Session
from gitmem.model.refs import PUBLIC_REF, tracking_ref
from gitmem.model.settings import LEVELS, Level, Settings
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, encode_commit
from gitmem.objects.history import is_ancestor
from gitmem.objects.storage import Batch, Storage
from gitmem.verbs.committing import SKIP_CI, Writer

_PUSH_TRIES: Final = 16
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_MERGE_TRIES: Final = 8
_UNLOCKED_TRIES: Final = 2
_OTHER_SYNC_WAIT_S: Final = 120.0

How = Literal["no memory there", "up to date", "taken over", "fast-forward", "merged"]


class Sharing(NamedTuple):
    """What pull and push need: the clone, who writes, and whom to tell about git's progress.

    It is about the memory of one `level`. `check` looks once more at what is about to be sent, and raises
    where that must not be: it is given the remote's name, the memory, and the root of the remote's.
    """

    storage: Storage
    repository: Repository
    git: Git
    settings: Settings
    writer: Writer
    tell: Tell | None = None
    level: Level = "team"
    check: Callable[[str, Memory, Oid | None], None] = lambda remote, memory, root: None

    @property
    def ref(self) -> str:
        """The memory ref of the level."""
        return PUBLIC_REF if self.level == "public" else self.settings.memory_ref


class Pulled(NamedTuple):
    """What a pull came to.

    `before` and `after` are where the memory ref was and is. `sessions` has an outcome for each that
    differed, `arrived` counts the records and segments that came in, `refused` says what was kept out,
    as far as it is listed, and `unlisted` counts the rest.
    """

    remote: str
    how: How
    before: Oid | None
    after: Oid | None
    sessions: Mapping[SessionId, Outcome]
    refused: tuple[Refusal, ...]
    arrived: Mapping[EntryKind, int]
    unlisted: int = 0


class Pushed(NamedTuple):
    """What a push came to: where the remote's memory is now, what it had not had, and what came in before."""

    remote: str
    commit: Oid
    sent: tuple[SessionId, ...]
    is_up_to_date: bool
    pulled: tuple[Pulled, ...]


def share(repository: Repository, git: Git, remote: str, level: Level = "team") -> None:
    """Choose a remote for good: `push` and `pull` without a name mean it. Other levels that it has stay.

    Raises:
        RemoteUnknown: There is no such remote.
    """
    find_remote(repository, git, remote)
    name = f"remote.{remote}.gitmem"
    before = repository.config.get(name, ("",))[-1].replace(",", " ").split()
    levels = dict.fromkeys([level, *(one for one in before if one in LEVELS)])
    git.run(
        ["config", "--replace-all", name, ",".join(levels)],
        doing=f"choose {remote} to share the memory with",
        git_dir=repository.git_dir,
    )


def levels_of(settings: Settings, remote: str) -> tuple[Level, ...]:
    """Return the levels that a remote gets: those it was given, or the team's where it is named unasked."""
    given = {chosen.name: chosen.levels for chosen in settings.remotes}
    return tuple(level for level in LEVELS if level in given.get(remote, {"team"}))


def choose_remote(settings: Settings, named: str | None) -> str:
    """Return the remote that is meant: the one that was named, or the one that was chosen for good.

    Raises:
        NoRemoteChosen: None was.
        RemoteAmbiguous: Several were chosen, and none named.
    """
    if named is not None:
        return named
    given = {remote.name: remote.levels for remote in settings.remotes}
    fitting = [name for name, levels in given.items() if "team" in levels] or list(given)
    if not fitting:
        raise NoRemoteChosen
    if len(fitting) > 1:
        raise RemoteAmbiguous(tuple(fitting))
    return fitting[0]


def pull(sharing: Sharing, named: str | None = None) -> Pulled:
    """Fetch a remote's memory and unite it with the one here; where there is none here, it is taken over.

    Raises:
        SyncError: The remote is unknown, unreachable, or none was chosen.
        NotAMemory: The remote's ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote there; nothing was merged.
    """
    remote = remote_of(sharing, named)
    ref = sharing.ref
    with alone(sharing.repository):
        theirs = transport.fetch(remote, sharing.storage, ref)
        if theirs is None:
            here = sharing.storage.read_ref(ref)
            return Pulled(remote.name, "no memory there", here, here, {}, (), {})
        return _unite(sharing, remote.name, theirs)


def push(
    sharing: Sharing, named: str | None = None, *, pause: Callable[[float], object] = time.sleep
) -> Pushed:
    """Send a remote's memory what it lacks, by a plain fast-forward; what it has more is pulled first.

    Raises:
        NoMemory: There is none here.
        LevelNotShared: The remote was given other levels than this memory's.
        RemoteEmpty: The remote has no branch yet, and the memory must not become its default one.
        PushRefused: The remote refuses, for reasons of its own.
        PushRaced: Others were faster, again and again.
        SyncError: The remote is unknown, unreachable, or none was chosen.
        FormatNewer: A newer gitmem wrote there; nothing was sent.
    """
    remote = remote_of(sharing, named)
    storage, ref = sharing.storage, sharing.ref
    if storage.read_ref(ref) is None:
        raise NoMemory(ref)
    pulled: list[Pulled] = []
    seen: set[Oid | None] = set()
    answer = PushAnswer("behind")
    with alone(sharing.repository):
        for tries in range(_PUSH_TRIES):
            if tries:
                longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**tries)
                pause(random.uniform(0, longest))  # noqa: S311 (jitter, not a secret)
            theirs = transport.fetch(remote, storage, ref)
            seen.add(theirs)
            if theirs is not None:
                pulled.append(_unite(sharing, remote.name, theirs))
            elif ref.startswith("refs/heads/") and not transport.has_branches(remote):
                raise RemoteEmpty(remote.name)
            memory = open_memory(storage, ref)
            changes = tuple(one for one in pulled if one.how != "up to date")
            if memory.commit == theirs:
                return Pushed(remote.name, theirs, (), True, changes)
            sharing.check(remote.name, memory, open_memory(storage, ref, theirs).root if theirs else None)
            answer = transport.push(remote, memory.commit, ref)
            if answer.outcome == "pushed":
                _track(storage, tracking_ref(remote.name, ref), memory.commit)
                return Pushed(remote.name, memory.commit, _lacked_by(theirs, memory), False, changes)
            if answer.outcome == "refused":
                break
    if answer.outcome == "refused" or len(seen) == 1:  # a lock that nobody holds refuses everybody
        raise PushRefused(remote.name, ref, answer.why)
    raise PushRaced(remote.name, _PUSH_TRIES)


def adopt(sharing: Sharing, remotes: Iterable[str]) -> Pulled | None:
    """Take over the memory of the first remote that had one when it was last fetched; no remote is asked.

    For a clone, which has brought it along. What comes in is checked as in a pull.

    Raises:
        NotAMemory: The remote's ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote it.
    """
    ref = sharing.ref
    for remote in remotes:
        theirs = sharing.storage.read_ref(tracking_ref(remote, ref))
        if theirs is not None:
            with alone(sharing.repository):
                return _unite(sharing, remote, theirs)
    return None


def unite_fetched(sharing: Sharing, remote: str) -> Pulled | None:
    """Unite what a remote had when it was last fetched with what is here; nobody is asked, or waited for.

    Raises:
        NotAMemory: The remote's ref holds something that gitmem did not write.
        FormatNewer: A newer gitmem wrote it.
    """
    theirs = sharing.storage.read_ref(tracking_ref(remote, sharing.ref))
    return None if theirs is None else _unite(sharing, remote, theirs)


def keys_of(
    storage: Storage, ref: str, commits: Iterable[Oid | None], sessions: Iterable[SessionId]
) -> dict[SessionId, SessionKey | None]:
    """Return what people call sessions, from the first of the commits that has them; None where none has."""
    memories = [open_memory(storage, ref, commit) for commit in commits if commit]
    return {session: _key_of(memories, session) for session in sessions}


def _key_of(memories: Sequence[Memory], session: SessionId) -> SessionKey | None:
    path = layout.session_path(session)
    for memory in memories:
        entry = trees.find(memory.storage, memory.root, path)
        if entry is not None and not entry.is_tree:
            blob = trees.read_blob(memory.storage, entry.oid)
            try:
                record = records.unseal(blob, session, "/".join(path), Session)
            except (RecordRefused, ObjectDamaged):
                continue  # its id has to do; `verify` says more
            return SessionKey(record.agent, record.native_id)
    return None


def remote_of(sharing: Sharing, named: str | None) -> Remote:
    """Return the remote that is meant, which was given the level that this is about.

    Raises:
        SyncError: None was chosen, it is unknown, or it was given other levels.
    """
    name = choose_remote(sharing.settings, named)
    levels = levels_of(sharing.settings, name)
    if sharing.level not in levels:
        raise LevelNotShared(name, sharing.level, levels)
    return find_remote(sharing.repository, sharing.git, name, sharing.tell)


@contextmanager
def alone(repository: Repository) -> Iterator[None]:
    """Let one sync run in a clone at a time: two fetches of one ref would fail each other."""
    with disk.locked(repository.state_dir / "sharing.lock", _OTHER_SYNC_WAIT_S):
        yield


def _unite(sharing: Sharing, remote: str, theirs: Oid) -> Pulled:
    """Bring the memory ref to what it and a fetched commit come to together."""
    storage, ref = sharing.storage, sharing.ref
    for tries in range(_MERGE_TRIES):
        with ExitStack() as stack:
            # What came in is decoded without holding others up, unless they keep moving the ref.
            if tries >= _UNLOCKED_TRIES:
                stack.enter_context(storage.lock())
            tip = storage.read_ref(ref)
            if tip is not None and is_ancestor(storage, theirs, tip):
                return Pulled(remote, "up to date", tip, tip, {}, (), {})
            other = open_memory(storage, tracking_ref(remote, ref), theirs)
            root = open_memory(storage, ref, tip).root if tip else None
            batch = stack.enter_context(storage.begin())
            united = union(storage, batch, root, other.root)
            new, how = _commit(sharing, batch, remote, tip, other, united)
            stack.enter_context(storage.lock())
            batch.publish()
            try:
                storage.move_ref(ref, new, tip, f"gitmem: pull {remote}: {how}")
            except RefMoved:
                if tries == _MERGE_TRIES - 1:
                    raise
                continue
            storage.tidy()
            return Pulled(
                remote, how, tip, new, united.sessions, united.refused, united.arrived, united.unlisted
            )
    raise AssertionError("the last try returns or raises")


def _commit(
    sharing: Sharing, batch: Batch, remote: str, tip: Oid | None, other: Memory, united: Union
) -> tuple[Oid, How]:
    """Return the commit to go on from: theirs, where it is all that both have, or one above both."""
    is_ahead = is_ancestor(sharing.storage, tip, other.commit)
    if is_ahead and united.root == other.root:
        return other.commit, "fast-forward" if tip else "taken over"
    tree = united.root or batch.add("tree", b"")
    parents = (other.commit,) if tip is None or is_ahead else (tip, other.commit)
    who = sharing.writer.sign()
    message = f"Merge the memory of {remote} {SKIP_CI}\n"
    commit = batch.add("commit", encode_commit(Commit(tree, parents, who, who, message)))
    return commit, "merged" if tip else "taken over"


def _track(storage: Storage, tracking: str, commit: Oid) -> None:
    """Bring the tracking ref along where the remote's own refspecs do not: git does it for those alone."""
    found = storage.read_ref(tracking)
    if found != commit:
        storage.move_ref(tracking, commit, found, "gitmem: push")


def _lacked_by(theirs: Oid | None, memory: Memory) -> tuple[SessionId, ...]:
    """Return the sessions of which a remote had less than the memory."""
    root = open_memory(memory.storage, memory.ref, theirs).root if theirs else None
    return tuple(session for session, folder in changed_sessions(memory, root) if folder)
