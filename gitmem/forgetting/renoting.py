"""Writing a note anew that today's rules would redact: it gets another name, and its registers with it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from gitmem.format import layout, notes, records
from gitmem.format.memory import Memory
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import RecordId
from gitmem.model.records import Note, Register
from gitmem.objects import trees
from gitmem.objects.storage import Batch
from gitmem.verbs.moving import Changes, Target

_R = TypeVar("_R", Note, Register)


def note_at(place: str) -> RecordId | None:
    """Return the note that something at a path of the tree belongs to; None where that is of no note."""
    path = tuple(place.split("/"))
    target = layout.target_at(path)
    return RecordId(target) if target is not None and path[0] == "notes" else None


def note_anew(memory: Memory, name: RecordId, target: Target, batch: Batch) -> Changes:
    """Return what puts a note in the place of itself, redacted; one that another has superseded only goes,
    for nothing would say of the new one that it does not stand."""
    stored = notes.find(memory, name)
    if stored is None:
        return {}
    changes: Changes = {layout.note_folder(name): None}
    if _is_superseded(memory, name):
        return changes
    note = _redacted(target, stored.record)
    new, blob = records.seal(note)
    changes[layout.note_path(new)] = batch.add("blob", blob)
    for register in stored.registers.values():
        moved = msgspec.structs.replace(_redacted(target, register), target=new)
        register_name, blob = records.seal(moved)
        changes[layout.note_register_path(new, register_name)] = batch.add("blob", blob)
    return changes


def register_anew(memory: Memory, place: str, target: Target, batch: Batch) -> Changes:
    """Return what puts a register of a note in the place of itself, redacted; the note's own record stays."""
    path = tuple(place.split("/"))
    entry = trees.find(memory.storage, memory.root, path)
    name = note_at(place)
    if entry is None or name is None or layout.check_entry(path, entry).kind != "register":
        return {}
    blob = trees.read_blob(memory.storage, entry.oid)
    register = records.unseal(blob, layout.place(path).name, place, Register)
    new, sealed = records.seal(_redacted(target, register))
    return {path: None, layout.note_register_path(name, new): batch.add("blob", sealed)}


def _redacted(target: Target, record: _R) -> _R:
    found = records.decode(target.redactor.line(records.encode(record)), "a note")
    assert isinstance(found, type(record)), "redaction changes texts, and no kind"
    return found


def _is_superseded(memory: Memory, name: RecordId) -> bool:
    for other, tree in notes.changed(memory, None):
        if tree is None or other == name:
            continue
        try:
            if name in notes.load(memory, other, tree).record.supersedes:
                return True
        except (ObjectDamaged, ObjectMissing, RecordRefused):
            continue  # `verify` names it
    return False
