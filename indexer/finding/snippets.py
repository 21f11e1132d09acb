"""The part of a turn's text that shows why it was found, on one line, and where the words asked for stand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final, NamedTuple

from indexer.lexical.words import find_words

SNIPPET_CHARACTERS: Final = 240
_LOOKED_AT_CHARACTERS: Final = 16_384
_LEAD_CHARACTERS: Final = 40
_CUT: Final = "…"


class Snippet(NamedTuple):
    """A line of text; `marks` are the beginnings and ends, in characters, of what matches."""

    text: str
    marks: tuple[tuple[int, int], ...]


def snippet(text: str, matches: Callable[[str], bool]) -> Snippet:
    """Choose the stretch with most different words that match, and among those the first."""
    line = " ".join(text[:_LOOKED_AT_CHARACTERS].split())
    found = [(start, end) for start, end in find_words(line) if matches(line[start:end])]
    start = _best_start(line, found)
    stop = min(len(line), start + SNIPPET_CHARACTERS)
    if start and (space := line.find(" ", start, start + _LEAD_CHARACTERS // 2)) >= 0:
        start = space + 1
    if stop < len(line) and (space := line.rfind(" ", stop - _LEAD_CHARACTERS // 2, stop)) > start:
        stop = space
    before, behind = (
        _CUT if start else "",
        _CUT if stop < len(line) or len(text) > _LOOKED_AT_CHARACTERS else "",
    )
    shift = len(before) - start
    marks = tuple((a + shift, b + shift) for a, b in found if start <= a and b <= stop)
    return Snippet(f"{before}{line[start:stop]}{behind}", marks)


def _best_start(line: str, found: list[tuple[int, int]]) -> int:
    """Return where the stretch begins: a little before its first word that matches."""
    starts = [start for start, _ in found]
    best, best_worth = 0, 0
    for at, (start, _) in enumerate(found):
        last = bisect_left(starts, start + SNIPPET_CHARACTERS - _LEAD_CHARACTERS)
        worth = len({line[a:b].casefold() for a, b in found[at:last]})
        if worth > best_worth:
            best, best_worth = start, worth
    if best + SNIPPET_CHARACTERS - _LEAD_CHARACTERS >= len(line):
        return max(0, min(best - _LEAD_CHARACTERS, len(line) - SNIPPET_CHARACTERS))
    return max(0, best - _LEAD_CHARACTERS)
