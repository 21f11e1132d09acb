"""Lines of a transcript, put together from pieces cut anywhere, and decoded.

Every line is accounted for: it is yielded, or counted in the tally, or both. Memory stays bounded: a line
longer than `LINE_LIMIT` is shrunk as it comes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from gitmem.model.turns import Tally
from gitmem.transcripts.salvage import salvage
from gitmem.transcripts.shrink import Shrinker

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes. Longer lines are shrunk; what agents write in one breath (a file, a screenshot) is shorter."""

_DECODE = msgspec.json.Decoder().decode


class Line(NamedTuple):
    """One JSON value of a transcript; `number` counts lines from 0 within its stream."""

    number: int
    value: object
    shortened: bool = False


class RawLine(NamedTuple):
    """The bytes of a line without its line feed; `ended` says that one was there."""

    number: int
    data: bytes
    ended: bool
    shortened: bool = False
    too_deep: bool = False


def read_lines(chunks: Iterable[bytes], tally: Tally) -> Iterator[Line]:
    """Decode the lines of one stream, counting what is amiss.

    A last line without a line feed is still being written: it is yielded if it is whole, and otherwise
    counted as cut short and left for the time when the rest is there.
    """
    for raw in split_lines(chunks):
        tally.lines += 1
        if not raw.data or raw.data.isspace():
            continue
        if raw.shortened:
            tally.long_lines += 1
        if raw.too_deep:
            tally.too_deep += 1
        try:
            yield Line(raw.number, _DECODE(raw.data), raw.shortened)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if raw.ended:
                yield from mend(raw.data, raw.number, tally, shortened=raw.shortened)
            else:
                tally.cut_short += 1


def mend(data: bytes, number: int, tally: Tally, *, shortened: bool = False) -> Iterator[Line]:
    """Yield what can be salvaged of bytes that would not decode, and count why they would not."""
    rescued = salvage(data)
    tally.bad_utf8 += rescued.bad_text
    tally.too_deep += rescued.too_deep
    tally.not_json += not (rescued.was_json or rescued.too_deep)
    for value in rescued.values:
        if isinstance(value, dict):  # of a line of prose that begins with a number, the number is no record
            yield Line(number, value, shortened or rescued.too_deep)


def split_lines(chunks: Iterable[bytes]) -> Iterator[RawLine]:
    """Cut at line feeds only, holding no more than `LINE_LIMIT` and one chunk."""
    number = 0
    pieces: list[bytes] = []
    held = 0
    shrinker: Shrinker | None = None
    for chunk in chunks:
        at = 0
        while (stop := chunk.find(b"\n", at)) >= 0:
            if shrinker is not None:
                shrinker.feed(chunk[at:stop])
                yield _shrunk(number, shrinker, ended=True)
                shrinker = None
            elif held + stop - at > LINE_LIMIT:
                yield _shrunk(number, _shrink([*pieces, chunk[at:stop]]), ended=True)
                pieces, held = [], 0
            elif pieces:
                pieces.append(chunk[at:stop])
                yield RawLine(number, b"".join(pieces), ended=True)
                pieces, held = [], 0
            else:
                yield RawLine(number, chunk[at:stop], ended=True)
            number += 1
            at = stop + 1
        rest = chunk[at:] if at else chunk
        if shrinker is not None:
            shrinker.feed(rest)
        elif rest:
            pieces.append(rest)
            held += len(rest)
            if held > LINE_LIMIT:
                shrinker, pieces, held = _shrink(pieces), [], 0
    if shrinker is not None:
        yield _shrunk(number, shrinker, ended=False)
    elif pieces:
        yield RawLine(number, b"".join(pieces), ended=False)


def _shrink(pieces: list[bytes]) -> Shrinker:
    shrinker = Shrinker()
    for piece in pieces:
        shrinker.feed(piece)
    return shrinker


def _shrunk(number: int, shrinker: Shrinker, *, ended: bool) -> RawLine:
    return RawLine(number, shrinker.finish(), ended, shortened=True, too_deep=shrinker.was_too_deep)
