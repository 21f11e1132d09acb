"""Following the memory: an index is brought to where the memory ref is, by what differs between two trees.

A session that only grew has only its new turns added; one that changed otherwise is taken out and put in
again. Which of the two it is, its turns say themselves: each stream in the index ends in a digest of it all.
A fork leaves out what it repeats of the session that it was forked from, so it is looked at again whenever
that one arrives, changes or goes. A session that cannot be read is left out, named, and tried again each
time.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import gitmem
from gitmem import disk
from gitmem.format.memory import Folder, Memory, changed_sessions
from gitmem.format.notes import changed as changed_notes
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.settings import load
from gitmem.git.storage import open_storage
from gitmem.model.errors.intake import ReaderMissing
from gitmem.model.errors.store import DiskRefused, ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, SessionId
from gitmem.objects.history import distance
from gitmem.objects.storage import Storage
from gitmem.sidecar.folders import data_folder
from gitmem.sidecar.wire import Place
from gitmem.transcripts.read import READER_VERSION
from gitmem.verbs import caching
from gitmem.verbs.absence import absent_at
from gitmem.verbs.memories import open_all, sealed_storage
from gitmem.verbs.tips import read_tip
from indexer.lexical import SCHEMA_VERSION, Damaged, Entry, LexicalIndex, Writer, as_key, create
from indexer.lexical.found import Reached
from indexer.teller import Teller
from indexer.upkeep import noting, recalling, view
from indexer.upkeep import state as states
from indexer.upkeep.documents import Documents
from indexer.upkeep.recalling import RecallingStorage
from indexer.upkeep.state import Condition, Fork, State, Worn

_MOST_WORN: Final = 0.2
"""What part of an index may be of no use before it is made anew: until then that counts in scores."""

_FEW_BESIDE: Final = 4_000
"""Documents that a search may put in again beside a session that has gone: a quarter of a second."""

_MOST_BESIDE: Final = 0.5
"""What part of an index may be put in again beside a session that has gone, before all of it is made anew."""

_WHY: Final[Mapping[Condition, str]] = {
    "corrupt": "it was damaged",
    "version": "another version of gitmem made it",
    "options": "it was of another memory ref",
}


def bring_up(
    place: Place,
    environ: Mapping[str, str],
    teller: Teller,
    *,
    wait_s: float,
    anew: bool = False,
    is_thorough: bool = False,
) -> State:
    """Bring a memory's index to where the memory is, making it anew where that is needed or asked for.

    What is taken out is found no more, but stands in the index's files until these are merged, and counts in
    scores. The files that a session that has gone stood in are written anew at once where little else is in
    them. With `is_thorough` they are in any case, or all are: where it is the larger part of them, or a fifth
    of them is of no use.

    Raises:
        StoreBusy: Another process has been changing the index for `wait_s` seconds.
        StoreError: The memory cannot be read.
        DiskRefused: The disk does not let it.
    """
    root = states.prepared_root(Path(place.common_dir))
    with disk.locked(states.lock_of(root), wait_s), _at_work(root, place, environ) as work:
        loaded = states.load(root)
        condition = states.examine(loaded, place.ref, work.tip, READER_VERSION)
        if isinstance(loaded, State) and condition in ("behind", "current") and not anew:
            try:
                state = _advance(work, loaded, teller, is_thorough=is_thorough)
                if not (is_thorough and _is_worn(root, state)):
                    return state
            except Damaged:
                condition = "corrupt"
        try:
            state = _make(work, teller)
        except Damaged as error:  # what was made a moment ago is whole, unless the disk would not have it
            raise DiskRefused("write the search index in", str(root), str(error)) from error
        if condition in _WHY and not anew:
            teller.notice(f"made the search index anew: {_WHY[condition]}")
        return state


def count_behind(place: Place, environ: Mapping[str, str], state: State) -> int:
    """Count the commits of the memory that an index does not know; what is private, or public, counts one."""
    tip = read_tip(Path(place.common_dir), place.ref, environ)
    if tip is not None and state.is_at(tip.name):
        return 0
    with opened_memory(place, environ) as opened:
        memory = opened.memory
        try:
            return max(1, distance(memory.storage, Oid(state.commit), memory.commit).behind)
        except (ObjectMissing, ObjectDamaged):
            return 1  # an erasure restarted the history, and took the old one away


def count_changed(place: Place, environ: Mapping[str, str], state: State) -> int | None:
    """Count the sessions and notes that an index has to be brought up by; None where that cannot be told."""
    root = states.root_of(Path(place.common_dir))
    with opened_memory(place, environ) as opened:
        before = view.comparable(root, opened.memory, state.tree)
        try:
            return sum(1 for _ in changed_sessions(*before)) + sum(1 for _ in changed_notes(*before))
        except (ObjectMissing, ObjectDamaged):
            return None


class Remembered(NamedTuple):
    """All that a repository remembers, as one memory; the storages of what git has, and of what is sealed."""

    memory: Memory
    storage: Storage
    private: RecallingStorage | None


@contextmanager
def opened_memory(place: Place, environ: Mapping[str, str]) -> Iterator[Remembered]:
    """Open the memory that a request is about, with what is public and what the user's keys open.

    Raises:
        NoMemory: There is none.
    """
    git = Git(environ)
    repository = discover(Path(place.start), git)
    settings = load(repository, environ)._replace(memory_ref=place.ref)
    storage = open_storage(repository, git)
    private: list[RecallingStorage] = []

    def open_private() -> Storage:
        sealed = sealed_storage(storage, settings, data_folder(environ), secrets.token_bytes)
        root = states.root_of(repository.common_dir)
        private.append(RecallingStorage(storage, sealed.ring, root))
        return private[0]

    try:
        memory = open_all(storage, settings, open_private, absent_at(repository.state_dir))
        yield Remembered(memory, storage, private[0] if private else None)
    finally:
        storage.close()


class _Work(NamedTuple):
    """An index that is brought to where a memory is, and what `State.ref` and `State.tip` are to be then."""

    root: Path
    memory: Memory
    storage: Storage
    private: RecallingStorage | None
    ref: str
    tip: str

    @property
    def state_dir(self) -> Path:
        return self.root.parents[1]


@contextmanager
def _at_work(root: Path, place: Place, environ: Mapping[str, str]) -> Iterator[_Work]:
    # Before the memory is opened: what moves in between is seen the next time.
    tip = read_tip(Path(place.common_dir), place.ref, environ)
    with opened_memory(place, environ) as opened:
        yield _Work(root, *opened, place.ref, tip.name if tip else "")


def _advance(work: _Work, state: State, teller: Teller, *, is_thorough: bool) -> State:
    """Bring an index that is there to where the memory is."""
    root, memory = work.root, work.memory
    index = LexicalIndex(root / state.folder)
    before = view.comparable(root, memory, state.tree)
    try:
        changes = dict(changed_sessions(*before))
        notes = noting.changed_since(*before, memory, work.state_dir, state.unreadable)
    except (ObjectMissing, ObjectDamaged):
        # An erasure took the tree away that the index was made of.
        return _make(work, teller)
    for session in map(SessionId, noting.without_notes(state.unreadable)):
        changes.setdefault(session, memory.find(session))
    if memory.root != state.tree:
        changes |= {session: memory.find(session) for session in _forks_of_changed(memory, state, changes)}
    if not (changes or notes.notes):
        left = _Left(dict(state.unreadable), dict(state.forks), state.worn)
        return _publish(work, state.folder, left, state.round)
    round_number = state.round + 1
    # One that was killed behind its commit took something out that no state tells of.
    was_killed = states.is_changing(root)
    states.begin_change(root)
    absent = (name for name, now in (*changes.items(), *notes.notes.items()) if now is None)
    gone = [name for name in absent if index.holds(name)]
    most = max(_FEW_BESIDE, int(_MOST_BESIDE * index.size)) if is_thorough else _FEW_BESIDE
    beside = index.beside(gone, most) if gone else {}
    if beside:
        notes = noting.and_those_beside(notes, memory, work.state_dir, beside)
    left = _apply(index, memory, changes, notes, teller, round_number, beside or {})
    if gone and (beside is None or not _is_clean(root / state.folder, gone)):
        left = left._replace(worn=left.worn.and_also(Worn(gone=len(gone))))
    unread = (name for name in noting.without_notes(state.unreadable) if name not in changes)
    left.unreadable.update({name: state.unreadable[name] for name in unread})
    left.forks.update({name: fork for name, fork in state.forks.items() if name not in changes})
    left = left._replace(worn=state.worn.and_also(left.worn, was_killed=was_killed))
    return _publish(work, state.folder, left, round_number)


def _is_worn(root: Path, state: State) -> bool:
    worn = state.worn
    if worn.gone or not worn.turns:
        return worn.gone > 0
    return worn.turns > _MOST_WORN * LexicalIndex(root / state.folder).count().turns


def _forks_of_changed(memory: Memory, state: State, changes: Container[SessionId]) -> Iterator[SessionId]:
    """Yield sessions that are as they were, but were forked from one that is not."""
    for session, fork in state.forks.items():
        if session in changes:
            continue
        try:
            has_changed = caching.origin_ids(memory, fork.agent, fork.forked_from) != fork.origins
        except (ObjectDamaged, ObjectMissing, RecordRefused):
            has_changed = True  # and reading the fork will say so
        if has_changed:
            yield SessionId(session)


def _make(work: _Work, teller: Teller) -> State:
    """Make an index anew, beside the one that is there."""
    folder = states.new_folder(work.root)
    create(folder)
    sessions = {found.session: found for found in work.memory.folders()}
    notes = noting.every(work.memory, work.state_dir)
    left = _apply(LexicalIndex(folder), work.memory, sessions, notes, teller, 1, {})
    return _publish(work, folder.name, left, 1)


def _publish(work: _Work, folder: str, left: _Left, round_number: int) -> State:
    root, memory = work.root, work.memory
    view.keep(root, memory, work.storage)
    state = State(
        schema=SCHEMA_VERSION,
        reader=READER_VERSION,
        gitmem=gitmem.__version__,
        ref=work.ref,
        commit=memory.commit,
        tree=memory.root,
        folder=folder,
        round=round_number,
        worn=left.worn,
        unreadable=left.unreadable,
        forks=left.forks,
        tip=work.tip,
    )
    states.publish(root, state)
    states.end_change(root)
    states.sweep(root, state)
    view.sweep(root, state.tree)
    if work.private is not None:
        work.private.keep()
    else:
        recalling.forget(root)
    return state


class _Left(NamedTuple):
    """What an index does not say itself: what cannot be read, what was forked, and what was taken out."""

    unreadable: dict[str, str]
    forks: dict[str, Fork]
    worn: Worn


def _apply(
    index: LexicalIndex,
    memory: Memory,
    changes: Mapping[SessionId, Folder | None],
    notes: noting.Changed,
    teller: Teller,
    round_number: int,
    beside: Mapping[str, int],
) -> _Left:
    """Bring sessions and notes to where they are now, and put those `beside` in again as they are.

    Of these it is told how many of their documents stand in files that they do not share with what has gone.
    """
    left = _Left(dict(notes.unreadable), {}, Worn())
    writer = index.writer(round_number)
    worn = noting.put(index, writer, notes.notes, beside, _take_out)
    again = {SessionId(at) for at in beside if at not in notes.notes} - changes.keys()
    every = {**changes, **{session: memory.find(session) for session in again}}
    for done, (session, folder) in enumerate(every.items()):
        teller.progress(done, len(every))
        reached = index.streams(session)
        if folder is None:
            worn = worn.and_also(_take_out(writer, session, reached, is_gone=False))
            continue
        if session in memory.absent and not reached:
            left.unreadable[session] = "its text is not here"
            continue
        try:
            followed = _follow_session(index, writer, memory, folder, reached, is_anew=session in beside)
        except (ReaderMissing, ObjectDamaged, ObjectMissing, RecordRefused) as error:
            worn = worn.and_also(_take_out(writer, session, reached, is_gone=False))
            left.unreadable[session] = str(error)
        else:
            if session in beside:
                followed = followed._replace(worn=followed.worn._replace(turns=beside[session]))
            worn = worn.and_also(followed.worn)
            if followed.fork is not None:
                left.forks[session] = followed.fork
    writer.commit()
    return left._replace(worn=worn)


def _is_clean(folder: Path, gone: Sequence[str]) -> bool:
    """Remove the files that an index needs no more; tell whether the others have nothing of some sessions."""
    LexicalIndex(folder).writer().collect()
    left = LexicalIndex(folder)
    return not any(left.holds(session) for session in gone)


def _take_out(writer: Writer, session: str, reached: Mapping[str, Reached], *, is_gone: bool) -> Worn:
    """Take a session out of the index; return what that leaves of no use in its files."""
    writer.remove(session)
    if not reached:
        return Worn()
    return Worn(1, int(is_gone), sum(stream.turns for stream in reached.values()))


class _Followed(NamedTuple):
    """What a session was forked from, and what of it was taken out."""

    fork: Fork | None
    worn: Worn


def _follow_session(
    index: LexicalIndex,
    writer: Writer,
    memory: Memory,
    folder: Folder,
    reached: Mapping[str, Reached],
    *,
    is_anew: bool,
) -> _Followed:
    """Bring a session to where it is now, of which the index has what it `reached`; or put it in anew."""
    stored = memory.load(folder)
    if stored.is_hidden:
        # Once it is shown again, it has changed itself.
        return _Followed(None, _take_out(writer, folder.session, reached, is_gone=True))
    worn = Worn()
    documents = Documents(memory, folder, stored)
    has_grown = not is_anew and _add_new(writer, documents, reached)
    if not has_grown:
        worn = _take_out(writer, folder.session, reached, is_gone=False)
        documents = Documents(memory, folder, stored)
        _add_new(writer, documents, {})
    card = documents.card()
    if not has_grown or json.loads(card) != index.card(folder.session):
        writer.put_card(folder.session, card)
    if documents.forked_from is None:
        return _Followed(None, worn)
    agent = stored.record.agent
    origins = caching.origin_ids(memory, agent, documents.forked_from)
    return _Followed(Fork(agent, documents.forked_from, origins), worn)


def _add_new(writer: Writer, entries: Iterable[Entry], reached: Mapping[str, Reached]) -> bool:
    """Add the turns that a session has beyond those in the index.

    Returns:
        Whether those in the index are still the session's own; if not, some may have been added in vain.
    """
    met = dict.fromkeys(reached, 0)
    for entry in entries:
        stream = as_key(entry.stream)
        known = reached.get(stream)
        if known is None or entry.ordinal >= known.turns:
            writer.add(entry)
        elif entry.ordinal == known.turns - 1 and entry.chain != known.chain:
            return False
        if stream in met:
            met[stream] += 1
    return all(met[stream] >= known.turns for stream, known in reached.items())
