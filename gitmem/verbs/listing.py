"""Listing the sessions of a memory: their summaries, kept in a local cache, for reading all takes long.

The cache remembers which tree it is complete for: where nothing has changed, nothing is looked at, and where
something has, only that is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.format.memory import Folder, Memory, changed_sessions
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused, StoreError
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.query.filters import Filters
from gitmem.transcripts.read import READER_VERSION
from gitmem.verbs import caching
from gitmem.verbs.reading import heads, session_record
from gitmem.verbs.summaries import SCHEMA_VERSION, Summary, summarise

_SAVE_EVERY_BYTES = 128 << 20
_AT_HAND = 24
_AT_HAND_BYTES = 4 << 20
"""So many sessions of so much text are read within a fifth of a second."""


class Refused(NamedTuple):
    """A session that could not be summed up, and why."""

    session: SessionId
    error: StoreError


class Listing(NamedTuple):
    """Every session of a memory; the newest first."""

    summaries: tuple[Summary, ...]
    refused: tuple[Refused, ...]


def select(summaries: Iterable[Summary], filters: Filters, *, hidden: bool = False) -> Iterator[Summary]:
    """Yield the sessions that are asked for, in the order given.

    Authors are found by whole words of a name or address; a session is of every branch that it was on, and of
    all the time from its first turn to its last. Filters that only turns can be asked are left to a search.
    """
    return (
        summary for summary in summaries if (hidden or not summary.hidden) and _is_asked_for(summary, filters)
    )


def called(listing: Listing, repo: str) -> Listing:
    """Return a listing of sessions whose repository is called otherwise where it is listed."""
    if all(summary.repo == repo for summary in listing.summaries):
        return listing
    renamed = (msgspec.structs.replace(summary, repo=repo) for summary in listing.summaries)
    return listing._replace(summaries=tuple(renamed))


def together(listings: Sequence[Listing]) -> Listing:
    """Return the sessions of several memories as one listing."""
    summaries = sorted((each for one in listings for each in one.summaries), key=_newest_first)
    return Listing(tuple(summaries), tuple(each for one in listings for each in one.refused))


class Summaries:
    """The summaries of one memory, as of one commit.

    `state_dir` is the repository's own, or None to keep no cache; `repo` is what people call the repository.
    `tell` is called with how many sessions have been read, and of how many.
    """

    def __init__(self, memory: Memory, state_dir: Path | None, repo: str = "") -> None:
        self._memory, self._repo = memory, repo
        self._path = caching.table_path(state_dir, "summaries", memory) if state_dir else None

    def all(self, tell: Callable[[int, int], None] = lambda done, total: None) -> Listing:
        """Return a summary of every session, reading those that have changed since last time.

        A session that cannot be read is named, tried again next time, and keeps no other from being listed.

        Raises:
            StoreError: The memory itself cannot be read.
        """
        known = self._read() or _Known("", None, (), ())
        rows = {row.session: row for row in known.rows}
        if known.repo != self._repo:
            rows = {name: msgspec.structs.replace(row, repo=self._repo) for name, row in rows.items()}
        todo = self._changed(known, rows)
        refused: list[Refused] = []
        unsaved = 0
        for done, folder in enumerate(todo):
            tell(done, len(todo))
            try:
                row = summarise(self._memory, folder, repo=self._repo)
            except (RecordRefused, ObjectMissing, ObjectDamaged) as error:
                rows.pop(folder.session, None)
                refused.append(Refused(folder.session, error))
                continue
            rows[folder.session] = row
            unsaved += row.bytes
            if unsaved > _SAVE_EVERY_BYTES:
                self._write(_Known(self._repo, None, tuple(rows.values()), ()))
                unsaved = 0
        now = _Known(
            self._repo, self._memory.root, tuple(rows.values()), tuple(row.session for row in refused)
        )
        if now != known:
            self._write(now)
        return Listing(tuple(sorted(now.rows, key=_newest_first)), tuple(refused))

    def at_hand(self) -> tuple[Summary, ...]:
        """Return the summaries that cost little, the newest first: not of all where much has changed.

        Raises:
            StoreError: The memory itself cannot be read.
        """
        known = self._read() or _Known("", None, (), ())
        rows = {row.session: row for row in known.rows}
        todo = self._changed(known, rows)
        for folder in todo:
            rows.pop(folder.session, None)
        left = _AT_HAND_BYTES if len(todo) <= _AT_HAND else 0
        for folder in todo if left else ():
            with suppress(RecordRefused, ObjectMissing, ObjectDamaged):
                stored = self._memory.load(folder)
                left -= sum(head.size_bytes for _, head in heads(stored))
                if left < 0:
                    break
                rows[folder.session] = summarise(self._memory, folder, stored, repo=self._repo)
        return tuple(sorted(rows.values(), key=_newest_first))

    def one(self, folder: Folder) -> Summary:
        """Return one session's summary, from the cache if it stands there.

        Raises:
            StoreError: Something of it is missing, damaged or refused.
        """
        known = self._read()
        for row in known.rows if known else ():
            if row.session == folder.session and row.tree == folder.tree and not row.absent:
                return msgspec.structs.replace(row, repo=self._repo)
        return summarise(self._memory, folder, repo=self._repo)

    def known(self) -> tuple[Summary, ...]:
        """Return the summaries that are in the cache, whatever they are complete for; reads nothing else."""
        known = self._read()
        return known.rows if known else ()

    def count_agents(self) -> tuple[Counter[str], int]:
        """Count sessions by agent, and those whose record cannot be read; reads no text.

        Cost follows what the cache does not know yet: an agent never changes, so any row of a session does.
        """
        known = self._read() or _Known("", None, (), ())
        rows = {row.session: row for row in known.rows}
        agents: Counter[str] = Counter()
        unreadable = 0
        for folder in self._changed(known, rows):
            if folder.session not in rows:
                try:
                    agents[session_record(self._memory, folder).agent] += 1
                except (RecordRefused, ObjectMissing, ObjectDamaged):
                    unreadable += 1
        agents.update(row.agent for row in rows.values())
        return agents, unreadable

    def _changed(self, known: _Known, rows: dict[SessionId, Summary]) -> list[Folder]:
        """Return what has to be read, and take out of `rows` what is gone."""
        changed: dict[SessionId, Folder] = {}
        for session, folder in self._differences(known, rows).items():
            if folder is None:
                rows.pop(session, None)
            elif session not in rows or rows[session].tree != folder.tree:
                changed[session] = folder
        for row in rows.values():
            if row.absent and row.session not in self._memory.absent and row.session not in changed:
                changed[row.session] = Folder(row.session, row.tree)
        if known.root != self._memory.root:
            changed |= {folder.session: folder for folder in self._forks_of_changed(rows, changed)}
        return list(changed.values())

    def _differences(self, known: _Known, rows: dict[SessionId, Summary]) -> dict[SessionId, Folder | None]:
        """Return the sessions that may differ from their rows; None stands for one that is gone."""
        if known.root is not None:
            try:
                found = dict(changed_sessions(self._memory, known.root))
            except (ObjectMissing, ObjectDamaged):
                pass  # the tree that the cache was complete for is gone, as after an erasure
            else:
                return found | {session: self._memory.find(session) for session in known.refused}
        present: dict[SessionId, Folder | None] = {
            folder.session: folder for folder in self._memory.folders()
        }
        return present | dict.fromkeys(rows.keys() - present.keys())

    def _forks_of_changed(
        self, rows: Mapping[SessionId, Summary], changed: Container[SessionId]
    ) -> Iterator[Folder]:
        """Yield sessions that are as they were, but were forked from one that is not."""
        for session, row in rows.items():
            if row.forked_from is None or session in changed:
                continue
            if row.origins != caching.origin_ids(self._memory, row.agent, row.forked_from):
                folder = self._memory.find(session)
                if folder is not None:
                    yield folder

    def _read(self) -> _Known | None:
        return caching.load(self._path, _KIND, _decoder) if self._path else None

    def _write(self, known: _Known) -> None:
        if self._path:
            caching.write_derived(self._path, _KIND, _encoder.encode(known))


def forget(state_dir: Path, gone: Container[str]) -> int:
    """Take the summaries of sessions that are gone out of all tables; return how many tables had any.

    Raises:
        DiskRefused: The disk does not let it.
    """

    def without(known: _Known) -> _Known:
        return _Known(
            known.repo,
            known.root,
            tuple(row for row in known.rows if row.session not in gone),
            tuple(session for session in known.refused if session not in gone),
        )

    return caching.take_out(state_dir, "summaries", _KIND, _decoder, without)


class _Known(msgspec.Struct, frozen=True, array_like=True):
    """The cache: what it calls the repository, the root tree that it is complete for (None: it is not), its
    rows, and the sessions that could not be read."""

    repo: str
    root: Oid | None
    rows: tuple[Summary, ...]
    refused: tuple[SessionId, ...]


_KIND = f"summaries {SCHEMA_VERSION}.{READER_VERSION}"
_WORD = re.compile(r"[^\W_]+")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)


def _newest_first(summary: Summary) -> tuple[int, SessionKey, SessionId]:
    return (-summary.last_ms, summary.key, summary.session)


def _is_asked_for(summary: Summary, filters: Filters) -> bool:
    author = _words(f"{summary.author.name} {summary.author.email}")
    name = str(summary.key)
    started_ms = summary.last_ms if summary.started_ms is None else summary.started_ms
    return (
        (not filters.agents or summary.agent in filters.agents)
        and (not filters.repos or summary.repo in filters.repos)
        and (not filters.authors or any(_words(asked) in author for asked in filters.authors))
        and (not filters.branches or not set(filters.branches).isdisjoint(summary.branches))
        and (not filters.sessions or name.startswith(filters.sessions))
        and (not filters.tags or not set(filters.tags).isdisjoint(summary.tags))
        and (not filters.levels or summary.level in filters.levels)
        and (filters.since_ms is None or summary.last_ms >= filters.since_ms)
        and (filters.until_ms is None or started_ms <= filters.until_ms)
    )


def _words(text: str) -> str:
    """Return a text's words, each between spaces: what a search takes for a name too."""
    return " " + " ".join(_WORD.findall(text.casefold())) + " "
