"""Notes in a memory: finding and loading them. Each has a folder of its own, with its registers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gitmem.format import layout, records
from gitmem.format import registers as written
from gitmem.format.memory import Memory, changed_folders, files_in, register_of
from gitmem.model.errors.store import RecordRefused
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Note, Register, RegisterName
from gitmem.objects import trees

_TOP = "notes"
_FAN_DIGITS = 4


class StoredNote(NamedTuple):
    """All that a memory holds of one note; its tree's id changes if and only if something of it does."""

    id: RecordId
    tree: Oid
    record: Note
    registers: Mapping[RecordId, Register]

    def value(self, name: RegisterName) -> written.Value:
        """Return what was last written to a register: the highest clock, ties by id."""
        return written.value(self.registers, name)

    @property
    def is_hidden(self) -> bool:
        """Whether no reader shows it."""
        return written.is_hidden(self.registers)


def notes_tree(memory: Memory) -> Oid | None:
    """Return the id of the tree of all notes, which changes if and only if any does; None without notes."""
    entry = trees.find(memory.storage, memory.root, (_TOP,))
    return entry.oid if entry and entry.is_tree else None


def find(memory: Memory, name: RecordId) -> StoredNote | None:
    """Load a note, if the memory has it; raises as `load`."""
    entry = trees.find(memory.storage, memory.root, layout.note_folder(name))
    return load(memory, name, entry.oid) if entry and entry.is_tree else None


def find_prefix(memory: Memory, prefix: str) -> tuple[RecordId, ...]:
    """Return the names of the notes that begin so; `prefix` has four hex digits or more."""
    parent = trees.find(memory.storage, memory.root, (_TOP, prefix[:2], prefix[2:_FAN_DIGITS]))
    if parent is None or not parent.is_tree:
        return ()
    return tuple(
        RecordId(prefix[:_FAN_DIGITS] + rest)
        for rest in sorted(trees.read_tree(memory.storage, parent.oid))
        if rest.startswith(prefix[_FAN_DIGITS:])
    )


def changed(memory: Memory, since: Oid | None) -> Iterator[tuple[RecordId, Oid | None]]:
    """Yield the notes that differ from a root tree (None: the empty one), each with its tree of now.

    Cost follows what differs. The tree is None where the note is gone.
    """
    for name, tree in changed_folders(memory, since, _TOP):
        yield RecordId(name), tree


def load(memory: Memory, name: RecordId, tree: Oid) -> StoredNote:
    """Read all records of a note.

    Raises:
        RecordRefused: A record is none that gitmem writes, or not what its name says.
        ObjectMissing: A record is not here.
        ObjectDamaged: A record does not decode.
    """
    own: Note | None = None
    found: dict[RecordId, Register] = {}
    base = layout.note_folder(name)
    for part, entry in trees.read_tree(memory.storage, tree).items():
        path = (*base, part)
        if part == "registers":
            layout.check_folder(path, entry)
            for below, file in files_in(memory.storage, path, entry):
                record_name = RecordId(layout.check_entry(below, file).name)
                blob = trees.read_blob(memory.storage, file.oid)
                found[record_name] = register_of(name, blob, record_name, "/".join(below))
        else:
            layout.check_entry(path, entry)
            own = records.unseal(trees.read_blob(memory.storage, entry.oid), name, "/".join(path), Note)
    if own is None:
        raise RecordRefused("/".join(base), "it has no note record")
    return StoredNote(name, tree, own, found)
