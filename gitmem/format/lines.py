"""Lines out of a text that comes in pieces cut anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Put pieces together into lines, each with its line end; the last may have none."""
    rest = bytearray()
    for chunk in chunks:
        *whole, last = chunk.split(b"\n")
        for line in whole:
            rest += line
            rest += b"\n"
            yield bytes(rest)
            rest.clear()
        rest += last
    if rest:
        yield bytes(rest)
