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


class Line(msgspec.Struct, frozen=True):
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
    first = 0
    for batch in _batches(chunks):
        tally.lines += len(batch)
        for number, raw in enumerate(batch, first):
            if isinstance(raw, bytes):
                data, ended, shortened = raw, True, False
            else:
                data, ended, shortened = raw.data, raw.ended, raw.shortened
                tally.long_lines += shortened
                tally.too_deep += raw.too_deep
            try:
                yield Line(number, _DECODE(data), shortened)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                if not data or data.isspace():
                    continue
                if ended:
                    yield from mend(data, number, tally, shortened=shortened)
                else:
                    tally.cut_short += 1
        first += len(batch)


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
    number = -1
    for batch in _batches(chunks):
        for raw in batch:
            number += 1
            yield RawLine(number, raw, ended=True) if isinstance(raw, bytes) else raw._replace(number=number)


def _batches(chunks: Iterable[bytes]) -> Iterator[list[bytes | RawLine]]:
    """Cut as `split_lines` does; lines that are whole and short, which are most, stand for themselves."""
    pieces: list[bytes] = []
    held = 0
    shrinker: Shrinker | None = None
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        if ended:
            batch: list[bytes | RawLine] = [*ended] if len(chunk) <= LINE_LIMIT else _without_long(ended)
            if shrinker is not None:
                shrinker.feed(ended[0])
                batch[0] = _shrunk(shrinker, ended=True)
            elif pieces:
                pieces.append(ended[0])
                is_long = held + len(ended[0]) > LINE_LIMIT
                batch[0] = _shrunk(_shrink(pieces), ended=True) if is_long else b"".join(pieces)
            pieces, held, shrinker = [], 0, None
            yield batch
        if shrinker is not None:
            shrinker.feed(rest)
        elif rest:
            pieces.append(rest)
            held += len(rest)
            if held > LINE_LIMIT:
                shrinker, pieces, held = _shrink(pieces), [], 0
    if shrinker is not None:
        yield [_shrunk(shrinker, ended=False)]
    elif pieces:
        yield [RawLine(0, b"".join(pieces), ended=False)]


def _without_long(lines: list[bytes]) -> list[bytes | RawLine]:
    return [line if len(line) <= LINE_LIMIT else _shrunk(_shrink([line]), ended=True) for line in lines]


def _shrink(pieces: list[bytes]) -> Shrinker:
    shrinker = Shrinker()
    for piece in pieces:
        shrinker.feed(piece)
    return shrinker


def _shrunk(shrinker: Shrinker, *, ended: bool) -> RawLine:
    return RawLine(0, shrinker.finish(), ended, shortened=True, too_deep=shrinker.was_too_deep)
