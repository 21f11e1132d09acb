"""Summaries: what a session comes to, in a line; kept in a local cache, for reading every text takes long.

A summary is derived from everything that is stored of a session, so it holds as long as the id of the
session's folder does. The cache also remembers which tree it is complete for: where nothing has changed,
nothing is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.format.memory import Folder, Memory, StoredSession, changed_sessions
from gitmem.model.errors import AgentUnknown, ObjectDamaged, ObjectMissing, RecordRefused, StoreError
from gitmem.model.ids import MAIN_STREAM, Oid, SessionId, SessionKey
from gitmem.model.records import Author, Capture
from gitmem.model.times import to_ms
from gitmem.model.turns import Header, Tally, Turn
from gitmem.query.filters import Filters
from gitmem.transcripts.read import READER_VERSION
from gitmem.verbs import caching, reading
from gitmem.verbs.naming import tags_of, title_of

SCHEMA_VERSION = 1
"""Goes up whenever a Summary changes, or what stands in it."""

DEFAULT_LEVEL = "team"
MAX_TITLE = 120
_MAX_WORDS = 256
_MAX_BRANCHES = 20
_SAVE_EVERY_BYTES = 128 << 20


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """What a session comes to.

    `author` is who captured it first. `branch` is where it began, `branches` all that it was on. `started_ms`
    and `ended_ms` are those of its turns, None where its agent writes no times; `captured_ms` is when
    something last came in. `forks` counts the further heads of its streams. `bytes` are those of its text.
    """

    session: SessionId
    tree: Oid
    agent: str
    native_id: str
    title: str
    author: Author
    repo: str
    branch: str | None
    branches: tuple[str, ...]
    model: str | None
    started_ms: int | None
    ended_ms: int | None
    captured_ms: int | None
    turns: int
    level: str
    tags: tuple[str, ...]
    hidden: bool
    streams: tuple[str, ...]
    forks: int
    lines: int
    bytes: int
    tally: Tally

    @property
    def key(self) -> SessionKey:
        """What people call it."""
        return SessionKey(self.agent, self.native_id)

    @property
    def last_ms(self) -> int:
        """When something last happened in it, as far as is known."""
        return self.ended_ms or self.captured_ms or 0


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

    Authors are found anywhere in a name or address; a session is of every branch that it was on, and of all
    the time from its first turn to its last. Filters that only turns can be asked are left to a search.
    """
    return (
        summary for summary in summaries if (hidden or not summary.hidden) and _is_asked_for(summary, filters)
    )


def summarise(memory: Memory, folder: Folder, stored: StoredSession | None = None, repo: str = "") -> Summary:
    """Read a whole session and say what it comes to; holds no more than a piece of it at once.

    Raises:
        StoreError: Something of it is missing, damaged or refused.
    """
    stored = stored or memory.load(folder)
    try:
        turns = reading.turns(memory, folder, stored)
    except AgentUnknown:
        # A newer gitmem knew it; what does not stand in its text is known all the same.
        return sum_up(stored, (), lambda: (Header(), Tally()), repo)
    return sum_up(stored, turns, lambda: (turns.header, turns.tally), repo)


def sum_up(
    stored: StoredSession,
    turns: Iterable[Turn],
    about: Callable[[], tuple[Header, Tally]],
    repo: str = "",
) -> Summary:
    """Say what a session comes to, given its turns; `about` is asked when they are at their end."""
    facts = _Facts()
    for turn in turns:
        facts.take(turn)
    header, tally = about()
    heads = list(reading.heads(stored))
    captures = sorted(stored.captures.values(), key=lambda capture: capture.at)
    branches = _branches(header, facts, captures)
    return Summary(
        session=stored.id,
        tree=stored.tree,
        agent=stored.record.agent,
        native_id=stored.record.native_id,
        title=title_of(stored) or shorten(header.title or "") or facts.title or facts.title_below,
        author=captures[0].author if captures else Author(""),
        repo=repo,
        branch=branches[0] if branches else None,
        branches=branches,
        model=_cut(header.model or facts.model),
        started_ms=facts.first_ms if header.started_ms is None else header.started_ms,
        ended_ms=facts.last_ms,
        captured_ms=_captured_ms(captures),
        turns=facts.turns,
        level=_level(stored),
        tags=tags_of(stored),
        hidden=stored.value("hidden") is True,
        streams=tuple(name for name, head in heads if name == head.record.stream),
        forks=sum(name != head.record.stream for name, head in heads),
        lines=sum(head.lines for _, head in heads),
        bytes=sum(head.size_bytes for _, head in heads),
        tally=tally,
    )


