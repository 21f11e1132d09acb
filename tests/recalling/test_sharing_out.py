"""Sharing a budget of tokens among texts: what some leave to others is theirs, and it is never more."""

from __future__ import annotations

from gitmem.recall.sharing_out import share
from gitmem.recall.tokens import estimate
from gitmem.recall.turns import Passage

LONG = Passage("The gate opens at noon. " * 200)
SHORT = Passage("noon")


def tokens_of(texts: list[str]) -> int:
    return 50 + sum(20 + estimate(text) for text in texts)


def test_long_texts_have_what_short_ones_leave() -> None:
    alone, beside, also = share([LONG, SHORT, SHORT], 500, tokens_of)
    assert (beside, also) == ("noon", "noon")
    assert 360 < estimate(alone) < 400
    two = share([LONG, LONG], 500, tokens_of)
    assert two[0] == two[1]
    assert tokens_of(two) <= 500


def test_budget_is_kept_whatever_a_text_costs() -> None:
    for text in ("\x00" * 900, "a\n" * 900, "漢字" * 900, "7f3a" * 900):
        for budget in (90, 200, 900):
            assert tokens_of(share([Passage(text)] * 2, budget, tokens_of)) <= max(budget, 92)


def test_without_room_or_texts_there_is_nothing() -> None:
    assert share([LONG], 10, tokens_of) == [""]
    assert share([], 900, tokens_of) == []
    assert share([SHORT], 900, tokens_of) == ["noon"]
