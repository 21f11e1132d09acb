"""Every reading of a text that escapes give it, and the way from each reading back to the raw bytes.

A transcript's line is JSON whose strings may hold JSON, so a secret stands behind JSON's escapes once, twice
or more. A view is the whole text with one more layer of escapes taken away, whether or not the text parses:
outside strings JSON has no backslash, so this finds what decoding every string would find, and goes on
finding it in a line that is cut short or no JSON at all. A span of a view covers whole escapes of the text,
never half of one. The way back is made only when it is asked for, since most readings hold nothing.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

MAX_LAYERS = 6
"""Layers that are taken away one by one; what backslashes remain are then taken away all at once."""

_ESCAPE = re.compile(
    rb"\\(?:"
    rb'["/bfnrt]'
    rb"|\\(?:\\\\)*"
    rb"|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|u[0-9a-fA-F]{4}"
    rb")"
)
"""One escape, or a run of escaped backslashes."""
_UNICODE = re.compile(rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
_ANY_DEPTH = re.compile(rb'\\+((?:u[0-9a-fA-F]{4}|["/bfnrt])?)')
_SPELLED_OUT = re.compile(rb"\\u00[2-7][0-9a-fA-F]")
"""Printable ASCII as an escape: what an escape may be hidden in again."""

_BACKSLASH = ord("\\")
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_TWO_BYTES = [(b"\\" + letter, plain) for letter, plain in {**_LETTERS, b'"': b'"', b"/": b"/"}.items()]
_NOWHERE = b"\xff"
"""No byte of UTF-8, so that it can stand for an escaped backslash while the others are read."""


class Matched(Protocol):
    """What `re` and RE2 have in common."""

    def __getitem__(self, group: int, /) -> bytes:
        """Return what the group matched."""
        ...

    def span(self) -> tuple[int, int]:
        """Return where the match begins and ends."""
        ...


class Expression(Protocol):
    """Something compiled by `re` or RE2."""

    def finditer(self, text: bytes, /) -> Iterable[Matched]:
        """Yield matches from left to right."""
        ...


class View:
    """One reading of a text.

    Attributes:
        data: The text as read here.
    """

    __slots__ = (
        "_ends",
        "_escape",
        "_mapped",
        "_outer",
        "_outer_ends",
        "_outer_starts",
        "_plain",
        "_starts",
        "data",
    )

    def __init__(self, raw: bytes) -> None:
        self.data = raw
        self._outer: View | None = None
        self._mapped = True
        self._escape: Expression = _ESCAPE
        self._plain: Callable[[Matched], bytes] = _unescaped
        # Where each escape's text stands here, and the escape in the outer view; lists need five times this.
        self._starts, self._ends = array("Q"), array("Q")
        self._outer_starts, self._outer_ends = array("Q"), array("Q")

    @classmethod
    def within(
        cls,
        outer: View,
        escape: Expression,
        plain: Callable[[Matched], bytes],
        data: bytes | None = None,
    ) -> View:
        """Return the outer view with each escape replaced by what it says: `data`, if that is known."""
        view = cls(b"")
        view._outer, view._escape, view._plain, view._mapped = outer, escape, plain, False
        view.data = view._read() if data is None else data
        return view

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the raw text that reads as data[start:end] here."""
        view = self
        while view._outer is not None:
            if not view._mapped:
                view._map()
            start, end = view._outer_start(start), view._outer_end(end)
            view = view._outer
        return start, end

    def cuts(self, start: int, end: int) -> list[int]:
        """Return where, from `start` to `end`, both included, something was taken away."""
        if not self._mapped:
            self._map()
        first = bisect_right(self._starts, start - 1)
        return list(self._starts[first : bisect_right(self._starts, end)])

    def _map(self) -> None:
        """Note where each escape stands, here and in the outer view."""
        assert self._outer is not None
        plain, gone = self._plain, 0
        starts, ends = self._starts.append, self._ends.append
        for match in self._escape.finditer(self._outer.data):
            start, end = match.span()
            length = 1 if end - start == 2 and plain is _unescaped else len(plain(match))
            starts(start - gone)
            ends(start - gone + length)
            self._outer_starts.append(start)
            self._outer_ends.append(end)
            gone += end - start - length
        self._mapped = True

    def _read(self) -> bytes:
        """Return the outer view with each escape replaced by what it says."""
        assert self._outer is not None
        data, position = self._outer.data, 0
        pieces: list[bytes] = []
        for match in self._escape.finditer(data):
            start, end = match.span()
            pieces += (data[position:start], self._plain(match))
            position = end
        return b"".join((*pieces, data[position:]))

    def _outer_start(self, position: int) -> int:
        unit = bisect_right(self._starts, position) - 1
        if unit < 0:
            return position
        if position < self._ends[unit]:
            return self._outer_starts[unit] + self._into(unit, position)
        return self._outer_ends[unit] + position - self._ends[unit]

    def _outer_end(self, position: int) -> int:
        unit = bisect_right(self._starts, position - 1) - 1
        if unit < 0:
            return position
        if position < self._ends[unit] and (inside := self._into(unit, position)):
            return self._outer_starts[unit] + inside
        return self._outer_ends[unit] + max(position - self._ends[unit], 0)

    def _into(self, unit: int, position: int) -> int:
        """A run of backslash pairs is one unit, and may be cut between them; no other unit may be cut."""
        pairs = self._outer_ends[unit] - self._outer_starts[unit] == 2 * (
            self._ends[unit] - self._starts[unit]
        )
        if not pairs or self.data[self._starts[unit]] != _BACKSLASH:
            return 0
        return 2 * (position - self._starts[unit])


