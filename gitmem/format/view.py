"""Several memories seen as one, for reading: the team's, one's own private one, and the public one.

A session that more than one has is taken from the first that shows it: a copy that was withdrawn is hidden
there. Nothing can be written through a view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from gitmem.format import layout, records
from gitmem.format.absent import Bring, joined
from gitmem.format.memory import Folder, Memory
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, SessionId
from gitmem.objects import trees
from gitmem.objects.encoding import TREE_MODE, HashName, ObjectKind, object_id
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Batch, Storage


class Layered:
    """Storages read as one: what the first lacks, the next may have. What is new stays in this process.

    `refs` come before theirs.
    """

    def __init__(self, storages: Sequence[Storage], refs: Mapping[str, Oid] | None = None) -> None:
        self._storages, self._refs = tuple(storages), dict(refs or {})
        self._new = InProcessStorage(self.hash_name)

    @property
    def hash_name(self) -> HashName:
        """The hash that names objects here."""
        return self._storages[0].hash_name

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object of any of them."""
        if self._new.contains(oid):
            return self._new.read(oid)
        for storage in self._storages[:-1]:
            try:
                return storage.read(oid)
            except ObjectMissing:
                continue
        return self._storages[-1].read(oid)

    def contains(self, oid: Oid) -> bool:
        """Whether any of them has the object."""
        return self._new.contains(oid) or any(storage.contains(oid) for storage in self._storages)

    @contextmanager
    def begin(self) -> Iterator[Batch]:
        """Start a batch that stays in this process."""
        with self._new.begin() as batch:
            yield batch

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at in the first that has it."""
        if ref in self._refs:
            return self._refs[ref]
        return next((oid for storage in self._storages if (oid := storage.read_ref(ref)) is not None), None)

    def list_refs(self, prefix: str) -> dict[str, Oid]:
        """Return the refs of all of them; of equal names the first's."""
        found: dict[str, Oid] = {}
        for storage in self._storages:
            found = {**storage.list_refs(prefix), **found}
        return found

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Fail: a view is read, and whoever writes has the memory that they write to."""
        raise AssertionError("nothing is written through a view of several memories")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold nothing: a view is read."""
        yield

    def tidy(self) -> None:
        """Nothing to put in order."""

    def close(self) -> None:
        """Leave the storages to whoever opened them."""


def as_one(memories: Sequence[Memory]) -> Memory:
    """Return one memory that has the sessions of all; there is at least one.

    It stands at the commit of the first, and has what else is in that: checkpoints, notes, the files of its
    root.
    """
    first = memories[0]
    if len(memories) == 1:
        return first
    storage = Layered([memory.storage for memory in memories])
    taken: dict[SessionId, Oid] = {}
    absent: list[Mapping[SessionId, Bring | None]] = []
    for memory in memories[1:]:
        mine: list[SessionId] = []
        for folder in memory.folders():
            session = folder.session
            own = first.find(session)
            if session in taken or (own is not None and not _is_hidden(first, session)):
                continue
            if own is None and _is_shown_already(first, memory, folder):
                continue
            if own is None or not _is_hidden(memory, session):
                taken[session] = folder.tree
                mine.append(session)
        absent.append(memory.absent.only(mine))
    with storage.begin() as batch:
        places = {layout.session_folder(session): tree for session, tree in taken.items()}
        root = trees.edit(storage, batch, first.root, places, mode=TREE_MODE) if places else first.root
        batch.publish()
    own_absent = first.absent.only(session for session in first.absent if session not in taken)
    return Memory(storage, first.ref, first.commit, root or first.root, joined([own_absent, *absent]))


def under_git_names(memory: Memory) -> Storage:
    """Return a storage where a memory's commit is called as git would call it, to be verified like any other.

    A sealed memory's commit is named after the refs that it is made of, so that no key is needed to know it.
    """
    kind, data = memory.storage.read(memory.commit)
    commit = object_id(kind, data, memory.storage.hash_name)
    storage = Layered([memory.storage], {memory.ref: commit})
    with storage.begin() as batch:
        batch.add(kind, data)
        batch.publish()
    return storage


def _is_shown_already(first: Memory, memory: Memory, folder: Folder) -> bool:
    """Whether a session that was erased in one of two memories, and is its next incarnation there, is a copy
    of one that the first shows."""
    if not first.find_prefix(folder.session[: records.KEY_DIGITS]):
        return False
    try:
        copies = first.find_copies(memory.record(folder))
    except (ObjectDamaged, ObjectMissing, RecordRefused):
        return False  # reading it will say what is wrong
    return any(not _is_hidden(first, copy.session) for copy in copies)


def _is_hidden(memory: Memory, session: SessionId) -> bool:
    folder = memory.find(session)
    if folder is None or trees.find(memory.storage, folder.tree, ("registers",)) is None:
        return False
    try:
        return memory.load(folder).is_hidden
    except (ObjectDamaged, ObjectMissing, RecordRefused):
        return False  # reading it will say what is wrong
