"""Sharing a budget of tokens among several texts: each is as long as the others, or whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gitmem.recall.tokens import estimate
from gitmem.recall.trimming import trim
from gitmem.recall.turns import Passage

_NEARLY: Final = 0.94
"""Of the budget: whoever has used so much of it is not made longer once more."""

_TRIES: Final = 3
_ONE_LINE_TOKENS: Final = 100
"""A text that may have fewer is told on one line: line ends of a quotation take three each."""


def share(passages: Sequence[Passage], budget: int, tokens_of: Callable[[list[str]], int]) -> list[str]:
    """Return the best stretch of each passage, with which the whole takes at most `budget` tokens.

    `tokens_of` counts what an answer takes with some texts in it. Where it takes more without any, there are
    none.
    """
    wanted = [estimate(passage.text) for passage in passages]
    best = [""] * len(passages)
    around = tokens_of(best)
    room = aim = budget - around
    tries = 0
    while passages and aim > 0:
        level = _level(wanted, aim)
        texts = [_told(passage, level) for passage in passages]
        took = tokens_of(texts) - around
        if took <= room:
            best, tries = texts, tries + 1
            if tries == _TRIES or took >= room * _NEARLY or level >= max(wanted):
                break
            aim = int(aim * room / max(took, 1) * _NEARLY) + 1
        elif any(best):
            break
        else:
            aim = int(aim * min(room / took, _NEARLY))
    return best


def _level(wanted: Sequence[int], room: int) -> int:
    """Return how many tokens each may have: what some leave to others is theirs."""
    left = room
    for rank, each in enumerate(sorted(wanted)):
        level = left // (len(wanted) - rank)
        if each > level:
            return level
        left -= each
    return max(wanted)


def _told(passage: Passage, tokens: int) -> str:
    text = trim(passage, tokens, len(passage.text))
    return text if tokens >= _ONE_LINE_TOKENS else " ".join(text.split())
