"""Which session wrote to which files, and when: a local table of all sessions of a memory.

The table remembers which tree it is complete for; where something has changed, only that is read.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path

import msgspec

from gitmem.format.memory import Folder, Memory, StoredSession, changed_sessions
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import MAIN_STREAM, Oid, SessionId, SessionKey
from gitmem.model.records import Author
from gitmem.transcripts.read import READER_VERSION
from gitmem.verbs import caching
from gitmem.verbs.naming import title_of
from gitmem.why import edits

SCHEMA_VERSION = 2
"""Goes up whenever a Toucher changes, or what stands in it."""


class Toucher(msgspec.Struct, frozen=True, array_like=True):
    """A session, and the hashes of the names of the files that it wrote to, joined (`edits.name_hash`).

    `captured_by` are the addresses of all who captured some of it.
    """

    session: SessionId
    tree: Oid
    captures: Oid | None
    forked_from: str | None
    origins: tuple[Oid | None, ...]
    agent: str
    native_id: str
    title: str
    author: Author
    model: str | None
    hidden: bool
    started_ms: int | None
    ended_ms: int | None
    names: bytes
    captured_by: tuple[str, ...] = ()

    @property
    def key(self) -> SessionKey:
        """What people call it."""
        return SessionKey(self.agent, self.native_id)

    @property
    def folder(self) -> Folder:
        """Where it stands in the memory that the table is of."""
        return Folder(self.session, self.tree)

    def was_under_way(self, at_ms: int) -> bool:
        """Whether it had begun by a moment and not ended."""
        started_ms, ended_ms = self.started_ms, self.ended_ms
        return started_ms is not None and ended_ms is not None and started_ms <= at_ms <= ended_ms


def touchers(
    memory: Memory, state_dir: Path | None, tell: Callable[[int, int], None] = lambda done, total: None
) -> dict[SessionId, Toucher]:
    """Return a row for every session that can be read, reading those that changed since last time.

    `tell` is called with how many have been read, and of how many. Without `state_dir` nothing is kept.

    Raises:
        StoreError: The memory itself cannot be read.
    """
    path = caching.table_path(state_dir, "touched", memory) if state_dir else None
    known = caching.load(path, _KIND, _decoder) if path else None
    if known is not None and known.root == memory.root and not known.refused:
        return {row.session: row for row in known.rows}
    rows = {row.session: row for row in known.rows} if known else {}
    todo = list(_changed(memory, known, rows))
    refused: list[SessionId] = []
    for done, folder in enumerate(todo):
        tell(done, len(todo))
        if folder.session in memory.absent:
            rows.pop(folder.session, None)  # it tells something once somebody has read it
            refused.append(folder.session)
            continue
        try:
            rows[folder.session] = _row(memory, folder, state_dir)
        except (RecordRefused, ObjectMissing, ObjectDamaged):
            rows.pop(folder.session, None)  # it can tell nothing; `verify` reports it
            refused.append(folder.session)
    now = _Known(memory.root, tuple(rows.values()), tuple(refused))
    if path and now != known:
        caching.write_derived(path, _KIND, _encoder.encode(now))
    return rows


def keep_warm(memory: Memory, state_dir: Path) -> None:
    """Bring the table up where there is one, so that whoever asks next does not wait for it."""
    if caching.table_path(state_dir, "touched", memory).exists():
        touchers(memory, state_dir)


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

    return caching.take_out(state_dir, "touched", _KIND, _decoder, without)


class _Known(msgspec.Struct, frozen=True, array_like=True):
    """The tree that the table is complete for, its rows, and the sessions that could not be read."""

    root: Oid
    rows: tuple[Toucher, ...]
    refused: tuple[SessionId, ...]


_KIND = f"touched {SCHEMA_VERSION}.{edits.SCHEMA_VERSION}.{READER_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)


def _changed(memory: Memory, known: _Known | None, rows: dict[SessionId, Toucher]) -> Iterator[Folder]:
    """Yield what has to be read, and take out of `rows` what is gone."""
    found: dict[SessionId, Folder | None] | None = None
    if known is not None:
        try:
            found = dict(changed_sessions(memory, known.root))
            found |= {session: memory.find(session) for session in known.refused}
        except (ObjectMissing, ObjectDamaged):
            pass  # the tree of last time is gone, as after an erasure
    if found is None:
        found = {folder.session: folder for folder in memory.folders()}
        found |= dict.fromkeys(rows.keys() - found.keys())
    for session, folder in found.items():
        if folder is None:
            rows.pop(session, None)
        elif session not in rows or rows[session].tree != folder.tree:
            yield folder
    yield from _forks(memory, rows, found)


def _forks(
    memory: Memory, rows: Mapping[SessionId, Toucher], changed: Container[SessionId]
) -> Iterator[Folder]:
    """Yield sessions that are as they were, but were forked from one that is not."""
    for session, row in rows.items():
        if row.forked_from is None or session in changed:
            continue
        if row.origins != caching.origin_ids(memory, row.agent, row.forked_from):
            yield row.folder


def _row(memory: Memory, folder: Folder, state_dir: Path | None) -> Toucher:
    stored = memory.load(folder)
    found = edits.remember(memory, folder, stored, state_dir)
    return Toucher(
        session=folder.session,
        tree=folder.tree,
        captures=found.captures,
        forked_from=found.forked_from,
        origins=found.origins,
        agent=stored.record.agent,
        native_id=stored.record.native_id,
        title=title_of(stored) or found.title,
        author=_author(stored),
        model=found.model,
        hidden=stored.is_hidden,
        started_ms=found.started_ms,
        ended_ms=found.ended_ms,
        names=found.names,
        captured_by=tuple(sorted({capture.author.email for capture in stored.captures.values()})),
    )


def _author(stored: StoredSession) -> Author:
    """Return who captured a session first, its own transcript if that was captured at all."""
    captures = sorted(
        stored.captures.values(), key=lambda capture: (capture.stream != MAIN_STREAM, capture.at)
    )
    return captures[0].author if captures else Author("")