class GridView(View):
    """A reading in which `plain` bytes come from `coded` characters of the outer view, from `offset` on."""

    __slots__ = ("_coded", "_offset", "_per")

    def __init__(self, outer: View, data: bytes, offset: int, coded: int, plain: int) -> None:
        super().__init__(data)
        self._outer = outer
        self._offset, self._coded, self._per = offset, coded, plain

    def _outer_start(self, position: int) -> int:
        return self._offset + position // self._per * self._coded

    def _outer_end(self, position: int) -> int:
        assert self._outer is not None
        return min(self._offset + -(-position // self._per) * self._coded, len(self._outer.data))


class Reading(NamedTuple):
    """All views of a text, the raw one first; and where in it escapes are nested too deep to be read."""

    views: list[View]
    too_deep: list[tuple[int, int]]


def read(raw: bytes) -> Reading:
    """Take away layer after layer of escapes; linear, since the layers are bounded."""
    view = View(raw)
    views = [view]
    for _ in range(MAX_LAYERS):
        if b"\\" not in view.data:
            return Reading(views, [])
        plain = _without_a_layer(view.data)
        if plain == view.data:
            return Reading(views, [])
        view = View.within(view, _ESCAPE, _unescaped, plain)
        views.append(view)
    too_deep = [view.raw_span(*match.span()) for match in _SPELLED_OUT.finditer(view.data)]
    if b"\\" in view.data:
        views.append(View.within(view, _ANY_DEPTH, _unescaped_at_any_depth))
    return Reading(views, too_deep)


def innermost(raw: bytes) -> bytes:
    """Return the text with every layer of escapes taken away: the same for a secret wherever it stood."""
    return read(raw).views[-1].data if b"\\" in raw else raw


def _without_a_layer(data: bytes) -> bytes:
    """Say what `_ESCAPE` and `_unescaped` say, without a step of Python for each escape."""
    if _NOWHERE in data:
        return _ESCAPE.sub(_unescaped, data)
    text = data.replace(b"\\\\", _NOWHERE)
    if b"\\" in text:
        if b"\\u" in text:
            text = _UNICODE.sub(_unescaped_but_no_backslash, text)
        for escape, plain in _TWO_BYTES:
            text = text.replace(escape, plain)
    return text.replace(_NOWHERE, b"\\")


def _unescaped_but_no_backslash(match: re.Match[bytes]) -> bytes:
    plain = _unescaped(match)
    return _NOWHERE if plain == b"\\" else plain


def _unescaped(match: Matched) -> bytes:
    text = match[0]
    second = text[1:2]
    if second == b"\\":
        return text[: len(text) // 2]
    if second != b"u":
        return _LETTERS.get(second, second)
    if len(text) == 12:
        return bytes.fromhex(f"{text[2:6].decode()}{text[8:12].decode()}").decode("utf-16-be").encode()
    return chr(int(text[2:6], 16)).encode("utf-8", "surrogatepass")


def _unescaped_at_any_depth(match: Matched) -> bytes:
    tail = match[1]
    if not tail:
        return b"\\"
    if tail[:1] == b"u":
        return chr(int(tail[1:], 16)).encode("utf-8", "surrogatepass")
    return _LETTERS.get(tail, tail)
