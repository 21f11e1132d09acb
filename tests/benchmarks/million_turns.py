"""A million turns: real ones where they last, then others made of real lines, in sessions as long as real ones.

A made session copies a real one turn by turn: each turn keeps its kind, role, tool, files and about its length, and
gets pieces of the texts of turns of the same kind. What goes into an index is written by the indexer's own
scribe, so a turn here is what a session of that text would have made.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gitmem.format.memory import StoredSession, open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.ids import SessionId
from gitmem.model.records import Author, Session
from gitmem.model.refs import DEFAULT_MEMORY_REF
from gitmem.model.turns import Turn
from gitmem.verbs import reading
from indexer.lexical import Entry
from indexer.upkeep.documents import (
    MAX_CALL,
    MAX_OUTPUT_HEAD,
    MAX_OUTPUT_TAIL,
    MAX_SAID,
    Origin,
    _Scribe,
    origins,
)

SEED: Final = 11
CHUNK: Final = 5_000
"""Entries that are written and read together."""

_LONGEST_PIECE: Final = 400
_LONGEST: Final = {"tool_result": MAX_OUTPUT_HEAD + MAX_OUTPUT_TAIL, "tool_call": MAX_CALL}
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_DAY_MS: Final = 86_400_000
_AUTHORS: Final = tuple(
    Author(f"{name} Example", f"{name.lower()}@example.org")
    for name in (
        "Ada",
        "Grace",
        "Linus",
        "Barbara",
        "Donald",
        "Frances",
        "Edsger",
        "Radia",
        "Ken",
        "Margaret",
    )
)


class RealSession(NamedTuple):
    """A session as it was read."""

    stored: StoredSession
    turns: list[Turn]
    origin: dict[str, list[Origin]]
    branch: str | None
    started_ms: int | None


@dataclass
class Tally:
    """What was made; `meant` are the turns that have vectors."""

    turns: int = 0
    sessions: int = 0
    real: int = 0
    characters: int = 0
    meant: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


def read_sessions(repository: Path) -> list[RealSession]:
    """Read all sessions of a memory."""
    git = Git(dict(os.environ))
    found = []
    with closing(open_storage(discover(repository, git), git)) as storage:
        memory = open_memory(storage, DEFAULT_MEMORY_REF)
        for folder in memory.folders():
            stored = memory.load(folder)
            read = reading.transcript(memory, folder, stored)
            origin = {name: origins(head, stored.captures) for name, head in reading.heads(stored)}
            if read.turns:
                header = read.header
                found.append(RealSession(stored, read.turns, origin, header.branch, header.started_ms))
    assert found, f"no sessions in {repository}"
    return found


def sessions(real: Sequence[RealSession], count: int) -> Iterator[RealSession]:
    """Yield real sessions, then made ones, until they have `count` turns together; the same ones each time."""
    rng = random.Random(SEED)
    left = count
    order = list(real)
    rng.shuffle(order)
    for session in order:
        if left <= 0:
            return
        yield session._replace(turns=session.turns[:left])
        left -= len(session.turns)
    if left <= 0:
        return
    pool = _pool(real)
    nth = 0
    while left > 0:
        nth += 1
        made = _made(rng.choice(order), pool, rng, nth)
        yield made._replace(turns=made.turns[:left])
        left -= len(made.turns)


def entries(session: RealSession) -> Iterator[Entry]:
    """Yield what goes into the index for a session."""
    scribe: _Scribe | None = None
    for turn in session.turns:
        if scribe is None or scribe.stream != turn.stream:
            origin = session.origin.get(turn.stream, [])
            scribe = _Scribe(session.stored, turn.stream, origin, session.started_ms)
        yield scribe.write(turn, lambda: session.branch)


def write(real: Sequence[RealSession], count: int, path: Path) -> Tally:
    """Write the ready entries of so many turns to a file."""
    tally = Tally()
    known = {session.stored.id for session in real}

    def every() -> Iterator[Entry]:
        for session in sessions(real, count):
            tally.sessions += 1
            if session.stored.id in known:
                tally.real += len(session.turns)
            for turn, entry in zip(session.turns, entries(session), strict=True):
                tally.turns += 1
                tally.characters += len(entry.body) + len(entry.output)
                tally.meant += bool(entry.meaning)
                tally.kinds[turn.kind] += 1
                yield entry

    _dump(every(), path)
    return tally


def write_memory(repository: Path, path: Path) -> None:
    """Write the entries of a memory's turns to a file."""
    _dump((entry for session in read_sessions(repository) for entry in entries(session)), path)


