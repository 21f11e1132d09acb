"""Texts that say the same: forks, resumed sessions and replays repeat them, whole or nearly."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"\w+")
_SHINGLE: Final = 4
"""Words that stand together in both texts for it to count."""

_ALIKE: Final = 0.7
"""So much of a text has to be in one that has been chosen; what says more than that one is chosen as well."""

_FEW_WORDS: Final = 10
"""Of fewer, only the same in the same order is the same."""


class Seen:
    """Texts that have been chosen already."""

    def __init__(self) -> None:
        self._whole: set[tuple[str, ...]] = set()
        self._shingles: list[frozenset[tuple[str, ...]]] = []

    def has_like(self, text: str) -> bool:
        """Tell whether a text says what one before it did; it is remembered if not."""
        words = tuple(_WORD.findall(text.casefold()))
        if words in self._whole:
            return True
        if len(words) >= _FEW_WORDS:
            shingles = frozenset(words[at : at + _SHINGLE] for at in range(len(words) - _SHINGLE + 1))
            if any(len(shingles & other) >= _ALIKE * len(shingles) for other in self._shingles):
                return True
            self._shingles.append(shingles)
        self._whole.add(words)
        return False
