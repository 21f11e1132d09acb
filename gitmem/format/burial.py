"""What is gone from a memory for good: a tombstone names it, and it is not taken in again.

Tombstones stand by what they name, so that whether something is gone is one look-up, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitmem.format import layout, records
from gitmem.format.memory import Memory
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import Oid, RecordId, SessionId, SessionKey
from gitmem.model.records import Tombstone
from gitmem.model.settings import Level, level_at
from gitmem.objects import trees
from gitmem.objects.encoding import Entry
from gitmem.objects.storage import Storage


def is_buried(storage: Storage, root: Oid | None, target: str, level: Level) -> bool:
    """Whether the memory of a level with this root has a tombstone for a session, a note or a checkpoint.

    Raises:
        ObjectMissing: An object is not here.
    """
    folder = trees.find(storage, root, layout.tombstone_folder(target))
    if folder is None or not folder.is_tree:
        return False
    return counts_any(storage, target, trees.read_tree(storage, folder.oid), level)


def counts_any(storage: Storage, target: str, entries: Mapping[str, Entry], level: Level) -> bool:
    """Whether any of the files in the tombstones' folder of a target is one that counts at a level."""
    return any(tombstone.level == level for _, tombstone in _readable(storage, target, entries))


def tombstones_of(storage: Storage, root: Oid | None, target: str) -> dict[RecordId, Tombstone]:
    """Return the tombstones that name a target, by their names; one that cannot be read is left out."""
    folder = trees.find(storage, root, layout.tombstone_folder(target))
    if folder is None or not folder.is_tree:
        return {}
    return dict(_readable(storage, target, trees.read_tree(storage, folder.oid)))


def buried_with(memory: Memory, key: SessionKey) -> frozenset[SessionId]:
    """Return the ids of the sessions of one key that are gone from a memory.

    A transcript whose beginning other rules redact otherwise has another id, and is the same session.
    """
    digest, level = records.key_digest(key), level_at(memory.ref)
    parent = trees.find(memory.storage, memory.root, layout.tombstone_folder(digest)[:-1])
    if parent is None or not parent.is_tree:
        return frozenset()
    return frozenset(
        SessionId(digest[:4] + name)
        for name, entry in trees.known_tree(memory.storage, parent.oid).items()
        if name.startswith(digest[4:])
        and entry.is_tree
        and counts_any(memory.storage, digest[:4] + name, trees.read_tree(memory.storage, entry.oid), level)
    )


def all_tombstones(storage: Storage, root: Oid | None) -> Iterator[tuple[RecordId, Tombstone]]:
    """Yield every tombstone of a memory that can be read, in the order of what they name."""
    top = trees.find(storage, root, ("tombstones",))
    if top is None or not top.is_tree:
        return
    for path, entry in trees.walk(storage, top.oid, ("tombstones",)):
        *_, name = path
        yield from _readable(storage, "".join(path[1:-1]), {name: entry})


def names_all(storage: Storage, root: Oid, later: Oid) -> bool:
    """Whether a tree has every tombstone of another: only then may the other's history have it."""
    here, there = (trees.find(storage, each, ("tombstones",)) for each in (root, later))
    if there is None or here == there:
        return True
    before = here.oid if here and here.is_tree else None
    changes = trees.diff(storage, before, there.oid if there.is_tree else None, ("tombstones",), opens=_opens)
    return all(change.old is not None for change in changes)


def _opens(path: trees.Path, entry: Entry) -> bool:
    try:
        layout.check_folder(path, entry)
    except RecordRefused:
        return False
    return True


def without_buried(
    storage: Storage, root: Oid | None, changes: Mapping[trees.Path, Oid | None], level: Level
) -> dict[trees.Path, Oid | None]:
    """Return changes of a memory's tree without those that would bring back what is gone from it."""
    if trees.find(storage, root, ("tombstones",)) is None:
        return dict(changes)
    known: dict[str, bool] = {}
    kept: dict[trees.Path, Oid | None] = {}
    for path, oid in changes.items():
        target = layout.target_at(path)
        if target is not None and target not in known:
            known[target] = is_buried(storage, root, target, level)
        if oid is None or target is None or not known[target]:
            kept[path] = oid
    return kept


def _readable(
    storage: Storage, target: str, entries: Mapping[str, Entry]
) -> Iterator[tuple[RecordId, Tombstone]]:
    for name, entry in sorted(entries.items()):
        path = (*layout.tombstone_folder(target), name)
        try:
            layout.check_entry(path, entry)
            record = records.unseal(trees.read_blob(storage, entry.oid), name, "/".join(path), Tombstone)
        except (RecordRefused, ObjectDamaged):
            continue  # `verify` names it
        if record.target == target:
            yield RecordId(name), record
