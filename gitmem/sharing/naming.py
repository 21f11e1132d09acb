"""What people call a session that one of several memories has, or had."""

from __future__ import annotations

from collections.abc import Iterable

from gitmem.format import layout, records
from gitmem.format.memory import Memory
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import SessionId, SessionKey
from gitmem.model.records import Session
from gitmem.objects import trees


def key_of(memories: Iterable[Memory], session: SessionId) -> SessionKey | None:
    """Return what people call a session, from the first of the memories that has it readable; or None."""
    path = layout.session_path(session)
    for memory in memories:
        entry = trees.find(memory.storage, memory.root, path)
        if entry is not None and not entry.is_tree:
            blob = trees.read_blob(memory.storage, entry.oid)
            try:
                record = records.unseal(blob, session, "/".join(path), Session)
            except (RecordRefused, ObjectDamaged):
                continue  # its id has to do; `verify` says more
            return SessionKey(record.agent, record.native_id)
    return None
