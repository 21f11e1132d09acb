"""Our own set is found as well as was reviewed, and better than words alone find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recall import asking, baselines, budgets, figures
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


def test_words_find_what_was_reviewed(own: RecallSet, searched: Searched) -> None:
    for each in (own, own.with_typos()):
        reviewed = figures.read()[Row(each.name, f"{figures.OURS}lexical")]
        assert _found(each, searched, "lexical").ndcg_10 >= reviewed.ndcg_10 - _LESS, each.name


def test_words_find_more_than_counting_them_or_fts5_or_tantivy_alone(
    own: RecallSet, searched: Searched
) -> None:
    turns = asking.read_turns(searched.repository)
    others = (
        baselines.ripgrep(turns, "turn"),
        baselines.fts5(turns, "turn", drops_stop_words=False),
        baselines.fts5(turns, "turn", drops_stop_words=True),
        baselines.tantivy_defaults(turns, "turn"),
    )
    for each in (own, own.with_typos()):
        ours = _found(each, searched, "lexical").ndcg_10
        for rank in others:
            ranked = [rank(query.text) for query in each.parts[0].queries]
            assert ours > mean_score(ranked, each.golds).ndcg_10, each.name


def test_words_and_meaning_find_what_was_reviewed_and_more_than_words(
    own: RecallSet, tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITMEM_MODEL_DIR", str(model_dir))
    [searched] = asking.prepare(own, tmp_path)
    reviewed = figures.read()[Row("own", f"{figures.OURS}hybrid")]
    found = _found(own, searched, "hybrid").ndcg_10
    assert found >= reviewed.ndcg_10 - _LESS
    assert found > _found(own, searched, "lexical").ndcg_10


def test_recall_quotes_what_was_reviewed_within_its_budget(own: RecallSet, searched: Searched) -> None:
    few = own._replace(parts=tuple(part._replace(queries=part.queries[::3]) for part in own.parts))
    [part] = few.parts
    found = budgets.recall(few, [searched._replace(part=part)], "lexical")
    reviewed = budgets.read()[budgets.Row("own", "lexical", budgets.TOKENS)]
    assert found.most_tokens <= budgets.TOKENS
    assert found.answered >= reviewed.answered - 0.05, "of every third query"


def test_every_query_is_about_a_turn_that_is_there(own: RecallSet, searched: Searched) -> None:
    turns = {turn.id for turn in asking.read_turns(searched.repository)}
    assert len(turns) > 300
    assert {name for gold in own.golds for name in gold} <= turns


def _found(asked: RecallSet, searched: Searched, mode: str) -> Score:
    queries = [query.text for query in asked.parts[0].queries]
    return mean_score(asking.search(searched, queries, "turn", mode), asked.golds)
