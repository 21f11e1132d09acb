"""Checkpoints in a memory: finding and reading them. They stand side by side, and none is ever changed."""

from __future__ import annotations

from collections.abc import Iterator

from gitmem.format import layout, records
from gitmem.format.memory import Memory
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Checkpoint
from gitmem.objects import trees
from gitmem.objects.encoding import Entry

_TOP = "checkpoints"
_FAN_DIGITS = 4


def find(memory: Memory, name: RecordId) -> Checkpoint | None:
    """Read a checkpoint, if the memory has it.

    Raises:
        RecordRefused: It is no record that gitmem writes, or not what its name says.
        ObjectDamaged: It does not decode.
    """
    path = layout.checkpoint_path(name)
    entry = trees.find(memory.storage, memory.root, path)
    return None if entry is None else _read(memory, path, entry)


def contains(memory: Memory, name: RecordId) -> bool:
    """Whether the memory has a checkpoint, without reading it."""
    return trees.find(memory.storage, memory.root, layout.checkpoint_path(name)) is not None


def find_prefix(memory: Memory, prefix: str) -> tuple[RecordId, ...]:
    """Return the names of the checkpoints that begin so; `prefix` has four hex digits or more."""
    folder = (_TOP, prefix[:2], prefix[2:_FAN_DIGITS])
    parent = trees.find(memory.storage, memory.root, folder)
    if parent is None or not parent.is_tree:
        return ()
    return tuple(
        RecordId(prefix[:_FAN_DIGITS] + rest)
        for rest in sorted(trees.read_tree(memory.storage, parent.oid))
        if rest.startswith(prefix[_FAN_DIGITS:])
    )


def changed(memory: Memory, since: Oid | None) -> Iterator[tuple[RecordId, Checkpoint | None]]:
    """Yield the checkpoints that came in since a root tree (None: the empty one); None for what is gone.

    Cost follows what differs. One that is damaged or was never written by gitmem counts as gone; `verify`
    names it.
    """
    old = trees.find(memory.storage, since, (_TOP,))
    new = trees.find(memory.storage, memory.root, (_TOP,))
    differences = trees.diff(
        memory.storage,
        old.oid if old and old.is_tree else None,
        new.oid if new and new.is_tree else None,
        (_TOP,),
        opens=_may_open,
    )
    for path, _, now in differences:
        name = RecordId("".join(path[1:]))
        try:
            yield name, None if now is None else _read(memory, path, now)
        except (RecordRefused, ObjectDamaged):
            yield name, None


def _may_open(path: trees.Path, entry: Entry) -> bool:
    try:
        layout.check_folder(path, entry)
    except RecordRefused:
        return False
    return True


def _read(memory: Memory, path: trees.Path, entry: Entry) -> Checkpoint:
    name = layout.check_entry(path, entry).name
    blob = trees.read_blob(memory.storage, entry.oid)
    return records.unseal(blob, name, "/".join(path), Checkpoint)
