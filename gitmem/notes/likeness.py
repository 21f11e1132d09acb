"""Which notes say nearly the same, by their words: somebody who writes one down is told of those.

Two are alike where most of the words of the shorter one are in the other. Of words that nearly every text
has, and of endings, nothing is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gitmem.notes.listing import Listed

LEAST_SHARE: Final = 0.7
_LEAST_WORDS: Final = 3
_MOST_TOLD: Final = 3
_WORD: Final = re.compile(r"[^\W_]+")
_ENDING: Final = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e)\Z")
# fmt: off
_COMMON: Final = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "does", "for", "from", "had",
        "has", "have", "if", "in", "into", "is", "it", "its", "must", "not", "of", "on", "or", "our", "shall",
        "should", "so", "that", "the", "their", "then", "there", "they", "this", "to", "use", "used", "was",
        "we", "were", "when", "which", "will", "with", "you", "your",
    }
)
# fmt: on


def alike(text: str, notes: Iterable[Listed]) -> tuple[Listed, ...]:
    """Return the notes whose words are nearly those of a text, the most alike first; a few at most."""
    words = _words(text)
    scored = [(_share(words, _words(note.text)), note) for note in notes]
    found = [(share, note) for share, note in scored if share >= LEAST_SHARE]
    found.sort(key=lambda each: (-each[0], -each[1].at_ms, each[1].name))
    return tuple(note for _, note in found[:_MOST_TOLD])


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how alike two sets of words are, from 0 to 1: that of the smaller, less where they differ in
    size, for a short text is easily within a long one."""
    smaller, larger = sorted((len(one), len(other)))
    if smaller < _LEAST_WORDS:
        return 1.0 if one and one == other else 0.0
    return float(len(one & other) / smaller * (smaller / larger) ** 0.25)


def _words(text: str) -> frozenset[str]:
    return frozenset(_ENDING.sub("", word) for word in _WORD.findall(text.casefold()) if word not in _COMMON)
