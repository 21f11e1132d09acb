"""What may reach a terminal, and how many columns it takes there."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.cli import text as module
from gitmem.cli.text import clean, fit, one_line, pad, width

ACTS = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r\x1b\\text", "text"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9ctext", "text"),
        ("\x1b(0lines", "lines"),
        ("\x1b]52;c;unended", "␛]52;c;unended"),
        ("\x1b[\x1b[31m31mnested", "␛[31mnested"),
        ("\x1bc", "␛c"),
        ("a\x08b\x00\x7f", "a␈b␀␡"),
        ("\x85", "<U+0085>"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("one\u2028two", "one\ntwo"),
        ("pass\u200bword\ufeff", "password"),
        ("user\u202enimda", "user<U+202E>nimda"),
        ("tag\U000e0041", "tag"),
        ("bad\udcff", "bad\\xff"),
        ("half\ud83d", "half<U+D83D>"),
        ("日本 é 👍 Ω", "日本 é 👍 Ω"),
    ],
)
def test_text_is_made_harmless(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x9d[]0;m\x07\\\r\n\u202e\u200b"))))
def test_nothing_that_acts_survives_and_cleaning_twice_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert not ACTS.search(cleaned)
    assert clean(cleaned) == cleaned


def test_hostile_text_costs_no_more_than_its_length() -> None:
    def once(repeats: int) -> float:
        started = time.process_time()
        clean("\x1b]0;aaaa" * repeats + "\x1bP" * repeats + "\x1b[0;" * repeats)
        return time.process_time() - started

    def cost(repeats: int) -> float:
        return min(once(repeats) for _ in range(3))  # whatever else the machine does costs too

    # Ten times the text: a quadratic pattern would take a hundred times as long.
    assert cost(50_000) < 40 * max(cost(5_000), 0.001)


def test_one_line_has_no_line_end_and_single_spaces() -> None:
    assert one_line(" one\r\n\ttwo \u2028 three ") == "one two three"


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("👍", 2), ("ｱ", 1), ("Ａ", 2)]
)
def test_width_is_counted_in_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.integers(0, 50))
def test_fitted_text_takes_no_more_than_it_may(text: str, columns: int) -> None:
    cleaned = one_line(text)
    assert width(fit(cleaned, columns)) <= columns
    assert fit(cleaned, 200) == cleaned


def test_cut_text_ends_in_an_ellipsis_and_never_in_half_a_character() -> None:
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日…"
    assert fit("one two", 5) == "one…"


def test_padding_counts_wide_characters_twice() -> None:
    assert pad("日本", 6) == "日本  "
    assert pad("日本", 6, right=True) == "  日本"


def test_no_character_that_acts_passes_for_a_plain_one() -> None:
    suspect = re.compile(module._SUSPECT)
    acting = [chr(code) for code in range(0x110000) if suspect.match(chr(code))]
    assert len(acting) > 2000
    assert [character for character in acting if clean(f"a{character}b") == f"a{character}b"] == []
