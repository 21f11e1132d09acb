"""Turning the stored bytes of a session into turns."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

import msgspec

from gitmem.model.errors.intake import ReaderMissing
from gitmem.model.turns import Header, Tally, Turn
from gitmem.transcripts.agent import Agent
from gitmem.transcripts.document import Member
from gitmem.transcripts.recorder import Recorder
from gitmem.transcripts.registry import REGISTRY

READER_VERSION = 2
"""Goes up whenever the normal form of a stored line changes: caches of turns are keyed by it."""

_TOGETHER = 8
"""Turns that are handed on together, since asking after each line takes as long as decoding it."""

Streams = Iterable[tuple[str, Iterable[bytes]]]


class Transcript(msgspec.Struct):
    """A session in the normal form.

    `ids` are what a fork of it would repeat: they are passed as `inherited` when the fork is read.
    """

    header: Header
    turns: list[Turn]
    tally: Tally
    ids: frozenset[str] = frozenset()


class Reading:
    """The turns of a session, one after the other, in bounded memory; to be gone through once.

    `header`, `tally` and `ids` hold what has been met so far: all of it when the turns are at their end.
    """

    def __init__(self, agent: Agent, streams: Streams, inherited: Container[str]) -> None:
        self._recorder = Recorder(inherited)
        self._turns = _read_streams(agent, streams, self._recorder)

    def __iter__(self) -> Iterator[Turn]:
        return self._turns

    @property
    def header(self) -> Header:
        """What the session says of itself."""
        return self._recorder.header()

    @property
    def tally(self) -> Tally:
        """What could not be used."""
        return self._recorder.tally

    @property
    def ids(self) -> frozenset[str]:
        """What a fork of this session would repeat."""
        return frozenset(self._recorder.ids)


def read(agent: str, streams: Streams, *, inherited: Container[str] = frozenset()) -> Transcript:
    """Read a whole session: its main stream first, then its subagents'.

    The bytes of a stream come in order, in pieces cut anywhere. `inherited` are the ids of the session that
    this one was forked from: its turns are dropped where they are repeated.

    Raises:
        ReaderMissing: There is no reader for that agent.
    """
    reading = iterate(agent, streams, inherited=inherited)
    turns = list(reading)
    return Transcript(reading.header, turns, reading.tally, reading.ids)


def iterate(agent: str, streams: Streams, *, inherited: Container[str] = frozenset()) -> Reading:
    """Read a session as `read` does, turn by turn.

    Raises:
        ReaderMissing: There is no reader for that agent.
    """
    if agent not in REGISTRY:
        raise ReaderMissing(agent)
    return Reading(REGISTRY[agent].load(), streams, inherited)


def _read_streams(agent: Agent, streams: Streams, recorder: Recorder) -> Iterator[Turn]:
    reader = agent.reader(recorder)
    read, ready, pending = reader.read, reader.ready, recorder.pending
    for stream, chunks in streams:
        recorder.begin(stream)
        reader.begin()
        for item in agent.records(chunks, recorder.tally):
            if isinstance(item, Member):
                reader.read_members(item.value)
                continue
            recorder.line, record, recorder.shortened = item.number, item.value, item.shortened
            if not isinstance(record, dict) or not record:
                recorder.count_unknown("(not an object)")
                continue
            read(record)
            if len(pending) >= _TOGETHER and (going := ready()):
                yield from pending[:going]
                del pending[:going]
        yield from pending
        pending.clear()
