"""Picking turns out of a session without reading the rest of it.

A line alone does not tell a turn: its number, its model or what of its usage is new may stand in lines before
it. So a whole read leaves a map behind, in a local file: for every turn its line and all that the turn has,
except for text, call and result, which are what makes a session large. These three are read from the line,
and a checksum over them says whether the line alone came to the same as the whole. Where it did not, and for
documents, whose lines mean nothing alone, the session is read whole: slower, and never another answer.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.format.manifest import Head
from gitmem.format.memory import Folder, Memory, StoredSession
from gitmem.model.errors.naming import TurnUnknown
from gitmem.model.ids import MAIN_STREAM, Oid, SessionId, SessionKey
from gitmem.model.turns import Turn
from gitmem.transcripts.read import READER_VERSION, Transcript, read
from gitmem.verbs import caching, reading

SCHEMA_VERSION = 1
HELD_BYTES = 64 << 20
"""Of text; read whole, it takes some three times as much memory. Of a larger session no map is made."""


class Picked(NamedTuple):
    """Turns of one stream: those that were asked for, by ordinal, and those around them, all in order."""

    stream: str
    head: Head
    turns: tuple[Turn, ...]
    asked_for: frozenset[int]
    total: int


def pick(
    memory: Memory, folder: Folder, turn: str, *, context: int = 0, state_dir: Path | None = None
) -> Picked:
    """Return a turn and `context` turns on each side of it.

    `turn` is an ordinal of the session's own stream, or of the only one that it has, an agent's message id,
    or `<stream>:<ordinal>`; several turns may come from one message. Without `state_dir` no map is kept and
    the session is read whole.

    Raises:
        TurnUnknown: The session has no such turn.
        ReaderMissing: No reader knows the agent.
    """
    known = _read_map(memory, folder, state_dir)
    if known is not None:
        stream, asked_for = _locate(turn, known.counts(), known.places(), known.key, folder)
        total = known.counts()[stream]
        head = known.streams[stream].decoded_head()
        window = _window(asked_for, context, total)
        turns = _from_lines(memory, folder, known, stream, head, window)
        if turns is not None:
            return Picked(stream, head, turns, asked_for, total)
    return _from_whole(memory, folder, turn, context, state_dir)


def raw_lines(memory: Memory, folder: Folder, picked: Picked) -> bytes:
    """Return the stored lines that the turns asked for were read from, byte for byte."""
    numbers = sorted({turn.line for turn in picked.turns if turn.ordinal in picked.asked_for})
    return b"".join(memory.lines(folder, picked.head, number, number + 1) for number in numbers)


def remember(
    memory: Memory, folder: Folder, stored: StoredSession, transcript: Transcript, state_dir: Path | None
) -> None:
    """Leave a map behind of a session that has been read whole; one that stands already is kept."""
    if state_dir is not None and _read_map(memory, folder, state_dir) is None:
        payload = _encoder.encode(_map_of(memory, folder, stored, transcript))
        caching.write_derived(_path(state_dir, folder.session), _KIND, payload)


def may_be_held(stored: StoredSession) -> bool:
    """Whether a session is small enough for all its turns to be in memory at once."""
    return sum(head.size_bytes for _, head in reading.heads(stored)) <= HELD_BYTES


class _Stream(msgspec.Struct, frozen=True, array_like=True):
    """A stream's turns: row number n of `rows` begins at the nth of `starts`, unsigned 32-bit numbers."""

    head: bytes
    """Encoded by itself, for it lists all segments; that of its record is left out."""
    starts: bytes
    rows: bytes

    def decoded_head(self) -> Head:
        return _head_decoder.decode(self.head)

    def row(self, ordinal: int) -> _Row:
        starts = array("I", self.starts)
        return _row_decoder.decode(memoryview(self.rows)[starts[ordinal] : starts[ordinal + 1]])


_Place = tuple[str, list[int]]
"""A stream, and the ordinals of the turns that a message became there."""


