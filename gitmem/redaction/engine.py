"""A rule set made ready: which readings of a text are worth making, and what rules find in one.

RE2 takes linear time on any input, and so does everything here: patterns come from rules, never from a loop
over attempts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction import decoding
from gitmem.redaction.accelerated import Databases, scanner_for
from gitmem.redaction.checks import CHECKS
from gitmem.redaction.decoding import roughly_joined
from gitmem.redaction.expressions import compiled, expression
from gitmem.redaction.known import KnownValues
from gitmem.redaction.matching import Judge, Match, ReadyRule, joins_of
from gitmem.redaction.payloads import PAYLOAD
from gitmem.redaction.placeholders import KINDS
from gitmem.redaction.rules import RuleSet
from gitmem.redaction.scanning import Hit, Scanner
from gitmem.redaction.views import View

if TYPE_CHECKING:
    import re2

_SPELLED_OUT = r"\\u00(?:2[0-58-9a-fA-F]|3[0-9abdABDfF]|[4-7][0-9a-fA-F])"
"""Printable ASCII as an escape, which may hide any of the cores. Of these, encoders write `&`, `'`, `<` and
`>` all the time, and no core needs one of them."""

_GATE_MEMORY_BYTES = 32 << 20
_COARSE = 8 << 10
_PIECE = 1 << 10
_AROUND = 3 << 10
"""How far around a piece is read exactly; that makes up for what is cut at pieces' borders, too."""


Readings = int
"""Which readings of a text may hold a secret, as a sum of these; plain integers, since enum's are slow."""
NO_READING: Final = 0
PLAIN: Final = 1
"""As it stands, behind any escapes."""
CODED: Final = 2
"""In base64, hex, percent-encoding; or there is a payload."""
COLOURED: Final = 4
"""Between colour codes or NULs."""
JOINED: Final = 8
"""Over a line end."""
EVERY_READING: Final = 15


class SuspectLine(NamedTuple):
    """A line that has to be read, its end included, and how."""

    start: int
    end: int
    readings: Readings


