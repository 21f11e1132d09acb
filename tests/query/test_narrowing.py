"""Fields in a query become filters, or words where they say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.query.filters import Filters
from gitmem.query.narrowing import Narrowed, narrow
from gitmem.query.text import FIELDS, Query, Term, parse

NOW_MS = 1_800_000_000_000


def read(text: str) -> Narrowed:
    return narrow(parse(text), NOW_MS)


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("tide agent:codex", Filters(agents=("codex",))),
        ("tide agent:codex agent:claude-code", Filters(agents=("codex", "claude-code"))),
        ('tide author:"Ada Example" role:user', Filters(authors=("Ada Example",), roles=("user",))),
        ("file:src/app.py tide is:error", Filters(files=("src/app.py",), errors=True)),
        ("tide since:1d until:2027-01-15T08:00", Filters(since_ms=NOW_MS - 86_400_000, until_ms=NOW_MS)),
        ("tide tag:x tool:Bash repo:r branch:a/b session:codex/1 level:team", None),
    ],
)
def test_fields_are_filters_and_the_rest_is_the_query(text: str, filters: Filters | None) -> None:
    found = read(text)
    assert found.query == Query((Term("word", "tide"),))
    assert not found.excluding
    if filters is not None:
        assert found.holding == (filters,)


def test_field_behind_a_dash_excludes() -> None:
    found = read("tide -agent:codex -is:error")
    assert found.query == Query((Term("word", "tide"),))
    assert found.holding == ()
    assert found.excluding == (Filters(agents=("codex",)), Filters(errors=True))


@pytest.mark.parametrize(
    "text", ["role:captain", "level:secret", "since:soon", "is:lost", "std::vector", "http://x", "agent:"]
)
def test_field_that_cannot_be_is_a_word(text: str) -> None:
    found = read(text)
    assert found.holding == found.excluding == ()
    assert [term.kind for term in found.query.terms] == ["word"]


def test_fields_alone_are_a_query_without_words() -> None:
    assert read("agent:codex").query == Query()
    assert read("-agent:codex").query == Query()


@given(st.lists(st.sampled_from([*(f"{name}:" for name in FIELDS), '"', "-", "x", " ", ":", "7d", "user"])))
def test_any_query_of_fields_is_read(parts: list[str]) -> None:
    assert read("".join(parts)).query.narrowings == ()
