"""Our own set is found as well as was reviewed, and better than words alone find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recall import asking, baselines, figures
from tests.recall.asking import Searched
from tests.recall.figures import Row
from tests.recall.scoring import Score, mean_score
from tests.recall.sets import OWN, RecallSet, load

_LESS = 0.01
"""What the order of equals, and another version of Tantivy, may cost."""


@pytest.fixture
def own() -> RecallSet:
    return load("own", OWN, "turn")


@pytest.fixture
def searched(own: RecallSet, tmp_path: Path) -> Searched:
    [only] = asking.prepare(own, tmp_path)
    return only


# A test of `hybrid` goes here, with the fixture that installs the model.


def test_words_find_what_was_reviewed(own: RecallSet, searched: Searched) -> None:
    for each in (own, own.with_typos()):
        reviewed = figures.read()[Row(each.name, f"{figures.OURS}lexical")]
        assert _found(each, searched).ndcg_10 >= reviewed.ndcg_10 - _LESS, each.name


def test_more_is_found_than_by_counting_words_fts5_or_tantivy_alone(
    own: RecallSet, searched: Searched
) -> None:
    asked = (own, own.with_typos())
    ours = sum(_found(each, searched).ndcg_10 for each in asked)
    turns = asking.read_turns(searched.repository)
    for rank in (
        baselines.ripgrep(turns, "turn"),
        baselines.fts5(turns, "turn", drops_stop_words=False),
        baselines.fts5(turns, "turn", drops_stop_words=True),
        baselines.tantivy_defaults(turns, "turn"),
    ):
        theirs = 0.0
        for each in asked:
            ranked = [rank(query.text) for query in each.parts[0].queries]
            theirs += mean_score(ranked, each.golds).ndcg_10
        assert ours > theirs


def test_every_query_is_about_a_turn_that_is_there(own: RecallSet, searched: Searched) -> None:
    turns = {turn.id for turn in asking.read_turns(searched.repository)}
    assert len(turns) > 300
    assert {name for gold in own.golds for name in gold} <= turns


def _found(asked: RecallSet, searched: Searched) -> Score:
    queries = [query.text for query in asked.parts[0].queries]
    return mean_score(asking.search(searched, queries, "turn", "lexical"), asked.golds)
