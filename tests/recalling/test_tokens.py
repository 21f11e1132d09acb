"""The estimate is no less than what tokenizers make of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.recall.tokens import estimate
from tests.recalling.samples import SAMPLES


@pytest.mark.parametrize(("text", "counted"), SAMPLES.items())
def test_no_tokenizer_made_more_of_it(text: str, counted: int) -> None:
    assert estimate(text) >= counted


def test_the_estimate_is_not_twice_what_english_and_code_come_to() -> None:
    texts = [text for text in SAMPLES if text.isascii()]
    assert sum(map(estimate, texts)) < 1.4 * sum(SAMPLES[text] for text in texts)


@given(st.text(), st.text())
def test_a_longer_text_never_comes_to_less_than_its_lines(one: str, other: str) -> None:
    together = estimate(f"{one}\n{other}")
    assert together + 1 >= estimate(one) + estimate(other) - 2
    assert estimate(one) >= 1
