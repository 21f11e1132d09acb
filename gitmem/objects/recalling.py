"""Reading twice in a row: what was just read is handed out once more."""

from __future__ import annotations

from gitmem.model.ids import Oid
from gitmem.objects.encoding import ObjectKind
from gitmem.objects.storage import Storage

_MOST_HELD_BYTES = 8 << 20


class Recalling:
    """A storage that hands out once more what was just read, without reading it again.

    Whose a folder is, and what a segment builds on, is looked at before the same blob is decoded.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._held: dict[Oid, tuple[ObjectKind, bytes]] = {}
        self._held_bytes = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)

    def read(self, oid: Oid) -> tuple[ObjectKind, bytes]:
        """Return an object, from memory the second time."""
        held = self._held.pop(oid, None)
        if held is not None:
            return held
        found = self._storage.read(oid)
        self._held_bytes += len(found[1])
        if self._held_bytes <= _MOST_HELD_BYTES:
            self._held[oid] = found
        return found

    def forget(self) -> None:
        """Let go of what is held: another folder comes."""
        self._held.clear()
        self._held_bytes = 0
