"""Dates, moments and time spans become milliseconds, and a date is all of its day."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.errors.arguments import BadMoment
from gitmem.model.times import to_ms, to_text
from gitmem.query.moments import parse_since, parse_until

NOW = to_ms("2026-05-08T13:30:00Z")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90min", "2026-05-08T12:00:00.000Z"),
        ("12h", "2026-05-08T01:30:00.000Z"),
        ("7d", "2026-05-01T13:30:00.000Z"),
        ("2w", "2026-04-24T13:30:00.000Z"),
        ("1mo", "2026-04-08T13:30:00.000Z"),
        ("1y", "2025-05-08T13:30:00.000Z"),
        ("2026-05-01", "2026-05-01T00:00:00.000Z"),
        ("2026-05-01T10:00", "2026-05-01T10:00:00.000Z"),
        ("2026-05-01T10:00:00+02:00", "2026-05-01T08:00:00.000Z"),
        (" 7D ", "2026-05-01T13:30:00.000Z"),
    ],
)
def test_since_begins_where_the_words_do(text: str, moment: str) -> None:
    assert to_text(parse_since(text, NOW)) == moment


def test_until_a_date_takes_in_all_of_its_day() -> None:
    assert to_text(parse_until("2026-05-01", NOW)) == "2026-05-01T23:59:59.999Z"


def test_until_a_moment_ends_there() -> None:
    assert parse_until("2026-05-01T10:00", NOW) == parse_since("2026-05-01T10:00", NOW)


@pytest.mark.parametrize(
    "text", ["", "soon", "7", "d7", "2026-13-01", "2026-02-30", "-7d", "7 fortnights", "9999999d"]
)
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadMoment) as refused:
        parse_since(text, NOW)
    assert refused.value.exit_code == 2
    assert "7d" in refused.value.hint


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    with suppress(BadMoment):
        assert parse_since(text, NOW) <= parse_until(text, NOW)
