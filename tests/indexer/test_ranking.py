"""Scores of turns become an order: neighbours, duplicates and sessions."""

from __future__ import annotations

import random

import pytest

from indexer.finding.ranking import (
    HALF_LIFE_MS,
    SESSION_WEIGHTS,
    by_session,
    by_turn,
    first_of_each_session,
    fuse,
    in_order,
    lend_to_neighbours,
    weigh_coverage,
    weigh_recency,
)
from indexer.lexical import Candidate
from indexer.lexical.schema import NO_MOMENT


def turn(
    score: float,
    session: int = 1,
    ordinal: int = 0,
    stream: int = 0,
    digest: int | None = None,
    at_ms: int = 0,
    cosine: float = 0.0,
) -> Candidate:
    place = 1000 * (stream or session) + ordinal
    digest = place if digest is None else digest
    return Candidate(None, score, session, place, digest, 0, at_ms, cosine=cosine)


def scores(candidates: list[Candidate]) -> list[float]:
    return [each.score for each in candidates]


def test_turn_gets_shares_of_those_one_and_two_away_and_of_no_others() -> None:
    found = [turn(3, ordinal=1), turn(6, ordinal=2), turn(9, ordinal=3), turn(1, ordinal=6)]
    lend_to_neighbours(found, (1 / 3, 1 / 9))
    assert scores(found) == pytest.approx([3 + 2 + 1, 6 + 1 + 3, 9 + 2 + 1 / 3, 1])


def test_what_is_lent_of_meaning_is_lent_apart_from_words() -> None:
    found = [turn(3, ordinal=1, cosine=0.5), turn(6, ordinal=2), turn(9, ordinal=4, cosine=0.25)]
    lend_to_neighbours(found, (0.5, 0.1))
    assert scores(found) == pytest.approx([3 + 3, 6 + 1.5 + 0.9, 9 + 0.6])
    assert [each.cosine for each in found] == pytest.approx([0.5, 0.25 + 0.025, 0.25])


def test_neighbours_are_of_one_stream() -> None:
    found = [turn(3, ordinal=1, stream=7), turn(6, ordinal=2, stream=8)]
    lend_to_neighbours(found)
    assert scores(found) == [3, 6]


def test_turn_counts_by_the_share_that_it_has_of_what_was_asked_for() -> None:
    found = [turn(8, ordinal=1), turn(8, ordinal=5), turn(8, ordinal=9)]
    for each, coverage in zip(found, (4.0, 2.0, 1.0), strict=True):
        each.coverage = coverage
    weigh_coverage(found)
    assert scores(found) == [8, 4, 2]


def test_coverage_of_nothing_changes_nothing() -> None:
    found = [turn(8), turn(4)]
    weigh_coverage(found)
    weigh_coverage([])
    assert scores(found) == [8, 4]


def test_words_and_meaning_count_as_parts_of_the_best() -> None:
    found = [turn(10, ordinal=1), turn(5, ordinal=5, cosine=0.4), turn(0, ordinal=9, cosine=0.8)]
    fuse(found, 0.6)
    assert scores(found) == pytest.approx([0.6, 0.3 + 0.2, 0.4])


def test_of_equals_the_newer_comes_first() -> None:
    old, new = turn(1, session=1, at_ms=1_000), turn(1, session=2, at_ms=2_000)
    assert in_order([old, new]) == [new, old]


def test_recency_halves_with_each_month_and_never_ends_at_nothing() -> None:
    found = [turn(8, at_ms=10 * HALF_LIFE_MS), turn(8, at_ms=9 * HALF_LIFE_MS), turn(8, at_ms=NO_MOMENT)]
    weigh_recency(found, 10 * HALF_LIFE_MS)
    assert scores(found)[:2] == [8, 4]
    assert 0 < scores(found)[2] < 1e-9
    future = [turn(8, at_ms=99 * HALF_LIFE_MS)]
    weigh_recency(future, 10 * HALF_LIFE_MS)
    assert scores(future) == [8]


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