class Summaries:
    """The summaries of one memory, as of one commit.

    `state_dir` is the repository's own, or None to keep no cache; `repo` is what people call the repository.
    `tell` is called with how many sessions have been read, and of how many.
    """

    def __init__(self, memory: Memory, state_dir: Path | None, repo: str = "") -> None:
        self._memory, self._repo = memory, repo
        ref = hashlib.sha256(memory.ref.encode()).hexdigest()[:16]
        self._path = state_dir / "cache" / f"summaries-{ref}" if state_dir else None

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
        todo = list(self._changed(known, rows))
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

    def one(self, folder: Folder) -> Summary:
        """Return one session's summary, from the cache if it stands there.

        Raises:
            StoreError: Something of it is missing, damaged or refused.
        """
        known = self._read()
        for row in known.rows if known else ():
            if row.session == folder.session and row.tree == folder.tree:
                return msgspec.structs.replace(row, repo=self._repo)
        return summarise(self._memory, folder, repo=self._repo)

    def known_agents(self) -> dict[SessionId, str]:
        """Return the agents of the sessions in the cache; a session's agent never changes."""
        known = self._read()
        return {row.session: row.agent for row in known.rows} if known else {}

    def _changed(self, known: _Known, rows: dict[SessionId, Summary]) -> Iterator[Folder]:
        """Yield what has to be read, and take out of `rows` what is gone."""
        if known.root is not None:
            try:
                changes = dict(changed_sessions(self._memory, known.root))
            except (ObjectMissing, ObjectDamaged):
                pass  # the tree that the cache was complete for is gone, as after an erasure
            else:
                changes |= {session: self._memory.find(session) for session in known.refused}
                for session, folder in changes.items():
                    if folder is None:
                        rows.pop(session, None)
                    elif session not in rows or rows[session].tree != folder.tree:
                        yield folder
                return
        present = {folder.session: folder for folder in self._memory.folders()}
        for session in rows.keys() - present.keys():
            del rows[session]
        for session, folder in present.items():
            if session not in rows or rows[session].tree != folder.tree:
                yield folder

    def _read(self) -> _Known | None:
        payload = caching.read_derived(self._path, _KIND) if self._path else None
        if payload is None:
            return None
        try:
            return _decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _write(self, known: _Known) -> None:
        if self._path:
            caching.write_derived(self._path, _KIND, _encoder.encode(known))


class _Known(msgspec.Struct, frozen=True, array_like=True):
    """The cache: what it calls the repository, the root tree that it is complete for (None: it is not), its
    rows, and the sessions that could not be read."""

    repo: str
    root: Oid | None
    rows: tuple[Summary, ...]
    refused: tuple[SessionId, ...]


_KIND = f"summaries {SCHEMA_VERSION}.{READER_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[_Known] = msgspec.msgpack.Decoder(_Known)


class _Facts:
    """What is gathered of a session's turns as they go by."""

    def __init__(self) -> None:
        self.turns = 0
        self.title = ""
        self.title_below = ""
        self.model: str | None = None
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self.branches: dict[str, None] = {}

    def take(self, turn: Turn) -> None:
        self.turns += 1
        at_ms = turn.at_ms
        if at_ms is not None:
            if self.first_ms is None or at_ms < self.first_ms:
                self.first_ms = at_ms
            if self.last_ms is None or at_ms > self.last_ms:
                self.last_ms = at_ms
        if turn.branch is not None and len(self.branches) < _MAX_BRANCHES:
            self.branches.setdefault(turn.branch)
        if self.model is None:
            self.model = turn.model
        if not self.title and turn.role == "user" and turn.kind == "message":
            if turn.stream == MAIN_STREAM:
                self.title = shorten(turn.text)
            elif not self.title_below:
                self.title_below = shorten(turn.text)


def shorten(text: str) -> str:
    """Return the first line of a text that says something, cut at a word.

    One that only announces the next, by ending in a colon, is joined by it.
    """
    lines = (" ".join(line.split()) for line in text[: 64 * MAX_TITLE].splitlines())
    said = (line for line in lines if line)
    line = next(said, "")
    if line.endswith(":"):
        line = f"{line} {next(said, '').lstrip('# ')}".rstrip()
    if len(line) <= MAX_TITLE:
        return line
    whole, space, _ = line[:MAX_TITLE].rpartition(" ")
    return (whole if space and len(whole) > MAX_TITLE // 2 else line[: MAX_TITLE - 1]) + "…"


def _branches(header: Header, facts: _Facts, captures: list[Capture]) -> tuple[str, ...]:
    told = [header.branch] if header.branch else []
    code = [capture.code.branch for capture in captures if capture.code and capture.code.branch]
    names = dict.fromkeys(name[:_MAX_WORDS] for name in (*told, *facts.branches, *code))
    return tuple(names)[:_MAX_BRANCHES]


def _captured_ms(captures: list[Capture]) -> int | None:
    """Return when the last capture was made; a record may hold any text as its time."""
    moments = []
    for capture in captures:
        try:
            moments.append(to_ms(capture.at))
        except (ValueError, OverflowError):
            continue
    return max(moments, default=None)


def _level(stored: StoredSession) -> str:
    value = stored.value("level")
    return value[:_MAX_WORDS] if isinstance(value, str) else DEFAULT_LEVEL


def _cut(text: str | None) -> str | None:
    return text[:_MAX_WORDS] if text else None


def _newest_first(summary: Summary) -> tuple[int, SessionKey, SessionId]:
    return (-summary.last_ms, summary.key, summary.session)


def _is_asked_for(summary: Summary, filters: Filters) -> bool:
    author = f"{summary.author.name} <{summary.author.email}>".casefold()
    name = str(summary.key)
    started_ms = summary.last_ms if summary.started_ms is None else summary.started_ms
    return (
        (not filters.agents or summary.agent in filters.agents)
        and (not filters.repos or summary.repo in filters.repos)
        and (not filters.authors or any(asked.casefold() in author for asked in filters.authors))
        and (not filters.branches or not set(filters.branches).isdisjoint(summary.branches))
        and (not filters.sessions or name.startswith(filters.sessions))
        and (not filters.tags or not set(filters.tags).isdisjoint(summary.tags))
        and (not filters.levels or summary.level in filters.levels)
        and (filters.since_ms is None or summary.last_ms >= filters.since_ms)
        and (filters.until_ms is None or started_ms <= filters.until_ms)
    )