def read(path: Path) -> Iterator[list[Entry]]:
    """Yield the entries of a file, in chunks."""
    with path.open("rb") as file:
        while True:
            try:
                chunk = pickle.load(file)
            except EOFError:
                return
            yield [Entry(*fields) for fields in chunk]


def as_neutral_form(session: RealSession) -> bytes:
    """Return a session as lines that `gitmem import` takes."""
    key = session.stored.key
    head = {"session": {"id": f"{key.agent}-{key.native_id}", "branch": session.branch}}
    lines: list[dict[str, object]] = [head]
    for turn in session.turns:
        at = None if turn.at_ms is None else turn.at_ms / 1000
        line = {"id": f"{turn.stream}{turn.ordinal}", "role": turn.role, "text": turn.text, "at": at}
        if turn.call is not None:
            call = {"id": turn.call.id, "name": turn.call.name, "input": turn.text}
            line |= {"text": "", "tool_calls": [call]}
        elif turn.result is not None:
            line |= {"call_id": turn.result.call_id, "is_error": turn.result.is_error}
        lines.append(line)
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _dump(rest: Iterator[Entry], path: Path) -> None:
    with path.open("wb") as file:
        while chunk := [tuple(entry) for entry in islice(rest, CHUNK)]:
            pickle.dump(chunk, file, pickle.HIGHEST_PROTOCOL)


def _pool(real: Sequence[RealSession]) -> dict[str, list[str]]:
    """Return the pieces of real turns by kind: lines, and sentences of what was said."""
    pool: dict[str, list[str]] = {}
    for session in real:
        for turn in session.turns:
            text = turn.text[: _LONGEST.get(turn.kind, MAX_SAID)]
            is_prose = turn.kind in ("message", "thinking")
            pieces = _SENTENCE.split(text) if is_prose else text.split("\n")
            found = pool.setdefault(turn.kind, [])
            found += [piece[:_LONGEST_PIECE] for piece in pieces if piece and not piece.isspace()]
    return pool


def _made(template: RealSession, pool: dict[str, list[str]], rng: random.Random, nth: int) -> RealSession:
    agent, native_id = template.stored.record.agent, f"made-{nth}"
    digest = hashlib.sha256(f"{agent}/{native_id}".encode()).hexdigest()
    record = Session(agent, native_id, digest)
    stored = template.stored._replace(id=SessionId(digest), record=record)
    author = rng.choice(_AUTHORS)
    origin = {
        name: [Origin(line, msgspec.structs.replace(capture, author=author)) for line, capture in several]
        for name, several in template.origin.items()
    }
    shift_ms = rng.randrange(-300, 60) * _DAY_MS + rng.randrange(_DAY_MS)
    branch = f"{rng.choice(('fix', 'feat', 'docs', 'main'))}-{rng.randrange(400)}"
    turns = [_made_turn(turn, pool, rng, shift_ms, branch) for turn in template.turns]
    started_ms = None if template.started_ms is None else template.started_ms + shift_ms
    return RealSession(stored, turns, origin, branch, started_ms)


def _made_turn(
    turn: Turn, pool: dict[str, list[str]], rng: random.Random, shift_ms: int, branch: str
) -> Turn:
    is_prose = turn.kind in ("message", "thinking")
    pieces, between = pool.get(turn.kind, []), " " if is_prose else "\n"
    wanted = min(len(turn.text), _LONGEST.get(turn.kind, MAX_SAID))
    text, size = [], 0
    while size < wanted and pieces:
        piece = pieces[int(rng.random() * len(pieces))]
        if size + len(piece) > wanted + _LONGEST_PIECE // 4:
            cut = piece.rfind(" ", 0, wanted - size)
            piece = piece[: cut if cut > 0 else wanted - size]
        text.append(piece)
        size += len(piece) + 1
    return Turn(
        ordinal=turn.ordinal,
        role=turn.role,
        kind=turn.kind,
        text=between.join(text),
        line=turn.line,
        stream=turn.stream,
        id=turn.id,
        at_ms=None if turn.at_ms is None else turn.at_ms + shift_ms,
        model=turn.model,
        branch=branch if turn.branch else None,
        call=turn.call,
        result=turn.result,
    )
