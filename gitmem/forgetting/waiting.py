"""What waits to be erased: forgotten sessions whose time of grace runs, and those that are old enough.

Clocks may be years apart, and what is erased does not come back. So a time of grace runs out only if it has
run out by this clone's own watch too, counted from when it first saw that the session was forgotten; and how
old a session is counts from the newest capture in the memory, if the clock is ahead of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from gitmem.format import notes
from gitmem.format import registers as written
from gitmem.format.memory import Folder, Memory, changed_sessions
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.records import Register
from gitmem.model.times import to_ms
from gitmem.objects import trees
from gitmem.verbs import caching

if TYPE_CHECKING:
    from gitmem.verbs.summaries import Summary

_KIND: Final = "forgotten 2"
DAY_MS: Final = 86_400_000

Registers = Mapping[RecordId, Register]


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """A forgotten session or note: from when on it may be erased, when it was forgotten by the clock of
    whoever did, and when this clone first saw that by its own; in milliseconds since 1970. `by` is their
    address."""

    target: str
    until_ms: int
    asked_ms: int
    seen_ms: int
    by: str


class _Known(msgspec.Struct, frozen=True, array_like=True):
    root: Oid
    rows: tuple[Waiting, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)


def waiting(memory: Memory, state_dir: Path, now_ms: int) -> dict[SessionId, Waiting]:
    """Return the forgotten sessions of a memory; only what has changed since the last time is looked at."""

    def look(before: Oid | None) -> Iterator[tuple[str, Registers]]:
        for session, folder in changed_sessions(memory, before):
            yield session, _of_session(memory, folder) if folder else {}

    rows = _waiting(memory, state_dir, now_ms, "forgotten", look)
    return {SessionId(name): row for name, row in rows.items()}


def waiting_notes(memory: Memory, state_dir: Path, now_ms: int) -> dict[RecordId, Waiting]:
    """Return the removed notes of a memory, likewise."""

    def look(before: Oid | None) -> Iterator[tuple[str, Registers]]:
        for name, tree in notes.changed(memory, before):
            yield name, _of_note(memory, name, tree) if tree else {}

    rows = _waiting(memory, state_dir, now_ms, "forgotten-notes", look)
    return {RecordId(name): row for name, row in rows.items()}


def _waiting(
    memory: Memory,
    state_dir: Path,
    now_ms: int,
    table: str,
    look: Callable[[Oid | None], Iterator[tuple[str, Registers]]],
) -> dict[str, Waiting]:
    """Return what waits; `look` yields what differs from a root tree, with the registers that it has now."""
    path = caching.table_path(state_dir, table, memory)
    known = caching.load(path, _KIND, _decoder)
    rows = {row.target: row for row in known.rows} if known else {}
    if known is not None and known.root == memory.root:
        return rows
    before = known.root if known is not None and memory.storage.contains(known.root) else None
    seen, rows = rows, {} if before is None else dict(rows)
    for name, registers in look(before):
        rows.pop(name, None)
        found = _row(name, registers, now_ms, seen.get(name))
        if found is not None:
            rows[name] = found
    caching.write_derived(path, _KIND, _encoder.encode(_Known(memory.root, tuple(rows.values()))))
    return rows


def due(rows: Iterable[Waiting], now_ms: int, least_ms: int = 0) -> Iterator[str]:
    """Yield those whose time of grace is over, by the clock of whoever forgot them and by ours.

    This clone waits for `least_ms` in any case, since when it first saw it: whoever writes that a session is
    forgotten may write any moments.
    """
    for row in rows:
        grace_ms = max(least_ms, row.until_ms - row.asked_ms)
        if row.until_ms <= now_ms and now_ms - row.seen_ms >= grace_ms:
            yield row.target


def outdated(summaries: Iterable[Summary], retention_days: int, now_ms: int) -> Iterator[SessionId]:
    """Yield the sessions that nothing was added to for so many days."""
    known = tuple(summaries)
    newest_ms = max((row.captured_ms for row in known if row.captured_ms is not None), default=0)
    latest_ms = min(now_ms, newest_ms)
    for row in known:
        last_ms = max(row.last_ms, row.captured_ms or 0)
        if last_ms and last_ms < latest_ms - retention_days * DAY_MS:
            yield row.session


def _of_session(memory: Memory, folder: Folder) -> Registers:
    if trees.find(memory.storage, folder.tree, ("registers",)) is None:
        return {}
    try:
        return memory.load(folder).registers
    except (ObjectDamaged, ObjectMissing, RecordRefused):
        return {}  # reading it will say what is wrong


def _of_note(memory: Memory, name: RecordId, tree: Oid) -> Registers:
    try:
        return notes.load(memory, name, tree).registers
    except (ObjectDamaged, ObjectMissing, RecordRefused):
        return {}  # reading it will say what is wrong


def _row(name: str, registers: Registers, now_ms: int, seen: Waiting | None) -> Waiting | None:
    last = written.last(registers, "forgotten")
    if last is None or last.value is None:
        return None
    until_ms, asked_ms = to_ms(str(last.value)), to_ms(last.at)
    by = last.author.email
    is_same = seen is not None and (seen.until_ms, seen.asked_ms, seen.by) == (until_ms, asked_ms, by)
    seen_ms = min(seen.seen_ms, now_ms) if seen is not None and is_same else now_ms
    return Waiting(name, until_ms, asked_ms, seen_ms, by)
