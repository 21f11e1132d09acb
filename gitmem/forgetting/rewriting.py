"""Redacting again, with today's rules, what of a memory was not shared yet.

What has been sent stays as it was sent: who has it would only bring it back. The rest is written anew on top
of that, in one commit, so that a push sends nothing of what stood there before. What was sent is written anew
only if what stood there is erased: for good, with a tombstone that others follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from gitmem.forgetting.forget import Erasing, Erasure, erase
from gitmem.forgetting.renoting import note_anew, note_at, register_anew
from gitmem.format import codec, layout, notes, records
from gitmem.format.burial import names_all
from gitmem.format.memory import Memory, StoredSession, open_memory
from gitmem.format.records import MAX_RECORD_BYTES
from gitmem.model.errors.sharing import NotUnshared
from gitmem.model.ids import Oid, SessionId
from gitmem.model.records import RegisterName
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, encode_commit
from gitmem.objects.history import is_ancestor
from gitmem.objects.storage import Batch
from gitmem.sealed.sent import root_of, write_anew
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.tips import Tips
from gitmem.sharing.rechecking import Leak
from gitmem.sharing.sealed import tips_of
from gitmem.verbs.committing import SKIP_CI
from gitmem.verbs.moving import Changes, Target, Values, written_anew

_REASON: Final = "redacted again"
_KEPT_VALUES: Final[tuple[RegisterName, ...]] = ("level", "hidden", "forgotten")


class Rewritten(NamedTuple):
    """What was written anew: how many sessions and other records, and the commit that the memory is at."""

    sessions: int
    records: int
    commit: Oid


def rewrite(target: Target, leaks: Iterable[Leak], shared: Oid | None) -> Rewritten:
    """Write anew what leaks, on top of the commit that was shared (None: nothing was).

    Raises:
        NotUnshared: What was shared is not all in this memory; a pull brings it in.
        StoreError: Something cannot be read or written, and nothing has changed.
        RedactionFailed: The redactor cannot do its work, and nothing has changed.
    """
    storage, ref = target.storage, target.ref
    with storage.lock(), storage.begin() as batch:
        memory = open_memory(storage, ref)
        there = open_memory(storage, ref, shared) if shared is not None else None
        is_on_top = shared is not None and is_ancestor(storage, shared, memory.commit)
        # Where something was erased since, nothing of this history was shared, and it begins anew once more.
        if there is not None and not is_on_top and names_all(storage, there.root, memory.root):
            raise NotUnshared(ref)
        found = list(leaks)
        sessions = dict.fromkeys(leak.session for leak in found if leak.session is not None)
        changes: Changes = {}
        for session in sessions:
            changes |= _of_session(memory, there, session, target, batch)
        others = [leak for leak in found if leak.session is None]
        for leak in others:
            changes |= _beside_sessions(memory, there, leak, target, batch)
        tree = trees.edit(storage, batch, memory.root, changes)
        assert tree is not None, "the root's own files are never taken out"
        who = target.writer.sign()
        message = f"Redact again what was not shared yet {SKIP_CI}\n"
        parents = (shared,) if shared is not None and is_on_top else ()
        commit = batch.add("commit", encode_commit(Commit(tree, parents, who, who, message)))
        batch.publish()
        storage.move_ref(ref, commit, memory.commit, "gitmem: redact again what was not shared yet")
        storage.tidy()
    return Rewritten(len(sessions), len(others), commit)


def rewrite_shared(target: Target, erasing: Erasing, leaks: Iterable[Leak]) -> Erasure | None:
    """Write anew what leaks and was shared, and erase what stood there: for good, wherever it was pulled to.

    A session goes on as its next incarnation, with the same name, a checkpoint or a note under another.

    Returns:
        What was erased; None where there was nothing.

    Raises:
        StoreError: Something cannot be read or written, and nothing has changed.
        RedactionFailed: The redactor cannot do its work, and nothing has changed.
    """
    found = list(leaks)
    records_at = {name: leak for leak in found if (name := _record_of(leak)) is not None}
    sessions = dict.fromkeys(leak.session for leak in found if leak.session is not None)

    def adding(memory: Memory, batch: Batch, going: Sequence[str]) -> Changes:
        changes: Changes = {}
        for name in going:
            if name in records_at:
                changes |= _beside_sessions(memory, None, records_at[name], target, batch)
                continue
            folder = memory.find(SessionId(name))
            assert folder is not None, "it was there a moment ago, under the same lock"
            values = _values(memory.load(folder))
            changes |= written_anew(memory, folder, None, target, batch, values, instead=True)[1]
        return changes

    return erase(erasing, [*sessions, *records_at], _REASON, adding)


def _record_of(leak: Leak) -> str | None:
    """Return the checkpoint or note that something of no session stands in."""
    path = tuple(leak.place.split("/"))
    is_either = leak.session is None and path[0] in ("checkpoints", "notes")
    return layout.target_at(path) if is_either else None


def _values(stored: StoredSession) -> Values:
    return {name: stored.value(name) for name in _KEPT_VALUES}


def rewrite_sealed(
    target: Target, storage: SealedStorage, leaks: Iterable[Leak], remotes: Iterable[str]
) -> int:
    """Write private sessions anew, each on top of what the remotes had of it when last fetched.

    One whose remotes went apart, or whose name would be another, is left as it is.

    Returns:
        How many were written.

    Raises:
        StoreError: Something cannot be read or written.
        RedactionFailed: The redactor cannot do its work, and nothing has changed.
    """
    sent = [tips_of(storage.base, remote) for remote in remotes]
    memory = open_memory(storage, target.ref)
    folders: dict[SessionId, Oid] = {}
    with storage.begin() as batch:
        for session in dict.fromkeys(leak.session for leak in leaks if leak.session is not None):
            # Of several remotes the one that has it: where two have it differently, nothing is written.
            shared = next((root for one in sent if (root := _shared_root(storage, one, session))), None)
            there = memory._replace(root=shared) if shared is not None else None
            changes = _of_session(memory, there, session, target, batch)
            batch.publish()
            root = trees.edit(storage, batch, memory.root, changes)
            batch.publish()
            entry = trees.find(storage, root, layout.session_folder(session))
            if entry is not None:
                folders[session] = entry.oid
    return write_anew(storage, folders, sent)


def _shared_root(storage: SealedStorage, sent: Mapping[str, Tips], session: SessionId) -> Oid | None:
    root = root_of(storage, sent)
    return root if trees.find(storage, root, layout.session_folder(session)) is not None else None


def _of_session(
    memory: Memory, there: Memory | None, session: SessionId, target: Target, batch: Batch
) -> Changes:
    folder = memory.find(session)
    if folder is None:
        return {}
    base = layout.session_folder(session)
    old = there.find(session) if there is not None else None
    changes: Changes = {
        change.path: None
        for change in trees.diff(memory.storage, old.tree if old else None, folder.tree, base)
        if change.old is None
    }
    stored = memory.load(folder)
    return changes | written_anew(memory, folder, there, target, batch, _values(stored))[1]


def _beside_sessions(
    memory: Memory, there: Memory | None, leak: Leak, target: Target, batch: Batch
) -> Changes:
    """Write a checkpoint or a note anew; of a note that is `there` already only what is said of it."""
    note = note_at(leak.place)
    if note is None:
        return _of_record(memory, leak, target, batch)
    if there is not None and notes.find(there, note) is not None:
        return register_anew(memory, leak.place, target, batch)
    return note_anew(memory, note, target, batch)


def _of_record(memory: Memory, leak: Leak, target: Target, batch: Batch) -> Changes:
    """Write a checkpoint anew; it gets another name, since that is made of its content."""
    path = tuple(leak.place.split("/"))
    entry = trees.find(memory.storage, memory.root, path)
    if entry is None or layout.check_entry(path, entry).kind != "checkpoint":
        return {}
    plain = codec.decompress(trees.read_blob(memory.storage, entry.oid), leak.place, MAX_RECORD_BYTES)
    record = records.decode(target.redactor.line(plain), leak.place)
    name, blob = records.seal(record)
    return {path: None, layout.checkpoint_path(name): batch.add("blob", blob)}
