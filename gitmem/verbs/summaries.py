"""Summaries: what a session comes to, in a line.

A summary is derived from everything that is stored of a session, so it holds as long as the id of the
session's folder does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from gitmem.format import registers
from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.model.errors.intake import ReaderMissing
from gitmem.model.ids import MAIN_STREAM, Oid, SessionId, SessionKey, origin_key
from gitmem.model.records import Author, Capture
from gitmem.model.times import to_ms
from gitmem.model.turns import Header, Tally, Turn
from gitmem.verbs import caching, reading
from gitmem.verbs.naming import tags_of, title_of

SCHEMA_VERSION = 6
"""Goes up whenever a Summary changes, or what stands in it."""

DEFAULT_LEVEL = "team"
MAX_TITLE = 120
_MAX_WORDS = 256
_MAX_BRANCHES = 20
_COMMAND: Final = re.compile(r"/[\w:.-]+")
_MARKUP: Final = re.compile(r"[\W_]*|<[^<>]*>|\[\[[^\[\]]*\]\]|@\[\w+\]:?")
"""A rule, a fence, a tag, the heading of a template: a line that says nothing by itself."""


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """What a session comes to.

    `author` is who captured it first. `branch` is where it began, `branches` all that it was on. `started_ms`
    and `ended_ms` are those of its turns, None where its agent writes no times; `captured_ms` is when
    something last came in. `forks` counts the further heads of its streams. `bytes` are those of its text.
    `origins` stand for the text of the session that it was forked from, as it was. `captured_by` are the
    addresses of all who captured some of it. The text of an `absent` one is not here, and nothing is known
    that only it says. `agent_version` is what its agent was when it began. `hidden_by` are the
    addresses of those by whose word it is hidden.
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
    forked_from: str | None = None
    origins: tuple[Oid | None, ...] = ()
    captured_by: tuple[str, ...] = ()
    absent: bool = False
    agent_version: str | None = None
    hidden_by: tuple[str, ...] = ()

    @property
    def key(self) -> SessionKey:
        """What people call it."""
        return SessionKey(self.agent, self.native_id)

    @property
    def origin(self) -> SessionKey | None:
        """The session that it went on from, by what it says itself."""
        return None if self.forked_from is None else origin_key(self.agent, self.forked_from)

    @property
    def last_ms(self) -> int:
        """When something last happened in it, as far as is known."""
        return self.ended_ms or self.captured_ms or 0


def summarise(memory: Memory, folder: Folder, stored: StoredSession | None = None, repo: str = "") -> Summary:
    """Read a whole session and say what it comes to; holds no more than a piece of it at once.

    Of one whose text is not here its records are read; nothing is fetched for it.

    Raises:
        StoreError: Something of it is missing, damaged or refused.
    """
    stored = stored or memory.load(folder)
    if folder.session in memory.absent:
        known = sum_up(stored, (), lambda: (Header(), Tally()), repo)
        return msgspec.structs.replace(known, absent=True)
    try:
        turns = reading.turns(memory, folder, stored)
    except ReaderMissing:
        # A newer gitmem knew it; what does not stand in its text is known all the same.
        return sum_up(stored, (), lambda: (Header(), Tally()), repo)
    summary = sum_up(stored, turns, lambda: (turns.header, turns.tally), repo)
    origins = caching.origin_ids(memory, summary.agent, summary.forked_from)
    return msgspec.structs.replace(summary, origins=origins) if origins else summary


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
        title=title_of(stored) or facts.first.title_in(header),
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
        hidden=stored.is_hidden,
        streams=tuple(name for name, head in heads if name == head.record.stream),
        forks=sum(name != head.record.stream for name, head in heads),
        lines=sum(head.lines for _, head in heads),
        bytes=sum(head.size_bytes for _, head in heads),
        tally=tally,
        forked_from=header.forked_from,
        agent_version=_cut(header.agent_version),
        captured_by=tuple(sorted({capture.author.email for capture in captures})),
        hidden_by=registers.hidden_by(stored.registers),
    )


class _Facts:
    """What is gathered of a session's turns as they go by."""

    def __init__(self) -> None:
        self.turns = 0
        self.first = FirstWords()
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
        self.first.take(turn)


class FirstWords:
    """What a session goes by that has no title: what was asked first, in a line; of a subagent, where nothing
    else was.

    A command without a word, such as `/review`, is joined by what was asked next.
    """

    def __init__(self) -> None:
        self._asked: dict[bool, str] = {}

    def take(self, turn: Turn) -> None:
        """Look at the next turn."""
        if turn.role != "user" or turn.kind != "message":
            return
        is_below = turn.stream != MAIN_STREAM
        before = self._asked.get(is_below, "")
        if not before or _COMMAND.fullmatch(before):
            line = shorten(turn.text)
            is_joined = before and line and not _COMMAND.fullmatch(line)
            self._asked[is_below] = shorten(f"{before}, then {line}") if is_joined else line or before

    def title_in(self, header: Header) -> str:
        """Return the title that an agent gave, else the line; empty where nothing was asked."""
        title = shorten(header.title or "")
        says_nothing = not title or _MARKUP.fullmatch(title)
        return (self._asked.get(False) or self._asked.get(True) or title) if says_nothing else title


def shorten(text: str) -> str:
    """Return the first line of a text that says something, cut at a word.

    One that only announces the next, by ending in a colon, is joined by it.
    """
    lines = (" ".join(line.split()) for line in text[: 64 * MAX_TITLE].splitlines())
    any_line = [line for line in lines if line]
    said = (line for line in any_line if not _MARKUP.fullmatch(line))
    line = next(said, "") or next(iter(any_line), "")
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
