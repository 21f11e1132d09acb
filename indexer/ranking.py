"""From scores of turns to an order of hits: neighbours, duplicates, sessions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from indexer.lexical import Candidate

NEIGHBOUR_SHARE: Final = 1 / 3
"""What a turn lends to the one before and the one behind it: nDCG@10 .486 to .514 on LoCoMo at .35."""

SESSION_WEIGHTS: Final = (1.0, 0.5, 0.5 * 0.7, 0.5 * 0.7**2, 0.5 * 0.7**3)
"""How a session's best turns count; measured with the fusion of docs/search.md."""


def with_neighbours(candidates: Sequence[Candidate], share: float = NEIGHBOUR_SHARE) -> list[Candidate]:
    """Let each turn lend a share of its score to its neighbours in its stream, where they match too."""
    scores = {(each.stream, each.ordinal): each.score for each in candidates}
    return [
        each._replace(
            score=each.score
            + share
            * (
                scores.get((each.stream, each.ordinal - 1), 0.0)
                + scores.get((each.stream, each.ordinal + 1), 0.0)
            )
        )
        for each in candidates
    ]


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the best first; of equals, by what they are, so that a rebuilt index gives the same order."""
    return sorted(candidates, key=lambda each: (-each.score, each.session, each.stream, each.ordinal))


def by_turn(ordered: Iterable[Candidate]) -> list[Candidate]:
    """Return turns, of the same ones only that which scored best."""
    found: dict[int, Candidate] = {}
    for each in ordered:
        found.setdefault(each.digest, each)
    return list(found.values())


def by_session(ordered: Iterable[Candidate]) -> list[Candidate]:
    """Return each session once, at its best turn, with the score of the whole session."""
    turns: dict[int, list[Candidate]] = {}
    for each in ordered:
        best = turns.setdefault(each.session, [])
        if len(best) < len(SESSION_WEIGHTS) and all(each.digest != other.digest for other in best):
            best.append(each)
    return in_order(
        best[0]._replace(
            score=sum(weight * each.score for weight, each in zip(SESSION_WEIGHTS, best, strict=False))
        )
        for best in turns.values()
    )


def first_of_each_session(ordered: Iterable[Candidate]) -> list[Candidate]:
    """Return each session once, at the first of its turns, where the order is not by score."""
    found: dict[int, Candidate] = {}
    for each in ordered:
        found.setdefault(each.session, each)
    return list(found.values())
