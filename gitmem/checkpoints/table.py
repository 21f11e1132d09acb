"""The checkpoints of a memory as a table, kept in a local cache: reading each record again takes long.

A row has what a checkpoint is found by. What it lists, its changes and its positions, stands in the record.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

import msgspec

from gitmem.format import checkpoints
from gitmem.format.memory import Memory
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Author, Checkpoint, Rewrite, Trigger
from gitmem.model.times import to_ms
from gitmem.verbs import caching

SCHEMA_VERSION = 1
"""Goes up whenever a Row changes, or what stands in it."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """What a checkpoint is found by; `at_ms` is milliseconds since 1970 in UTC."""

    name: RecordId
    at_ms: int
    trigger: Trigger
    author: Author
    head: Oid | None
    branch: str | None
    tree: Oid | None
    rewrites: tuple[Rewrite, ...]
    patches: tuple[str, ...]
    message: str
    change_count: int
    session_count: int


def rows(memory: Memory, state_dir: Path | None) -> tuple[Row, ...]:
    """Return a row for every checkpoint, the newest first, reading those that came in since last time.

    Without `state_dir` nothing is kept.

    Raises:
        StoreError: The memory itself cannot be read.
    """
    path = caching.table_path(state_dir, "checkpoints", memory) if state_dir else None
    known = caching.load(path, _KIND, _decoder) if path else None
    if known is not None and known.root == memory.root:
        return known.rows
    found = {row.name: row for row in known.rows} if known else {}
    try:
        changes = list(checkpoints.changed(memory, known.root if known else None))
    except (ObjectMissing, ObjectDamaged):
        if known is None:
            raise
        found, changes = {}, list(checkpoints.changed(memory, None))  # the tree of last time is gone
    for name, checkpoint in changes:
        if checkpoint is None:
            found.pop(name, None)
        else:
            found[name] = _row(name, checkpoint)
    ordered = _newest_first(found.values())
    if path:
        caching.write_derived(path, _KIND, _encoder.encode(_Known(memory.root, ordered)))
    return ordered


def forget(state_dir: Path, gone: Container[str]) -> int:
    """Take checkpoints that are gone out of all tables; return how many tables had any.

    Raises:
        DiskRefused: The disk does not let it.
    """

    def without(known: _Known) -> _Known:
        return _Known(known.root, tuple(row for row in known.rows if row.name not in gone))

    return caching.take_out(state_dir, "checkpoints", _KIND, _decoder, without)


class _Known(msgspec.Struct, frozen=True, array_like=True):
    root: Oid
    rows: tuple[Row, ...]


_KIND = f"checkpoints {SCHEMA_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)


def _row(name: RecordId, checkpoint: Checkpoint) -> Row:
    return Row(
        name=name,
        at_ms=to_ms(checkpoint.at),
        trigger=checkpoint.trigger,
        author=checkpoint.author,
        head=Oid(checkpoint.head) if checkpoint.head else None,
        branch=checkpoint.branch,
        tree=Oid(checkpoint.tree) if checkpoint.tree else None,
        rewrites=checkpoint.rewrites,
        patches=checkpoint.patches,
        message=checkpoint.message,
        change_count=len(checkpoint.changes) + checkpoint.more_changes,
        session_count=len({position.session for position in checkpoint.positions}),
    )


def _newest_first(found: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(found, key=lambda row: (-row.at_ms, row.name)))
