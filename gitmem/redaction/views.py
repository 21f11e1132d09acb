"""Every reading of a line that a secret may hide in, and the way from each back to the raw bytes.

A transcript's line is JSON whose strings may hold JSON, so a secret stands behind JSON's escapes once, twice
or more. A view is the whole line with one more layer of escapes taken away, whether or not the line parses:
outside strings JSON has no backslash, so this finds what decoding every string would find, and goes on
finding it in a line that is cut short or no JSON at all. A span of a view covers whole escapes of the line,
never half of one.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

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
_ANY_DEPTH = re.compile(rb'\\+((?:u[0-9a-fA-F]{4}|["/bfnrt])?)')
_SPELLED_OUT = re.compile(rb"\\u00[2-7][0-9a-fA-F]")
"""Printable ASCII as an escape: what an escape may be hidden in again."""

_BACKSLASH = ord("\\")
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class View:
    """One reading of a line.

    Attributes:
        data: The text as read here.
    """

    __slots__ = ("_ends", "_outer", "_outer_ends", "_outer_starts", "_starts", "data")

    def __init__(self, raw: bytes) -> None:
        self.data = raw
        self._outer: View | None = None
        # Where each escape's text stands here, and the escape in the outer view; lists need five times this.
        self._starts, self._ends = array("Q"), array("Q")
        self._outer_starts, self._outer_ends = array("Q"), array("Q")

    @classmethod
    def within(
        cls, outer: View, escape: re.Pattern[bytes], plain: Callable[[re.Match[bytes]], bytes]
    ) -> View:
        """Return the outer view with each escape replaced by what it says."""
        view = cls(b"")
        view._outer = outer
        data, text = outer.data, bytearray()
        position = 0
        for match in escape.finditer(data):
            start, end = match.span()
            text += data[position:start]
            view._starts.append(len(text))
            text += plain(match)
            view._ends.append(len(text))
            view._outer_starts.append(start)
            view._outer_ends.append(end)
            position = end
        text += data[position:]
        view.data = bytes(text)
        return view

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the raw line that reads as data[start:end] here."""
        view = self
        while view._outer is not None:
            start, end = view._outer_start(start), view._outer_end(end)
            view = view._outer
        return start, end

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
        pairs = self.data[self._starts[unit]] == _BACKSLASH
        return 2 * (position - self._starts[unit]) if pairs else 0


class Reading(NamedTuple):
    """All views of a line, the raw one first; and where in it escapes are nested too deep to be read."""

    views: list[View]
    too_deep: list[tuple[int, int]]


def read(raw: bytes) -> Reading:
    """Take away layer after layer of escapes; linear, since the layers are bounded."""
    view = View(raw)
    views = [view]
    for _ in range(MAX_LAYERS):
        if b"\\" not in view.data or not _ESCAPE.search(view.data):
            return Reading(views, [])
        view = View.within(view, _ESCAPE, _unescaped)
        views.append(view)
    too_deep = [view.raw_span(*match.span()) for match in _SPELLED_OUT.finditer(view.data)]
    if b"\\" in view.data:
        views.append(View.within(view, _ANY_DEPTH, _unescaped_at_any_depth))
    return Reading(views, too_deep)


def innermost(raw: bytes) -> bytes:
    """Return the text with every layer of escapes taken away: the same for a secret wherever it stood."""
    return read(raw).views[-1].data if b"\\" in raw else raw


def _unescaped(match: re.Match[bytes]) -> bytes:
    text = match[0]
    second = text[1:2]
    if second == b"\\":
        return text[: len(text) // 2]
    if second != b"u":
        return _LETTERS.get(second, second)
    if len(text) == 12:
        return bytes.fromhex(f"{text[2:6].decode()}{text[8:12].decode()}").decode("utf-16-be").encode()
    return chr(int(text[2:6], 16)).encode("utf-8", "surrogatepass")


def _unescaped_at_any_depth(match: re.Match[bytes]) -> bytes:
    tail = match[1]
    if not tail:
        return b"\\"
    if tail[:1] == b"u":
        return chr(int(tail[1:], 16)).encode("utf-8", "surrogatepass")
    return _LETTERS.get(tail, tail)
