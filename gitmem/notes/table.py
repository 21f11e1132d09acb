"""The notes of a memory as a table, kept in a local cache, so that listing them costs a few milliseconds.

The cache is of one tree of notes: while no note changes, nothing is looked at, however much is captured.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import msgspec

from gitmem.format import notes
from gitmem.format import registers as written
from gitmem.format.memory import Memory
from gitmem.format.notes import StoredNote
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Author, NoteType, Position
from gitmem.model.times import to_ms
from gitmem.verbs import caching

SCHEMA_VERSION = 3
"""Goes up whenever a Row changes, or what stands in it."""

DONE = "done"


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A note with what has become of it; moments are milliseconds since 1970 in UTC.

    `title` is None where nobody gave it one. `done_by` is the address of whoever marked it as done, empty
    where nobody did. `forgotten_ms` is from when on it may be erased, `hidden_by` are
    the addresses of those by whose word it is removed.
    """

    name: RecordId
    tree: Oid
    type: NoteType
    text: str
    at_ms: int
    author: Author
    agent: str | None
    due_ms: int | None
    supersedes: tuple[RecordId, ...]
    about: tuple[Position, ...]
    files: tuple[str, ...]
    tags: tuple[str, ...]
    title: str | None
    titled_by: str
    is_done: bool
    done_by: str
    is_hidden: bool
    forgotten_ms: int | None
    hidden_by: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True, array_like=True):
    """All notes of one tree, the newest first, and those that cannot be read, with why."""

    root: Oid | None
    rows: tuple[Row, ...]
    unreadable: tuple[tuple[RecordId, str], ...] = ()


def read(memory: Memory, state_dir: Path | None) -> Table:
    """Return all notes of a memory, reading those that have changed since last time.

    Without `state_dir` nothing is kept. One that cannot be read is named, and tried again next time.

    Raises:
        StoreError: The memory itself cannot be read.
    """
    path = caching.table_path(state_dir, "notes", memory) if state_dir else None
    known = caching.load(path, _KIND, _decoder) if path else None
    root = notes.notes_tree(memory)
    if known is not None and known.root == root and not known.unreadable:
        return known
    before = {row.name: row for row in known.rows} if known else {}
    rows: list[Row] = []
    unreadable: list[tuple[RecordId, str]] = []
    # From nothing: naming every folder is cheap, and there is no tree of last time that could be gone.
    for name, tree in notes.changed(memory, None):
        assert tree is not None, "nothing is gone from an empty tree"
        row = before.get(name)
        if row is None or row.tree != tree:
            try:
                row = row_of(notes.load(memory, name, tree))
            except (ObjectDamaged, ObjectMissing, RecordRefused) as error:
                unreadable.append((name, str(error)))
                continue
        rows.append(row)
    table = Table(root, tuple(sorted(rows, key=_newest_first)), tuple(unreadable))
    if path and table != known and (known is not None or root is not None):
        caching.write_derived(path, _KIND, _encoder.encode(table))
    return table


def row_of(stored: StoredNote) -> Row:
    """Say what a note comes to."""
    record = stored.record
    tags, title, forgotten = stored.value("tags"), stored.value("title"), stored.value("forgotten")
    named = written.last(stored.registers, "title")
    state = written.last(stored.registers, "state")
    is_done = state is not None and state.value == DONE
    return Row(
        name=stored.id,
        tree=stored.tree,
        type=record.type,
        text=record.text,
        at_ms=to_ms(record.at),
        author=record.author,
        agent=record.agent,
        due_ms=None if record.due is None else to_ms(record.due),
        supersedes=record.supersedes,
        about=record.about,
        files=record.files,
        tags=tuple(sorted(set(tags))) if isinstance(tags, tuple) else (),
        title=title if isinstance(title, str) and title else None,
        titled_by=named.author.email if named and named.value else record.author.email,
        is_done=is_done,
        done_by=state.author.email if state and is_done else "",
        is_hidden=stored.is_hidden,
        forgotten_ms=to_ms(forgotten) if isinstance(forgotten, str) else None,
        hidden_by=written.hidden_by(stored.registers),
    )


def forget(state_dir: Path, gone: Container[str]) -> int:
    """Take notes that are gone out of all tables; return how many tables had any.

    Raises:
        DiskRefused: The disk does not let it.
    """

    def without(known: Table) -> Table:
        return Table(
            known.root,
            tuple(row for row in known.rows if row.name not in gone),
            tuple(each for each in known.unreadable if each[0] not in gone),
        )

    return caching.take_out(state_dir, "notes", _KIND, _decoder, without)


_KIND = f"notes {SCHEMA_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Table] = msgspec.msgpack.Decoder(Table)


def _newest_first(row: Row) -> tuple[int, RecordId]:
    return (-row.at_ms, row.name)
