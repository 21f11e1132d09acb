"""The stretch of a text that is shown, and what is marked in it; and what counts as a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.finding.snippets import SNIPPET_CHARACTERS, snippet
from indexer.lexical.words import find_words, parts_of_identifiers, spaced, without_escapes


def marked(text: str, *words: str) -> tuple[str, list[str]]:
    found = snippet(text, lambda word: word.casefold() in words)
    return found.text, [found.text[start:end] for start, end in found.marks]


def test_short_text_is_shown_whole_on_one_line() -> None:
    assert marked("the  anchor\n\tholds", "anchor") == ("the anchor holds", ["anchor"])


def test_stretch_with_most_different_words_is_chosen() -> None:
    text = "anchor " * 30 + "filler " * 100 + "the anchor and the chain " + "filler " * 100
    shown, marks = marked(text, "anchor", "chain")
    assert marks == ["anchor", "chain"]
    assert shown.startswith("…filler ")
    assert shown.endswith(" filler…")


def test_text_without_a_match_is_shown_from_its_beginning() -> None:
    shown, marks = marked("word " * 200, "none")
    assert shown.startswith("word word")
    assert marks == []


@given(st.text(), st.lists(st.sampled_from(["a", "b", "潮", "Mast", "\n", "x" * 300, " "])))
def test_snippet_is_short_and_its_marks_stand_on_words_that_match(noise: str, parts: list[str]) -> None:
    text = noise.join(["", *parts, ""])
    found = snippet(text, lambda word: word in ("a", "潮", "Mast"))
    assert len(found.text) <= SNIPPET_CHARACTERS + 2
    assert "\n" not in found.text
    assert {found.text[start:end] for start, end in found.marks} <= {"a", "潮", "Mast"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("call readTideTable twice: readTideTable", "read Tide Table"),
        ("HTTPServer getURL2 Point3D", "HTTP Server get URL 2 Point 3 D"),
        ("Ordinary Words And ACRONYMS", ""),
        ("snake_case stays", ""),
        ("x" * 100 + "Y" + "z" * 100, ""),
    ],
)
def test_identifiers_fall_into_their_parts(text: str, parts: str) -> None:
    assert sorted(parts_of_identifiers(text).split()) == sorted(parts.split())


def test_run_of_letters_costs_no_more_than_its_length() -> None:
    # A pattern that tried again at each letter would take minutes here.
    assert parts_of_identifiers("aB" * 500_000) == ""
    assert parts_of_identifiers("Q" * 1_000_000) == ""
    assert len(find_words("Q" * 1_000_000)) == 1


def test_scripts_without_spaces_are_spread_and_others_are_not() -> None:
    assert spaced("tide 潮汐 표") == "tide  潮  汐   표 "
    assert spaced("plain") == "plain"
    assert [text for text in ("潮汐表", "เรือ") if len(find_words(text)) != len(text)] == []


def test_colours_of_a_terminal_are_no_part_of_words() -> None:
    assert without_escapes("\x1b[1;31manchor\x1b[m \x1b]0;title\x07holds") == "anchor holds"