class Engine:
    """A rule set made ready. Compiles on first use, so that making one costs nothing.

    Raises:
        RedactionFailed: A rule is for a kind that no placeholder may have, or needs a check that is missing.
    """

    def __init__(
        self, rules: RuleSet, known: Sequence[bytes] = (), databases: Databases | None = None
    ) -> None:
        for rule in rules.rules:
            if rule.kind not in KINDS:
                raise RedactionFailed("anything", f"a rule is for {rule.kind!r}, a kind that does not exist")
            if rule.check and rule.check not in CHECKS:
                raise RedactionFailed("anything", f"a rule needs {rule.check!r}, a check that does not exist")
        self.takes_payloads = rules.takes_payloads
        self._ready = [ReadyRule(rank, rule) for rank, rule in enumerate(rules.rules)]
        self._joinable = [ready for ready in self._ready if joins_of(ready.rule)]
        self._expressions = [*(rule.core for rule in rules.rules), _SPELLED_OUT]
        self._databases = databases
        self._known = KnownValues(known)

    def readings(self, text: bytes) -> Readings:
        """Return which readings of the text may hold a secret: most texts need none."""
        found = NO_READING
        if self._scanner.first(text) >= 0 or (self._known and self._known.pattern.search(text)):
            found |= PLAIN
        if self._coded.search(text):
            found |= CODED
        if expression(decoding.COLOURED).search(text):
            found |= COLOURED
        if self._joinable and self._joined_scanner.first(_one_line(text, bool(found & COLOURED))) >= 0:
            found |= JOINED
        return found

    def suspects(self, text: bytes, start: int = 0) -> int:
        """Return where, from `start` on, something stands that a rule may find behind any escapes; or -1."""
        return self._scanner.first(text, start)

    def suspect_lines(self, block: bytes) -> list[SuspectLine]:
        """Return the lines of a text that have to be read, in order; each is judged as if it stood alone."""
        lines: dict[int, SuspectLine] = {}
        start = end = 0
        for place in self._scanner.places(block):
            if not start <= place < end:  # a long line may have a place at every other byte
                end = _note(lines, block, place, PLAIN)
                start = place
        position = 0
        while self._known and (match := self._known.pattern.search(block, position)):
            position = _note(lines, block, match.start(), PLAIN)
        position = 0
        while match := self._coded_or_coloured.search(block, position):
            start, position = _line_around(block, match.start())
            line = block[start:position]
            for reading, pattern in ((CODED, self._coded), (COLOURED, expression(decoding.COLOURED))):
                if pattern.search(line):
                    _note(lines, block, start, reading)
        if self._joinable:
            is_coloured = any(line.readings & COLOURED for line in lines.values())
            self._note_joined(lines, roughly_joined(block, is_coloured), block)
        return [lines[start] for start in sorted(lines)]

    def hits(self, text: bytes) -> Sequence[Hit]:
        """Return where in the text a rule may match."""
        hits = self._scanner.hits(text)
        return sorted([*hits, *self._known.hits(text)]) if self._known else hits

    def suspected(self, views: Sequence[View]) -> list[list[ReadyRule | KnownValues]]:
        """Return for each reading of a text, the raw one first, the rules that may match in it.

        What is suspect in the raw text is so in all of them, unless it is spelled out by escapes.
        """
        numbers = self._scanner.numbers(views[0].data)
        if numbers and numbers[-1] == len(self._ready):
            return [self._rules(self._scanner.numbers(view.data)) for view in views]
        return [self._rules(numbers)] * len(views)

    def matches(self, reading: bytes) -> Iterator[Match]:
        """Yield what the rules find in one reading; matches of different rules may overlap."""
        judge = Judge()
        for rule in self.suspected([View(reading)])[0]:
            yield from rule.matches(reading, judge)

    def _rules(self, numbers: Sequence[int]) -> list[ReadyRule | KnownValues]:
        rules: list[ReadyRule | KnownValues] = [self._known] if self._known else []
        return rules + [self._ready[number] for number in numbers if number < len(self._ready)]

    def joined_places(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield the parts of a text that may hold secrets over the places where it is put together."""
        is_coloured = expression(decoding.COLOURED).search(text) is not None
        hits = self._joined_scanner.hits(_one_line(text, is_coloured))
        pieces = _Pieces(text, 0, len(text), _COARSE, is_coloured) if hits else None
        first = last = -1
        for hit in hits:
            assert pieces is not None
            place = pieces.place_of(hit.start)
            start, end = max(place - _AROUND, 0), place + _PIECE + _AROUND
            if first >= 0 and start > last:
                yield first, last
                first = -1
            first, last = (start if first < 0 else first), end
        if first >= 0:
            yield first, min(last, len(text))

    def joined_matches(self, view: View, judge: Judge) -> Iterator[Match]:
        """Yield what rules find over the places where something was taken away."""
        for number in self._joined_scanner.numbers(view.data):
            yield from self._joinable[number].joined_matches(view, judge)

    @property
    def scanner(self) -> str:
        """The name of the scanner in use: re2 or hyperscan."""
        return self._scanner.name

    @cached_property
    def _scanner(self) -> Scanner:
        joinable = {ready.rank for ready in self._joinable}
        apart = frozenset(range(len(self._expressions))) - joinable
        return scanner_for(self._expressions, self._databases, apart)

    @cached_property
    def _joined_scanner(self) -> Scanner:
        return scanner_for([ready.rule.core for ready in self._joinable], self._databases)

    @cached_property
    def _coded(self) -> re2._Regexp:
        return compiled(f"{decoding.CODED}|{PAYLOAD}", _GATE_MEMORY_BYTES)

    @cached_property
    def _coded_or_coloured(self) -> re2._Regexp:
        return compiled(f"{decoding.CODED}|{PAYLOAD}|{decoding.COLOURED}", _GATE_MEMORY_BYTES)

    def _note_joined(self, lines: dict[int, SuspectLine], joined: bytes, block: bytes) -> None:
        """Look at lines put together; taking away their inner line ends keeps their number."""
        start = counted = end = 0
        for place in sorted(self._joined_scanner.places(joined)):
            if place < end:
                continue
            end = (joined.find(b"\n", place) + 1) or len(joined)
            for _ in range(joined.count(b"\n", counted, place)):
                start = block.find(b"\n", start) + 1
            counted = place
            _note(lines, block, start, JOINED)


class _Pieces:
    """Leads back from a text put together: that keeps no count of where things stood, but each piece does.

    Pieces are cut finer where something has to be found.
    """

    def __init__(self, text: bytes, start: int, end: int, size: int, is_coloured: bool) -> None:
        self._text, self._end, self._size, self._is_coloured = text, end, size, is_coloured
        self._starts = range(start, end, size)
        pieces = (text[at : min(at + size, end)] for at in self._starts)
        self._left = list(accumulate((len(_one_line(piece, is_coloured)) for piece in pieces), initial=0))
        self._finer: dict[int, _Pieces] = {}

    def place_of(self, left: int) -> int:
        """Return where the piece begins that holds what stands at `left` of what is left."""
        at = min(bisect_right(self._left, left), len(self._starts)) - 1
        start = self._starts[at]
        if self._size == _PIECE:
            return start
        if at not in self._finer:
            end = min(start + self._size, self._end)
            self._finer[at] = _Pieces(self._text, start, end, _PIECE, self._is_coloured)
        return self._finer[at].place_of(left - self._left[at])


def _one_line(text: bytes, is_coloured: bool) -> bytes:
    return roughly_joined(text, is_coloured).replace(b"\n", b"")


def is_spelled_out(text: bytes) -> bool:
    """Tell whether escapes may hide any letter of the text."""
    return b"\\u00" in text and expression(_SPELLED_OUT).search(text) is not None


def _note(lines: dict[int, SuspectLine], block: bytes, place: int, reading: Readings) -> int:
    """Note that the line around a place has to be read so; return where the next line begins."""
    start, end = _line_around(block, place)
    known = lines.get(start)
    lines[start] = SuspectLine(start, end, reading | (known.readings if known else NO_READING))
    return end


def _line_around(block: bytes, place: int) -> tuple[int, int]:
    """Return where the line around a place begins, and where the next does."""
    return block.rfind(b"\n", 0, place) + 1, (block.find(b"\n", place) + 1) or len(block)
