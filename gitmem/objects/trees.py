"""Trees: look up, walk, edit and compare them, over any storage.

Cost follows what is touched or differs, never how much there is: equal subtrees are never opened.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from gitmem.model.errors.store import ObjectDamaged
from gitmem.model.ids import Oid
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry, decode_tree, encode_tree
from gitmem.objects.storage import Batch, Storage

Path = tuple[str, ...]
"""A path in a tree, part by part."""


class Change(NamedTuple):
    """One path that differs: `old` is None where it was added, `new` where it is gone."""

    path: Path
    old: Entry | None
    new: Entry | None


def read_tree(storage: Storage, oid: Oid | None) -> dict[str, Entry]:
    """Return a tree's entries by name; None is the empty tree.

    Raises:
        ObjectMissing: It is not here.
        ObjectDamaged: The object is no tree.
    """
    if oid is None:
        return {}
    kind, data = storage.read(oid)
    if kind != "tree":
        raise ObjectDamaged(oid, f"expected a tree, found a {kind}")
    return decode_tree(data, len(oid) // 2, oid)


def known_tree(storage: Storage, oid: Oid | None) -> Mapping[str, Entry]:
    """Return a tree's entries as `read_tree` does, from a small cache where they were asked for before.

    For trees on the way to one path: finding and editing pass the same few again and again.

    Raises:
        ObjectMissing, ObjectDamaged: As `read_tree` does.
    """
    if oid is None:
        return {}
    cache = _caches.get(storage)
    if cache is None:
        cache = _caches[storage] = _Cache()
    entries = cache.get(oid)
    if entries is None:
        entries = read_tree(storage, oid)
        cache.put(oid, entries)
    return entries


class _Cache:
    """Decoded trees by their ids, those not used for longest leaving first."""

    def __init__(self) -> None:
        self._trees: OrderedDict[Oid, dict[str, Entry]] = OrderedDict()
        self._entries = 0

    def get(self, oid: Oid) -> dict[str, Entry] | None:
        entries = self._trees.get(oid)
        if entries is not None:
            self._trees.move_to_end(oid)
        return entries

    def put(self, oid: Oid, entries: dict[str, Entry]) -> None:
        if oid in self._trees:
            return
        self._trees[oid] = entries
        self._entries += len(entries)
        while self._entries > _MAX_CACHED_ENTRIES and len(self._trees) > 1:
            self._entries -= len(self._trees.popitem(last=False)[1])


_MAX_CACHED_ENTRIES = 50_000
"""About 15 MB: a hundred commits' worth of trees."""
_caches: WeakKeyDictionary[Storage, _Cache] = WeakKeyDictionary()


def read_blob(storage: Storage, oid: Oid) -> bytes:
    """Return a blob's bytes.

    Raises:
        ObjectMissing: It is not here.
        ObjectDamaged: The object is no blob.
    """
    kind, data = storage.read(oid)
    if kind != "blob":
        raise ObjectDamaged(oid, f"expected a blob, found a {kind}")
    return data


def find(storage: Storage, root: Oid | None, path: Path) -> Entry | None:
    """Return the entry at a path below a tree, or None."""
    entry: Entry | None = Entry(TREE_MODE, root) if root else None
    for part in path:
        if entry is None or not entry.is_tree:
            return None
        entry = known_tree(storage, entry.oid).get(part)
    return entry


def walk(storage: Storage, root: Oid | None, prefix: Path = ()) -> Iterator[tuple[Path, Entry]]:
    """Yield every entry below a tree that is not itself a tree, in git's order of names."""
    for name, entry in sorted(read_tree(storage, root).items()):
        if entry.is_tree:
            yield from walk(storage, entry.oid, (*prefix, name))
        else:
            yield (*prefix, name), entry


def edit(
    storage: Storage,
    batch: Batch,
    root: Oid | None,
    changes: Mapping[Path, Oid | None],
    *,
    mode: int = FILE_MODE,
) -> Oid | None:
    """Write a tree with some blobs put in place (None: taken out) and return its name.

    Only trees on the way to a change are read and written. A folder left empty is taken out. With the mode of
    a tree, whole folders are put in place.

    Returns:
        The new tree's name; None if nothing is left in it.
    """
    here: dict[str, Oid | None] = {}
    below: dict[str, dict[Path, Oid | None]] = {}
    for path, oid in changes.items():
        if len(path) == 1:
            here[path[0]] = oid
        else:
            below.setdefault(path[0], {})[path[1:]] = oid
    entries = dict(known_tree(storage, root))
    for name, deeper in below.items():
        old = entries.get(name)
        new = edit(storage, batch, old.oid if old and old.is_tree else None, deeper, mode=mode)
        if new is None:
            entries.pop(name, None)
        else:
            entries[name] = Entry(TREE_MODE, new)
    for name, oid in here.items():
        if oid is None:
            entries.pop(name, None)
        else:
            entries[name] = Entry(mode, oid)
    return batch.add("tree", encode_tree(entries)) if entries else None


def diff(
    storage: Storage,
    old: Oid | None,
    new: Oid | None,
    prefix: Path = (),
    *,
    opens: Callable[[Path, Entry], bool] = lambda path, entry: True,
) -> Iterator[Change]:
    """Yield what differs between two trees, file by file, in order of names.

    `opens` is asked of every folder that differs, on either side, before it is read; one that it says no to
    counts as empty. Without it only trees that gitmem made may be compared: a stranger's may unfold for ever.
    """
    if old == new:
        return
    before, after = read_tree(storage, old), read_tree(storage, new)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        path = (*prefix, name)
        was_tree = was.oid if was and was.is_tree and opens(path, was) else None
        now_tree = now.oid if now and now.is_tree and opens(path, now) else None
        if was_tree or now_tree:
            yield from diff(storage, was_tree, now_tree, path, opens=opens)
        was_file = was if was and not was.is_tree else None
        now_file = now if now and not now.is_tree else None
        if was_file != now_file:
            yield Change(path, was_file, now_file)
