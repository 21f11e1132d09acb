"""The storage contract: all that gitmem asks of whatever keeps git's objects and refs.

It is small on purpose. Trees, history and merging are written once above it; an implementation only
reads, writes and moves refs. tests/objects/storage_suite.py holds every implementation to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from gitmem.model.ids import Oid
from gitmem.objects.encoding import HashName, ObjectKind


class Batch(Protocol):
    """New objects on their way in. Nothing is readable, and nothing is left behind, before `publish`."""

    def add(self, kind: ObjectKind, data: bytes) -> Oid:
        """Take one object and return its name; the same object twice is stored once."""
        ...

    def publish(self) -> None:
        """Make every added object durable and readable, in one atomic step. Call once, last."""
        ...


class Storage(Protocol):
    """Objects and refs of one repository."""

    @property
    def hash_name(self) -> HashName:
        """The hash that names objects here."""
        ...

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object.

        Raises:
            ObjectMissing: It is not here.
            ObjectDamaged: It is here and unreadable.
        """
        ...

    def contains(self, oid: Oid) -> bool:
        """Whether the object is here, without reading it."""
        ...

    def begin(self) -> AbstractContextManager[Batch]:
        """Start a batch; leaving the context without `publish` drops it."""
        ...

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at, or None where there is no such ref."""
        ...

    def list_refs(self, prefix: str) -> dict[str, Oid]:
        """Return every ref below a prefix that ends in a slash, and the ref of that very name."""
        ...

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Point a ref at `new` if it still points at `expected` (None: if it does not exist).

        Raises:
            RefMoved: It points elsewhere; nothing changed.
            RefLocked: Another process holds its lock and did not let go of it in time.
        """
        ...

    def lock(self) -> AbstractContextManager[None]:
        """Hold the repository's one lock for writing; a thread that holds it may take it again.

        Raises:
            StoreBusy: Another process held it for too long.
        """
        ...

    def tidy(self) -> None:
        """Put in order what writing left behind (consolidate packs). Under the lock; changes no content."""
        ...

    def close(self) -> None:
        """Let go of processes and open files; the storage is not used again."""
        ...


def add_all(storage: Storage, objects: Iterable[tuple[ObjectKind, bytes]]) -> list[Oid]:
    """Store objects in one batch and return their names, in order."""
    with storage.begin() as batch:
        oids = [batch.add(kind, data) for kind, data in objects]
        batch.publish()
    return oids
