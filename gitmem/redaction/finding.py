"""Finds what is secret in one text, over all of its readings, and leads it back to the text's bytes.

Only the surroundings of places where a core stands are unescaped. A window begins and ends in no escape and
in no token, and is made wider for as long as something in it reaches its end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from gitmem.redaction import known
from gitmem.redaction.decoding import decoded, joined, uncoloured
from gitmem.redaction.engine import (
    CODED,
    COLOURED,
    EVERY_READING,
    JOINED,
    PLAIN,
    Engine,
    Readings,
    is_spelled_out,
)
from gitmem.redaction.matching import Judge, Match
from gitmem.redaction.payloads import payloads
from gitmem.redaction.placeholders import placeholder_spans
from gitmem.redaction.rules import Group
from gitmem.redaction.scanning import Hit
from gitmem.redaction.views import View, innermost, read

MOST_NESTED = 2
"""Codes within codes that are read: base64 in percent-encoding, and the like."""
_BUDGET = 32
"""Decoded bytes for each byte of text; text that needs more was made for it, and is dropped."""
_LEAST_BUDGET = 1 << 20

_LEFT = 256
_RIGHT = 512
_LONG_TOKEN = 8 << 10
"""How far to the left of a core a token may go on: the core of a signed URL is at its end."""
_WIDER = 4
_TOUCHING = 200
_SAFE_START = re.compile(rb'[ ",]')
_SAFE_END = re.compile(rb'[ "\n]')

_SAYS_SOMETHING = re.compile(rb"[0-9A-Za-z+/=_\x80-\xff]{4}")
"""What is left between quotes may be commas, white space and their escapes."""
_ESCAPABLE = frozenset(bytes([letter]) for letter in b'bfnrtu"/')
_BARE_QUOTE = re.compile(rb'"')


class Finding(NamedTuple):
    """A part of the raw text to be replaced; `value` is the secret, if it is not the text without escapes."""

    start: int
    end: int
    kind: str
    group: Group = "secret"
    value: bytes | None = None


class Findings(NamedTuple):
    """Disjoint parts in order; and places that cannot be read."""

    parts: list[Finding]
    unreadable: list[tuple[int, int]]


NOTHING = Findings([], [])


class _Candidate(NamedTuple):
    start: int
    end: int
    rank: int
    kind: str
    group: Group
    value: bytes | None


class Finder:
    """One text under examination."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._judge = Judge()
        self._unreadable: list[tuple[int, int]] = []
        self._left = 0

    def find(self, raw: bytes, readings: Readings) -> Findings:
        """Return what is to be replaced; `readings` are those that are worth making."""
        if not readings:
            return NOTHING
        self._left = max(_LEAST_BUDGET, _BUDGET * len(raw))
        parts = _disjoint(self._in_text(raw, readings, 0))
        return Findings(parts, [(0, len(raw))] if self._left < 0 else sorted(self._unreadable))

    def _in_text(self, text: bytes, readings: Readings, depth: int) -> list[_Candidate]:
        found: list[_Candidate] = []
        if readings & CODED:
            found += self._in_payloads(text, depth)
        if readings & PLAIN:
            found += self._plain(text, depth)
        if readings & COLOURED:
            view = uncoloured(text)
            found += _led_back(view, self._plain(view.data, depth), text)
        if readings & JOINED:
            found += self._joined(text, found)
        if depth < MOST_NESTED:
            if readings & CODED:
                found += self._in_readings(text, decoded(text), EVERY_READING, depth)
            if readings & PLAIN and is_spelled_out(text):
                found += self._in_readings(text, read(text).views[-1:], ~PLAIN, depth)
        return found

    def _in_payloads(self, text: bytes, depth: int) -> Iterator[_Candidate]:
        for payload in payloads(text):
            if self._engine.takes_payloads:
                yield _Candidate(payload.start, payload.end, -2, payload.kind, "secret", None)

    def _in_readings(
        self, text: bytes, views: Iterable[View], wanted: Readings, depth: int
    ) -> Iterator[_Candidate]:
        """Read what a text says in some code as a text of its own."""
        for view in views:
            self._left -= len(view.data)
            if self._left < 0:
                return
            readings = self._engine.readings(view.data) & wanted
            if depth + 1 == MOST_NESTED:
                readings &= ~CODED
            if readings:
                yield from _led_back(view, self._in_text(view.data, readings, depth + 1), text)

    def _joined(self, text: bytes, found: list[_Candidate]) -> Iterator[_Candidate]:
        """Read over line ends, where nothing was found without doing so."""
        taken = sorted((candidate.start, candidate.end) for candidate in found)
        for first, last in self._engine.joined_places(text):
            view = joined(text[first:last])
            protected = placeholder_spans(view.data)
            for match in self._engine.joined_matches(view, self._judge):
                value = innermost(view.data[match.start : match.end])
                for part in _parts(view.data, match, protected):
                    start, end = (first + place for place in view.raw_span(*part))
                    if not _is_within(taken, start):
                        candidate = _Candidate(start, end, match.rank, match.kind, match.group, value)
                        yield from _between_quotes(text, candidate)

    def _plain(self, text: bytes, depth: int) -> list[_Candidate]:
        found: list[_Candidate] = []
        hits = self._engine.hits(text)
        at = 0
        while at < len(hits):
            start = _window_start(text, hits[at])
            end, after = _window_end(text, hits, at)
            while True:
                candidates, unreadable, reached = self._in_window(text[start:end], start)
                if end == len(text) or reached < end - _TOUCHING:
                    break
                end, after = _window_end(text, hits, after - 1, end + (_WIDER - 1) * (end - start))
            found += candidates
            if depth == 0:
                self._unreadable += unreadable
            at = after
        return found

    def _in_window(self, window: bytes, offset: int) -> tuple[list[_Candidate], list[tuple[int, int]], int]:
        """Return what is found in a window, and up to where something was found."""
        found: list[_Candidate] = []
        reading = read(window)
        reached = 0
        for view, rules in zip(reading.views, self._engine.suspected(reading.views), strict=True):
            protected: list[tuple[int, int]] | None = None
            for rule in rules:
                for match in rule.matches(view.data, self._judge):
                    if protected is None:
                        protected = placeholder_spans(view.data)
                    for part in _parts(view.data, match, protected):
                        start, end = view.raw_span(*part)
                        reached = max(reached, offset + end)
                        found.append(
                            _Candidate(
                                start + offset, end + offset, match.rank, match.kind, match.group, match.value
                            )
                        )
        unreadable = [(start + offset, end + offset) for start, end in reading.too_deep]
        return found, unreadable, reached


