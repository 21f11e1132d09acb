"""What is typed becomes a query, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.query.text import MAX_TERMS, Query, Term, parse


def words(*texts: str) -> tuple[Term, ...]:
    return tuple(Term("word", text) for text in texts)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("retry after timeout", Query(words("retry", "after", "timeout"))),
        ('"connection refused" port', Query((Term("phrase", "connection refused"), *words("port")))),
        ("“connection refused”", Query((Term("phrase", "connection refused"),))),
        ("cache -redis", Query(words("cache"), words("redis"))),
        ('cache -"not found"', Query(words("cache"), (Term("phrase", "not found"),))),
        ("read_fi* a/b*", Query((Term("prefix", "read_fi"), Term("word", "a/b*")))),
        ("gm:aws-key timeout", Query((Term("placeholder", "aws-key"), *words("timeout")))),
        ("cache -gm:Email", Query(words("cache"), (Term("placeholder", "email"),))),
        ("gm: gm:-x gm:a:b", Query(words("gm:", "gm:-x", "gm:a:b"))),
        ("same same", Query(words("same"))),
        ("", Query()),
        ("  -- * ... ", Query()),
    ],
)
def test_each_form_is_read_as_what_it_is(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize("text", ["git log --oneline", "ls -l", "a - b", "well-known"])
def test_options_and_hyphens_leave_nothing_out(text: str) -> None:
    assert parse(text).unwanted == ()


@pytest.mark.parametrize("text", ['"never closed', 'say"hi"', 'a "b c', '"'])
def test_quote_that_closes_nothing_is_read_as_words(text: str) -> None:
    assert all(term.kind == "word" for term in parse(text).terms)


def test_query_that_leaves_out_everything_is_read_as_words() -> None:
    assert parse('-redis -"not found"') == Query(words("redis", "not found"))


def test_text_that_was_pasted_is_cut() -> None:
    assert len(parse(" ".join(f"w{n}" for n in range(10_000))).terms) == MAX_TERMS


@given(st.text())
def test_any_text_is_a_query_that_can_be_encoded(text: str) -> None:
    query = parse(text)
    for term in (*query.terms, *query.unwanted):
        assert term.text.encode()


@given(st.binary())
def test_any_bytes_of_an_argument_are_a_query(data: bytes) -> None:
    assert parse(data.decode("utf-8", "surrogateescape")).unwanted is not None


@given(st.lists(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), max_size=20))
def test_plain_words_are_looked_for_as_they_are(texts: list[str]) -> None:
    assert parse(" ".join(texts)) == Query(words(*dict.fromkeys(texts)))
