"""Committing to a memory: the one way in which a verb changes what a memory ref points at.

Under the repository's lock, and then by compare-and-swap, since git itself knows nothing of that lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gitmem.format.burial import without_buried
from gitmem.format.memory import open_memory
from gitmem.model.errors.store import NoMemory, RefMoved
from gitmem.model.ids import Oid
from gitmem.model.records import Author
from gitmem.model.settings import level_at
from gitmem.model.times import to_text
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.history import read_commit
from gitmem.objects.storage import Batch, Storage

_TRIES = 8
_LATEST_S = 2**34 - 1
SKIP_CI = "[skip ci]"
"""In every commit: builders that start at any branch stay away."""


class Writer(NamedTuple):
    """Who writes, and the clock that they write by (seconds since 1970)."""

    author: Author
    clock: Callable[[], float]

    def now(self) -> str:
        """Return this moment as a record has it."""
        return to_text(round(self.clock() * 1000))

    def sign(self) -> Signature:
        """Return this moment as a commit has it; in UTC, for a zone says where somebody is.

        A clock that stands at what git cannot know counts as just beginning, or at the end.
        """
        return Signature(self.author.name, self.author.email, to_git_s(self.clock()))


def to_git_s(at_s: float) -> int:
    """Return a moment as git can have it: not before 1970, nor later than its commit-graph knows, in 2514."""
    return min(max(0, int(at_s)), _LATEST_S)


def commit(
    storage: Storage,
    ref: str,
    writer: Writer,
    message: str,
    changes: Mapping[trees.Path, Oid | None],
    batch: Batch,
    *,
    is_first: bool = False,
) -> Oid:
    """Put blobs of a batch into the memory at `ref`, publish the batch and move the ref.

    Where nothing changes, nothing is committed; what has a tombstone stays gone, though a pull brought that
    only now. A memory's first commit has no parent, and must say so.

    Returns:
        The commit that the ref points at.

    Raises:
        NoMemory: There is none, or none any more.
        RefMoved: git moved the ref again and again meanwhile.
        NotAMemory: The ref holds something that gitmem did not write.
    """
    with storage.lock():
        tip = storage.read_ref(ref)
        if tip is None and not is_first:
            raise NoMemory(ref)
        new = _write(storage, ref, tip, writer, message, changes, batch)
        batch.publish()
        for tries in range(_TRIES):
            if new == tip:
                break
            try:
                storage.move_ref(ref, new, tip, f"gitmem: {message.partition(chr(10))[0]}")
                break
            except RefMoved:
                if tries == _TRIES - 1:
                    raise
            tip = storage.read_ref(ref)
            if tip is None:
                raise NoMemory(ref)
            with storage.begin() as again:
                new = _write(storage, ref, tip, writer, message, changes, again)
                again.publish()
        storage.tidy()
    return new


def _write(
    storage: Storage,
    ref: str,
    tip: Oid | None,
    writer: Writer,
    message: str,
    changes: Mapping[trees.Path, Oid | None],
    batch: Batch,
) -> Oid:
    root = None
    if tip is not None:
        open_memory(storage, ref, tip)  # refuses what is no memory, or a newer one's
        root = read_commit(storage, tip).tree
    tree = trees.edit(storage, batch, root, without_buried(storage, root, changes, level_at(ref)))
    if tip is not None and tree == root:
        return tip
    if tree is None:
        tree = batch.add("tree", b"")
    who = writer.sign()
    return batch.add("commit", encode_commit(Commit(tree, (tip,) if tip else (), who, who, message)))