class _Row(msgspec.Struct, frozen=True, array_like=True):
    """A turn without text, call and result, and the checksum of these."""

    checksum: int
    turn: Turn


class _Map(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of a session, while nothing of its text changes, nor of where it was forked from."""

    captures: Oid | None
    forked_from: str | None
    origins: tuple[Oid | None, ...]
    agent: str
    native_id: str
    streams: dict[str, _Stream]
    ids: bytes
    """A mapping of message ids to a stream and ordinals; encoded by itself, for few lookups need it."""

    @property
    def key(self) -> SessionKey:
        return SessionKey(self.agent, self.native_id)

    def counts(self) -> dict[str, int]:
        return {name: len(stream.starts) // array("I").itemsize - 1 for name, stream in self.streams.items()}

    def places(self) -> dict[str, _Place]:
        return _ids_decoder.decode(self.ids)


_KIND = f"turns {SCHEMA_VERSION}.{READER_VERSION}.{array('I').itemsize}"
_encoder = msgspec.msgpack.Encoder()
_map_decoder: msgspec.msgpack.Decoder[_Map] = msgspec.msgpack.Decoder(_Map)
_head_decoder: msgspec.msgpack.Decoder[Head] = msgspec.msgpack.Decoder(Head)
_row_decoder: msgspec.msgpack.Decoder[_Row] = msgspec.msgpack.Decoder(_Row)
_ids_decoder: msgspec.msgpack.Decoder[dict[str, _Place]] = msgspec.msgpack.Decoder(dict[str, _Place])


def _from_whole(memory: Memory, folder: Folder, asked: str, context: int, state_dir: Path | None) -> Picked:
    stored = memory.load(folder)
    if not may_be_held(stored):
        return _from_two_reads(memory, folder, stored, asked, context)
    transcript = reading.transcript(memory, folder, stored)
    turns = transcript.turns
    remember(memory, folder, stored, transcript, state_dir)
    by_stream = _by_stream(turns, stored)
    counts = {name: len(found) for name, found in by_stream.items()}
    stream, asked_for = _locate(asked, counts, _places(turns), stored.key, folder)
    window = _window(asked_for, context, counts[stream])
    shown = tuple(by_stream[stream][n] for n in window)
    return Picked(stream, reading.head_of(stored, stream), shown, asked_for, counts[stream])


def _from_two_reads(
    memory: Memory, folder: Folder, stored: StoredSession, asked: str, context: int
) -> Picked:
    """Find out where a turn is, then read up to it again: holds no more than the window."""
    counts = {name: 0 for name, _ in reading.heads(stored)}
    named: list[Turn] = []
    for turn in reading.turns(memory, folder, stored):
        counts[turn.stream] += 1
        if turn.id == asked:
            named.append(msgspec.structs.replace(turn, text="", call=None, result=None))
    stream, asked_for = _locate(asked, counts, _places(named), stored.key, folder)
    window = _window(asked_for, context, counts[stream])
    shown: list[Turn] = []
    for turn in reading.turns(memory, folder, stored):
        if turn.stream == stream and turn.ordinal in window:
            shown.append(turn)
            if len(shown) == len(window):
                break
    return Picked(stream, reading.head_of(stored, stream), tuple(shown), asked_for, counts[stream])


def _from_lines(
    memory: Memory, folder: Folder, known: _Map, stream: str, head: Head, window: range
) -> tuple[Turn, ...] | None:
    """Read the turns of a window from their lines; None where a line alone does not come to its turn."""
    if head.record.shape == "document":
        return None
    rows = [known.streams[stream].row(ordinal) for ordinal in window]
    first = min(row.turn.line for row in rows)
    text = memory.lines(folder, head, first, max(row.turn.line for row in rows) + 1)
    lines = text.split(b"\n")
    found: dict[int, dict[int, Turn]] = {}
    turns = []
    for checksum, bare in ((row.checksum, row.turn) for row in rows):
        if bare.line not in found:
            alone = read(known.agent, [(stream, [lines[bare.line - first], b"\n"])]).turns
            found[bare.line] = {_checksum(turn): turn for turn in alone}
        turn = found[bare.line].get(checksum)
        if turn is None:
            return None
        turns.append(msgspec.structs.replace(bare, text=turn.text, call=turn.call, result=turn.result))
    return tuple(turns)


def _locate(
    asked: str, counts: Mapping[str, int], places: Mapping[str, _Place], key: SessionKey, folder: Folder
) -> tuple[str, frozenset[int]]:
    spoken = [name for name, count in counts.items() if count]
    own = spoken[0] if len(spoken) == 1 else MAIN_STREAM  # a review may be a subagent's alone
    if _is_ordinal(asked) and int(asked) < counts.get(own, 0):
        return own, frozenset((int(asked),))
    if asked in places:
        stream, ordinals = places[asked]
        return stream, frozenset(ordinals)
    stream, colon, number = asked.rpartition(":")
    if colon and _is_ordinal(number) and int(number) < counts.get(stream, 0):
        return stream, frozenset((int(number),))
    raise TurnUnknown(reading.plain_name(key, folder.session), asked, sum(counts.values()))


def forget(state_dir: Path, gone: Iterable[str]) -> int:
    """Remove the maps of sessions that are gone; return how many there were.

    Raises:
        DiskRefused: The disk does not let it.
    """
    return caching.remove_all(_path(state_dir, SessionId(session)) for session in gone)


def _is_ordinal(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _window(ordinals: frozenset[int], context: int, count: int) -> range:
    return range(max(0, min(ordinals) - context), min(count, max(ordinals) + context + 1))


def _read_map(memory: Memory, folder: Folder, state_dir: Path | None) -> _Map | None:
    payload = caching.read_derived(_path(state_dir, folder.session), _KIND) if state_dir else None
    if payload is None:
        return None
    known = _map_decoder.decode(payload)
    is_current = known.captures == caching.captures_id(memory, folder) and (
        known.origins == caching.origin_ids(memory, known.agent, known.forked_from)
    )
    return known if is_current else None


def _map_of(memory: Memory, folder: Folder, stored: StoredSession, transcript: Transcript) -> _Map:
    heads = dict(reading.heads(stored))
    streams = {}
    for name, found in _by_stream(transcript.turns, stored).items():
        starts, rows = array("I", [0]), bytearray()
        for turn in found:
            bare = msgspec.structs.replace(turn, text="", call=None, result=None)
            rows += _encoder.encode(_Row(_checksum(turn), bare))
            starts.append(len(rows))
        head = heads[name]
        head = head._replace(record=msgspec.structs.replace(head.record, segments=()))
        streams[name] = _Stream(_encoder.encode(head), starts.tobytes(), bytes(rows))
    forked_from = transcript.header.forked_from
    return _Map(
        captures=caching.captures_id(memory, folder),
        forked_from=forked_from,
        origins=caching.origin_ids(memory, stored.record.agent, forked_from),
        agent=stored.record.agent,
        native_id=stored.record.native_id,
        streams=streams,
        ids=_encoder.encode(_places(transcript.turns)),
    )


def _by_stream(turns: Iterable[Turn], stored: StoredSession) -> dict[str, list[Turn]]:
    found: dict[str, list[Turn]] = {name: [] for name, _ in reading.heads(stored)}
    for turn in turns:
        found[turn.stream].append(turn)
    return found


def _places(turns: Iterable[Turn]) -> dict[str, _Place]:
    """Say which turns each message became; an id that two streams use means the first one's."""
    places: dict[str, _Place] = {}
    for turn in turns:
        if turn.id is not None:
            stream, ordinals = places.setdefault(turn.id, (turn.stream, []))
            if stream == turn.stream:
                ordinals.append(turn.ordinal)
    return places


def _checksum(turn: Turn) -> int:
    return zlib.crc32(_encoder.encode((turn.role, turn.kind, turn.text, turn.call, turn.result)))


def _path(state_dir: Path, session: SessionId) -> Path:
    return state_dir / "cache" / "turns" / session[:2] / session[2:]
