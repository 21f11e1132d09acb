"""Which sessions' text stayed with a remote, and bringing it here when somebody reads one.

A session that stands in the table was taken into the memory on its word. It leaves the table when its text
has come and has been looked at as a pull looks at what comes in; nobody reads it before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gitmem.format.absent import NOTHING, Absent, Bring
from gitmem.format.admission import admit_session
from gitmem.format.memory import Folder, open_memory
from gitmem.git.fetching import fetch_whole
from gitmem.git.lean import days_kept, fetch_named, keep_all
from gitmem.git.transport import Remote
from gitmem.model.errors.sharing import FetchRefused
from gitmem.model.errors.store import ObjectMissing, RecordRefused, TextNotHere
from gitmem.model.ids import Oid, SessionId
from gitmem.model.refs import tracking_ref
from gitmem.objects import trees
from gitmem.objects.storage import Storage
from gitmem.verbs.absent_table import note_absent, read_absent


def absent_at(state_dir: Path, bring: Callable[[str], Bring] | None = None) -> Callable[[str], Absent]:
    """Return what says what is absent of the memory at a ref; `bring` makes what fetches a session of it."""

    def absent(ref: str) -> Absent:
        sessions = read_absent(state_dir, ref)
        return Absent(sessions, bring(ref) if bring else None) if sessions else NOTHING

    return absent


def bring(storage: Storage, remote: Remote | None, state_dir: Path, ref: str, session: SessionId) -> None:
    """Fetch all that is not here of a session, over one connection, and have it checked.

    Raises:
        TextNotHere: The remote does not answer, does not give it, or gave what does not belong.
    """
    folder = open_memory(storage, ref).find(session)
    if folder is None:
        return
    missing = list(missing_below(storage, folder.tree))
    while missing:
        if remote is None:
            raise TextNotHere(session, "no remote is left that keeps it")
        try:
            fetch_named(remote, missing, small=True)
        except FetchRefused as error:
            raise TextNotHere(session, f"{remote.name} does not give it: {error.said}") from error
        still = list(missing_below(storage, folder.tree))
        if set(still) & set(missing):
            raise TextNotHere(session, f"{remote.name} has no more of it")
        missing = still
    settle(storage, state_dir, ref, folder)


def settle(storage: Storage, state_dir: Path, ref: str, folder: Folder) -> None:
    """Let a session be read whose text has come, if all of it belongs.

    Raises:
        TextNotHere: It does not; the session stays as it was.
    """
    try:
        refused = admit_session(storage, folder.session, folder.tree).refused
    except RecordRefused as error:
        raise TextNotHere(folder.session, f"what came does not belong: {error}") from error
    if refused:
        where = "/".join(refused[0].path)
        raise TextNotHere(folder.session, f"what came does not belong: {where}: {refused[0].why}")
    with storage.lock():
        note_absent(state_dir, ref, read_absent(state_dir, ref) - {folder.session})


def become_whole(storage: Storage, remote: Remote, refs: Sequence[str]) -> list[tuple[SessionId, str]]:
    """Fetch all that stayed with a remote, and be lean no more; return what did not belong, and why.

    Raises:
        FetchRefused: It could not be fetched.
    """
    state_dir = remote.repository.state_dir
    known = [ref for ref in refs if storage.read_ref(tracking_ref(remote.name, ref)) is not None]
    if days_kept(remote) is None or not known:
        return []
    fetch_whole(remote, storage, known)
    keep_all(remote.repository, remote.git, remote.name)
    left = []
    for ref in known:
        memory = open_memory(storage, ref)
        for session in sorted(read_absent(state_dir, ref)):
            folder = memory.find(session)
            try:
                if folder is not None:
                    settle(storage, state_dir, ref, folder)
            except TextNotHere as error:
                left.append((session, error.why))
    return left


def missing_below(storage: Storage, tree: Oid) -> Iterable[Oid]:
    """Yield, once each, the objects of a session's folder that are not here."""
    seen = {tree}
    todo = [tree]
    while todo:
        oid = todo.pop()
        try:
            entries = trees.read_tree(storage, oid)
        except ObjectMissing:  # seldom: to ask before each would cost half as much as reading it
            yield oid
            continue
        for entry in entries.values():
            if entry.oid in seen:
                continue
            seen.add(entry.oid)
            if entry.is_tree:
                todo.append(entry.oid)
            elif not storage.contains(entry.oid):
                yield entry.oid
