"""The part of a turn that a quotation of it begins with: where most of what was asked for stands together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final, NamedTuple

from gitmem.recall.echoes import without_echoes
from indexer.lexical.words import find_words

_LOOKED_AT_CHARACTERS: Final = 32_768


class Passage(NamedTuple):
    """A stretch of a text as it stands there; `marks` are where in it, in characters, words asked for are.

    `before` and `behind` say whether there is more text on that side.
    """

    text: str
    marks: tuple[tuple[int, int], ...]
    before: bool
    behind: bool


def passage(text: str, matches: Callable[[str], bool], characters: int) -> Passage:
    """Return at most so many characters of a text, with most different words that match.

    What gitmem itself put into the text is left out.
    """
    text = without_echoes(text).strip()
    looked_at = text[:_LOOKED_AT_CHARACTERS]
    found = [(start, end) for start, end in find_words(looked_at) if matches(looked_at[start:end])]
    start = _best_start(looked_at, found, characters) if len(text) > characters else 0
    stop = min(len(text), start + characters)
    marks = tuple((a - start, b - start) for a, b in found if start <= a and b <= stop)
    return Passage(text[start:stop], marks, start > 0, stop < len(text))


def _best_start(text: str, found: list[tuple[int, int]], characters: int) -> int:
    """Return where a stretch begins that has most different words: with a line or sentence, if near."""
    starts = [start for start, _ in found]
    best, best_worth = 0, 0
    lead = characters // 6
    for at, (start, _) in enumerate(found):
        last = bisect_left(starts, start + characters - lead)
        worth = len({text[a:b].casefold() for a, b in found[at:last]})
        if worth > best_worth:
            best, best_worth = start, worth
    if best + characters - lead >= len(text):
        return _beginning(text, max(0, min(best, len(text) - characters)), characters)
    return _beginning(text, best, lead)


def _beginning(text: str, at: int, lead: int) -> int:
    """Return where what stands at a place begins: its line, else its sentence, else a word shortly before."""
    if at <= lead:
        return 0
    for end in ("\n", ". ", " "):
        found = text.rfind(end, at - lead, at)
        if found >= 0:
            return found + len(end)
    return at
