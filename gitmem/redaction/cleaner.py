"""Takes the secrets out of one text, and checks that they are gone.

Invariants: no reading of what is returned holds anything that the rules find; a replacement covers whole
escapes and no quote, so that JSON stays JSON; what is no secret stays byte for byte as it was. Where the
exact way does not lead there, the string around is dropped, and then the text: never passed on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from gitmem.redaction.engine import Engine, Match
from gitmem.redaction.placeholders import UNREDACTABLE, placeholder, placeholder_spans
from gitmem.redaction.views import View, innermost, read

_ROUNDS = 4
"""Taking one secret away may uncover another that shared its surroundings; more than this is not natural."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SAYS_SOMETHING = re.compile(rb"[0-9A-Za-z+/=_\x80-\xff]{4}")
"""What is left between quotes may be commas, white space and their escapes."""
_ESCAPABLE = frozenset(bytes([letter]) for letter in b'bfnrtu"/')


class Finding(NamedTuple):
    """A part of the raw text to be replaced."""

    start: int
    end: int
    kind: str


class Findings(NamedTuple):
    """Disjoint parts in order; and where escapes are nested too deep to be read."""

    parts: list[Finding]
    too_deep: list[tuple[int, int]]


NOTHING = Findings([], [])


class Cleaner:
    """One key and one rule set at work; counts what it replaces, by kind."""

    def __init__(self, key: bytes, engine: Engine, counts: Counter[str]) -> None:
        self._key = key
        self._engine = engine
        self._counts = counts

    def suspects(self, raw: bytes, start: int = 0) -> int:
        """Return where from `start` on the text needs to be cleaned; -1 where it is clean as it is."""
        return self._engine.suspects(raw, start)

    def find(self, raw: bytes) -> Findings:
        """Return what is to be replaced, over all readings of the text."""
        if self._engine.suspects(raw) < 0:
            return NOTHING
        reading = read(raw)
        found = [candidate for view in reading.views for candidate in self._in_view(view)]
        return Findings(_disjoint(found), reading.too_deep)

    def clean(self, raw: bytes) -> bytes:
        """Return the text without its secrets."""
        return self.clean_after(b"", raw, self.find(raw))

    def clean_after(self, before: bytes, raw: bytes, findings: Findings) -> bytes:
        """Return `raw` without its secrets; `before` stands in front of it, is clean, and is not returned.

        `findings` are those of `before + raw`, and may have been made with more text behind it in sight.
        """
        text, kept = before + raw, len(before)
        findings = _from(kept, findings)
        for _ in range(_ROUNDS):
            if findings == NOTHING:
                return text[kept:]
            if findings.too_deep:
                text = self._drop(text, kept, findings.too_deep)
            else:
                text = self._replace(text, findings.parts)
            findings = _from(kept, self.find(text))
        text = self._drop(text, kept, [part[:2] for part in findings.parts] + findings.too_deep)
        if _from(kept, self.find(text)) != NOTHING:
            return self._placeholder(UNREDACTABLE, text[kept:])
        return text[kept:]

    def _in_view(self, view: View) -> Iterator[_Candidate]:
        protected = placeholder_spans(view.data)
        for match in self._engine.matches(view.data):
            for start, end in _parts(view.data, match, protected):
                yield _Candidate(*view.raw_span(start, end), match.rank, match.kind)

    def _replace(self, text: bytes, parts: list[Finding]) -> bytes:
        pieces: list[bytes] = []
        position = 0
        for part in parts:
            start, end = _whole_characters(text, max(part.start, position), part.end)
            pieces += (text[position:start], self._placeholder(part.kind, text[start:end]))
            position = end
        pieces.append(text[position:])
        return b"".join(pieces)

    def _drop(self, text: bytes, kept: int, places: list[tuple[int, int]]) -> bytes:
        """Drop the JSON strings that hold these places; or all of the text, where one is in no string."""
        strings = [string.span() for string in _STRING.finditer(text)] if not kept else []
        dropped: list[tuple[int, int]] = []
        current = 0
        for start, end in sorted(places):
            while current < len(strings) and strings[current][1] <= start:
                current += 1
            if current == len(strings) or strings[current][0] > start or strings[current][1] < end:
                return text[:kept] + self._placeholder(UNREDACTABLE, text[kept:])
            if not dropped or dropped[-1] != strings[current]:
                dropped.append(strings[current])
        pieces: list[bytes] = []
        position = 0
        for start, end in dropped:
            pieces += (text[position:start], b'"', self._placeholder(UNREDACTABLE, text[start:end]), b'"')
            position = end
        pieces.append(text[position:])
        return b"".join(pieces)

    def _placeholder(self, kind: str, raw: bytes) -> bytes:
        self._counts[kind] += 1
        return placeholder(self._key, kind, innermost(raw))


class _Candidate(NamedTuple):
    start: int
    end: int
    rank: int
    kind: str


def _from(kept: int, findings: Findings) -> Findings:
    """Leave out what lies in the text that is already clean."""
    if not kept:
        return findings
    return Findings(
        [Finding(max(part.start, kept), part.end, part.kind) for part in findings.parts if part.end > kept],
        [place for place in findings.too_deep if place[1] > kept],
    )


def _parts(reading: bytes, match: Match, protected: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Cut a match at quotes, which belong to the JSON around it, and at placeholders, which are clean."""
    position, end = _before_escape(reading, match.start), match.end
    cuts = []
    for index in range(bisect_right(protected, position, key=itemgetter(1)), len(protected)):
        if protected[index][0] >= end:
            break
        cuts.append(protected[index])
    quote = reading.find(b'"', position, end)
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


def _disjoint(candidates: list[_Candidate]) -> list[Finding]:
    """Unite what overlaps; the part that begins first, is longest and ranks first names it."""
    findings: list[Finding] = []
    for candidate in sorted(candidates, key=lambda found: (found.start, -found.end, found.rank)):
        if findings and candidate.start < findings[-1].end:
            if candidate.end > findings[-1].end:
                findings[-1] = findings[-1]._replace(end=candidate.end)
        else:
            findings.append(Finding(candidate.start, candidate.end, candidate.kind))
    return findings


def _whole_characters(text: bytes, start: int, end: int) -> tuple[int, int]:
    """Widen a part so that it does not end inside of a character's UTF-8."""
    limit = min(end + 3, len(text))
    while end < limit and text[end - 1] >= 0x80 and text[end] & 0xC0 == 0x80:
        end += 1
    return start, end
