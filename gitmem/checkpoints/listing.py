"""Finding checkpoints by name, and telling of them with the names of their sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.checkpoints import table
from gitmem.format import checkpoints
from gitmem.format.memory import Memory
from gitmem.model.errors.naming import CheckpointAmbiguous, CheckpointUnknown
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import RecordId, SessionId, SessionKey
from gitmem.model.records import Checkpoint
from gitmem.verbs.reading import session_record

SHOWN_DIGITS: Final = 12
LEAST_DIGITS: Final = 4
_DIGITS: Final = 64
_CANDIDATES: Final = 5
_HEX: Final = frozenset("0123456789abcdef")


class Entry(NamedTuple):
    """A checkpoint, and what people call its sessions: None for one that is in another memory."""

    name: RecordId
    checkpoint: Checkpoint
    sessions: dict[SessionId, SessionKey | None]


def may_name(text: str) -> bool:
    """Whether a text can be the beginning of a checkpoint's name."""
    return LEAST_DIGITS <= len(text) <= _DIGITS and _HEX.issuperset(text)


def resolve(memory: Memory, text: str, state_dir: Path | None = None) -> RecordId:
    """Return the checkpoint whose name begins so.

    Raises:
        CheckpointUnknown: None does.
        CheckpointAmbiguous: More than one does.
    """
    found = checkpoints.find_prefix(memory, text) if may_name(text) else ()
    if len(found) == 1:
        return found[0]
    if not found:
        newest = table.rows(memory, state_dir)[:_CANDIDATES]
        raise CheckpointUnknown(text, tuple(row.name[:SHOWN_DIGITS] for row in newest))
    digits = next(
        count
        for count in range(SHOWN_DIGITS, _DIGITS + 1)
        if count == _DIGITS or len({name[:count] for name in found}) == len(found)
    )
    raise CheckpointAmbiguous(text, tuple(name[:digits] for name in found))


def read(memory: Memory, name: RecordId) -> Entry:
    """Read a checkpoint.

    Raises:
        CheckpointUnknown: It is not here.
        StoreError: It cannot be read.
    """
    checkpoint = checkpoints.find(memory, name)
    if checkpoint is None:
        raise CheckpointUnknown(name)
    return Entry(name, checkpoint, _names(memory, checkpoint, {}))


def newest(memory: Memory, state_dir: Path | None, limit: int | None) -> Iterator[Entry]:
    """Yield checkpoints, the newest first, each read as it comes; one that is damaged is left to `verify`."""
    known: dict[SessionId, SessionKey | None] = {}
    for row in table.rows(memory, state_dir)[:limit]:
        try:
            checkpoint = checkpoints.find(memory, row.name)
        except (RecordRefused, ObjectDamaged, ObjectMissing):
            continue
        if checkpoint is not None:
            yield Entry(row.name, checkpoint, _names(memory, checkpoint, known))


def _names(
    memory: Memory, checkpoint: Checkpoint, known: dict[SessionId, SessionKey | None]
) -> dict[SessionId, SessionKey | None]:
    sessions = dict.fromkeys(position.session for position in checkpoint.positions)
    for session in _unknown(sessions, known):
        known[session] = _key_of(memory, session)
    return {session: known[session] for session in sessions}


def _unknown(sessions: Iterable[SessionId], known: dict[SessionId, SessionKey | None]) -> list[SessionId]:
    return [session for session in sessions if session not in known]


def _key_of(memory: Memory, session: SessionId) -> SessionKey | None:
    folder = memory.find(session)
    if folder is None:
        return None
    try:
        record = session_record(memory, folder)
    except (RecordRefused, ObjectDamaged, ObjectMissing):
        return None
    return SessionKey(record.agent, record.native_id)