def _window_start(text: bytes, hit: Hit) -> int:
    least = hit.start - _LEFT
    if least <= 0:
        return 0
    safe = _SAFE_START.search(text, least, hit.start)
    if safe:
        return safe.end()
    furthest = max(least - _LONG_TOKEN, 0)
    return max(furthest, *(text.rfind(blank, furthest, least) + 1 for blank in (b" ", b'"')))


def _window_end(text: bytes, hits: Sequence[Hit], at: int, least: int = 0) -> tuple[int, int]:
    """Return where a window ends that holds the hit and all that stand near; and the hit after it."""
    end = max(least, hits[at].end + _RIGHT)
    while True:
        at += 1
        while at < len(hits) and hits[at].start - _LEFT < end:
            end = max(end, hits[at].end + _RIGHT)
            at += 1
        if end >= len(text):
            return len(text), at
        safe = _SAFE_END.search(text, end)
        if safe is None:
            return len(text), len(hits)
        if at == len(hits) or hits[at].start - _LEFT >= safe.start():
            break
        end = safe.start()
        at -= 1
    end = safe.start()
    while text[end - 1 : end] == b"\\":
        end -= 1
    return end, at


def _led_back(view: View, found: list[_Candidate], text: bytes) -> Iterator[_Candidate]:
    """Lead what was found in a reading back to the text; its value is what was read."""
    for candidate in found:
        start, end = view.raw_span(candidate.start, candidate.end)
        value = candidate.value
        if value is None and not candidate.kind.startswith("payload-"):
            value = innermost(view.data[candidate.start : candidate.end])
        yield from _between_quotes(text, candidate._replace(start=start, end=end, value=value))


def _between_quotes(text: bytes, candidate: _Candidate) -> Iterator[_Candidate]:
    """Leave out the quotes that a reading went over: they belong to the JSON around."""
    if candidate.kind == known.KIND:
        yield candidate
        return
    position = candidate.start
    for quote in _BARE_QUOTE.finditer(text, candidate.start, candidate.end):
        piece = text[position : quote.start()].rstrip(b"\\")
        if _SAYS_SOMETHING.search(piece):
            yield candidate._replace(start=position, end=position + len(piece))
        position = quote.end()
    if position == candidate.start or _SAYS_SOMETHING.search(text, position, candidate.end):
        yield candidate._replace(start=position)


def _is_within(spans: list[tuple[int, int]], place: int) -> bool:
    at = bisect_right(spans, place, key=itemgetter(0)) - 1
    return at >= 0 and place < spans[at][1]


def _parts(reading: bytes, match: Match, protected: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Cut a match at quotes, which belong to the JSON around it, and at placeholders, which are clean.

    A known value's quotes are its own.
    """
    position, end = _before_escape(reading, match.start), match.end
    cuts = []
    for index in range(bisect_right(protected, position, key=itemgetter(1)), len(protected)):
        if protected[index][0] >= end:
            break
        cuts.append(protected[index])
    quote = reading.find(b'"', position, end) if match.kind != known.KIND else -1
    while quote >= 0:
        cuts.append((quote, quote + 1))
        quote = reading.find(b'"', quote + 1, end)
    if not cuts:
        # Of a run of backslashes that goes on behind the match, none may go: half of an escape would stay.
        yield position, position + len(reading[position:end].rstrip(b"\\"))
        return
    for cut_start, cut_end in (*sorted(cuts), (end, end)):
        piece = reading[position:cut_start].rstrip(b"\\")
        if _SAYS_SOMETHING.search(piece):
            yield position, position + len(piece)
        position = max(position, cut_end)


def _before_escape(reading: bytes, start: int) -> int:
    """Move the start before an escape that it stands inside of: `\\npm_` begins with a newline or does not.

    Which of the two is known only at the right depth, and half an escape left behind would break the JSON.
    """
    if start == 0 or reading[start - 1 : start] != b"\\" or reading[start : start + 1] not in _ESCAPABLE:
        return start
    while start and reading[start - 1 : start] == b"\\":
        start -= 1
    return start


def _precedence(candidate: _Candidate) -> tuple[int, int, bool, int]:
    return candidate.start, -candidate.end, candidate.value is not None, candidate.rank


def _disjoint(candidates: list[_Candidate]) -> list[Finding]:
    """Unite what overlaps; the part that begins first, is longest and ranks first names it."""
    findings: list[Finding] = []
    for candidate in sorted(candidates, key=_precedence):
        if findings and candidate.start < findings[-1].end:
            if candidate.end > findings[-1].end:
                findings[-1] = findings[-1]._replace(end=candidate.end, value=None)
        else:
            findings.append(
                Finding(candidate.start, candidate.end, candidate.kind, candidate.group, candidate.value)
            )
    return findings
