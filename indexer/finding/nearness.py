"""What is near enough to a query to count: found by meaning alone, and what is no answer whatever it has.

Something is always nearest. Of texts that have nothing to do with a query, the nearest is the nearer the more
of them there are; docs/decisions/ranking.md has the measurements that all of this is from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from indexer.lexical import Candidate

LEAST_COSINE: Final = 0.15
"""How near a text has to be to count though no word says so, where there are few texts."""

ANSWERING: Final = 0.27
"""How near the best has to be to be an answer, where it has no word and there are few texts."""

A_DECADE: Final = 0.06
"""By how much more, where there are ten times as many."""

FEW_TEXTS: Final = 10

STRANGE: Final = 0.20
"""By how much more, where nobody knows any word of a query: it means what its letters look like."""

SHARE_WEIGHT: Final = 0.4
"""What all of the words that were asked for count beside a cosine; some of them, by how rare these are."""


ENOUGH_WORDS: Final = 0.6
"""So much of them is an answer, whatever it means: what tools gave back has no vector."""


class Telling(NamedTuple):
    """The most that a turn can have of what was asked for, and whether it is known of each how much it has.

    It is not where one thing alone tells anything: what was found has that, if any turn has.
    """

    most: float
    is_known: bool


def more_than_among_few(texts: int, *, is_strange: bool) -> float:
    """Return by how much nearer than among few something has to be among so many texts."""
    return A_DECADE * math.log10(max(texts, FEW_TEXTS) / FEW_TEXTS) + STRANGE * is_strange


def near_enough(candidates: Iterable[Candidate], more: float) -> list[Candidate]:
    """Return the turns that have a word, and of the others those that are near enough."""
    return [each for each in candidates if each.score > 0 or each.cosine >= LEAST_COSINE + more]


def any_near_enough(candidates: Iterable[Candidate], more: float) -> bool:
    """Tell whether one of some turns is near enough, so that the others say how much of it there is."""
    return any(each.cosine >= LEAST_COSINE + more for each in candidates)


def is_weak(candidates: Iterable[Candidate], telling: Telling, more: float) -> bool:
    """Tell whether none of some turns is an answer, going by scores as they are before they are ranked."""
    for each in candidates:
        share = _share(each, telling)
        if share >= ENOUGH_WORDS or each.cosine + SHARE_WEIGHT * share >= ANSWERING + more:
            return False
    return True


def _share(candidate: Candidate, telling: Telling) -> float:
    """Return how much of what was asked for a turn has: from 0, nothing, to 1."""
    if not telling.most or candidate.score <= 0:
        return 0.0
    return min(candidate.coverage / telling.most, 1.0) if telling.is_known else 1.0
