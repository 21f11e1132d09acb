"""What a session wrote, turn by turn: a local file for each session, so that no line is looked for twice.

A line is kept as a hash of its text without the blanks around it. Derived from the session's text alone, so
the file holds as long as nothing of that changes, nor of where the session was forked from.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

import msgspec

from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.model.errors.intake import ReaderMissing
from gitmem.model.ids import Oid, SessionId
from gitmem.model.turns import Header, Tally, Turn
from gitmem.transcripts.edits import Edit, edits_of
from gitmem.transcripts.read import READER_VERSION
from gitmem.verbs import caching, picking, reading
from gitmem.verbs.summaries import sum_up
from gitmem.why.lines import NO_PATH, REDACTED, count_letters, line_hash, name_hash

SCHEMA_VERSION = 2
"""Goes up whenever what stands in the file changes, or what counts as an edit."""

LEAST_OF_PART = 3
"""Letters and digits of a part of a line that can be looked for at all."""

MAX_PART = 400
"""Characters of one that is worth keeping."""

MAX_REDACTED = 100
"""Lines of one edit that a secret was redacted from."""

MAX_LINES = 1_000_000
"""Of one session; 8 MB of hashes. What comes behind is not found by its text."""


class EditTurn(msgspec.Struct, frozen=True, array_like=True):
    """What one turn wrote into one file.

    `stream` and `path` are places in the lists of the session, `path` -1 where none is known. `line` is
    the turn's within its stream, `prompt` the ordinal of the user's message that it followed, -1 if none.
    `added` are the hashes of its lines, in order; `parts` the text of those that are no whole lines of the
    file: that may have taken the place of a part, or that a secret was redacted from.
    """

    stream: int
    ordinal: int
    line: int
    at_ms: int | None
    prompt: int
    path: int
    is_shell: bool
    added: bytes
    parts: tuple[str, ...]


class SessionEdits(msgspec.Struct, frozen=True, array_like=True, dict=True):
    """All that a session wrote, and what it says of itself; `title` is not one that somebody gave it.

    Paths count from the directory that the session began in, where they are below it.
    """

    captures: Oid | None
    agent: str
    forked_from: str | None
    origins: tuple[Oid | None, ...]
    title: str
    model: str | None
    started_ms: int | None
    ended_ms: int | None
    streams: tuple[str, ...]
    paths: tuple[str, ...]
    turns: tuple[EditTurn, ...]
    left_out: int
    """Lines beyond MAX_LINES."""

    @cached_property
    def names(self) -> bytes:
        """The hashes of the names of all files that it wrote to, joined, each once."""
        found = {name_hash(path) for path in self.paths}
        if any(turn.path < 0 for turn in self.turns):
            found.add(NO_PATH)
        return b"".join(sorted(found))


def remember(memory: Memory, folder: Folder, stored: StoredSession, state_dir: Path | None) -> SessionEdits:
    """Return what a session wrote, reading it whole if it has changed since last time.

    Without `state_dir` nothing is kept. Memory is bounded, whatever the session.

    Raises:
        StoreError: Something of it is missing, damaged or refused.
    """
    path = _path(state_dir, folder.session) if state_dir else None
    known = caching.load(path, _KIND, _decoder) if path else None
    if known is not None and is_current(
        memory, folder, known.captures, known.agent, known.forked_from, known.origins
    ):
        return known
    found = _derive(memory, folder, stored, state_dir)
    if path:
        caching.write_derived(path, _KIND, _encoder.encode(found))
    return found


def is_current(
    memory: Memory,
    folder: Folder,
    captures: Oid | None,
    agent: str,
    forked_from: str | None,
    origins: tuple[Oid | None, ...],
) -> bool:
    """Whether what was derived of a session still holds."""
    return captures == caching.captures_id(memory, folder) and (
        forked_from is None or origins == caching.origin_ids(memory, agent, forked_from)
    )


def known_edits(
    memory: Memory, folder: Folder, state_dir: Path | None, wanted: Iterable[bytes] = ()
) -> SessionEdits | None:
    """Return what a session wrote, or None if it wrote none of the lines that are wanted (none: any).

    Cost is that of reading a file where no line is found in it.

    Raises:
        StoreError: Something of it is missing, damaged or refused.
    """
    payload = caching.read_derived(_path(state_dir, folder.session), _KIND) if state_dir else None
    if payload is not None:
        hashes = tuple(wanted)
        if hashes and not any(hash_ in payload for hash_ in hashes):
            return None
        found = _decode(payload)
        if found is not None:
            return found
    return remember(memory, folder, memory.load(folder), state_dir)


def forget(state_dir: Path, gone: Iterable[str]) -> int:
    """Remove what is kept of sessions that are gone; return of how many there was something.

    Raises:
        DiskRefused: The disk does not let it.
    """
    return caching.remove_all(_path(state_dir, SessionId(session)) for session in gone)


_KIND = f"edits {SCHEMA_VERSION}.{READER_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[SessionEdits] = msgspec.msgpack.Decoder(SessionEdits)


def _decode(payload: bytes | None) -> SessionEdits | None:
    if payload is None:
        return None
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _derive(memory: Memory, folder: Folder, stored: StoredSession, state_dir: Path | None) -> SessionEdits:
    gathered = _Gathered()
    about: tuple[Header, Tally] = Header(), Tally()
    turns: Iterable[Turn] = ()
    tell = lambda: about  # noqa: E731
    try:
        if picking.may_be_held(stored):
            whole = reading.transcript(memory, folder, stored)
            picking.remember(memory, folder, stored, whole, state_dir)  # its turns will be shown
            turns, about = whole.turns, (whole.header, whole.tally)
        else:
            found = reading.turns(memory, folder, stored)
            turns, tell = found, lambda: (found.header, found.tally)
    except ReaderMissing:
        pass  # a newer gitmem knows it
    summary = sum_up(stored._replace(registers={}), gathered.through(turns), tell)
    return SessionEdits(
        captures=caching.captures_id(memory, folder),
        agent=summary.agent,
        forked_from=summary.forked_from,
        origins=caching.origin_ids(memory, summary.agent, summary.forked_from),
        title=summary.title,
        model=summary.model,
        started_ms=summary.started_ms,
        ended_ms=summary.ended_ms or summary.captured_ms,
        streams=tuple(gathered.streams),
        paths=tuple(gathered.paths),
        turns=gathered.kept(),
        left_out=gathered.left_out,
    )


class _Gathered:
    """What is gathered of a session's turns as they go by."""

    def __init__(self) -> None:
        self.streams: dict[str, int] = {}
        self.paths: dict[str, int] = {}
        self.left_out = 0
        self._turns: list[EditTurn | None] = []
        self._room = MAX_LINES
        self._calls: dict[tuple[str, str], list[int]] = {}
        self._prompts: dict[str, int] = {}
        self._root: str | None = None
        self._last_ms: int | None = None

    def kept(self) -> tuple[EditTurn, ...]:
        """Return the edits that did not fail."""
        return tuple(turn for turn in self._turns if turn is not None)

    def through(self, turns: Iterable[Turn]) -> Iterator[Turn]:
        """Hand turns on, gathering what they wrote."""
        for turn in turns:
            if self._root is None and turn.cwd:
                self._root = turn.cwd
            if turn.at_ms is not None:
                self._last_ms = turn.at_ms
            if turn.kind == "message" and turn.role == "user":
                self._prompts[turn.stream] = turn.ordinal
            elif turn.call is not None:
                for edit in edits_of(turn.call):
                    self._add(turn, edit)
            elif turn.result is not None and turn.result.is_error and turn.result.call_id is not None:
                # A command may fail after it has written; what a tool for editing refused it did not write.
                for at in self._calls.pop((turn.stream, turn.result.call_id), ()):
                    self._turns[at] = None
            yield turn

    def _add(self, turn: Turn, edit: Edit) -> None:
        hashes = [line_hash(line) for line in edit.added[: self._room]]
        self.left_out += len(edit.added) - len(hashes)
        self._room -= len(hashes)
        if not hashes:
            return
        if turn.call is not None and turn.call.id is not None and not edit.is_shell:
            self._calls.setdefault((turn.stream, turn.call.id), []).append(len(self._turns))
        path = -1
        if edit.path is not None:
            path = self.paths.setdefault(placed(edit.path, turn.cwd, self._root), len(self.paths))
        self._turns.append(
            EditTurn(
                stream=self.streams.setdefault(turn.stream, len(self.streams)),
                ordinal=turn.ordinal,
                line=turn.line,
                at_ms=turn.at_ms if turn.at_ms is not None else self._last_ms,
                prompt=self._prompts.get(turn.stream, -1),
                path=path,
                is_shell=edit.is_shell,
                added=b"".join(hashes),
                parts=_parts(edit),
            )
        )


def placed(path: str, cwd: str | None, root: str | None) -> str:
    """Return a path as written, counted from the directory that a session began in where it is below that."""
    path = path.replace("\\", "/").removeprefix("file://")
    if cwd and not _is_absolute(path):
        path = f"{cwd.replace(chr(92), '/')}/{path}"
    path = posixpath.normpath(path)
    if root:
        above = posixpath.normpath(root.replace("\\", "/")).rstrip("/") + "/"
        if path.startswith(above):
            return path[len(above) :]
    return path


def _parts(edit: Edit) -> tuple[str, ...]:
    redacted = [line for line in edit.added if REDACTED in line]
    return tuple(part for part in dict.fromkeys((*edit.parts, *redacted[:MAX_REDACTED])) if _is_kept(part))


def _is_kept(part: str) -> bool:
    return len(part) <= MAX_PART and count_letters(part) >= LEAST_OF_PART


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "~")) or path[1:3] == ":/"


def _path(state_dir: Path, session: SessionId) -> Path:
    return state_dir / "cache" / "edits" / session[:2] / session[2:]
