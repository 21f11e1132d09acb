"""What waits to be erased: forgotten sessions whose time of grace runs, and those that are old enough.

Clocks may be years apart, and what is erased does not come back. So a time of grace runs out only if it has
run out by this clone's own watch too, counted from when it first saw that the session was forgotten; and how
old a session is counts from the newest capture in the memory, if the clock is ahead of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from gitmem.format.memory import Folder, Memory, changed_sessions
from gitmem.model.errors import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.records import Register
from gitmem.model.times import to_ms
from gitmem.objects import trees
from gitmem.verbs import caching

if TYPE_CHECKING:
    from gitmem.verbs.summaries import Summary

_KIND: Final = "forgotten 1"
DAY_MS: Final = 86_400_000


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """A forgotten session: from when on it may be erased, when it was forgotten by the clock of whoever did,
    and when this clone first saw that by its own; in milliseconds since 1970."""

    session: SessionId
    until_ms: int
    asked_ms: int
    seen_ms: int


class _Known(msgspec.Struct, frozen=True, array_like=True):
    root: Oid
    rows: tuple[Waiting, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)


def waiting(memory: Memory, state_dir: Path, now_ms: int) -> dict[SessionId, Waiting]:
    """Return the forgotten sessions of a memory; only what has changed since the last time is looked at."""
    path = caching.table_path(state_dir, "forgotten", memory)
    known = caching.load(path, _KIND, _decoder)
    rows = {row.session: row for row in known.rows} if known else {}
    if known is not None and known.root == memory.root:
        return rows
    before = known.root if known is not None and memory.storage.contains(known.root) else None
    if before is None:
        seen, rows = rows, {}
    else:
        seen = rows
    for session, folder in changed_sessions(memory, before):
        found = _look(memory, folder, now_ms, seen.get(session)) if folder else None
        rows = {name: row for name, row in rows.items() if name != session}
        if found is not None:
            rows[session] = found
    # Each time, whatever there was: of an older root an erasure may have taken a part.
    caching.write_derived(path, _KIND, _encoder.encode(_Known(memory.root, tuple(rows.values()))))
    return rows


def due(rows: Iterable[Waiting], now_ms: int, least_ms: int = 0) -> Iterator[SessionId]:
    """Yield the sessions whose time of grace is over, by the clock of whoever forgot them and by ours.

    This clone waits for `least_ms` in any case, since when it first saw it: whoever writes that a session is
    forgotten may write any moments.
    """
    for row in rows:
        grace_ms = max(least_ms, row.until_ms - row.asked_ms)
        if row.until_ms <= now_ms and now_ms - row.seen_ms >= grace_ms:
            yield row.session


def outdated(summaries: Iterable[Summary], retention_days: int, now_ms: int) -> Iterator[SessionId]:
    """Yield the sessions that nothing was added to for so many days."""
    known = tuple(summaries)
    newest_ms = max((row.captured_ms for row in known if row.captured_ms is not None), default=0)
    latest_ms = min(now_ms, newest_ms)
    for row in known:
        last_ms = max(row.last_ms, row.captured_ms or 0)
        if last_ms and last_ms < latest_ms - retention_days * DAY_MS:
            yield row.session


def _look(memory: Memory, folder: Folder, now_ms: int, seen: Waiting | None) -> Waiting | None:
    if trees.find(memory.storage, folder.tree, ("registers",)) is None:
        return None
    try:
        registers = memory.load(folder).registers
    except (ObjectDamaged, ObjectMissing, RecordRefused):
        return None  # reading it will say what is wrong
    last = _last(registers)
    if last is None or last.value is None:
        return None
    until_ms, asked_ms = to_ms(str(last.value)), to_ms(last.at)
    is_same = seen is not None and (seen.until_ms, seen.asked_ms) == (until_ms, asked_ms)
    seen_ms = min(seen.seen_ms, now_ms) if seen is not None and is_same else now_ms
    return Waiting(folder.session, until_ms, asked_ms, seen_ms)


def _last(registers: Mapping[RecordId, Register]) -> Register | None:
    written = [(each.clock, name, each) for name, each in registers.items() if each.name == "forgotten"]
    return max(written, key=lambda row: row[:2])[2] if written else None
