"""Misspelt words of a query become the nearest that somebody wrote, and nothing else is touched."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.records import Author
from gitmem.query.text import MAX_TERMS, Query, Term, parse
from indexer.finding.correcting import _distance, corrected, corrections, with_corrections
from indexer.lexical import LexicalIndex
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, names_of, said


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("harbor", "harbour"),  # left out
        ("harbouur", "harbour"),  # put in
        ("harbpur", "harbour"),  # changed
        ("harbuor", "harbour"),  # swapped
        ("arbour", "harbour"),  # the first letter too
        ("hrabour", "harbour"),
        ("lihgthuose", "lighthouse"),  # two edits of a longer word
        ("lighhtoouse", "lighthouse"),
        ("Harbuor", "harbour"),
        ("HARBUOR?", "harbour"),
        ("(harbuor)", "harbour"),
        ("harbuor's", "harbour"),
        ("deep-harbuor", "harbour"),
        ("read_harbuor", "harbour"),
        ("src/harbuor.py", "harbour"),
    ],
)
def test_misspelt_word_becomes_the_nearest_that_was_written(
    memory: Filled, search: Asked, wrong: str, right: str
) -> None:
    memory.add("one", [said("the harbour and the lighthouse")])
    answer = search(wrong)
    assert list(answer["corrected"].values()) == [right]
    assert names_of(answer) == ["one#0"]
    assert answer["query"] == wrong
    (hit,) = answer["hits"]
    assert [hit["snippet"][start:end] for start, end in hit["marks"]] == [right]


def test_of_several_that_are_as_near_the_most_frequent_is_taken(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("a mast"), said("the coast is near"), said("coasts and a coast")])
    memory.add("two", [said("the roast"), said("one boast")])
    assert search("zoast")["corrected"] == {"zoast": "coast"}


def test_word_that_begins_alike_is_taken_before_one_that_is_a_little_more_frequent(
    memory: Filled, search: Asked
) -> None:
    memory.add("one", [said(f"the bearing {n}") for n in range(3)])
    memory.add("two", [said("the tearing")])
    assert search("tearinf")["corrected"] == {"tearinf": "tearing"}
    assert search("yearing")["corrected"] == {"yearing": "bearing"}


@pytest.mark.parametrize(
    "query",
    [
        "flooding",  # another form of what was said
        "sextants",  # of what a tool gave back
        "boris",  # whoever spoke
        "example",
        "anchors",
        "does creds",  # asks nothing; has a synonym
        "reef",
    ],
)
def test_word_that_exists_in_any_form_is_left_alone(memory: Filled, search: Asked, query: str) -> None:
    memory.add(
        "one",
        [
            said("the reef floods, blooding, anchored, a dose of creeds by doris", author="Boris"),
            called("shell", "c"),
            gave("c", "one sextant, some credentials"),
        ],
        author=Author("Ada Sample", "ada@example.org"),
    )
    assert "corrected" not in search(query)


@pytest.mark.parametrize(
    "query",
    [
        "readTidde",
        "harbuor2",
        "2027",
        "潮汐表",
        "潮harbuor",
        "harbuör",
        "tid",
        "hrb",
        '"harbuor tide"',
        "harbuo*",
        "-harbuor tide",
        "file:harbuor",
        "x" * 33,
    ],
)
def test_what_is_no_plain_word_is_looked_for_as_it_was_written(
    memory: Filled, search: Asked, query: str
) -> None:
    memory.add("one", [said("the harbour at 2026: readTide, read_tide, src/tide.py, table, 潮水")])
    assert "corrected" not in search(query)


def test_phrase_stays_where_the_word_beside_it_is_corrected(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the harbour of harbuor lane")])
    memory.add("two", [said("the lighthouse of harbuor lane")])
    assert with_corrections(parse('ligt "ligt house" ligtX ligt*'), {"ligt": "light"}) == Query(
        (
            Term("word", "light"),
            Term("phrase", "ligt house"),
            Term("word", "ligtX"),
            Term("prefix", "ligt"),
        )
    )
    answer = search('lighthuose "harbuor lane"')
    assert answer["corrected"] == {"lighthuose": "lighthouse"}
    assert names_of(answer)[0] == "two#0"


def test_answer_without_corrections_says_nothing_of_them(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the harbour")])
    assert "corrected" not in search("harbour")
    assert "corrected" not in search("zzzzqqqq")
    assert "corrected" not in search("")


def test_same_word_twice_is_corrected_wherever_it_stands() -> None:
    fixes = {"harbuor": "harbour", "tidde": "tide"}
    assert corrected("Harbuor, tidde and HARBUOR's", fixes) == "harbour, tide and harbour's"
    assert corrected("harbuors read_tidde tidde2 tidde", fixes) == "harbuors read_tide tidde2 tide"
    assert corrected("as it is", {}) == "as it is"


class Counting:
    """An index that counts what it is asked."""

    def __init__(self, words: dict[str, int]) -> None:
        self.words_there, self.looked_up, self.walked = words, 0, 0

    def spread(self, field: str, term: str) -> int:
        self.looked_up += 1
        return self.words_there.get(term, 0) if field == "exact" else 0

    def stems(self, text: str) -> list[str]:
        return [text]

    def is_alive(self, word: str) -> bool:
        self.looked_up += 1
        return word in self.words_there

    def words_beginning(self, beginning: str, limit: int) -> list[tuple[str, int]]:
        self.walked += 1
        found = [each for each in self.words_there.items() if each[0].startswith(beginning)]
        return sorted(found, key=lambda each: (-each[1], each[0]))[:limit]


def asked_of(query: str, *indexes: Counting) -> dict[str, str]:
    return corrections(parse(query), [cast(LexicalIndex, cast(Any, each)) for each in indexes])


def test_several_indexes_are_one_vocabulary() -> None:
    one, other = Counting({"harbour": 3}), Counting({"harbors": 2, "harbuors": 2})
    assert asked_of("harbous", one, other) == {"harbous": "harbour"}
    assert asked_of("harbuors", one, other) == {}
    # Two edits away, and known to the second one alone.
    assert asked_of("harrbuorz", one, other) == {"harrbuorz": "harbuors"}


def test_counts_of_several_indexes_are_added_up() -> None:
    indexes = [Counting({"coast": 2, "toast": 3}), Counting({"coast": 2})]
    assert asked_of("zoast", *indexes) == {"zoast": "coast"}


def test_long_text_of_unknown_words_costs_a_bounded_number_of_lookups() -> None:
    text = " ".join(f"{'qzxjvkwy'[n % 8]}{'abcdefgh'[n // 8]}{'wxyz' * 7}qq" for n in range(MAX_TERMS))
    index = Counting({"harbour": 3})
    assert len(parse(text).terms) == MAX_TERMS
    assert asked_of(text, index) == {}
    longest = 32
    for_each_word = 2 + 2
    edits = longest * 25 + (longest + 1) * 26 + longest + longest
    assert 0 < index.looked_up <= MAX_TERMS * for_each_word + 8 * edits
    assert index.walked <= 8


@cache
def plainly(one: str, other: str) -> int:
    """Count edits by trying all of them: the oracle."""
    if not one or not other:
        return len(one) + len(other)
    found = [
        plainly(one[:-1], other) + 1,
        plainly(one, other[:-1]) + 1,
        plainly(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    ]
    if len(one) > 1 and len(other) > 1 and one[-1] == other[-2] and one[-2] == other[-1]:
        found.append(plainly(one[:-2], other[:-2]) + 1)
    return min(found)


WORDS = st.text("abc", max_size=7)


@given(WORDS, WORDS)
def test_distance_is_the_fewest_edits(one: str, other: str) -> None:
    assert _distance(one, other) == plainly(one, other) == _distance(other, one)


@given(st.text("ab", min_size=4, max_size=9), st.lists(st.text("ab", min_size=3, max_size=9), max_size=5))
def test_whatever_is_taken_is_known_and_no_further_than_two_edits(word: str, known: list[str]) -> None:
    fixes = asked_of(word, Counting(dict.fromkeys(known, 1)))
    for wrong, right in fixes.items():
        assert wrong == word not in known
        assert right in known
        assert plainly(wrong, right) <= (2 if len(word) >= 7 else 1)
    if word not in known and any(plainly(word, each) == 1 for each in known):
        assert fixes
