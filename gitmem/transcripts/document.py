"""Transcripts that are one JSON document: an object with a list of messages, rewritten whole by its agent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from gitmem.model.turns import Tally
from gitmem.transcripts.fields import Object, mapping
from gitmem.transcripts.lines import Line, mend
from gitmem.transcripts.shrink import Shrinker

DOCUMENT_LIMIT = 8 * 1024 * 1024
"""Bytes. A larger document is taken apart as it comes in, some three times slower."""

_DECODE = msgspec.json.Decoder().decode
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Member(NamedTuple):
    """Everything of the document but its messages."""

    value: Object


def read_document(chunks: Iterable[bytes], messages_key: str, tally: Tally) -> Iterator[Line | Member]:
    """Yield the messages in order, as lines that say where in the document they start, and the rest of it.

    The rest comes first where the document is small, and last where it is not. Of a document that breaks off,
    the messages that are whole are read.
    """
    pieces: list[bytes] = []
    held = 0
    chunks = iter(chunks)
    for chunk in chunks:
        pieces.append(chunk)
        held += len(chunk)
        if held > DOCUMENT_LIMIT:
            break
    else:
        data = b"".join(pieces)
        if not data.strip():
            return
        try:
            members = _MEMBERS(data)
            elements = _ELEMENTS(members.get(messages_key) or b"[]")
            rest = {key: _DECODE(raw) for key, raw in members.items() if key != messages_key}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pieces = [data]
        else:
            tally.lines += data.count(b"\n") + (not data.endswith(b"\n"))
            yield Member(rest)
            yield from _read_elements(data, elements, tally)
            return
    yield from _take_apart(pieces, chunks, messages_key, tally)


def _read_elements(data: bytes, elements: list[msgspec.Raw], tally: Tally) -> Iterator[Line]:
    at = line = 0
    for raw in elements:
        element = bytes(raw)
        start = data.find(element, at)
        line += data.count(b"\n", at, start)
        yield from _read_element(element, line, tally, shortened=False)
        line += element.count(b"\n")
        at = start + len(element)


def _take_apart(
    pieces: list[bytes], chunks: Iterator[bytes], messages_key: str, tally: Tally
) -> Iterator[Line | Member]:
    shrinker = Shrinker(messages_key)
    last = b""
    for piece in chain(pieces, chunks):
        shrinker.feed(piece)
        tally.lines += piece.count(b"\n")
        last = piece or last
        while shrinker.elements:
            element = shrinker.elements.popleft()
            tally.too_deep += element.was_too_deep
            tally.long_lines += element.was_cut
            cut = element.was_cut or element.was_too_deep
            yield from _read_element(element.data, element.line, tally, shortened=cut)
    tally.lines += not last.endswith(b"\n")
    rest = _rest(shrinker, tally)
    if rest.get(messages_key, []) != []:
        tally.unknown[f"{messages_key} (no list)"] = 1
    yield Member({key: value for key, value in rest.items() if key != messages_key})


def _rest(shrinker: Shrinker, tally: Tally) -> Object:
    try:
        value = _DECODE(shrinker.finish())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if shrinker.is_open():
            tally.cut_short += 1
            lines = list(mend(shrinker.finish_cut_short(), 0, Tally()))
        else:
            lines = list(mend(shrinker.finish(), 0, tally))
        return mapping(lines[0].value) if lines else {}
    if not isinstance(value, dict):
        tally.not_json += 1  # JSON, but no document
    return mapping(value)


def _read_element(element: bytes, line: int, tally: Tally, *, shortened: bool) -> Iterator[Line]:
    try:
        value = _DECODE(element)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from mend(element, line, tally, shortened=shortened)
    else:
        yield Line(line, value, shortened)
