"""The upper trees of several memories that are seen as one, kept beside the index that was made of them.

No storage has such trees, and what has changed since is found by comparing with them. A file stands for one
root. Where it is missing, the index is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gitmem import disk
from gitmem.format.memory import Memory
from gitmem.format.view import Layered
from gitmem.model.ids import Oid
from gitmem.objects import trees
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Storage
from gitmem.verbs import caching

_KIND: Final = "view 1"
_PREFIX: Final = "view-"
_DEPTH_OF_SESSIONS: Final = 3
"""The folders that hold sessions' own: `sessions/ab/cd`."""

_decoder: Final = msgspec.msgpack.Decoder(list[bytes])


def keep(root: Path, memory: Memory, storage: Storage) -> None:
    """Keep the trees of a memory down to its sessions that are not in git's `storage`, if there are any."""
    path = root / f"{_PREFIX}{memory.root}"
    if path.exists():
        return
    kept = list(_trees_beyond(memory, storage, memory.root, 0))
    if kept:
        caching.write_derived(path, _KIND, msgspec.msgpack.encode(kept))


def comparable(root: Path, memory: Memory, tree: str) -> tuple[Memory, Oid]:
    """Return a memory that also has what was kept of an earlier root, and that root."""
    kept = caching.load(root / f"{_PREFIX}{tree}", _KIND, _decoder)
    if kept is None:
        return memory, Oid(tree)
    before = InProcessStorage(memory.storage.hash_name)
    with before.begin() as batch:
        for data in kept:
            batch.add("tree", data)
        batch.publish()
    return memory._replace(storage=Layered([before, memory.storage])), Oid(tree)


def sweep(root: Path, tree: str) -> None:
    """Remove what was kept of other roots; under the lock.

    Raises:
        DiskRefused: The disk does not let it.
    """
    for path in root.glob(f"{_PREFIX}*"):
        if path.name != f"{_PREFIX}{tree}":
            disk.remove_file(path)


def _trees_beyond(memory: Memory, storage: Storage, tree: Oid, depth: int) -> Iterator[bytes]:
    if storage.contains(tree):
        return  # and all below it
    yield memory.storage.read(tree)[1]
    if depth < _DEPTH_OF_SESSIONS:
        for name, entry in trees.read_tree(memory.storage, tree).items():
            if entry.is_tree and (depth or name == "sessions"):
                yield from _trees_beyond(memory, storage, entry.oid, depth + 1)
