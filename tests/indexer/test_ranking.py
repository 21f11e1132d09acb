"""Scores of turns become an order: neighbours, duplicates and sessions."""

from __future__ import annotations

import random

import pytest

from indexer.lexical import Candidate
from indexer.ranking import (
    SESSION_WEIGHTS,
    by_session,
    by_turn,
    first_of_each_session,
    in_order,
    with_neighbours,
)


def turn(
    score: float, session: int = 1, ordinal: int = 0, stream: int = 0, digest: int | None = None
) -> Candidate:
    place = 1000 * (stream or session) + ordinal
    return Candidate(None, score, session, place, place if digest is None else digest, 0, 0)


def scores(candidates: list[Candidate]) -> list[float]:
    return [each.score for each in candidates]


def test_turn_gets_a_share_of_both_neighbours_and_of_no_other() -> None:
    found = with_neighbours(
        [turn(3, ordinal=1), turn(6, ordinal=2), turn(9, ordinal=3), turn(1, ordinal=5)], (1 / 3,)
    )
    assert scores(found) == pytest.approx([5, 10, 11, 1])


def test_neighbours_are_of_one_stream() -> None:
    found = with_neighbours([turn(3, ordinal=1, stream=7), turn(6, ordinal=2, stream=8)], (1 / 3,))
    assert scores(found) == [3, 6]


def test_order_is_the_same_however_turns_come(seed: int) -> None:
    turns = [
        turn(score, session, ordinal) for score in (1, 2) for session in range(4) for ordinal in range(3)
    ]
    expected = in_order(turns)
    random.Random(seed).shuffle(turns)
    assert in_order(turns) == expected
    assert scores(expected) == sorted(scores(expected), reverse=True)


def test_same_text_is_kept_where_it_scored_best() -> None:
    best = turn(5, session=2, digest=1)
    assert by_turn(in_order([turn(3, digest=1), best, turn(4, digest=2)])) == [best, turn(4, digest=2)]


def test_session_scores_its_five_best_turns_with_less_and_less_weight() -> None:
    many = [turn(1.0, session=1, ordinal=n) for n in range(9)]
    (found,) = by_session(in_order(many))
    assert found.score == pytest.approx(sum(SESSION_WEIGHTS))
    assert list(SESSION_WEIGHTS) == pytest.approx([1, 0.5, 0.35, 0.245, 0.1715])


def test_text_that_a_session_repeats_counts_once() -> None:
    repeating = [turn(2.0, session=1, ordinal=n, digest=7) for n in range(5)]
    (found,) = by_session(in_order(repeating))
    assert found.score == 2.0


def test_session_is_shown_at_its_best_turn() -> None:
    found = by_session(in_order([turn(1, 1, 0), turn(3.9, 1, 5), turn(3, 2, 2), turn(3, 2, 3)]))
    assert [(each.session, each.place % 1000) for each in found] == [(2, 2), (1, 5)]


def test_where_order_is_no_score_sessions_stand_at_their_first_turn() -> None:
    found = first_of_each_session([turn(0, 2, 9), turn(0, 1, 4), turn(0, 2, 1)])
    assert [(each.session, each.place % 1000) for each in found] == [(2, 9), (1, 4)]
