"""Cutting one huge JSON value down to what can be decoded, as its bytes come in.

The copy has the same shape: keys in the same order, every string at most `STRING_LIMIT` bytes and never cut
inside an escape, a surrogate pair or a character, no white space, at most `DEPTH_LIMIT` levels (what stands
deeper is `null`), and about `SIZE_LIMIT` bytes and `MEMBER_LIMIT` members in all, after which the rest of
each container is left out.
What was no JSON is none afterwards either: the decoder decides; this module only stops where it is plain.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

import msgspec

STRING_LIMIT = 64 * 1024
SIZE_LIMIT = 4 * 1024 * 1024
DEPTH_LIMIT = 128
"""Agents nest some twenty levels; msgspec's decoder recurses, and gives up at nearly a thousand."""

_OUTER_SHARE = 1024 * 1024
"""What the two outermost levels may have beyond SIZE_LIMIT each, so that ids and times behind a huge value
are still there."""

MEMBER_LIMIT = 100_000
_OUTER_MEMBERS = 1000
"""Every member becomes an object some twenty times its size when it is decoded."""

_LITERAL_LIMIT = 1024
_LATE_STRING_LIMIT = 256

_STRUCTURE = re.compile(rb'["{}\[\],:]')
_NESTING = re.compile(rb'"|[{\[]+|[}\]]+')
_FLAT = re.compile(
    rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"'
    rb'|\[(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\]|\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\})*+',
    re.DOTALL,
)
"""Strings, and containers of nothing but strings and literals: where all is dropped, passed over at once."""
_BETWEEN = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_STRING_RUN = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_WHOLE_ESCAPES = re.compile(rb'(?:[^"\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+', re.DOTALL)
_HIGH_SURROGATE_AT_END = re.compile(rb"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_WHITE = b" \t\r\n"
_QUOTE, _COMMA, _COLON = b'",:'
_OPENERS = b"{["
_BEFORE_VALUE = b"{[,:"
_CLOSER_OF = {0x7B: 0x7D, 0x5B: 0x5D}
_DECODE = msgspec.json.Decoder().decode


class Element(NamedTuple):
    """One element of a document's list; `line` counts the document's lines from 0."""

    data: bytes
    line: int
    was_cut: bool
    was_too_deep: bool


class Shrinker:
    """Takes the bytes of one value in pieces; memory stays bounded whatever they are.

    With `split_key`, the value is a document: elements of the array under that key of the outermost object
    are taken out as they end, each bounded by itself, and wait in `elements`.
    """

    def __init__(self, split_key: str | None = None) -> None:
        self.was_cut = False
        self.was_too_deep = False
        self.elements: deque[Element] = deque()
        self._split_key = split_key
        self._out = bytearray()
        self._open = bytearray()
        self._carry = b""
        self._in_string = False
        self._string_start = 0
        self._string_is_full = False
        self._members = 0
        self._dropping = 0
        self._null_for_dropped = False
        self._is_hopeless = False
        self._line = 0
        self._counted_to = 0
        self._key = b""
        self._literal_size = 0
        self._literal_has_ended = False
        self._splitting = False
        self._element_start = 0
        self._element_line = 0
        self._boundary = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the value."""
        if self._carry:
            data, self._carry = self._carry + data, b""
        self._counted_to = 0
        at, end = 0, 0 if self._is_hopeless else len(data)
        while at < end:
            if self._in_string:
                at = self._feed_string(data, at)
            elif self._dropping:
                at = self._feed_dropped(data, at)
            else:
                at = self._feed_structure(data, at)
        if self._split_key is not None:
            self._count_lines(data, end)

    def finish(self) -> bytes:
        """Return the shrunk value, complete only if what was fed was."""
        return bytes(self._out + self._carry) + (b"!" if self._is_hopeless else b"")

    def finish_cut_short(self) -> bytes:
        """Return the shrunk value as if it had ended behind its last complete member."""
        closers = bytes(_CLOSER_OF[opener] for opener in reversed(self._open))
        return bytes(self._out[: self._boundary]) + closers

    def is_open(self) -> bool:
        """Tell whether the value has begun and not ended."""
        return self._in_string or bool(self._open)

    def _feed_string(self, data: bytes, at: int) -> int:
        run = _STRING_RUN.match(data, at)
        stop = run.end() if run else at
        if not self._string_is_full and not self._dropping:
            self._copy_string(data, at, stop)
        if stop == len(data):
            return stop
        if data[stop] != _QUOTE:  # a backslash whose escape is in the next piece
            self._carry = data[stop:]
            return len(data)
        self._in_string = False
        if not self._dropping:
            self._out.append(_QUOTE)
        return stop + 1

    def _copy_string(self, data: bytes, at: int, stop: int) -> None:
        used = len(self._out) - self._string_start
        room = self._string_room() - used
        self._out += data[at : min(stop, at + max(room, 0))]
        if stop - at <= room:
            return
        self._string_is_full = self.was_cut = True
        kept = bytes(self._out[self._string_start :])
        whole = _WHOLE_ESCAPES.match(kept)
        kept = kept[: whole.end()] if whole else b""
        kept = _HIGH_SURROGATE_AT_END.sub(rb"\1", kept)
        self._out[self._string_start :] = _without_cut_character(kept)

    def _string_room(self) -> int:
        size = self._string_start - self._element_start
        return _LATE_STRING_LIMIT if size > SIZE_LIMIT and self._depth() > 2 else STRING_LIMIT

    def _depth(self) -> int:
        return len(self._open) - 2 if self._splitting else len(self._open)

    def _feed_dropped(self, data: bytes, at: int) -> int:
        flat = _FLAT.match(data, at)
        match = _NESTING.search(data, flat.end() if flat else at)
        start, stop = match.span() if match else (len(data), len(data))
        if match is None:
            return stop
        first = data[start]
        if first == _QUOTE:
            self._in_string = True
        elif first in _OPENERS:
            self._dropping += stop - start
        elif stop - start < self._dropping:
            self._dropping -= stop - start
        else:
            stop = start + self._dropping
            self._dropping = 0
            if self._null_for_dropped:
                self._out += b"null"
                self._null_for_dropped = False
            else:
                stop -= 1  # the closer of a container that we were in: it is copied
        return stop

    def _feed_structure(self, data: bytes, at: int) -> int:
        match = _STRUCTURE.search(data, at)
        start = match.start() if match else len(data)
        if start > at:
            self._copy_literal(data[at:start])
        if match is None or self._is_hopeless:
            return len(data)
        self._literal_size = 0
        if self._splitting and len(self._open) == 2 and data[start] in _OPENERS:
            self._element_line = self._count_lines(data, start)
            if len(self._out) == self._element_start and (end := _end_of_small(data, start)):
                self._out += data[start:end]
                self._boundary = len(self._out)
                return end
        self._take(data[start])
        return len(data) if self._is_hopeless else start + 1

    def _copy_literal(self, text: bytes) -> None:
        literal = text.strip(_WHITE)
        if literal:
            is_another = self._literal_size > 0 and (self._literal_has_ended or text[0] in _WHITE)
            self._is_hopeless = is_another or literal.translate(None, _WHITE) != literal
            self._out += literal[: max(0, _LITERAL_LIMIT - self._literal_size)]
            self._literal_size += len(literal)
        self._literal_has_ended = text[-1] in _WHITE

    def _take(self, byte: int) -> None:
        out = self._out
        before = out[-1] if out else _COMMA
        if byte == _COLON:
            self._is_hopeless = before != _QUOTE
        elif byte == _QUOTE or byte in _OPENERS:
            self._is_hopeless = before not in _BEFORE_VALUE
        elif byte != _COMMA:
            self._is_hopeless = not self._open
        if byte == _QUOTE:
            out.append(byte)
            self._in_string, self._string_is_full, self._string_start = True, False, len(out)
        elif byte == _COLON:
            if len(self._open) == 1 and self._split_key is not None:
                self._key = bytes(out[self._string_start : -1])
            out.append(byte)
        elif byte == _COMMA:
            self._end_member()
        elif byte in _OPENERS:
            self._enter(byte)
        else:
            self._leave(byte)

    def _count_lines(self, data: bytes, end: int) -> int:
        self._line += data.count(b"\n", self._counted_to, end)
        self._counted_to = end
        return self._line

    def _end_member(self) -> None:
        if self._splitting and len(self._open) == 2:
            self._take_element()
            return
        self._boundary = len(self._out)
        self._members += 1
        shares = max(0, 3 - self._depth())
        size = len(self._out) - self._element_start
        if (
            size > SIZE_LIMIT + _OUTER_SHARE * shares
            or self._members > MEMBER_LIMIT + _OUTER_MEMBERS * shares
        ):
            self._dropping, self.was_cut = 1, True
            return
        self._out.append(_COMMA)

    def _enter(self, byte: int) -> None:
        depth = len(self._open)
        if depth >= DEPTH_LIMIT:
            self._dropping, self._null_for_dropped, self.was_too_deep = 1, True, True
            return
        self._out.append(byte)
        self._open.append(byte)
        self._boundary = len(self._out)
        if depth == 1 and byte == 0x5B and self._split_key is not None:
            self._splitting = self._key == self._split_key.encode()
            self._element_start = len(self._out)

    def _leave(self, byte: int) -> None:
        if self._splitting and len(self._open) == 2:
            self._take_element()
            self._splitting = False
            self._element_start = 0
        if self._open:
            self._open.pop()
        self._out.append(byte)
        self._boundary = len(self._out)

    def _take_element(self) -> None:
        element = bytes(self._out[self._element_start :])
        del self._out[self._element_start :]
        self._boundary = len(self._out)
        if element:
            self.elements.append(Element(element, self._element_line, self.was_cut, self.was_too_deep))
        self.was_cut = self.was_too_deep = False
        self._members = 0


def _end_of_small(data: bytes, at: int) -> int | None:
    """Return where a container ends that needs no cutting, so that it is copied as it stands; None where it
    may need some, is no JSON, or does not end here."""
    limit, depth, end = at + STRING_LIMIT, 0, at
    while end < limit:
        between = _BETWEEN.match(data, end)
        end = between.end() + 1 if between else end + 1
        if end > len(data) or depth > DEPTH_LIMIT - 2:
            return None
        depth += 1 if data[end - 1] in _OPENERS else -1
        if depth <= 0:
            return end if _decodes(data[at:end]) else None
    return None


def _decodes(data: bytes) -> bool:
    try:
        _DECODE(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _without_cut_character(data: bytes) -> bytes:
    for back in range(1, min(4, len(data)) + 1):
        lead = data[-back]
        if lead & 0xC0 != 0x80:
            needed = 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2 if lead >= 0xC0 else 1
            return data if needed == back or needed == 1 else data[:-back]
    return data
