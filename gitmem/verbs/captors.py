"""Who captured the sessions of a memory, as a table in a local cache: read from their records, and no text.

Like the list of sessions it remembers which tree it is complete for, and reads what has changed since.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

import msgspec

from gitmem.format.memory import Folder, Memory, changed_sessions
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, SessionId
from gitmem.verbs import caching
from gitmem.verbs.listing import Summaries

SCHEMA_VERSION = 1
"""Goes up whenever a Row changes, or what stands in it."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """The addresses of all who captured some of a session, as they stand there."""

    session: SessionId
    captured_by: tuple[str, ...]
    hidden: bool


def captors(memory: Memory, state_dir: Path) -> tuple[Row, ...]:
    """Return a row for every session that can be read, in no order; what cannot is tried again next time.

    Costs a few milliseconds while no session has changed.

    Raises:
        StoreError: The memory itself cannot be read.
    """
    path = caching.table_path(state_dir, "captors", memory)
    known = caching.load(path, _KIND, _decoder) or _Known(None, (), ())
    if known.root == memory.root and not known.refused:
        return known.rows
    rows = {row.session: row for row in known.rows}
    refused: list[SessionId] = []
    todo = list(_changed(memory, known, rows))
    # Whoever has listed the sessions has read them all, which takes long in a memory that was taken over.
    listed = {each.session: each for each in Summaries(memory, state_dir).known()} if todo else {}
    for folder in todo:
        summary = listed.get(folder.session)
        if summary is not None and summary.tree == folder.tree:
            rows[folder.session] = Row(folder.session, summary.captured_by, summary.hidden)
            continue
        try:
            stored = memory.load(folder)
        except (RecordRefused, ObjectMissing, ObjectDamaged):
            rows.pop(folder.session, None)
            refused.append(folder.session)
            continue
        by = sorted({capture.author.email for capture in stored.captures.values()})
        rows[folder.session] = Row(folder.session, tuple(by), stored.is_hidden)
    now = _Known(memory.root, tuple(rows.values()), tuple(refused))
    if now != known:
        caching.write_derived(path, _KIND, _encoder.encode(now))
    return now.rows


def forget(state_dir: Path, gone: Container[str]) -> int:
    """Take sessions that are gone out of all tables; return how many tables had any.

    Raises:
        DiskRefused: The disk does not let it.
    """

    def without(known: _Known) -> _Known:
        return _Known(
            known.root,
            tuple(row for row in known.rows if row.session not in gone),
            tuple(session for session in known.refused if session not in gone),
        )

    return caching.take_out(state_dir, "captors", _KIND, _decoder, without)


def _changed(memory: Memory, known: _Known, rows: dict[SessionId, Row]) -> Iterable[Folder]:
    """Yield what has to be read, and take out of `rows` what is gone."""
    if known.root is not None:
        try:
            found = dict(changed_sessions(memory, known.root))
        except (ObjectMissing, ObjectDamaged):
            pass  # the tree of last time is gone, as after an erasure
        else:
            found |= {session: memory.find(session) for session in known.refused}
            for session, folder in found.items():
                if folder is None:
                    rows.pop(session, None)
                else:
                    yield folder
            return
    rows.clear()
    yield from memory.folders()


class _Known(msgspec.Struct, frozen=True, array_like=True):
    root: Oid | None
    rows: tuple[Row, ...]
    refused: tuple[SessionId, ...]


_KIND = f"captors {SCHEMA_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)
