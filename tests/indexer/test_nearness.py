"""What a memory does not speak of is not found by what happens to be nearest, with the real model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.finding.nearness import Telling, is_weak, more_than_among_few, near_enough
from indexer.lexical import Candidate
from indexer.requests.answer import answer
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, names_of, said

Meaning = Callable[..., dict[str, Any]]

TALK = (
    "continue",
    "ok do it",
    "the landlord wants the rent by Friday",
    "our policy on holidays is that everybody asks a week before",
    "the kitten sleeps on the sofa",
    "why does the harbour flood at spring tide?",
    "retry the request with a growing pause after a timeout",
    "commit this and push",
)


@pytest.fixture
def meaning(memory: Filled, search: Asked, model_dir: Path) -> Meaning:
    """Return what asks a memory of small talk by words and by meaning."""
    for number in range(0, len(TALK), 2):
        lines = [said(TALK[number]), said(TALK[number + 1], "assistant")]
        memory.add(f"s{number}", lines)
    list(answer(search.request("update", model_dir=str(model_dir)), memory.environ, search))
    return lambda query, mode="hybrid": search(query, model_dir=str(model_dir), mode=mode)


def candidate(score: float = 0.0, cosine: float = 0.0, coverage: float = 0.0) -> Candidate:
    return Candidate(None, score, 0, 0, 0, 0, 0, cosine=cosine, coverage=coverage)


@pytest.mark.parametrize("query", ["zzzqqq", "qxvkzj", "blorfimdap vrozugkem", "a81f03c9de"])
@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_a_word_that_nobody_knows_finds_nothing(meaning: Meaning, query: str, mode: str) -> None:
    found = meaning(query, mode)
    assert found["mode"] == mode
    assert found["hits"] == []
    assert "weak" not in found


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("a cat naps on the couch", "the kitten sleeps on the sofa"),
        ("a tenant has to pay", "the landlord wants the rent by Friday"),
        ("water in the port at high sea", "why does the harbour flood at spring tide?"),
        ("waiting longer each time that it failed", "retry the request with a growing pause after a timeout"),
    ],
)
def test_other_words_for_the_same_are_found_and_are_an_answer(
    meaning: Meaning, query: str, text: str
) -> None:
    found = meaning(query)
    assert found["hits"][0]["snippet"] == text
    assert "weak" not in found


def test_a_question_about_nothing_there_finds_what_has_a_word_of_it_and_says_that_it_is_no_answer(
    meaning: Meaning,
) -> None:
    found = meaning("what is our policy on database migrations with postgres")
    assert [hit["snippet"] for hit in found["hits"]] == [TALK[3]]
    assert found["weak"] is True
    assert meaning("quantum annealing hardware of the falconry")["hits"] == []
    assert "weak" not in meaning("what is our policy on holidays")


def test_what_is_found_by_words_alone_is_not_judged(meaning: Meaning, search: Asked) -> None:
    assert names_of(meaning("policy postgres", "lexical"))
    assert "weak" not in meaning("policy postgres", "lexical")


def test_among_more_texts_one_has_to_be_nearer() -> None:
    assert more_than_among_few(3, is_strange=False) == 0
    few, many = (more_than_among_few(texts, is_strange=False) for texts in (1_000, 100_000))
    assert 0 < few < many < 0.3
    assert more_than_among_few(3, is_strange=True) > 0


def test_a_turn_with_a_word_counts_however_far_it_is() -> None:
    near, worded = candidate(cosine=0.5), candidate(score=1.0, cosine=-0.1)
    assert near_enough([near, worded, candidate(cosine=0.1)], 0.0) == [near, worded]
    assert near_enough([near], 0.4) == []


def test_rare_words_and_nearness_make_up_for_each_other() -> None:
    telling = Telling(10.0, True)
    assert is_weak([candidate(1.0, 0.1, 2.0)], telling, 0.0)
    assert not is_weak([candidate(1.0, 0.1, 9.0)], telling, 0.0)
    assert not is_weak([candidate(1.0, 0.35, 2.0)], telling, 0.0)
    assert not is_weak([candidate(1.0, 0.1)], Telling(7.0, False), 0.0), "the one word that tells anything"
    assert is_weak([candidate(1.0, 0.1)], Telling(0.0, False), 0.0), "which no turn has"
