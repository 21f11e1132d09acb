"""Reading the audit: the entries of all chains, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge
from typing import NamedTuple

from gitmem.auditing.chains import newest_first, open_chain
from gitmem.auditing.entries import Entry, decode
from gitmem.auditing.identity import actor_in, key_of
from gitmem.auditing.journal import Journal
from gitmem.auditing.log import Log
from gitmem.auditing.publishing import DEVICE
from gitmem.model import times
from gitmem.model.errors.store import AuditRefused, ObjectDamaged, ObjectMissing
from gitmem.model.refs import AUDIT_NAMESPACE
from gitmem.objects.storage import Storage


class Wanted(NamedTuple):
    """Which entries are asked for: any where a field says nothing; moments in milliseconds since 1970."""

    actions: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    is_mine: bool = False
    since_ms: int | None = None
    until_ms: int | None = None


class Row(NamedTuple):
    """An entry, and what is known of it here only."""

    entry: Entry
    is_mine: bool
    is_published: bool


def newest(
    storage: Storage, log: Log, wanted: Wanted, on_refused: Callable[[AuditRefused], object]
) -> Iterator[Row]:
    """Yield the entries that are asked for, of all chains, the newest first.

    Each chain is read backwards, in its own order; between chains their clocks decide. Of a chain that does
    not hold, what stands before the damage is left out, and told to `on_refused`.

    Raises:
        AuditKeyDamaged, DiskRefused: What is local cannot be read.
    """
    key = key_of(log.user_dir)
    mine: dict[str, str] = {}

    def is_mine(entry: Entry) -> bool:
        if key is None:
            return False
        if entry.device not in mine:
            mine[entry.device] = actor_in(key, entry.device)
        return mine[entry.device] == entry.actor

    chains = [
        _published(storage, ref, on_refused)
        for ref in sorted(storage.list_refs(AUDIT_NAMESPACE))
        if DEVICE.fullmatch(ref.removeprefix(AUDIT_NAMESPACE))
    ]
    chains += [_unpublished(Journal(log.folder, device), on_refused) for device in _devices(log)]
    for entry, is_published in merge(*chains, key=lambda row: row[0].at, reverse=True):
        row = Row(entry, is_mine(entry), is_published)
        if _fits(row, wanted):
            yield row


def _devices(log: Log) -> list[str]:
    if not log.folder.is_dir():
        return []
    return sorted(path.name for path in log.folder.iterdir() if DEVICE.fullmatch(path.name))


def _published(
    storage: Storage, ref: str, on_refused: Callable[[AuditRefused], object]
) -> Iterator[tuple[Entry, bool]]:
    commit = storage.read_ref(ref)
    if commit is None:
        return
    try:
        for entry in newest_first(open_chain(storage, ref.removeprefix(AUDIT_NAMESPACE), commit)):
            yield entry, True
    except AuditRefused as error:
        on_refused(error)
    except (ObjectDamaged, ObjectMissing) as error:
        on_refused(AuditRefused(ref, str(error)))


def _unpublished(
    journal: Journal, on_refused: Callable[[AuditRefused], object]
) -> Iterator[tuple[Entry, bool]]:
    published = journal.published().number
    for line in reversed(journal.lines()):
        try:
            entry = decode(line, str(journal.path))
        except AuditRefused as error:
            on_refused(error)
            continue
        if entry.number > published:
            yield entry, False


def _fits(row: Row, wanted: Wanted) -> bool:
    entry = row.entry
    if wanted.since_ms is not None or wanted.until_ms is not None:
        at_ms = times.to_ms(entry.at)
        if wanted.since_ms is not None and at_ms < wanted.since_ms:
            return False
        if wanted.until_ms is not None and at_ms > wanted.until_ms:
            return False
    return (
        (not wanted.actions or entry.action in wanted.actions)
        and (not wanted.devices or entry.device.startswith(wanted.devices))
        and (not wanted.actors or entry.actor.startswith(wanted.actors))
        and (row.is_mine or not wanted.is_mine)
    )
