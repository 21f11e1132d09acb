"""A JSON array that is too large to be held, taken apart into its objects as its bytes come in.

Nothing is decoded here: brackets outside of strings are counted, at some hundred MB a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_BETWEEN = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_QUOTE, _BACKSLASH = b'"\\'
_OPENERS = b"{["


class TooLarge(NamedTuple):
    """Stands for an object that has more bytes than may be held."""

    size_bytes: int


def elements(chunks: Iterable[bytes], limit_bytes: int) -> Iterator[bytes | TooLarge]:
    """Yield the objects of the outermost array, as they stand there, holding one at a time.

    One that breaks off is left out, as is what is no object. The pieces may be cut anywhere.
    """
    depth = size = 0
    in_string = is_escaped = False
    pieces: list[bytes] = []
    for chunk in chunks:
        at = start = 0
        end = len(chunk)
        if is_escaped and chunk:
            at, is_escaped = 1, False
        while at < end:
            match = (_STRING if in_string else _BETWEEN).match(chunk, at)
            at = match.end() if match else at
            if at == end:
                break
            byte = chunk[at]
            at += 1
            if byte == _BACKSLASH:  # what it escapes is in the next piece
                is_escaped = True
            elif byte == _QUOTE:
                in_string = not in_string
            elif byte in _OPENERS:
                depth += 1
                if depth == 2:
                    pieces, size, start = [], 0, at - 1
            else:
                depth -= 1
                if depth == 1 and byte == 0x7D:
                    size += at - start
                    yield b"".join((*pieces, chunk[start:at])) if size <= limit_bytes else TooLarge(size)
                if depth == 1:
                    pieces, size = [], 0
                if depth <= 0:
                    return
        if depth > 1:
            size += end - start
            if size <= limit_bytes:
                pieces.append(chunk[start:])
            else:
                pieces = []
