"""A store in this process's memory: the storage contract without a disk.

Object ids are git's own, so that whatever is tried here can be compared with a real repository.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gitmem.model.errors.store import ObjectMissing, RefMoved
from gitmem.model.ids import Oid
from gitmem.objects.encoding import HashName, ObjectKind, object_id


class InProcessStorage:
    """Objects and refs in dictionaries; safe for threads, gone with the process."""

    def __init__(self, hash_name: HashName = "sha1") -> None:
        self.hash_name: HashName = hash_name
        self._objects: dict[Oid, tuple[ObjectKind, bytes]] = {}
        self._refs: dict[str, Oid] = {}
        self._writing = threading.RLock()

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object."""
        try:
            return self._objects[oid]
        except KeyError:
            raise ObjectMissing(oid) from None

    def contains(self, oid: Oid) -> bool:
        """Whether the object is here."""
        return oid in self._objects

    @contextmanager
    def begin(self) -> Iterator[_InProcessBatch]:
        """Start a batch."""
        yield _InProcessBatch(self.hash_name, self._objects)

    def read_ref(self, ref: str) -> Oid | None:
        """Return what a ref points at."""
        return self._refs.get(ref)

    def list_refs(self, prefix: str) -> dict[str, Oid]:
        """Return every ref below a prefix, and the ref of that very name."""
        return {
            ref: oid
            for ref, oid in sorted(self._refs.items())
            if ref.startswith(prefix) or ref == prefix.removesuffix("/")
        }

    def move_ref(self, ref: str, new: Oid, expected: Oid | None, reason: str) -> None:
        """Point a ref at `new` if it still points at `expected`."""
        with self._writing:
            found = self._refs.get(ref)
            if found != expected:
                raise RefMoved(ref, expected, found)
            if new not in self._objects:
                raise ObjectMissing(new)
            self._refs[ref] = new

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the one lock for writing."""
        with self._writing:
            yield

    def tidy(self) -> None:
        """Nothing to put in order."""

    def close(self) -> None:
        """Nothing to let go of."""


class _InProcessBatch:
    def __init__(self, hash_name: HashName, objects: dict[Oid, tuple[ObjectKind, bytes]]) -> None:
        self._hash_name: HashName = hash_name
        self._objects = objects
        self._new: dict[Oid, tuple[ObjectKind, bytes]] = {}

    def add(self, kind: ObjectKind, data: bytes) -> Oid:
        oid = object_id(kind, data, self._hash_name)
        self._new[oid] = (kind, data)
        return oid

    def publish(self) -> None:
        self._objects.update(self._new)
