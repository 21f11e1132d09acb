"""From scores of turns to an order of hits: coverage, neighbours, both legs as one, duplicates, sessions.

A thousand candidates are ranked for every query, so what changes scores changes them where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from indexer.lexical import Candidate

NEIGHBOUR_SHARES: Final = (0.3, 0.1)
"""What a turn lends to those one and two places away, of its words as of its meaning."""

WORDS_SHARE: Final = 0.6
"""How much words count beside meaning, where there are both."""

SESSION_WEIGHTS: Final = (1.0, 0.5, 0.5 * 0.7, 0.5 * 0.7**2, 0.5 * 0.7**3)
"""How a session's best turns count."""

HALF_LIFE_MS: Final = 30 * 86_400_000
"""Where newer turns are asked for, one counts half as much as another that is so much newer."""

_MOST_HALVINGS: Final = 64.0


def weigh_coverage(candidates: Sequence[Candidate]) -> None:
    """Multiply each score by the share that a turn has of what was asked for, as the best has it."""
    most = max((each.coverage for each in candidates), default=0.0)
    if most:
        for each in candidates:
            each.score *= each.coverage / most


def lend_to_neighbours(
    candidates: Iterable[Candidate], shares: tuple[float, float] = NEIGHBOUR_SHARES
) -> None:
    """Let turns lend shares of their scores to those one and two away in their streams that match too."""
    candidates = list(candidates)
    score = {each.place: each.score for each in candidates}.get
    cosine = {each.place: each.cosine for each in candidates if each.cosine}.get
    near, far = shares
    for each in candidates:
        at = each.place
        each.score += near * (score(at - 1, 0.0) + score(at + 1, 0.0))
        each.score += far * (score(at - 2, 0.0) + score(at + 2, 0.0))
        each.cosine += near * (cosine(at - 1, 0.0) + cosine(at + 1, 0.0))
        each.cosine += far * (cosine(at - 2, 0.0) + cosine(at + 2, 0.0))


def fuse(candidates: Sequence[Candidate], share: float = WORDS_SHARE) -> None:
    """Make one score of words and meaning, each as a part of the best that there is."""
    most_words = max((each.score for each in candidates), default=0.0) or 1.0
    most_meaning = max((each.cosine for each in candidates), default=0.0) or 1.0
    for each in candidates:
        each.score = share * each.score / most_words + (1 - share) * max(each.cosine, 0.0) / most_meaning


def weigh_recency(candidates: Iterable[Candidate], now_ms: int) -> None:
    """Let a turn count half as much as one that is a month newer; without a time it is the oldest."""
    for each in candidates:
        each.score *= 0.5 ** min(max(now_ms - each.at_ms, 0) / HALF_LIFE_MS, _MOST_HALVINGS)


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the best first; of equals the newer, then by what they are: any index gives one order."""
    return sorted(candidates, key=lambda each: (-each.score, -each.at_ms, each.session, each.place))


def by_turn(ordered: Iterable[Candidate]) -> list[Candidate]:
    """Return turns, of the same ones only that which scored best."""
    return _first_of_each(ordered, lambda each: each.digest)


def by_session(ordered: Iterable[Candidate]) -> list[Candidate]:
    """Return each session once, at its best turn, which gets the score of the whole session."""
    turns: dict[int, list[Candidate]] = {}
    for each in ordered:
        best = turns.setdefault(each.session, [])
        if len(best) < len(SESSION_WEIGHTS) and all(each.digest != other.digest for other in best):
            best.append(each)
    for best in turns.values():
        best[0].score = sum(weight * each.score for weight, each in zip(SESSION_WEIGHTS, best, strict=False))
    return in_order(best[0] for best in turns.values())


def first_of_each_session(ordered: Iterable[Candidate]) -> list[Candidate]:
    """Return each session once, at the first of its turns, where the order is not by score."""
    return _first_of_each(ordered, lambda each: each.session)


def _first_of_each(ordered: Iterable[Candidate], what: Callable[[Candidate], int]) -> list[Candidate]:
    found: dict[int, Candidate] = {}
    for each in ordered:
        found.setdefault(what(each), each)
    return list(found.values())
